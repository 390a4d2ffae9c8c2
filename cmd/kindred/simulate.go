package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/ingest/files"
	"github.com/kindred-cdp/kindred/ingest/simulate"
)

// simulation says which life to make up around the customers of the sample.
type simulation struct {
	input files.Input // whose customers
	seed  uint64
	shift time.Duration // how far the sample's times are moved
	last  time.Time     // the last event of the sample, moved
	asOf  time.Time     // when the import was first begun
	quiet bool          // do not print the base rates
}

func simulateCommand() *cobra.Command {
	var sim simulation
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Publish the simulated web life of the sample's customers to a running Kindred",
		Long: `Make web sessions, sign-ups, logins, calls and a shared store tablet around the
real customers of the sample file, with the mess of real life, and publish them.
The base rates are printed; the truth (who owns which identifier) goes to a file
in the data folder that only the evaluation reads. The export of an old CRM, in
which some of the customers are, goes to crm.csv in the data folder: import it with
"kindred import people", or look for doubles in it with "kindred link".`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd)
			if err != nil {
				return err
			}
			u := newUI(os.Stderr, now)
			return withKafka(cmd.Context(), s, func(ctx context.Context, p files.Publisher) error {
				sim.input = sampleInput()
				if err := sim.sampleEnd(ctx, s); err != nil {
					return err
				}
				_, sum, err := simulateAround(ctx, s, u, p, sim)
				if err != nil {
					return err
				}
				return printJSON(cmd, sum)
			})
		},
	}
	cmd.Flags().Uint64Var(&sim.seed, "seed", 1, "seed: the same seed gives the same bytes")
	return cmd
}

// sampleEnd sets the last time of the sample and how far it is moved: as it was
// imported here, or as it would be now.
func (sim *simulation) sampleEnd(ctx context.Context, s *settings) error {
	hash, err := sim.input.SHA256()
	if err != nil {
		return err
	}
	imported, err := files.OpenProgress(stateFolder(s), files.Job{Kind: "import", Format: files.OnlineRetail{}.Name(), Workspace: s.workspace, Input: hash})
	if err != nil {
		return err
	}
	sim.asOf = now()
	if imported.Begun() {
		sim.asOf = imported.AsOf
	}
	customers, err := files.OnlineRetail{}.Customers(ctx, sim.input, sim.asOf, 0)
	if err != nil {
		return err
	}
	var last time.Time
	for _, c := range customers {
		for _, o := range c.Orders {
			if o.Time.After(last) {
				last = o.Time
			}
		}
	}
	sim.shift = files.Shift(last, sim.asOf)
	if imported.Begun() {
		sim.shift = imported.Shift
	}
	sim.last = last.Add(sim.shift)
	return nil
}

// simulateAround publishes the life around the sample's customers and returns
// the file with the truth.
func simulateAround(ctx context.Context, s *settings, u *ui, p files.Publisher, sim simulation) (string, simulate.Summary, error) {
	cfg := simulate.DefaultConfig()
	cfg.Seed, cfg.End = sim.seed, sim.last
	customers, err := files.OnlineRetail{}.Customers(ctx, sim.input, sim.asOf, sim.shift)
	if err != nil {
		return "", simulate.Summary{}, err
	}
	if !sim.quiet {
		u.say("base rates of the simulation, seed %d:", sim.seed)
		for _, r := range cfg.Rates() {
			u.say("  %-22s %8s %-8s %s", r.Name, r.Value, r.Unit, r.About)
		}
	}
	truth := filepath.Join(stateFolder(s), fmt.Sprintf("truth-%d.csv", sim.seed))
	simulator, err := simulate.New(cfg, customers, simulate.Options{
		StateFolder: stateFolder(s), TruthFile: truth, CRMFile: crmFile(s), Workspace: s.workspace,
		Report: func(done, total int64) { u.progress("simulate", done, total, "messages") },
	}, simulate.Deps{Publisher: p, Log: u.logger(s)})
	if err != nil {
		return "", simulate.Summary{}, err
	}
	sum, err := simulator.Run(ctx)
	return truth, sum, err
}

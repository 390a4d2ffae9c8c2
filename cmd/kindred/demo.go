package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/files"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/profiles/grouping"
)

// retailSource is the source that the importer names.
const retailSource = "online-retail"

// demoSummary is what the demo prints.
type demoSummary struct {
	EventsPublished int64 `json:"events_published"` // distinct messages; copies are counted apart
	CopiesPublished int64 `json:"copies_published"`
	stored
	Profiles           int           `json:"profiles"`
	Identifiers        int           `json:"identifiers"` // neither blocked nor generic
	Merges             int           `json:"merges"`      // identifiers less profiles
	CustomersWithValue int           `json:"customers_with_value"`
	Personas           []string      `json:"personas"` // their names
	Identity           demoIdentity  `json:"identity"`
	CRM                demoCRM       `json:"crm"`
	ShiftWeeks         int           `json:"shift_weeks"`
	Seconds            float64       `json:"seconds"`
	Steps              []demoSeconds `json:"steps"`
}

// demoIdentity compares the profiles with the truth of the simulation.
type demoIdentity struct {
	Precision float64 `json:"pairwise_precision"`
	Recall    float64 `json:"pairwise_recall"`
	// Provable is the recall of somebody who knows the truth and joins all that
	// the evidence connects: who never left a common identifier is beyond it.
	Provable float64 `json:"provable_recall"`
	// The two plain ways beside it: joining by user id alone, and joining
	// whatever was ever seen together.
	UserIDRecall        float64 `json:"user_id_only_recall"`
	ComponentsPrecision float64 `json:"connected_components_precision"`
	Compared            int     `json:"identifiers_compared"` // with exactly one true owner
	Shared              int     `json:"identifiers_shared"`   // with several, left out
}

// demoSeconds is how long a step took.
type demoSeconds struct {
	Step    string  `json:"step"`
	Seconds float64 `json:"seconds"`
}

type demoOptions struct {
	once, json bool
	seed       uint64
	file       string // "" for the sample of this release
}

func (o demoOptions) input() files.Input {
	if o.file == "" {
		return sampleInput()
	}
	return files.FileInput(o.file)
}

func demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Load a year of a real shop and serve its customers",
		Long: `Start Kindred, stream the invoices of a real shop (UCI Online Retail, 2010-2011)
the simulated web life of its customers, and the export of an old CRM in which some
of them are (crm.csv in the data folder), through Kafka into ClickHouse, resolve the
identities, value the customers, tell what kinds of them there are, and stay up. All times are moved by
the same whole weeks, so that the data end within the last seven days.

A demo that was killed continues where it stopped when it is started again.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd)
			if err != nil {
				return err
			}
			dev, err := developmentKeys(s)
			if err != nil {
				return err
			}
			u := newUI(os.Stderr, now)
			return withPlatform(cmd.Context(), s, u, func(ctx context.Context, p *platform) error {
				return runDemo(ctx, cmd, p, o, dev)
			})
		},
	}
	cmd.Flags().BoolVar(&o.once, "once", false, "end after loading")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the summary as JSON on standard output")
	cmd.Flags().StringVar(&o.file, "file", "", "load this `FILE` of the same layout instead of the sample")
	cmd.Flags().Uint64Var(&o.seed, "seed", 1, "seed of the simulation: the same seed gives the same bytes")
	return cmd
}

func stateFolder(s *settings) string { return filepath.Join(s.data, "imports") }

// runDemo runs every role, loads beside them, and then stays up or ends.
func runDemo(ctx context.Context, cmd *cobra.Command, p *platform, o demoOptions, dev bool) error {
	r, err := newRoles(p)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	listening := make(chan net.Addr, 1)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer stop()
		return r.run(ctx, func(a net.Addr) { listening <- a })
	})
	g.Go(func() error {
		var address net.Addr
		select {
		case address = <-listening:
		case <-ctx.Done():
			return nil
		}
		sum, err := p.load(ctx, r, o, address)
		if err != nil {
			if ctx.Err() != nil {
				return nil // The roles say why, or the user asked for it.
			}
			return err
		}
		if o.json {
			if err := printJSON(cmd, sum); err != nil {
				return err
			}
		} else {
			p.ui.say("%s", sum)
		}
		if o.once {
			stop()
			return nil
		}
		p.ui.say("\nKindred is up.\n%s\n\nTry:\n%s", addresses(p, address, dev), examples(address, dev))
		return nil
	})
	return g.Wait()
}

// examples are commands that a new user can paste.
func examples(api net.Addr, dev bool) string {
	key := "KEY"
	if dev {
		key = "read-dev"
	}
	return fmt.Sprintf(`  curl -s -H 'Authorization: Bearer %[2]s' http://%[1]s/v1/profiles/user_id:12748
  curl -s -H 'Authorization: Bearer %[2]s' http://%[1]s/v1/segments/preview \
    -d '{"definition": {"all": [{"orders": {"gte": 5}, "within": "180d"}, {"score": "p_alive", "op": "gte", "value": 0.7}]}}'`, api, key)
}

// lap notes how long a step took that began at since, and returns its end.
func (s *demoSummary) lap(step string, since time.Time) time.Time {
	t := now()
	s.Steps = append(s.Steps, demoSeconds{step, round(t.Sub(since).Seconds())})
	return t
}

// load publishes the sample, the simulation and the old CRM, waits until all is
// stored and resolved, links records, values the customers, and counts.
func (p *platform) load(ctx context.Context, r *roles, o demoOptions, address net.Addr) (*demoSummary, error) {
	begun := now()
	sum := &demoSummary{}
	if p.download > 0 {
		sum.Steps = append(sum.Steps, demoSeconds{"engine library", round(p.download.Seconds())})
	}
	sum.Steps = append(sum.Steps, demoSeconds{"start", round(begun.Sub(p.ui.begun).Seconds() - p.download.Seconds())})
	truth, err := p.publishDemo(ctx, o, sum)
	if err != nil {
		return nil, err
	}
	at := now()
	if err := p.drain(ctx); err != nil {
		return nil, err
	}
	at = sum.lap("store and resolve what was left", at)
	if _, err := p.linkRecords(ctx, address); err != nil {
		return nil, fmt.Errorf("link records: %w", err)
	}
	at = sum.lap("link records", at)
	value, err := r.valuer.Refresh(ctx)
	if err != nil {
		return nil, fmt.Errorf("value the customers: %w", err)
	}
	sum.CustomersWithValue = value.CustomersWithValue
	at = sum.lap("value", at)
	if sum.Personas, err = p.groupDemo(ctx, r); err != nil {
		return nil, err
	}
	at = sum.lap("group", at)
	if err := p.measureDemo(ctx, r, truth, sum); err != nil {
		return nil, err
	}
	sum.lap("count and compare with the truth", at)
	sum.Seconds = round(now().Sub(begun).Seconds())
	return sum, nil
}

// groupDemo finds the kinds of customers, and returns what they are called.
func (p *platform) groupDemo(ctx context.Context, r *roles) ([]string, error) {
	if _, err := r.grouper.Refit(ctx); err != nil {
		return nil, fmt.Errorf("group the customers: %w", err)
	}
	found, err := grouping.NewReader(p.conn).Personas(ctx, grouping.DefaultConfig().Workspace)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, card := range found.Cards {
		names = append(names, card.Name)
	}
	return names, nil
}

// publishDemo publishes the sample and what is simulated around it, and returns
// the file with the truth.
func (p *platform) publishDemo(ctx context.Context, o demoOptions, sum *demoSummary) (string, error) {
	at := now()
	writer := kafka.NewWriter(p.brokers)
	defer func() { _ = writer.Close() }()
	publisher := recordPublisher{writer}
	retail, err := importFile(ctx, p.settings, p.ui, publisher, o.input(), "online-retail", true)
	if err != nil {
		return "", err
	}
	at = sum.lap("import", at)
	sum.ShiftWeeks = retail.ShiftWeeks
	truth, counts, err := simulateAround(ctx, p.settings, p.ui, publisher, simulation{input: o.input(), seed: o.seed, shift: retail.Shift, last: retail.Last, asOf: retail.AsOf, quiet: o.json})
	if err != nil {
		return "", err
	}
	at = sum.lap("simulate", at)
	crm, err := importCRM(ctx, p.settings, p.ui, publisher)
	if err != nil {
		return "", err
	}
	sum.lap("import the CRM", at)
	sum.EventsPublished = retail.Records + int64(counts.Messages) + crm.Records
	sum.CopiesPublished = int64(counts.Copies)
	return truth, nil
}

// measureDemo counts what is stored, and compares the profiles with the truth.
func (p *platform) measureDemo(ctx context.Context, r *roles, truth string, sum *demoSummary) (err error) {
	if sum.stored, err = measureStored(ctx, p.conn, p.settings.workspace, retailSource); err != nil {
		return err
	}
	stats, err := r.ledger.Stats(ctx, p.settings.workspace)
	if err != nil {
		return fmt.Errorf("count the profiles of workspace %s: %w", p.settings.workspace, err)
	}
	sum.Profiles, sum.Merges = stats.Profiles, stats.Merges
	sum.Identifiers = stats.Profiles + stats.Merges
	sum.Identity, sum.CRM, err = p.compare(ctx, truth)
	return err
}

func round(seconds float64) float64 { return math.Round(seconds*10) / 10 }

// drain waits until everything published is stored and resolved. Evidence is
// acknowledged before the offset of its events is committed, so once ingest has
// no lag all evidence is in its topic.
func (p *platform) drain(ctx context.Context) error {
	for _, stage := range []struct {
		what, group string
		topics      []string
	}{
		{"store", ingestGroup, eventTopics()},
		{"resolve", identityGroup, []string{ingest.EvidenceTopic}},
	} {
		var first int64
		for {
			lag, err := kafka.Lag(ctx, p.brokers, stage.group, stage.topics)
			if err != nil {
				return err
			}
			first = max(first, lag)
			p.ui.progress(stage.what, first-lag, max(first, 1), "records")
			if lag == 0 {
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

// String is the summary for a person.
func (s *demoSummary) String() string {
	text := fmt.Sprintf(`
%d events published (and %d copies of them), %d stored, %d dead letters
%d profiles from %d identifiers (%d merges)
%d invoice lines: %d orders of known customers, %d guest orders, %d refunds, %d stock adjustments
revenue of known customers %s GBP; %d customers with a lifetime value
%d personas: %s
identity against the truth: precision %.5f, recall %.4f (all that the evidence can show: %.4f)
  (user id alone: recall %.3f; everything ever seen together: precision %.3f)
%s
times were moved by %d weeks, so that the data end within the last seven days
`, s.EventsPublished, s.CopiesPublished, s.Events, s.DeadLetters, s.Profiles, s.Identifiers, s.Merges,
		s.Lines, s.Orders.Known, s.Orders.Guest, s.Refunds, s.Adjustments, s.Revenue, s.CustomersWithValue,
		len(s.Personas), strings.Join(s.Personas, "; "),
		s.Identity.Precision, s.Identity.Recall, s.Identity.Provable, s.Identity.UserIDRecall, s.Identity.ComponentsPrecision, s.CRM, s.ShiftWeeks)
	for _, step := range s.Steps {
		text += fmt.Sprintf("%s: %.1f s\n", step.Step, step.Seconds)
	}
	return text + fmt.Sprintf("loaded in %.1f s", s.Seconds)
}

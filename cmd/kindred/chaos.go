package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// The chaos suite: a Kindred of separate processes under load, of which one is
// killed or paused in every round, at a random moment or at a named step of the
// delivery. At the end everything that was acknowledged must be stored, once,
// and the profiles must equal those computed anew from the stored events.
//
//	chaos.go            the command, and what happens in which round
//	chaos_process.go    the processes
//	chaos_load.go       the load, and what was acknowledged
//	chaos_check.go      the count at the end
//	faults.go           what happens inside a process of the suite

// chaosConfig is one run of the suite.
type chaosConfig struct {
	rounds  int
	seed    uint64
	without string // a mechanism that is switched off
	kafka   string // address of a broker from outside; "" runs the embedded one
	keep    bool   // the folder, also after success
}

func chaosCommand() *cobra.Command {
	var c chaosConfig
	var prove bool
	cmd := &cobra.Command{
		Use:   "chaos",
		Short: "Kill and pause the processes of a Kindred under load, then count",
		Long: `Start the embedded engines, the API, two ingest and two identity processes in a
temporary folder, put load on them, and in every round kill -9 or pause one of
them, or stop ingest at a step between fetch and commit. At the end count: what
was acknowledged must be stored once, and profiles must equal a rebuild. The
same seed gives the same rounds. With KINDRED_TEST_KAFKA the broker is that one.

With --prove it then switches off deduplication, insert tokens and fencing, one
after the other, and must find each time that something is lost or doubled.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.kafka = os.Getenv("KINDRED_TEST_KAFKA")
			if c.seed == 0 {
				c.seed = uint64(now().UnixNano())
			}
			cmd.SetOut(os.Stdout)
			if c.without != "" && !slices.Contains(mechanisms(), c.without) {
				return fmt.Errorf("--without must be one of %v", mechanisms())
			}
			err := runChaos(cmd, c)
			if err != nil || !prove {
				return err
			}
			return proveChaos(cmd, c)
		},
	}
	cmd.Flags().IntVar(&c.rounds, "rounds", 28, "`number` of processes to kill or pause, one after the other")
	cmd.Flags().Uint64Var(&c.seed, "seed", 0, "`seed` of the rounds (default: the time; it is printed)")
	cmd.Flags().StringVar(&c.without, "without", "", "`mechanism` to switch off: dedupe, token or fencing; the run should then fail")
	cmd.Flags().BoolVar(&c.keep, "keep", false, "keep the folder with the data and logs")
	cmd.Flags().BoolVar(&prove, "prove", false, "show that the suite fails when a mechanism is switched off")
	return cmd
}

// proveChaos runs the suite without each mechanism; it fails when a run passes.
func proveChaos(cmd *cobra.Command, c chaosConfig) error {
	c.rounds = provingRounds
	for _, m := range mechanisms() {
		c.without = m
		err := runChaos(cmd, c)
		switch {
		case err == nil:
			return fmt.Errorf("without %s nothing was lost or doubled: the suite shows nothing", m)
		case !errors.Is(err, errBroken):
			return err
		}
		cmd.Printf("chaos: without %s it fails, as it must: %v\n", m, err)
	}
	return nil
}

const provingRounds = 3

// errBroken reports a broken promise, as opposed to a suite that could not run.
var errBroken = errors.New("the promise is broken")

// chaosRound is what happens to one process.
type chaosRound struct {
	process string
	action  string // kill or stop
	step    string // of the delivery, or "" for a random moment
}

func (r chaosRound) String() string {
	at := "at a random moment"
	if r.step != "" {
		at = r.step
	}
	return fmt.Sprintf("%s %s %s", r.action, r.process, at)
}

// plan lists the rounds: every combination, shuffled, as often as needed. What
// does not concern a mechanism that is off is left out.
func (c chaosConfig) plan(r *rand.Rand) []chaosRound {
	var all []chaosRound
	ingests := []string{"ingest-1", "ingest-2"}
	switch c.without {
	case "token":
		for _, step := range []string{"after insert", "before evidence", "before commit"} {
			all = append(all, chaosRound{ingests[r.IntN(2)], "kill", step})
		}
	case "fencing":
		for _, step := range []string{"after plan", "after insert", "after fetch"} {
			all = append(all, chaosRound{ingests[r.IntN(2)], "stop", step})
		}
	default:
		for _, step := range faultSteps() {
			all = append(all, chaosRound{ingests[r.IntN(2)], "kill", step})
		}
		for _, step := range []string{"after fetch", "after plan", "before insert", "after insert", "before commit"} {
			all = append(all, chaosRound{ingests[r.IntN(2)], "stop", step})
		}
		for _, p := range []string{"api", ingests[r.IntN(2)], "identity-1", "identity-2", "broker", "clickhouse"} {
			if p == "broker" && c.kafka != "" {
				continue
			}
			all = append(all, chaosRound{p, "kill", ""}, chaosRound{p, "stop", ""})
		}
	}
	var plan []chaosRound
	for len(plan) < c.rounds {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		plan = append(plan, all[:min(len(all), c.rounds-len(plan))]...)
	}
	return plan
}

// runChaos is one run: start, load, rounds, count.
func runChaos(cmd *cobra.Command, c chaosConfig) (err error) {
	begun := now()
	out := func(format string, args ...any) {
		cmd.Printf("%6.1f s  "+format+"\n", append([]any{now().Sub(begun).Seconds()}, args...)...)
	}
	title := "everything on"
	if c.without != "" {
		title = "without " + c.without
	}
	broker := "the embedded broker"
	if c.kafka != "" {
		broker = "Apache Kafka at " + c.kafka
	}
	out("chaos: %d rounds, seed %d, %s, on %s", c.rounds, c.seed, title, broker)
	r := rand.New(rand.NewPCG(c.seed, 1))
	f, err := newFleet(cmd, c, out)
	if err != nil {
		return err
	}
	defer func() { f.clean(err != nil && c.without == "") }()
	defer f.stop()
	if err := f.start(cmd.Context()); err != nil {
		return err
	}
	l := newLoad(f, c.seed)
	l.start(cmd.Context())
	for i, round := range c.plan(r) {
		out("round %d: %s (%d acknowledged)", i+1, round, l.acknowledged())
		if err := f.play(cmd.Context(), round, r); err != nil {
			return err
		}
	}
	pause(cmd.Context(), time.Second)
	if err := l.stop(cmd.Context()); err != nil {
		return err
	}
	out("load stopped: %d acknowledged", l.acknowledged())
	if err := f.settle(cmd.Context()); err != nil {
		return err
	}
	verdict, err := f.count(cmd.Context(), l)
	if err != nil {
		return err
	}
	out("chaos: %d rounds, %s", c.rounds, verdict)
	if died := f.diedAlone(); len(died) > 0 {
		return fmt.Errorf("%w: ended by themselves: %s", errBroken, strings.Join(died, ", "))
	}
	return verdict.err()
}

// pause waits, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

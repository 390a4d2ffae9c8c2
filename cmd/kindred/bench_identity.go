package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/ledger"
)

// identityBench says what is measured.
type identityBench struct {
	identifiers, runs int
	seed              uint64
	json              bool
}

func benchIdentityCommand() *cobra.Command {
	var o identityBench
	cmd := &cobra.Command{
		Use:   "identity",
		Short: "A stored ledger of millions: reload, why, unmerge, dry run, and what they hold up",
		Long: `Store a seeded population in a fresh ClickHouse as a history would have left it,
and measure identity over it: an owner that starts (reload, evaluation and the
comparison with what is published), why two identifiers are one profile or are
not and what the engine takes of that, the figures of the whole graph, a dry run
of other rules, unmerges of profiles of a thousand identifiers, and rules that are
declared. Meanwhile new evidence comes in every 20 ms: the longest that a record
took says for how long the stream stood still.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return benchIdentity(cmd, o) },
	}
	cmd.Flags().IntVar(&o.identifiers, "identifiers", 10_000_000, "identifiers of the population")
	cmd.Flags().IntVar(&o.runs, "runs", 300, "runs of why and of unmerge")
	cmd.Flags().Uint64Var(&o.seed, "seed", 1, "seed of the population")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the figures as JSON on standard output")
	return cmd
}

// identityFigures are what a run measured; times are in seconds where they say
// no other unit.
type identityFigures struct {
	Seed       uint64         `json:"seed"`
	Population populationSize `json:"population"`
	Stored     float64        `json:"stored_seconds"`    // until the tables held it
	Published  float64        `json:"published_seconds"` // until its first owner had published all of it

	Reload     float64 `json:"reload_seconds"` // from the start of an owner until it is ready
	ReloadLoad float64 `json:"reload_load_seconds"`
	// On a busy machine a reload takes as long as it is let; what it costs stays.
	ReloadOwn     float64 `json:"reload_processor_seconds"`        // of this process
	ReloadEngine  float64 `json:"reload_engine_processor_seconds"` // of ClickHouse
	RowsPerSecond float64 `json:"reload_rows_per_second"`
	BytesEach     float64 `json:"bytes_per_identifier"` // of the heap after a collection
	PeakBytes     uint64  `json:"peak_resident_bytes"`  // of the process, at the end of the reload
	PeakInAll     uint64  `json:"peak_resident_bytes_in_all"`

	WhySame  spread `json:"why_same_ms"`
	WhyOther spread `json:"why_different_ms"`
	// What the engine takes of why in one profile, each answer asked for once more.
	WhyEngine spread `json:"why_engine_processor_ms"`
	WhyWaited spread `json:"why_engine_waits_for_processor_ms"`
	Unmerge   spread `json:"unmerge_ms"`

	Health heldUp `json:"health"`
	Gauges heldUp `json:"gauges"`
	DryRun heldUp `json:"dry_run"`
	Rules  heldUp `json:"rules"`
	Idle   heldUp `json:"idle"` // what evidence takes when nothing else is asked
}

// spread is of durations, in milliseconds.
type spread struct {
	Runs int     `json:"runs"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	Max  float64 `json:"max"`
}

func (s spread) String() string {
	return fmt.Sprintf("p50 %.1f ms, p95 %.1f ms, max %.1f ms of %d", s.P50, s.P95, s.Max, s.Runs)
}

func spreadOf(took []time.Duration) spread {
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return spread{len(took), ms(took[len(took)/2]), ms(took[len(took)*95/100]), ms(took[len(took)-1])}
}

// heldUp is how long something took, and the longest that evidence took meanwhile.
type heldUp struct {
	Seconds    float64 `json:"seconds"`
	EvidenceMS float64 `json:"slowest_evidence_ms"`
}

func (h heldUp) String() string {
	return fmt.Sprintf("%.2f s; evidence took at most %.0f ms meanwhile", h.Seconds, h.EvidenceMS)
}

// largeProfile is how many identifiers the profiles have that are taken apart.
const largeProfile = 1000

// benchIdentity runs all of it over an engine of its own.
func benchIdentity(cmd *cobra.Command, o identityBench) error {
	if least := 2 * o.runs * largeProfile; o.identifiers < least { // Each run takes one large profile apart.
		return fmt.Errorf("%d runs need %d identifiers or more: the profiles that are taken apart have %d each", o.runs, least, largeProfile)
	}
	s, clean, err := benchSettings(cmd, "", roleSet{roleClickHouse})
	if err != nil {
		return err
	}
	defer clean()
	return withPlatform(cmd.Context(), s, newUI(os.Stderr, now), func(ctx context.Context, p *platform) error {
		out := cmd.OutOrStdout()
		if o.json {
			out = cmd.ErrOrStderr()
		}
		m := &identityMeter{
			bench:    bench{p: p, begin: now(), out: func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }},
			identity: o, log: newBenchLog(), publisher: &timedPublisher{readingPublisher: readingPublisher{p}},
		}
		watching, stop := context.WithCancel(ctx)
		defer stop()
		go m.watchMemory(watching)
		m.out("calibration: a core checks %.0f MB/s of JSON", calibrate())
		if err := m.all(ctx, cmd.Flag("profile").Value.String()); err != nil {
			return err
		}
		if o.json {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(m.figures)
		}
		return nil
	})
}

// identityMeter is one run.
type identityMeter struct {
	bench
	identity   identityBench
	population population
	log        *benchLog
	publisher  *timedPublisher
	ledger     *ledger.Ledger
	registry   *prometheus.Registry
	sent       int // records of evidence
	figures    identityFigures
}

// all prepares and takes every measurement.
func (m *identityMeter) all(ctx context.Context, profile string) error {
	f := &m.figures
	if err := m.prepare(ctx); err != nil {
		return err
	}
	stopProfile, err := startProfile(profile)
	if err != nil {
		return err
	}
	defer stopProfile()
	if err := m.owned(ctx, m.reloaded, m.why, m.quiet, m.whole, m.dryRun, m.unmerge, m.declare); err != nil {
		return err
	}
	f.PeakInAll = m.peak.Load()
	m.out("peak memory of the process: %d MiB", f.PeakInAll>>20)
	return nil
}

// prepare stores the population and lets a first owner publish it.
func (m *identityMeter) prepare(ctx context.Context) error {
	f, start := &m.figures, now()
	workspace := m.p.settings.workspace
	m.population = population{
		keyer: identity.NewKeyer(m.p.secret, workspace), workspace: workspace, seed: m.identity.seed,
		identifiers: m.identity.identifiers, large: m.identity.runs, size: largeProfile, end: now().Add(-time.Hour),
	}
	f.Seed = m.identity.seed
	made, err := m.population.write(ctx, m.p.conn)
	if err != nil {
		return err
	}
	f.Population, f.Stored = made, now().Sub(start).Seconds()
	m.out("stored: %d identifiers in %d pairs and %d sets, %d rows of evidence, seed %d, in %.1f s",
		made.Identifiers, made.Pairs, made.Sets, made.Rows, f.Seed, f.Stored)
	if err := m.publisher.StartEpoch(ctx, workspace, 1); err != nil {
		return err
	}
	m.log.metadata = "" // No owner has committed: the first one takes the epoch after it.
	start = now()
	err = m.owned(ctx, func(context.Context) error {
		f.Published = now().Sub(start).Seconds()
		m.out("published by a first owner in %.1f s", f.Published)
		return nil
	})
	if err != nil {
		return err
	}
	return m.settle(ctx)
}

// settle waits until the engine has merged what was inserted.
func (m *identityMeter) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	return waitFor(ctx, 500*time.Millisecond, func() (bool, error) {
		n, err := m.count(ctx, `SELECT count() FROM system.merges WHERE database = currentDatabase()`)
		return n == 0, err
	})
}

// owned starts an owner and, when it is ready, takes steps.
func (m *identityMeter) owned(ctx context.Context, steps ...func(context.Context) error) (err error) {
	rules := identity.DefaultRules()
	rules.Untrusted = map[string]bool{sourceWeb: true}
	cfg := ledger.DefaultConfig()
	cfg.BatchWait, cfg.FlushPause = 0, 0 // What is measured is the work, not the waiting for more of it.
	m.registry = prometheus.NewRegistry()
	m.ledger, err = ledger.New(cfg, ledger.Deps{
		DB: m.p.conn, NewGraph: ledger.NewGraph, Rules: func(string) *identity.Rules { return rules },
		Keyer:     func(string) identity.Keyer { return m.population.keyer },
		Publisher: m.publisher, Notifier: unread{}, Rejecter: unread{}, Now: now, Metrics: m.registry, Log: m.p.log,
	})
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	before := heap()
	m.peak.Store(0)
	owning, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	start := now()
	own, engine := m.processors(ctx)
	go func() { ended <- m.ledger.Own(owning, m.log.join()) }()
	defer func() {
		stop()
		if failed := <-ended; err == nil {
			err = failed
		}
	}()
	if err := m.ready(ctx, ended); err != nil {
		return err
	}
	own2, engine2 := m.processors(ctx)
	m.figures.ReloadOwn, m.figures.ReloadEngine = own2-own, engine2-engine
	m.figures.Reload, m.figures.PeakBytes = now().Sub(start).Seconds(), m.peak.Load()
	m.figures.BytesEach = float64(heap()-before) / float64(max(1, m.figures.Population.Identifiers))
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// processors returns the processor seconds of this process and of ClickHouse.
func (m *identityMeter) processors(ctx context.Context) (own, engine float64) {
	own, _ = processor()
	us, err := m.count(ctx, `SELECT value FROM system.events WHERE event = 'OSCPUVirtualTimeMicroseconds'`)
	if err != nil {
		return own, 0
	}
	return own, float64(us) / 1e6
}

// ready waits until the owner is, or has ended.
func (m *identityMeter) ready(ctx context.Context, ended chan error) error {
	return waitFor(ctx, 5*time.Millisecond, func() (bool, error) {
		select {
		case err := <-ended:
			ended <- err
			return true, err
		default:
			return m.ledger.Ready(), nil
		}
	})
}

// heap returns what is in use after a collection.
func heap() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

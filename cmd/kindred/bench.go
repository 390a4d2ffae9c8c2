package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	segkafka "github.com/segmentio/kafka-go"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

func benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine: a fresh Kindred in a temporary folder under load",
		Long: `Start a fresh Kindred with its own engines in a temporary folder on free ports,
put load on it from the same machine, and print figures. Nothing of an existing
data folder is touched.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().String("profile", "", "write a processor profile of the measured part to `file`")
	cmd.AddCommand(benchAllCommand(), benchLoadCommand(), benchIngestCommand(), benchIntakeCommand(), benchSystemCommand(), benchFreshnessCommand(), benchFloodCommand(), benchIdentityCommand(), benchLinkageCommand(), benchProfilesCommand(), benchSegmentsCommand(), benchScoresCommand())
	return cmd
}

func benchAllCommand() *cobra.Command {
	var length time.Duration
	cmd := &cobra.Command{
		Use:   "all",
		Short: "Ingest, intake, the whole system at a rate that follows from the two, freshness, flood, identity, linkage, profiles, segments, scores",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := benchIngest(cmd, 5_000_000, 500_000)
			if err != nil {
				return err
			}
			b, err := benchIntake(cmd, 20*time.Second)
			if err != nil {
				return err
			}
			// Both share the cores: of one event they take 1/a and 1/b seconds.
			if err := benchSystem(cmd, min(40_200, .86/(1/a+1/b)), length); err != nil {
				return err
			}
			if err := benchFreshness(cmd, 10_000_000, 1_000_000, 5000, time.Minute); err != nil {
				return err
			}
			if err := benchFlood(cmd, time.Minute); err != nil {
				return err
			}
			if err := benchIdentity(cmd, identityBench{identifiers: 10_000_000, runs: 300, seed: 1}); err != nil {
				return err
			}
			if err := benchLinkage(cmd, linkageBench{records: 1_000_000, pairs: 18, added: 50_000, seed: 1}); err != nil {
				return err
			}
			if err := benchProfiles(cmd, profilesBench{events: 10_000_000, people: 1_000_000, length: 20 * time.Second}); err != nil {
				return err
			}
			if err := benchSegments(cmd, segmentsBench{events: 10_000_000, people: 1_000_000, segments: 100, rate: 2000, length: time.Minute}); err != nil {
				return err
			}
			return benchScores(cmd, defaultScoresBench())
		},
	}
	cmd.Flags().DurationVar(&length, "length", 10*time.Minute, "length of the measurement of the whole system")
	return cmd
}

// calibrate measures how fast a core reads JSON now: on a shared machine it
// tells a slow hour from a slow program.
func calibrate() float64 {
	text := traffic{people: 1000, begin: now(), source: "bench"}.native(nil, 1)
	start := now()
	n := 0
	for ; now().Sub(start) < 300*time.Millisecond; n++ {
		for range 100 {
			_ = jsonscan.Check(text)
		}
	}
	return float64(n*100*len(text)) / now().Sub(start).Seconds() / 1e6
}

// bench is one fresh Kindred under measurement.
type bench struct {
	p    *platform
	r    *roles
	api  string // host:port
	peak atomic.Uint64
	// resident tells what peak is the greatest of; nil is the size of this process.
	resident func() uint64
	begin    time.Time
	out      func(format string, args ...any)
}

// runBench starts the engines in a folder of their own, prepares, then starts the roles
// (nil is all) and measures.
func runBench(cmd *cobra.Command, set roleSet, prepare, measure func(context.Context, *bench) error) error {
	return runBenchIn(cmd, "", set, prepare, measure)
}

// runBenchIn is runBench in a folder.
func runBenchIn(cmd *cobra.Command, dir string, set roleSet, prepare, measure func(context.Context, *bench) error) error {
	s, clean, err := benchSettings(cmd, dir, set)
	if err != nil {
		return err
	}
	defer clean()
	s.apiKeys += ",write/flood:" + s.workspace + ":" + benchFloodKey
	return withPlatform(cmd.Context(), s, newUI(os.Stderr, now), func(ctx context.Context, p *platform) error {
		b := &bench{p: p, begin: now(), out: func(format string, args ...any) { cmd.Printf(format+"\n", args...) }}
		cmd.SetOut(os.Stdout)
		watching, stop := context.WithCancel(ctx)
		defer stop()
		go b.watchMemory(watching)
		b.out("calibration: a core checks %.0f MB/s of JSON", calibrate())
		if err := prepare(ctx, b); err != nil {
			return err
		}
		if b.r, err = newRoles(p); err != nil {
			return err
		}
		stopProfile, err := startProfile(cmd.Flag("profile").Value.String())
		if err != nil {
			return err
		}
		defer stopProfile()
		g, running := errgroup.WithContext(ctx)
		running, end := context.WithCancel(running)
		ready := make(chan net.Addr, 1)
		g.Go(func() error { return b.r.run(running, func(a net.Addr) { ready <- a }) })
		g.Go(func() error {
			defer end()
			select {
			case a := <-ready:
				b.api = a.String()
			case <-running.Done():
				return nil
			}
			return measure(running, b)
		})
		err = g.Wait()
		b.out("peak memory of kindred with broker, API and load generator, without the engine: %d MiB", b.peak.Load()>>20)
		return err
	})
}

// startProfile writes a profile until stop is called; without a path it does
// nothing.
func startProfile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, nil
}

// watchMemory keeps the greatest resident size of this process.
func (b *bench) watchMemory(ctx context.Context) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	size := resident
	if b.resident != nil {
		size = b.resident
	}
	for {
		if n := size(); n > b.peak.Load() {
			b.peak.Store(n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// resident returns the memory of this process in bytes, 0 where it is not known.
func resident() uint64 { return residentOf("/proc/self/statm") }

// residentOf reads the memory of a process from its file statm.
func residentOf(statm string) uint64 {
	raw, err := os.ReadFile(statm)
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(fields[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

// syncTime measures what the disk needs to make a small write durable.
func (b *bench) syncTime() (time.Duration, error) {
	f, err := os.Create(filepath.Join(b.p.settings.data, "sync-probe"))
	if err != nil {
		return 0, fmt.Errorf("probe the disk: %w", err)
	}
	defer func() { _ = f.Close() }()
	const rounds = 50
	start := now()
	for range rounds {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0, fmt.Errorf("probe the disk: %w", err)
		}
		if err := f.Sync(); err != nil {
			return 0, fmt.Errorf("probe the disk: %w", err)
		}
	}
	return now().Sub(start) / rounds, nil
}

// preproduce puts n events on their topic.
func (b *bench) preproduce(ctx context.Context, t traffic, n uint64) error {
	return b.produce(ctx, t.source, n, func(i uint64) (id string, event []byte) {
		return string(t.messageID(nil, i)), t.native(make([]byte, 0, 900), i)
	})
}

// produce puts n events of a source on the topic of behaviour.
func (b *bench) produce(ctx context.Context, source string, n uint64, event func(i uint64) (id string, event []byte)) error {
	producer := kafka.NewProducer(b.p.brokers, intakeCodec)
	defer func() { _ = producer.Close() }()
	topic := wire.Behaviour.Topic()
	parts, err := producer.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	const chunk = 1000
	pending := make([][]segkafka.Record, parts)
	flush := func(i int) error {
		_, err := producer.Produce(ctx, topic, i, pending[i])
		pending[i] = pending[i][:0]
		return err
	}
	for i := range n {
		id, text := event(i)
		at := wire.Partition(source, id, parts)
		pending[at] = append(pending[at], segkafka.Record{Key: segkafka.NewBytes(wire.PartitionKey(source, id)), Value: segkafka.NewBytes(text)})
		if len(pending[at]) == chunk {
			if err := flush(at); err != nil {
				return err
			}
		}
	}
	for i := range pending {
		if len(pending[i]) > 0 {
			if err := flush(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// waitFor polls until done says so.
func waitFor(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (b *bench) lag(ctx context.Context, group string, topics ...string) (int64, error) {
	return kafka.Lag(ctx, b.p.brokers, group, topics)
}

func (b *bench) count(ctx context.Context, query string, args ...any) (n uint64, err error) {
	if err := b.p.conn.QueryRow(ctx, query, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return n, nil
}

// benchFloodKey opens the source that floods, in the temporary Kindred only.
const benchFloodKey = "write-flood-dev"

var errShort = errors.New("the benchmark lost or doubled events")

// steps prints where the batches of ingest spent their time.
func (b *bench) steps() {
	families, err := b.r.registry.Gather()
	if err != nil {
		return
	}
	for _, f := range families {
		if f.GetName() != "kindred_ingest_batch_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			b.out("  step %-10s %6d batches, %6.2f s", m.GetLabel()[0].GetValue(), m.GetHistogram().GetSampleCount(), m.GetHistogram().GetSampleSum())
		}
	}
}

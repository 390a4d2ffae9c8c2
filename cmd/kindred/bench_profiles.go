package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// profilesBench is what bench profiles is asked to do.
type profilesBench struct {
	events, people uint64
	length         time.Duration // of each measurement
	loaded         string        // a folder that bench load has filled
}

func benchProfilesCommand() *cobra.Command {
	o := profilesBench{}
	cmd := &cobra.Command{
		Use:   "profiles",
		Short: "The profile API under an open loop of reads: cached, mixed, uncached, and people of 10 000 events",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return benchProfiles(cmd, o) },
	}
	cmd.Flags().Uint64Var(&o.events, "events", 10_000_000, "events stored before")
	cmd.Flags().Uint64Var(&o.people, "people", 1_000_000, "people who caused them")
	cmd.Flags().DurationVar(&o.length, "length", 20*time.Second, "length of each measurement")
	loadedFlag(cmd, &o.loaded)
	return cmd
}

func benchProfiles(cmd *cobra.Command, o profilesBench) error {
	return runOn(cmd, o.loaded, newStock(o.events, o.people, min(busyPeople*busyEvents, o.events)), func(b *bench, o stock) {
		b.p.settings.cacheMemory = o.cacheMemory()
	}, func(ctx context.Context, b *bench, found stock) error {
		return b.profiles(ctx, found.traffic(), o.length)
	})
}

// cacheMemory is about what holds a tenth of the people: a profile with so many events of
// this traffic takes that, its answer for those who are asked for most included. What it
// holds in the end is printed.
func (o stock) cacheMemory() int64 {
	events := min(float64(o.Events)/float64(o.People), 20) // A view has no more.
	return max(1<<20, int64(float64(o.People)/10*(700+290*events)*4/3))
}

// profiles reads over 64 connections that stay open. The generator is in the
// process that it measures, on the same cores. It begins a hundredth more than the
// rates that are promised, because the last answers come after the time has run out.
func (b *bench) profiles(ctx context.Context, t traffic, length time.Duration) error {
	others := t.people - busyPeople
	liked := max(1, min(1000, t.people/100)) // Their answers are to fit, too.
	path := func(person func(n uint64) uint64) func([]byte, uint64) []byte {
		return func(dst []byte, n uint64) []byte {
			return t.anonymousID(append(dst, "/v1/profiles/anonymous_id:"...), busyPeople+person(n))
		}
	}
	for _, m := range []struct {
		what   string
		rate   float64
		warm   func(l *readLoad) error // before
		person func(n uint64) uint64
	}{
		{"cached", 15_150, func(l *readLoad) error {
			l.connections, l.most = 8, 3*liked // Each person once and again, which keeps their answers.
			l.path = path(func(n uint64) uint64 { return n % liked })
			return l.run(ctx)
		}, func(n uint64) uint64 { return mix(n) % liked }},
		{"mixed, Zipf 1.0", 5050, func(l *readLoad) error { return b.steady(ctx, l, others) }, func(n uint64) uint64 { return zipf(n, others) }},
		{"uncached", 303, nil, func(n uint64) uint64 { return others/2 + n }},
	} {
		if m.warm != nil {
			// Other numbers than those of the measurement.
			if err := m.warm(&readLoad{address: b.api, path: path(func(n uint64) uint64 { return m.person(n + 1<<40) })}); err != nil {
				return err
			}
		}
		if err := b.readLoad(ctx, m.what, &readLoad{address: b.api, connections: 64, rate: m.rate, path: path(m.person)}, length); err != nil {
			return err
		}
		b.held(others)
	}
	l := &readLoad{address: b.api, connections: 1, most: busyPeople, path: func(dst []byte, n uint64) []byte {
		return t.anonymousID(append(dst, "/v1/profiles/anonymous_id:"...), n)
	}}
	return b.readLoad(ctx, fmt.Sprintf("whole views of people with %d events, one at a time", busyEvents), l, time.Minute)
}

// Bounds of the time before the rate of hits stands still.
const (
	steadyWindow = 50_000 // reads
	steadyGain   = .01    // of all reads, over
	steadyOver   = 4      // windows
	steadyLimit  = 5 * time.Minute
)

// steady reads as fast as it is answered until the rate of hits stands still.
func (b *bench) steady(ctx context.Context, l *readLoad, people uint64) error {
	l.connections = 256 // What misses is read together.
	var rates []float64
	start := now()
	for now().Sub(start) < steadyLimit {
		l.most += steadyWindow
		before := b.loads()
		if err := l.run(ctx); err != nil {
			return err
		}
		l.next.Store(l.most)
		rates = append(rates, b.loads().rate(before))
		if n := len(rates); n > steadyOver && rates[n-1]-rates[n-1-steadyOver] < steadyGain {
			break
		}
	}
	b.out("warmed by %d reads of the same distribution in %.0f s: %.1f %% of the first %d hit, %.1f %% of the last", l.most, now().Sub(start).Seconds(), 100*rates[0], steadyWindow, 100*rates[len(rates)-1])
	b.held(people)
	return nil
}

// held prints what the cache holds.
func (b *bench) held(people uint64) {
	n, bytes := b.metric("kindred_profiles_cache_profiles", ""), b.metric("kindred_profiles_cache_bytes", "")
	b.out("  cache: %.0f profiles of %.1f KiB, %.1f %% of %d people, within %d MiB; Zipf 1.0 could hit %.1f %%",
		n, bytes/max(1, n)/1024, 100*n/float64(people), people, b.p.settings.cacheMemory>>20, 100*math.Log(n+1)/math.Log(float64(people+1)))
}

// readLoad runs one measurement and prints it.
func (b *bench) readLoad(ctx context.Context, what string, l *readLoad, length time.Duration) error {
	timed, stop := context.WithTimeout(ctx, length)
	defer stop()
	before := b.loads()
	const views = "kindred_profiles_views_loads_total"
	served := b.metric(views, "row")
	own, engine := processor()
	watching := make(chan []usage, 1)
	watched, seen := context.WithCancel(ctx)
	go func() { watching <- watchUsage(watched) }()
	start := now()
	err := l.run(timed)
	took := now().Sub(start).Seconds()
	seen()
	windows := <-watching
	if err != nil {
		return err
	}
	own2, engine2 := processor()
	served2 := b.metric(views, "row")
	n := float64(len(l.latencies))
	b.out("profiles, %s: %.0f reads in %.1f s: %.0f/s of %.0f begun, p50 %.2f ms, p99 %.2f ms, %d busy answers; %.1f %% of profiles hit, %.0f views of rows",
		what, n, took, n/took, l.rate, l.quantile(.5), l.quantile(.99), l.busy.Load(), 100*b.loads().rate(before), served2-served)
	b.out("  processor time per read: %.0f µs in kindred with the load generator, %.0f µs in the engine", (own2-own)/n*1e6, (engine2-engine)/n*1e6)
	in, of, worst, slowest, which := l.slow()
	b.out("  the slowest %d were due in %d of %d windows of %v, %d of them in the ten worst", slowest, in, of, slowWindow, worst)
	b.out("  who had the processors in those ten: %s", shares(which, windows))
	return nil
}

// loads counts how often the cache had a profile, and had not.
type loads struct{ hits, misses float64 }

func (l loads) rate(before loads) float64 {
	hits, misses := l.hits-before.hits, l.misses-before.misses
	return hits / max(1, hits+misses)
}

func (b *bench) loads() loads {
	const name = "kindred_profiles_cache_requests_total"
	return loads{b.metric(name, "load hit"), b.metric(name, "load miss")}
}

// metric returns the sum of a counter or gauge of this process, of those whose labels
// have all of some values, separated by spaces.
func (b *bench) metric(name, values string) (sum float64) {
	families, err := prometheus.Gatherer(b.r.registry).Gather()
	if err != nil {
		return 0
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			missing := strings.Fields(values)
			for _, l := range m.GetLabel() {
				missing = slices.DeleteFunc(missing, func(v string) bool { return v == l.GetValue() })
			}
			if len(missing) == 0 {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// projected waits until the views of all who were stored are rows, and prints what that
// took. The projector works half of the time.
func (b *bench) projected(ctx context.Context) error {
	start := now()
	own, engine := processor()
	const projected, seconds = "kindred_profiles_views_projected_total", "kindred_profiles_views_work_seconds_total"
	before, worked := b.metric(projected, ""), b.metric(seconds, "")
	err := waitFor(ctx, 100*time.Millisecond, func() (bool, error) {
		n, err := b.lag(ctx, viewsGroup, storedTopic)
		return n == 0 && b.metric("kindred_profiles_views_sweeping", "") == 0, err
	})
	if err != nil {
		return err
	}
	own2, engine2 := processor()
	n := max(1, b.metric(projected, "")-before)
	b.out("views: %.0f projected in %.1f s, %.0f before; %.0f µs each without the pauses", n, now().Sub(start).Seconds(), before, (b.metric(seconds, "")-worked)/n*1e6)
	b.out("  processor time per view: %.0f µs in kindred, %.0f µs in the engine", (own2-own)/n*1e6, (engine2-engine)/n*1e6)
	return nil
}

// zipf returns which of so many people event n is of, the first one most often: a
// distribution of exponent 1 by its inverse, exact but for the steps between ranks.
func zipf(n, people uint64) uint64 {
	u := float64(mix(n)>>11) / (1 << 53)
	return min(people, uint64(math.Exp(u*math.Log(float64(people+1))))) - 1
}

// readLoad reads paths at a fixed rate, whatever becomes of the reads before.
type readLoad struct {
	address     string
	connections int
	rate        float64 // reads a second to begin, 0 as many as are answered
	most        uint64  // reads to make, 0 for no end but that of the context
	path        func(dst []byte, n uint64) []byte

	next      atomic.Uint64
	busy      atomic.Uint64 // answers 429 and 503
	mu        sync.Mutex
	latencies []latency // Protected by mu.
}

func (l *readLoad) run(ctx context.Context) error {
	g := new(errgroup.Group)
	start := now()
	for range l.connections {
		g.Go(func() error { return l.connection(ctx, start) })
	}
	return g.Wait()
}

func (l *readLoad) connection(ctx context.Context, start time.Time) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return fmt.Errorf("connect to the API: %w", err)
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 16<<10)
	var head []byte
	var latencies []latency
	defer func() {
		l.mu.Lock()
		l.latencies = append(l.latencies, latencies...)
		l.mu.Unlock()
	}()
	for {
		n := l.next.Add(1) - 1
		due, ok := l.due(ctx, start, n)
		if !ok {
			return nil
		}
		head = l.path(append(head[:0], "GET "...), n)
		head = append(head, " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer read-dev\r\n\r\n"...)
		status, err := exchange(conn, in, head, nil)
		switch {
		case err != nil:
			return err
		case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
			l.busy.Add(1)
		case status != http.StatusOK && status != http.StatusNotFound: // Not everybody came.
			return fmt.Errorf("%w: %d", errRefused, status)
		}
		latencies = append(latencies, latency{due.Sub(start), now().Sub(due)})
	}
}

// due waits until read n is due; false when there is none.
func (l *readLoad) due(ctx context.Context, start time.Time, n uint64) (time.Time, bool) {
	if ctx.Err() != nil || l.most > 0 && n >= l.most {
		return time.Time{}, false
	}
	if l.rate == 0 {
		return now(), true
	}
	due := start.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
	if wait := due.Sub(now()); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return due, false
		case <-timer.C:
		}
	}
	return due, true
}

// quantile of the latencies, in milliseconds.
func (l *readLoad) quantile(q float64) float64 {
	if len(l.latencies) == 0 {
		return 0
	}
	slices.SortFunc(l.latencies, func(a, b latency) int { return cmp.Compare(a.took, b.took) })
	return l.latencies[min(len(l.latencies)-1, int(q*float64(len(l.latencies))))].took.Seconds() * 1000
}

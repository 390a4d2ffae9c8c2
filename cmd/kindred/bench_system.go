package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/ingest/intake"
)

func benchSystemCommand() *cobra.Command {
	var rate float64
	var length time.Duration
	cmd := &cobra.Command{
		Use:   "system",
		Short: "The whole system under an open loop of events: acknowledged, stored, and how far behind",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return benchSystem(cmd, rate, length)
		},
	}
	cmd.Flags().Float64Var(&rate, "rate", 40_000, "events a second that the clients begin")
	cmd.Flags().DurationVar(&length, "length", 10*time.Minute, "how long they do")
	return cmd
}

func benchSystem(cmd *cobra.Command, rate float64, length time.Duration) error {
	return runBench(cmd, nil, func(context.Context, *bench) error { return nil }, func(ctx context.Context, b *bench) error {
		return b.system(ctx, rate, length)
	})
}

// system sends at a fixed rate, whatever becomes of it, and looks at the lag.
func (b *bench) system(ctx context.Context, rate float64, length time.Duration) error {
	l := &httpLoad{
		address: b.api, connections: 32, batch: 100, rate: rate,
		traffic: traffic{people: 1_000_000, begin: now().Add(-time.Hour), source: "bench"},
	}
	timed, stop := context.WithTimeout(ctx, length)
	defer stop()
	start := now()
	own, engine := processor()
	g := new(errgroup.Group)
	g.Go(func() error { return l.run(timed) })
	g.Go(func() error { return b.watchLag(timed, l, start, length) })
	if err := g.Wait(); err != nil {
		return err
	}
	took := now().Sub(start).Seconds()
	acked := l.acked.Load()
	own2, engine2 := processor()
	b.out("system: %d events acknowledged in %.0f s: %.0f events/s of %.0f begun, p50 %.1f ms, p99 %.1f ms, %d busy answers", acked, took, float64(acked)/took, rate, l.quantile(.5).Seconds()*1000, l.quantile(.99).Seconds()*1000, l.busy.Load())
	b.out("  processor time per event: %.1f µs in kindred, its broker and the load generator, %.1f µs in the engine", (own2-own)/float64(acked)*1e6, (engine2-engine)/float64(acked)*1e6)
	b.steps()
	begin := now()
	err := waitFor(ctx, 100*time.Millisecond, func() (bool, error) {
		n, _, err := b.r.lag(ctx)
		return n == 0, err
	})
	if err != nil {
		return err
	}
	stored, err := b.count(ctx, "SELECT count() FROM events")
	if err != nil {
		return err
	}
	b.out("  the rest was stored %.1f s later: %d events", now().Sub(begin).Seconds(), stored)
	if stored < acked {
		return fmt.Errorf("%w: %d acknowledged, %d stored", errShort, acked, stored)
	}
	return nil
}

// watchLag prints how far ingest is behind, in events and in seconds of the rate.
func (b *bench) watchLag(ctx context.Context, l *httpLoad, start time.Time, length time.Duration) error {
	step := length / 10
	tick := time.NewTicker(step)
	defer tick.Stop()
	for i := 1; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		behind, _, err := b.r.lag(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		seconds := now().Sub(start).Seconds()
		rate := float64(l.acked.Load()) / seconds
		b.out("  after %4.0f s: %9d acknowledged, %7d not stored yet: %.2f s behind", seconds, l.acked.Load(), behind, float64(behind)/rate)
	}
}

func benchFreshnessCommand() *cobra.Command {
	var events, people uint64
	var rate float64
	var length time.Duration
	cmd := &cobra.Command{
		Use:   "freshness",
		Short: "From the acknowledgement of an event to its being in the profile API",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return benchFreshness(cmd, events, people, rate, length)
		},
	}
	cmd.Flags().Uint64Var(&events, "events", 10_000_000, "events stored before")
	cmd.Flags().Uint64Var(&people, "people", 1_000_000, "people who caused them")
	cmd.Flags().Float64Var(&rate, "rate", 5000, "events a second meanwhile")
	cmd.Flags().DurationVar(&length, "length", time.Minute, "how long")
	return cmd
}

func benchFreshness(cmd *cobra.Command, events, people uint64, rate float64, length time.Duration) error {
	t := traffic{people: people, begin: now().Add(-24 * time.Hour), source: "bench"}
	return runBench(cmd, nil, func(ctx context.Context, b *bench) error {
		return b.preproduce(ctx, t, events)
	}, func(ctx context.Context, b *bench) error {
		if _, err := b.drain(ctx, events); err != nil {
			return err
		}
		return b.freshness(ctx, t, events, rate, length)
	})
}

// freshness sends at the rate over one set of connections, and over others
// single events of a person each, whose profile it then reads until they show.
func (b *bench) freshness(ctx context.Context, t traffic, stored uint64, rate float64, length time.Duration) error {
	l := &httpLoad{address: b.api, connections: 16, batch: 20, rate: rate, traffic: t}
	l.traffic.source = "live"
	timed, stop := context.WithTimeout(ctx, length)
	defer stop()
	var w watch
	g := new(errgroup.Group)
	g.Go(func() error { return l.run(timed) })
	g.Go(func() error { return w.run(timed, b, t, "write-dev") })
	if err := g.Wait(); err != nil {
		return err
	}
	b.out("freshness: %d events watched at %.0f events/s with %d events stored: p50 %.2f s, p90 %.2f s, p99 %.2f s", len(w.waits), float64(l.acked.Load())/length.Seconds(), stored, w.at(.5), w.at(.9), w.at(.99))
	return nil
}

// watch measures how fresh profiles are.
type watch struct {
	mu    sync.Mutex
	waits []time.Duration // Protected by mu; sorted after run.
}

// run sends single events one after the other from four clients until ctx ends.
func (w *watch) run(ctx context.Context, b *bench, t traffic, key string) error {
	g := new(errgroup.Group)
	for i := range 4 {
		g.Go(func() error {
			for n := uint64(i); ctx.Err() == nil; n += 4 {
				// What is begun is watched to its end.
				wait, err := b.visible(context.WithoutCancel(ctx), t, n, key)
				if err != nil {
					return err
				}
				w.mu.Lock()
				w.waits = append(w.waits, wait)
				w.mu.Unlock()
			}
			return nil
		})
	}
	err := g.Wait()
	slices.Sort(w.waits)
	return err
}

// at returns a quantile in seconds.
func (w *watch) at(q float64) float64 {
	if len(w.waits) == 0 {
		return 0
	}
	return w.waits[min(len(w.waits)-1, int(q*float64(len(w.waits))))].Seconds()
}

// visible sends one event of person n and returns the time from its
// acknowledgement until the profile shows it.
func (b *bench) visible(ctx context.Context, t traffic, n uint64, key string) (time.Duration, error) {
	person := mix(n^0x1234) % t.people
	id := fmt.Sprintf("watched-%d", n)
	when := now().UTC().Truncate(time.Millisecond)
	body := fmt.Sprintf(`{"messageId":%q,"event":"Watched","timestamp":%q,"anonymousId":"%s"}`, id, when.Format(time.RFC3339Nano), t.anonymousID(nil, person))
	if _, err := b.call(ctx, http.MethodPost, "/v1/track", key, body); err != nil {
		return 0, err
	}
	acked := now()
	path := fmt.Sprintf("/v1/profiles/anonymous_id:%s", t.anonymousID(nil, person))
	err := waitFor(ctx, 20*time.Millisecond, func() (bool, error) {
		answer, err := b.call(ctx, http.MethodGet, path, "read-dev", "")
		if errors.Is(err, errNotThere) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		var p struct {
			Activity struct {
				LastSeen time.Time `json:"last_seen"`
			} `json:"activity"`
		}
		if err := json.Unmarshal(answer, &p); err != nil {
			return false, fmt.Errorf("read the profile: %w", err)
		}
		return !p.Activity.LastSeen.Before(when), nil
	})
	return now().Sub(acked), err
}

var (
	errRefused  = errors.New("the API refused a request of the benchmark")
	errNotThere = errors.New("no such profile")
)

// call makes one request and returns the body of its answer.
func (b *bench) call(ctx context.Context, method, path, key, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+b.api+path, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("call the API: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("call the API: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode == http.StatusNotFound {
		return nil, errNotThere
	}
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%w: %d %s", errRefused, res.StatusCode, answer)
	}
	return answer, err
}

func benchFloodCommand() *cobra.Command {
	var length time.Duration
	cmd := &cobra.Command{
		Use:   "flood",
		Short: "How fresh the profiles of one source are while another sends all it can",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return benchFlood(cmd, length)
		},
	}
	cmd.Flags().DurationVar(&length, "length", time.Minute, "how long the flood lasts")
	return cmd
}

func benchFlood(cmd *cobra.Command, length time.Duration) error {
	return runBench(cmd, nil, func(context.Context, *bench) error { return nil }, func(ctx context.Context, b *bench) error {
		return b.flood(ctx, length)
	})
}

// flood lets one source send as fast as it is answered, and watches another.
func (b *bench) flood(ctx context.Context, length time.Duration) error {
	people := traffic{people: 50_000, begin: now().Add(-24 * time.Hour), source: "flood"}
	l := &httpLoad{address: b.api, connections: 32, batch: 100, key: benchFloodKey, traffic: people}
	timed, stop := context.WithTimeout(ctx, length)
	defer stop()
	var w watch
	g := new(errgroup.Group)
	g.Go(func() error { return l.run(timed) })
	g.Go(func() error { return w.run(timed, b, people, "write-dev") })
	if err := g.Wait(); err != nil {
		return err
	}
	acked := l.acked.Load() + uint64(len(w.waits))
	b.out("flood: %d events a second acknowledged of one source; %d events of another watched: p50 %.2f s, p90 %.2f s, p99 %.2f s", int(float64(l.acked.Load())/length.Seconds()), len(w.waits), w.at(.5), w.at(.9), w.at(.99))
	behind, err := b.lag(ctx, overflowGroup, intake.OverflowTopic)
	if err != nil {
		return err
	}
	begin := now()
	b.out("  %d events wait in the overflow", behind)
	err = waitFor(ctx, 200*time.Millisecond, func() (bool, error) {
		waiting, err := b.lag(ctx, overflowGroup, intake.OverflowTopic)
		if waiting > 0 || err != nil {
			return false, err
		}
		rest, _, err := b.r.lag(ctx)
		return rest == 0, err
	})
	if err != nil {
		return err
	}
	stored, err := b.count(ctx, "SELECT count() FROM events")
	if err != nil {
		return err
	}
	b.out("  all was stored %.1f s later: %d of %d", now().Sub(begin).Seconds(), stored, acked)
	if stored < acked {
		return errShort
	}
	return nil
}

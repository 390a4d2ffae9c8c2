package live_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments/live"
)

// TestTheOverdueComeInTheOrderOfTheirTime has more people come due than one evaluation
// takes: the first first, and whoever waits shows in the lag.
func TestTheOverdueComeInTheOrderOfTheirTime(t *testing.T) {
	ctx := context.Background()
	s := newStage(t)
	cfg, registry := live.DefaultConfig(), prometheus.NewRegistry()
	cfg.Some = 2
	w, err := live.New(cfg, live.Deps{
		Conn: s.conn, Clock: func() time.Time { return s.now }, Publisher: s.told, Logger: slog.New(slog.DiscardHandler), Registerer: registry,
	})
	s.check(err)
	s.define("recent", 0, `{"event":"View","within":"1h"}`)
	const waiting = 5
	for n := range waiting { // The ids are in no order.
		s.world.Add(clickhousetest.Event{MessageID: fmt.Sprint(n), Name: "View", Time: s.now.Add(time.Duration(n-waiting) * time.Minute), Identifiers: []string{user(n)}})
	}
	s.world.Flush(ctx)
	s.step(w)
	s.told.changes = nil
	s.now = s.now.Add(2 * time.Hour)
	for round := 0; round*cfg.Some < waiting; round++ {
		next := s.step(w)
		gone := min(waiting, (round+1)*cfg.Some)
		lag := 0.0
		if gone < waiting {
			lag = (time.Hour + time.Duration(waiting-gone)*time.Minute).Seconds()
		}
		if got := gauge(t, registry, "kindred_segments_due_lag_seconds"); got != lag {
			t.Errorf("after round %d the lag is %v s, want %v", round, got, lag)
		}
		if gone < waiting && next.After(s.now) {
			t.Errorf("after round %d the worker wants to wait until %s", round, next)
		}
		if len(s.told.changes) != gone {
			t.Fatalf("after round %d %d have left, want %d", round, len(s.told.changes), gone)
		}
		for _, c := range s.told.changes[round*cfg.Some:] {
			first, last := round*cfg.Some, gone
			if !slices.ContainsFunc([]int{first, last - 1}, func(n int) bool { return identity.ProfileID(s.world.Key(user(n))) == c.Profile }) {
				t.Errorf("round %d: somebody left who is due later", round)
			}
		}
	}
}

// gauge reads the value of a gauge.
func gauge(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// TestTheNumberOfMembersIsStoredOnceASecond has somebody enter right after another: the
// number follows a second later, by itself.
func TestTheNumberOfMembersIsStoredOnceASecond(t *testing.T) {
	ctx := context.Background()
	s := newStage(t)
	s.define("all", 0, `{"event":"View"}`)
	w := s.worker()
	s.step(w)
	begin := s.now
	stored := func() uint64 {
		one, err := s.store.Get(ctx, "main", "all")
		s.check(err)
		return one.State.Members
	}
	for n := range 2 {
		s.now = begin.Add(1500*time.Millisecond + time.Duration(n)*100*time.Millisecond)
		s.world.Add(clickhousetest.Event{MessageID: fmt.Sprint(n), Name: "View", Time: begin, Identifiers: []string{user(n)}})
		s.world.Flush(ctx)
		w.Changed("main", s.world.Key(user(n)))
		next := s.step(w)
		if stored() != 1 {
			t.Fatalf("%d members are stored after evaluation %d, want 1", stored(), n)
		}
		if want := begin.Add(2500 * time.Millisecond); n == 1 && !next.Equal(want) {
			t.Errorf("the worker wants to be asked at %s, want %s", next, want)
		}
	}
	s.now = begin.Add(2500 * time.Millisecond)
	if next := s.step(w); stored() != 2 || !next.After(s.now) {
		t.Errorf("%d members are stored a second later, want 2; next %s at %s", stored(), next, s.now)
	}
}

// slow is a connection on which something happens with each evaluation over all.
type slow struct {
	driver.Conn
	all func()
}

func (c *slow) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	if strings.Contains(query, "groupBitOr(holding)") {
		c.all()
	}
	return c.Conn.Query(ctx, query, args...)
}

// TestWhoIsDueDoesNotWaitForTheRest has an evaluation over all take ten seconds: the next
// one comes twenty seconds later, and whoever is due meanwhile leaves in time.
func TestWhoIsDueDoesNotWaitForTheRest(t *testing.T) {
	s := newStage(t)
	all := 0
	w, err := live.New(live.DefaultConfig(), live.Deps{
		Conn: &slow{s.conn, func() { all, s.now = all+1, s.now.Add(10*time.Second) }}, Clock: func() time.Time { return s.now },
		Publisher: s.told, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	s.check(err)
	begin := s.now
	s.define("recent", 0, `{"event":"View","within":"1h"}`)
	s.world.Add(clickhousetest.Event{MessageID: "1", Name: "View", Time: begin.Add(15*time.Second - time.Hour), Identifiers: []string{user(1)}})
	s.world.Flush(t.Context())
	s.step(w)
	s.now = begin.Add(15 * time.Second)
	w.ChangedUnknown()
	next := s.step(w)
	if n := len(s.members("recent", time.Time{})); n != 0 || all != 1 {
		t.Errorf("%d members after %d evaluations over all, want 0 after 1", n, all)
	}
	if want := begin.Add(30 * time.Second); !next.Equal(want) {
		t.Errorf("the worker wants to be asked at %s, want %s", next, want)
	}
	s.now = begin.Add(30 * time.Second)
	s.step(w)
	if all != 2 {
		t.Errorf("%d evaluations over all after the rest, want 2", all)
	}
}

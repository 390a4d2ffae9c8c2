package live_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/live"
)

// counted is a connection that counts the evaluations for some, and calls then with each.
type counted struct {
	driver.Conn
	evaluations int
	then        func()
}

func (c *counted) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	if strings.HasPrefix(query, "SELECT identifier_id FROM identifier_profile") { // Once an evaluation.
		c.evaluations++
		c.then()
	}
	return c.Conn.Query(ctx, query, args...)
}

// watched returns a worker whose evaluations for some are counted.
func (s *stage) watched(then func()) (*live.Worker, *counted) {
	return s.configured(live.DefaultConfig(), then)
}

func (s *stage) configured(cfg live.Config, then func()) (*live.Worker, *counted) {
	conn := &counted{Conn: s.conn, then: then}
	w, err := live.New(cfg, live.Deps{
		Conn: conn, Clock: func() time.Time { return s.now }, Publisher: s.told, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	s.check(err)
	return w, conn
}

// TestEventsThatNobodyAsksForArePassedOver has somebody do what no segment asks for: the
// first time it is somebody new, after that it costs no evaluation.
func TestEventsThatNobodyAsksForArePassedOver(t *testing.T) {
	s := newStage(t)
	s.define("bought", 0, `{"event":"Buy"}`)
	s.define("funnel", 0, `{"sequence":[{"event":"View"},{"event":"Pay","without":{"event":"Cart"}}]}`)
	s.define("others", 0, `{"not":{"event":"Buy"}}`)
	w, conn := s.watched(func() {})
	s.step(w)
	n := 0
	do := func(name string) int {
		n++
		s.now = s.now.Add(time.Second)
		s.world.Add(clickhousetest.Event{MessageID: strings.Repeat("n", n), Name: name, Time: s.now, Received: s.now, Identifiers: []string{user(1)}})
		s.world.Flush(t.Context())
		before := conn.evaluations
		w.Happened("main", name, s.world.Key(user(1)))
		s.step(w)
		return conn.evaluations - before
	}
	for _, want := range []struct {
		name        string
		evaluations int
	}{{"Noise", 1}, {"Noise", 0}, {"Other", 0}, {"View", 1}, {"Cart", 1}, {"Buy", 1}, {"Noise", 0}} {
		if got := do(want.name); got != want.evaluations {
			t.Errorf("event %d, %s: %d evaluations, want %d", n, want.name, got, want.evaluations)
		}
		if n == 1 && len(s.members("others", time.Time{})) != 1 {
			t.Error("somebody new is not among those who did nothing")
		}
	}
	if len(s.members("bought", time.Time{})) != 1 || len(s.members("others", time.Time{})) != 0 {
		t.Error("who bought is not where he belongs")
	}
}

// TestWhoIsStoredLaterIsExpected notes somebody of whom identity has stored nothing yet:
// when it has, the worker sees by itself.
func TestWhoIsStoredLaterIsExpected(t *testing.T) {
	s := newStage(t)
	s.define("known", 0, `{"identifier":"user_id"}`)
	s.define("others", 0, `{"not":{"event":"Buy"}}`)
	w, _ := s.watched(func() {})
	s.step(w)
	w.Happened("main", "Noise", s.world.Key(user(1)))
	next := s.step(w)
	if early := next.Sub(s.now); early <= 0 || early > time.Second {
		t.Errorf("the worker wants to look again after %s", early)
	}
	s.world.Add(clickhousetest.Event{MessageID: "1", Name: "Noise", Time: s.now, Received: s.now, Identifiers: []string{user(1)}})
	s.world.Flush(t.Context())
	s.now = next
	if next = s.step(w); next.Sub(s.now) < 2*time.Second { // The numbers of members come after a second.
		s.now = next
		next = s.step(w)
	}
	for _, id := range []segments.ID{"known", "others"} {
		if got := s.members(id, time.Time{}); len(got) != 1 {
			t.Errorf("%s has %v", id, got)
		}
	}
	if early := next.Sub(s.now); early < 10*time.Second {
		t.Errorf("with nobody expected the worker looks again after %s", early)
	}
}

// TestWhoIsDueIsEvaluatedAhead lets evaluations take some time: the next one begins as
// much before somebody is due, and what it finds is of that moment and not told before.
func TestWhoIsDueIsEvaluatedAhead(t *testing.T) {
	s := newStage(t)
	s.define("recent", 0, `{"event":"View","within":"1h"}`)
	begin := s.now
	for n, due := range []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second} {
		s.world.Add(clickhousetest.Event{MessageID: user(n), Name: "View", Time: begin.Add(due - time.Hour), Received: begin.Add(-time.Hour), Identifiers: []string{user(n)}})
	}
	s.world.Flush(t.Context())
	const length = 400 * time.Millisecond
	w, _ := s.watched(func() { s.now = s.now.Add(length) })
	next := s.step(w)
	for _, due := range []struct{ at, lead time.Duration }{{10 * time.Second, 0}, {20 * time.Second, length / 2}, {30 * time.Second, length * 3 / 4}} {
		for next.Before(begin.Add(due.at - due.lead)) { // The numbers of members come after a second.
			s.now = next
			next = s.step(w)
		}
		if want := begin.Add(due.at - due.lead); !next.Equal(want) {
			t.Fatalf("the worker wants to be asked at %s, want %s", next, want)
		}
		s.now, s.told.changes = next, nil
		next = s.step(w)
		if len(s.told.changes) != 1 || !s.told.changes[0].Time.Equal(begin.Add(due.at)) {
			t.Errorf("due after %s: told %+v", due.at, s.told.changes)
		}
	}
}

// TestWhoIsDueTogetherLeavesTogether has two people come due one right after the other:
// the second does not wait for the evaluation of the first.
func TestWhoIsDueTogetherLeavesTogether(t *testing.T) {
	s := newStage(t)
	s.define("recent", 0, `{"event":"View","within":"1h"}`)
	begin := s.now
	const length = 400 * time.Millisecond
	for n, due := range []time.Duration{10 * time.Second, 20 * time.Second, 20*time.Second + length/8, 20*time.Second + length/4} {
		s.world.Add(clickhousetest.Event{MessageID: user(n), Name: "View", Time: begin.Add(due - time.Hour), Received: begin.Add(-time.Hour), Identifiers: []string{user(n)}})
	}
	s.world.Flush(t.Context())
	w, _ := s.watched(func() { s.now = s.now.Add(length) })
	next := s.step(w)
	for len(s.told.changes) < 5 { // Four have entered, and one has left.
		s.now = next
		next = s.step(w)
	}
	for len(s.told.changes) == 5 {
		s.now = next
		next = s.step(w)
	}
	left := s.told.changes[5:]
	if len(left) != 2 || !left[0].Time.Equal(begin.Add(20*time.Second+length/8)) {
		t.Errorf("told of %+v, want two at the time of the second", left)
	}
}

// TestAFloodOfNamesLosesNobody notes more new people, each by an event of another name,
// than are kept.
func TestAFloodOfNamesLosesNobody(t *testing.T) {
	s := newStage(t)
	s.define("others", 0, `{"not":{"event":"Buy"}}`)
	cfg := live.DefaultConfig()
	cfg.Some = 1
	w, _ := s.configured(cfg, func() {})
	s.step(w)
	const known, flood = 6, 12
	note := func(from, to int) {
		for n := range to {
			name := fmt.Sprint("Noise", n)
			if n >= from {
				s.world.Add(clickhousetest.Event{MessageID: name, Name: name, Time: s.now, Received: s.now, Identifiers: []string{user(n)}})
			}
			w.Happened("main", name, s.world.Key(user(n)))
		}
		s.world.Flush(t.Context())
		s.now = s.now.Add(time.Second)
		s.step(w)
	}
	note(0, known)
	note(known, known) // Nobody of them is new any more.
	note(known, flood) // They come first, and fill what is kept.
	if got := len(s.members("others", time.Time{})); got != flood {
		t.Errorf("%d are in, want %d", got, flood)
	}
}

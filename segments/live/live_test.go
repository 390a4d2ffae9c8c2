package live_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/live"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// told takes changes, and refuses while err is set.
type told struct {
	err     error
	changes []segments.Change
}

func (t *told) Publish(_ context.Context, _ string, changes []segments.Change) error {
	if t.err == nil {
		t.changes = append(t.changes, changes...)
	}
	return t.err
}

// stage is a workspace with a clock and a worker that can be replaced.
type stage struct {
	*testing.T
	conn  driver.Conn
	world *clickhousetest.World
	now   time.Time
	told  *told
	store *live.Store
	last  uint64 // revision
}

func newStage(t *testing.T) *stage {
	conn := warehousetest.NewTestDatabase(t)
	return &stage{
		T: t, conn: conn, world: clickhousetest.New(t, conn, "main"), now: time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC),
		told: &told{}, store: live.NewStore(conn),
	}
}

// worker returns a worker without any memory, as after a restart.
func (s *stage) worker() *live.Worker {
	s.Helper()
	cfg := live.DefaultConfig()
	cfg.Block = 3
	cfg.MaxEvents = 2 // The server counts more, and each way is taken now and then.
	w, err := live.New(cfg, live.Deps{
		Conn: s.conn, Clock: func() time.Time { return s.now }, Publisher: s.told,
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	s.check(err)
	return w
}

// step has a worker do what is to be done now.
func (s *stage) step(w *live.Worker) time.Time {
	s.Helper()
	next, err := w.Step(context.Background())
	s.check(err)
	return next
}

func (s *stage) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stage) apply(id segments.ID, c live.Change) (uint64, error) {
	s.last++
	at := live.Place{Workspace: "main", Segment: id, Revision: s.last, Actor: "ana", Time: s.now}
	return s.last, live.NewDefinitions(s.conn).Apply(context.Background(), at, c)
}

func (s *stage) define(id segments.ID, expected uint64, definition string) uint64 {
	s.Helper()
	revision, err := s.apply(id, live.Change{Expected: expected, Definition: []byte(definition)})
	s.check(err)
	return revision
}

// members are those of a segment at a time; zero is now.
func (s *stage) members(id segments.ID, at time.Time) []identity.ProfileID {
	s.Helper()
	list, err := s.store.Members(context.Background(), "main", id, at, 0, 1000)
	s.check(err)
	ids := []identity.ProfileID{}
	for _, m := range list {
		ids = append(ids, m.Profile)
	}
	return ids
}

// previewed are those for whom a definition holds, by the query of its preview.
func (s *stage) previewed(definition string) []identity.ProfileID {
	s.Helper()
	d, err := segments.Parse([]byte(definition))
	s.check(err)
	d, err = segments.Resolve(context.Background(), s.store, "main", "", d)
	s.check(err)
	q, err := sql.Compile(d, live.DefaultConfig().Rules, "main", s.now, warehouse.Reading{})
	s.check(err)
	ctx := clickhouse.Context(context.Background(), clickhouse.WithParameters(q.Parameters))
	var found []uint64
	s.check(s.conn.QueryRow(ctx, "SELECT groupArraySorted(1000)(profile_id) FROM ("+q.SQL+")").Scan(&found))
	ids := []identity.ProfileID{}
	for _, id := range found {
		ids = append(ids, identity.ProfileID(id))
	}
	return ids
}

// TestTwoWorkersStoreOneBlock has several workers find the same changes at once.
func TestTwoWorkersStoreOneBlock(t *testing.T) {
	ctx := context.Background()
	s := newStage(t)
	s.define("all", 0, `{"event":"View"}`)
	for n := range 10 {
		s.world.Add(clickhousetest.Event{MessageID: fmt.Sprint(n), Name: "View", Time: s.now, Identifiers: []string{fmt.Sprintf("user_id:%d", n)}})
	}
	s.world.Flush(ctx)
	var wait sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		cfg := live.DefaultConfig()
		cfg.Block = 3
		w, err := live.New(cfg, live.Deps{
			Conn: s.conn, Clock: func() time.Time { return s.now }, Publisher: &told{},
			Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
		})
		s.check(err)
		wait.Go(func() {
			for range 20 { // Who is overtaken reads again at the next step.
				if _, err := w.Step(ctx); err != nil {
					errs[i] = err
				}
			}
		})
	}
	wait.Wait()
	s.check(errors.Join(errs...))
	changes, err := s.store.Changes(ctx, "main", "all", 0, 0, 1000)
	s.check(err)
	seen := map[identity.ProfileID]bool{}
	for _, c := range changes {
		if seen[c.Profile] {
			t.Errorf("profile %s has entered twice", c.Profile)
		}
		seen[c.Profile] = true
	}
	if len(seen) != 10 {
		t.Errorf("%d have entered, want 10", len(seen))
	}
}

// TestFailureKeepsMembersAndLeavesOthersAlone stores a definition that this release
// does not understand, as an older or newer one might have.
func TestFailureKeepsMembersAndLeavesOthersAlone(t *testing.T) {
	ctx := context.Background()
	s := newStage(t)
	s.define("bad", 0, `{"event":"View"}`)
	s.define("good", 0, `{"event":"View"}`)
	add := func(id string) {
		s.world.Add(clickhousetest.Event{MessageID: id, Name: "View", Time: s.now, Identifiers: []string{id}})
		s.world.Flush(ctx)
	}
	add("user_id:1")
	s.step(s.worker())
	s.check(s.conn.Exec(ctx, `INSERT INTO segment_definitions (workspace, segment, revision, definition) VALUES ('main', 'bad', 99, '{"planet":"mars"}')`))
	add("user_id:2")
	s.now = s.now.Add(time.Minute)
	s.step(s.worker())
	if bad, good := s.members("bad", time.Time{}), s.members("good", time.Time{}); len(bad) != 1 || len(good) != 2 {
		t.Errorf("bad has %d members and good %d, want 1 and 2", len(bad), len(good))
	}
	bad, err := s.store.Get(ctx, "main", "bad")
	s.check(err)
	if bad.State.Error == "" || bad.State.Members != 1 || !bad.State.GoodAt.Before(bad.State.EvaluatedAt) {
		t.Errorf("state of the one that fails: %+v", bad.State)
	}
}

// TestNewGroupsAreSeen has a refresh of personas and stages come between two beats: the
// segments that ask for them follow once it is complete.
func TestNewGroupsAreSeen(t *testing.T) {
	s := newStage(t)
	s.define("risky", 0, `{"any":[{"stage":"at_risk"},{"persona":"p2"}]}`)
	w := s.worker()
	ana, ben := s.world.Person("user_id:ana"), s.world.Person("user_id:ben")
	for _, id := range []string{"user_id:ana", "user_id:ben"} {
		s.world.Add(clickhousetest.Event{MessageID: id, Name: "View", Time: s.now, Identifiers: []string{id}})
	}
	expect := func(what string, want ...identity.ProfileID) {
		t.Helper()
		s.world.Flush(t.Context())
		s.now = s.now.Add(live.DefaultConfig().Beat)
		s.step(w)
		slices.Sort(want)
		if got := s.members("risky", time.Time{}); !slices.Equal(got, want) {
			t.Errorf("%s: members %v, want %v", what, got, want)
		}
	}
	expect("before")
	s.world.Group(clickhousetest.Group{Profile: ana, Time: s.now, Stage: "at_risk"}, clickhousetest.Group{Profile: ben, Time: s.now, Stage: "lead", Persona: "p2"})
	expect("a refresh that has not ended")
	s.world.Group(clickhousetest.Group{Time: s.now})
	expect("one that has", ana, ben)
	s.world.Group(clickhousetest.Group{Profile: ben, Time: s.now, Stage: "active", Persona: "p1"}, clickhousetest.Group{Time: s.now})
	expect("another", ana)
}

// failing is a connection on which evaluations fail while it is down.
type failing struct {
	driver.Conn
	down bool
}

func (f *failing) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	if f.down && strings.Contains(query, sql.AskedProfiles) {
		return nil, errors.New("not now")
	}
	return f.Conn.Query(ctx, query, args...)
}

// TestWhoeverChangedDuringAFailureIsNotForgotten has the evaluation of one change fail
// and that of the next succeed: the segment must still come to the first.
func TestWhoeverChangedDuringAFailureIsNotForgotten(t *testing.T) {
	ctx := context.Background()
	s := newStage(t)
	conn := &failing{Conn: s.conn}
	w, err := live.New(live.DefaultConfig(), live.Deps{
		Conn: conn, Clock: func() time.Time { return s.now }, Publisher: s.told, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	s.check(err)
	s.define("all", 0, `{"event":"View"}`)
	s.step(w)
	for n, down := range []bool{true, false} {
		id := fmt.Sprintf("user_id:%d", n)
		s.world.Add(clickhousetest.Event{MessageID: id, Name: "View", Time: s.now, Identifiers: []string{id}})
		s.world.Flush(ctx)
		w.Changed("main", s.world.Key(id))
		conn.down = down
		s.step(w)
	}
	s.now = s.now.Add(live.DefaultConfig().Beat)
	s.step(w)
	if n := len(s.members("all", time.Time{})); n != 2 {
		t.Errorf("%d members, want both", n)
	}
}

// TestWhatWasNotToldIsToldLater has the broker refuse for a while.
func TestWhatWasNotToldIsToldLater(t *testing.T) {
	ctx := context.Background()
	s := newStage(t)
	s.define("all", 0, `{"event":"View"}`)
	for n := range 7 {
		s.world.Add(clickhousetest.Event{MessageID: fmt.Sprint(n), Name: "View", Time: s.now, Identifiers: []string{fmt.Sprintf("user_id:%d", n)}})
	}
	s.world.Flush(ctx)
	s.told.err = errors.New("no broker")
	s.step(s.worker())
	s.told.err = nil
	s.now = s.now.Add(time.Second)
	s.step(s.worker())
	s.now = s.now.Add(time.Second)
	s.step(s.worker())
	if len(s.told.changes) != 7 {
		t.Errorf("%d changes were told, want 7 once", len(s.told.changes))
	}
}

func TestChangesOfDefinitionsNeedTheRevisionThatStands(t *testing.T) {
	ctx := context.Background()
	s := newStage(t)
	body := live.Change{Definition: []byte(`{"identifier":"email"}`)}
	first, err := s.apply("a", body)
	s.check(err)
	if _, err := s.apply("a", body); !errors.Is(err, live.ErrConflict) {
		t.Errorf("made twice: %v", err)
	}
	body.Expected = first
	second, err := s.apply("a", body)
	s.check(err)
	// Again after a crash: the same command, the same row.
	s.check(live.NewDefinitions(s.conn).Apply(ctx, live.Place{Workspace: "main", Segment: "a", Revision: second, Actor: "ana", Time: s.now}, body))
	if _, err := s.apply("a", body); !errors.Is(err, live.ErrConflict) {
		t.Errorf("with an old revision: %v", err)
	}
	var invalid *segments.Invalid
	if _, err := s.apply("b", live.Change{Definition: []byte(`{}`)}); !errors.As(err, &invalid) {
		t.Errorf("without a leaf: %v", err)
	}
	if _, err := s.apply("B b", live.Change{Definition: body.Definition}); !errors.Is(err, live.ErrRefused) {
		t.Errorf("with a bad name: %v", err)
	}
	_, err = s.apply("a", live.Change{Expected: second, Archive: true})
	s.check(err)
	versions, err := s.store.Versions(ctx, "main", "a")
	s.check(err)
	if len(versions) != 3 || !versions[0].Archived {
		t.Errorf("versions: %+v", versions)
	}
	if _, err := s.store.Get(ctx, "main", "a"); !errors.Is(err, segments.ErrNoSegment) {
		t.Errorf("archived: %v", err)
	}
}

func TestArchivedSegmentHasNobody(t *testing.T) {
	ctx := context.Background()
	s := newStage(t)
	revision := s.define("all", 0, `{"event":"View"}`)
	id := s.world.Person("user_id:1")
	s.world.Add(clickhousetest.Event{MessageID: "1", Name: "View", Time: s.now, Identifiers: []string{"user_id:1"}})
	s.world.Flush(ctx)
	s.step(s.worker())
	if of, err := s.store.Of(ctx, "main", id); err != nil || len(of) != 1 || of[0].Segment != "all" {
		t.Errorf("segments of the profile: %v, %v", of, err)
	}
	_, err := s.apply("all", live.Change{Expected: revision, Archive: true})
	s.check(err)
	before := s.now
	s.now = s.now.Add(time.Hour)
	s.step(s.worker())
	if now, then := s.members("all", time.Time{}), s.members("all", before); len(now) != 0 || len(then) != 1 {
		t.Errorf("%d members now and %d before, want 0 and 1", len(now), len(then))
	}
}

package views

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
)

// one has a scene with one person, whose view is a row.
func one(t *testing.T, form clickhouse.Config) (*scene, identity.ProfileID) {
	t.Helper()
	s := newScene(t, form)
	ana := s.Person("user_id:ana", "email:ana@example.com")
	s.Add(clickhousetest.Event{MessageID: "1", Name: "Identify", Type: "identify", Time: day.Add(-time.Hour), Identifiers: []string{"user_id:ana", "email:ana@example.com"}, Traits: map[string]any{"city": "Porto"}})
	s.Flush(t.Context())
	s.project(identity.Key(ana))
	if !s.fromRow(ana) {
		t.Fatal("there is no row that agrees")
	}
	return s, ana
}

// TestRowsOfOtherForms: other rules make other views, so the rows of before are not
// read, nor again when the rules come back, before identity is looked at once more; a
// sweep makes the others.
func TestRowsOfOtherForms(t *testing.T) {
	form := clickhouse.DefaultConfig()
	s, ana := one(t, form)
	first := s.work.table
	rows, err := first.read(t.Context(), "main", []uint64{uint64(ana)})
	if err != nil {
		t.Fatal(err)
	}
	other := form
	other.Recent = 5
	s.open(other)
	if s.fromRow(ana) {
		t.Error("a row of other rules is read")
	}
	s.project()
	if !s.fromRow(ana) {
		t.Error("the sweep left somebody out")
	}
	s.Add(clickhousetest.Event{MessageID: "2", Name: "Page", Time: day, Identifiers: []string{"user_id:new"}})
	s.Flush(t.Context())
	s.Person("user_id:ana", "user_id:new")
	s.Flush(t.Context())
	// What merging rows does to the mark of the first rules, some day, and not to all
	// of their rows.
	if err := s.Conn.Exec(t.Context(), "ALTER TABLE profile_lookup DELETE WHERE profile_id = 0"); err != nil {
		t.Fatal(err)
	}
	if err := first.write(t.Context(), "main", []*row{rows[uint64(ana)]}, s.lease(first)); err != nil {
		t.Fatal(err)
	}
	s.open(form)
	keys := []identity.Key{identity.Key(ana), s.Key("user_id:new")}
	s.mustEqual("rules that come back", keys)
	s.project()
	if s.mustEqual("rules that came back", keys) == 0 {
		t.Error("nobody is read from a row")
	}
}

// lease is one of an hour.
func (s *scene) lease(t table) lease {
	s.Helper()
	l, err := t.lease(s.Context(), s.notes.Hold)
	if err != nil {
		s.Fatal(err)
	}
	return l
}

// TestWhoWritesLate: a worker that was paused, with its lease taken, writes what it read
// before a merge. The row of after the merge stands, and the worker hears of it.
func TestWhoWritesLate(t *testing.T) {
	s, ana := one(t, clickhouse.DefaultConfig())
	late, err := s.work.table.read(t.Context(), "main", []uint64{uint64(ana)})
	if err != nil {
		t.Fatal(err)
	}
	taken := s.lease(s.work.table)
	s.Add(clickhousetest.Event{MessageID: "2", Name: "Page", Time: day, Identifiers: []string{"user_id:ben"}})
	s.Person("user_id:ana", "user_id:ben")
	s.Flush(t.Context())
	s.project(identity.Key(ana))
	// The pause: an hour and more, by either clock.
	taken.until -= 2 * time.Hour.Milliseconds()
	taken.taken = taken.taken.Add(-2 * time.Hour)
	late[uint64(ana)].computed = s.clock.Add(time.Hour)
	if err := s.work.table.write(t.Context(), "main", []*row{late[uint64(ana)]}, taken); !errors.Is(err, errLate) {
		t.Errorf("a worker that writes late hears %v", err)
	}
	if s.mustEqual("a late row", []identity.Key{identity.Key(ana)}) == 0 {
		t.Error("the row of after the merge is not read")
	}
}

// TestAliases: an identifier that founded no profile is found by what stands under it,
// and one that was taken away from a profile is not found by what stood there.
func TestAliases(t *testing.T) {
	s, ana := one(t, clickhouse.DefaultConfig())
	mail := s.Key("email:ana@example.com")
	if identity.ProfileID(mail) == ana {
		mail = s.Key("user_id:ana")
	}
	entries, err := s.work.table.look(t.Context(), "main", []uint64{uint64(mail)})
	if err != nil || entries[uint64(mail)] == nil || entries[uint64(mail)].owner != uint64(ana) {
		t.Fatalf("under an identifier that founded nothing stands %+v, %v", entries[uint64(mail)], err)
	}
	if s.mustEqual("by an alias", []identity.Key{mail}) == 0 {
		t.Error("nobody is found by an alias")
	}
	s.Person("user_id:ana")
	s.Person("email:ana@example.com")
	s.Flush(t.Context())
	s.mustEqual("after a split, before it is projected", []identity.Key{mail, identity.Key(ana)})
	s.project()
	s.mustEqual("after a split", []identity.Key{mail, identity.Key(ana)})
}

// TestWhatDependsOnTheTime: a view with a trait of a window holds for a while, one of
// all time for ever.
func TestWhatDependsOnTheTime(t *testing.T) {
	for within, lasting := range map[time.Duration]bool{0: true, time.Hour: false} {
		form := clickhouse.DefaultConfig()
		form.Computed = []profiles.ComputedTrait{{Name: "n", Compute: profiles.ComputeCount, Within: within}}
		s, ana := one(t, form)
		s.clock = s.clock.Add(DefaultConfig().Fresh)
		if s.fromRow(ana) != lasting {
			t.Errorf("within %v: read from its row a minute later: %t", within, !lasting)
		}
	}
}

// TestNoRowOfWhoseIdentifiersMove: a phone that was another's is a matter of time, and
// one that was erased has a past that does not count: neither has a view in its row.
func TestNoRowOfWhoseIdentifiersMove(t *testing.T) {
	s, ana := one(t, clickhouse.DefaultConfig())
	s.Tenures("email:ana@example.com", clickhousetest.Tenure{Until: day.Add(-2 * time.Hour), Owner: "user_id:ben"})
	s.Add(clickhousetest.Event{MessageID: "2", Name: "Page", Time: day, Identifiers: []string{"user_id:ben"}})
	s.Flush(t.Context())
	if s.fromRow(ana) {
		t.Error("a row of before the tenures is read")
	}
	s.project(identity.Key(ana), s.Key("user_id:ben"))
	if s.fromRow(ana) || s.fromRow(identity.ProfileID(s.Key("user_id:ben"))) {
		t.Error("who shares an identifier by time has a view in a row")
	}
}

// TestWhoElseIsInTheHousehold: the view of one who stays changes when another leaves,
// and is projected again though nothing names her.
func TestWhoElseIsInTheHousehold(t *testing.T) {
	s, ana := one(t, clickhouse.DefaultConfig())
	ben := s.Person("user_id:ben")
	s.Add(clickhousetest.Event{MessageID: "2", Name: "Page", Time: day, Identifiers: []string{"user_id:ben"}})
	s.House("phone:+351211111111", ana, ben)
	s.Flush(t.Context())
	s.project()
	keys := []identity.Key{identity.Key(ana)}
	if s.mustEqual("in a household", keys) == 0 {
		t.Fatal("there is no row of hers")
	}
	s.House("", ben)
	s.Flush(t.Context())
	if s.mustEqual("when another left", keys) != 0 {
		t.Error("a row of before is read")
	}
	s.project()
	if s.mustEqual("after that", keys) == 0 {
		t.Error("she was not projected again")
	}
}

// TestFounderThatNobodyCarried: an identifier that founded a profile and that no event
// carries, or no more, finds nobody, though the profile has a row under its id.
func TestFounderThatNobodyCarried(t *testing.T) {
	s, _ := one(t, clickhouse.DefaultConfig())
	id := s.Person("user_id:ghost", "email:g@example.com")
	s.Add(clickhousetest.Event{MessageID: "2", Name: "Page", Time: day, Identifiers: []string{"email:g@example.com"}})
	s.Flush(t.Context())
	s.project(s.Key("email:g@example.com"))
	if !s.fromRow(id) {
		t.Error("the profile has no row")
	}
	s.mustEqual("the founder", []identity.Key{identity.Key(id)})
}

// TestScoresAreReadBesideRows: a new score shows, and one that was withdrawn is gone,
// though the row is the same.
func TestScoresAreReadBesideRows(t *testing.T) {
	s, ana := one(t, clickhouse.DefaultConfig())
	keys := []identity.Key{identity.Key(ana)}
	for n, whose := range []identity.ProfileID{ana, 0} {
		s.Score(clickhousetest.Score{Profile: whose, Name: "churn", Model: "m", AsOf: day, ComputedAt: day.Add(time.Duration(n) * time.Minute), Value: .5, Detail: "{}"})
		s.Flush(t.Context())
		s.Group(clickhousetest.Group{Profile: ana, Time: day.Add(time.Duration(n) * time.Minute), Stage: []string{"lead", ""}[n], Persona: "p1", Recency: 3})
		s.Flush(t.Context())
		if s.mustEqual("a score", keys) == 0 {
			t.Error("its row is not read")
		}
	}
}

// meddler does something when the first query that has a part has begun. Queries are
// asked side by side.
type meddler struct {
	driver.Conn
	part string
	do   func()
	once sync.Once
	done atomic.Bool
}

func (m *meddler) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	rows, err := m.Conn.Query(ctx, query, args...)
	if strings.Contains(query, m.part) {
		m.once.Do(func() {
			m.do()
			m.done.Store(true)
		})
	}
	return rows, err
}

// TestCountedBeforeItIsRead: events that come while a profile is projected are not
// counted, so the row that may have some of their facts and not others is not read.
func TestCountedBeforeItIsRead(t *testing.T) {
	s, ana := one(t, clickhouse.DefaultConfig())
	plain := s.Conn
	s.Conn = &meddler{Conn: plain, part: "FROM events\nPREWHERE anchor_id IN {anchors:Array(UInt64)}\nWHERE workspace = {workspace:String}\nORDER BY", do: func() {
		// The event alone: the sighting of its identifiers comes later.
		err := plain.Exec(t.Context(), "INSERT INTO events (workspace, anchor_id, time, message_hash, message_id, kind, name, received_time) VALUES ('main', ?, ?, 77, 'new', 'behaviour', 'Back', ?)", uint64(ana), day, day)
		if err != nil {
			t.Error(err)
		}
	}}
	s.open(clickhouse.DefaultConfig())
	s.clock = s.clock.Add(time.Second)
	s.project(identity.Key(ana))
	if !s.Conn.(*meddler).done.Load() {
		t.Fatal("nothing came meanwhile")
	}
	if s.mustEqual("read in two states", []identity.Key{identity.Key(ana)}) != 0 {
		t.Error("a row with a tally of after it was read is read")
	}
}

package ledger

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

var (
	mobile   = id(identity.Phone, "+351910000000")
	landline = id(identity.Landline, "+351210000000")
)

func user(n int) identity.Identifier { return id(identity.UserID, fmt.Sprint("u", n)) }

// onDay is what was seen together on a day, counted from 900 days ago.
func onDay(w *world, day int, ids ...identity.Identifier) identity.Evidence {
	at := testNow.AddDate(0, 0, day-900)
	return evidenceOf(w.workspaces[0], "crm", at, at, ids...)
}

// callsOf returns whose the calls of the phone on these days are, alone and
// together with a cookie that was seen on day 10: numbers of users, 0 for nobody.
func callsOf(w *world, days ...int) (whose []int) {
	w.t.Helper()
	users := map[identity.ProfileID]int{}
	for n := 1; n <= 3; n++ {
		users[w.profile(user(n))] = n
	}
	for _, e := range []identity.Evidence{onDay(w, 10, mobile), onDay(w, 10, mobile, id(identity.AnonymousID, "c"))} {
		for _, d := range days {
			var got uint64
			query := "SELECT " + warehouse.EventProfile(fmt.Sprintf("toUInt64(%d)", e.Anchor),
				fmt.Sprintf("fromUnixTimestamp64Milli(toInt64(%d), 'UTC')", onDay(w, d).Span.FirstEvent))
			if err := w.db.QueryRow(context.WithoutCancel(w.t.Context()), query).Scan(&got); err != nil {
				w.t.Fatal(err)
			}
			whose = append(whose, users[identity.ProfileID(got)])
		}
	}
	return whose
}

// newStory is a world of one workspace whose phones may have many owners.
func newStory(t *testing.T, db driver.Conn) *world {
	t.Helper()
	w := newWorld(t, db, firstSeed)
	w.whole, w.workspaces = true, w.workspaces[:1]
	rule := w.rules.Namespaces[identity.Phone]
	rule.FanOutUp = 10
	w.rules.Namespaces[identity.Phone] = rule
	return w
}

// TestRecycledPhone is the story: u1's until day 300, u2's from day 600. Calls
// before u2 are u1's, those after are u2's; with a hole under 180 days the phone
// stays with u1, and late evidence that fills the hole gives it back.
func TestRecycledPhone(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := newStory(t, warehousetest.NewTestDatabase(t))
	own := func() {
		t.Helper()
		if err := w.own(nil); err != nil {
			t.Fatal(err)
		}
		if err := w.check(); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(when string, want ...int) {
		t.Helper()
		if got := callsOf(w, 50, 400, 599, 600, 899); fmt.Sprint(got) != fmt.Sprint(append(want, want...)) {
			t.Errorf("%s: calls of %v, want %v twice", when, got, want)
		}
	}
	w.send(onDay(w, 0, user(1), mobile), onDay(w, 150, user(1), mobile), onDay(w, 300, user(1), mobile),
		onDay(w, 10, mobile, id(identity.AnonymousID, "c")), onDay(w, 700, mobile))
	own()
	expect("one owner", 1, 1, 1, 1, 1)
	w.send(onDay(w, 600, user(2), mobile))
	own()
	expect("recycled", 1, 1, 1, 2, 2)
	if n := len(w.notebook.notices); n == 0 || w.notebook.last(identity.ChangedTenures) != [3]uint64{
		uint64(w.key(mobile)), uint64(w.key(mobile)), uint64(w.key(user(1))),
	} {
		t.Errorf("the notice names %x", w.notebook.last(identity.ChangedTenures))
	}
	w.send(onDay(w, 450, user(1), mobile)) // Late: the hole is under 180 days twice.
	own()
	expect("late evidence fills the hole", 1, 1, 1, 1, 1)
	if last := w.notebook.last(identity.ChangedTenures); last[1] != uint64(w.key(user(1))) || last[2] != uint64(w.key(mobile)) {
		t.Errorf("the notice of the way back names %x", last)
	}
}

// last returns subject, old and new of the last change of a kind.
func (n *notebook) last(kind identity.ChangeKind) (last [3]uint64) {
	for _, notice := range n.notices {
		for _, c := range notice.Changes {
			if c.Kind == kind {
				last = [3]uint64{c.Subject, c.Old, c.New}
			}
		}
	}
	return last
}

// TestTenuresWithTheirFlush stops an owner before each step of the flush that
// recycles a phone and founds a household: until its version nobody sees any of
// it, and after it everybody all of it; another owner ends the work, and what it
// adds to the tables is the difference.
func TestTenuresWithTheirFlush(t *testing.T) {
	db := warehousetest.NewTestDatabase(t)
	steps := map[string]bool{}
	first, by := strides(t)
	for stop := first; ; stop += by {
		w := newStory(t, db)
		w.send(onDay(w, 0, user(1), mobile), onDay(w, 700, mobile, id(identity.AnonymousID, "c")))
		if err := w.own(nil); err != nil {
			t.Fatal(err)
		}
		before := callsOf(w, 50, 800)
		w.send(onDay(w, 600, user(2), mobile), onDay(w, 600, user(1), landline), onDay(w, 601, user(3), landline))
		left, name, shown := stop, "", false
		err := w.own(func(step string) error {
			if left--; left < 0 {
				name = step
				return errCrash
			}
			shown = shown || step == "version"
			return nil
		})
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		got, housed := callsOf(w, 50, 800), len(w.published(w.workspaces[0]).housed)
		switch after := []int{1, 2, 1, 2}; {
		case name == "version" || !shown:
			if fmt.Sprint(got) != fmt.Sprint(before) || housed != 0 {
				t.Errorf("stopped before %q: calls of %v and %d in households, want %v and none", name, got, housed, before)
			}
		case fmt.Sprint(got) != fmt.Sprint(after) || housed != 2:
			t.Errorf("stopped before %q: calls of %v and %d in households, want %v and 2", name, got, housed, after)
		}
		if err := w.own(nil); err != nil {
			t.Fatal(err)
		}
		if err := w.check(); err != nil {
			t.Fatalf("stopped before %q: %v", name, err)
		}
		if err == nil {
			break
		}
		steps[name] = true
	}
	mustHaveStopped(t, by, steps, "evidence", "sets", "reading", "version", "notices", "commit")
}

// TestPausedOwnerOfTenures holds an owner before it stores the reading that
// recycles a phone, while its successor, which knows of later evidence, tells
// other tenures and another household: the late rows change nothing.
func TestPausedOwnerOfTenures(t *testing.T) {
	for _, held := range []string{"reading", "version"} {
		w := newStory(t, warehousetest.NewTestDatabase(t))
		w.send(onDay(w, 0, user(1), mobile), onDay(w, 0, user(1), landline))
		if err := w.own(nil); err != nil {
			t.Fatal(err)
		}
		w.send(onDay(w, 600, user(2), mobile), onDay(w, 600, user(2), landline))
		done := false
		var before reading
		err := w.own(func(step string) error {
			if step != held || done {
				return nil
			}
			done = true
			w.send(onDay(w, 120, user(3), mobile), onDay(w, 250, user(3), mobile), onDay(w, 400, user(3), mobile), onDay(w, 500, user(3), mobile))
			if err := w.own(nil); err != nil {
				return err
			}
			before = w.published(w.workspaces[0])
			return nil
		})
		if !errors.Is(err, errFence) {
			t.Fatalf("held before %q: %v", held, err)
		}
		after := w.published(w.workspaces[0])
		if fmt.Sprint(before.tenures, before.housed) != fmt.Sprint(after.tenures, after.housed) {
			t.Errorf("held before %q: %v %v, and was %v %v", held, after.tenures, after.housed, before.tenures, before.housed)
		}
		if err := w.check(); err != nil {
			t.Errorf("held before %q: %v", held, err)
		}
	}
}

// TestHouseholdAtOneLandline: two persons are one household and two profiles;
// blocking the value ends it, unblocking brings it back, and so does a restart
// find what became of rows that were erased in between.
func TestHouseholdAtOneLandline(t *testing.T) {
	w := coupledAtHome(t)
	name := w.workspaces[0]
	expect := func(when string, mates int) {
		t.Helper()
		got := w.published(name)
		if len(got.housed) != mates {
			t.Errorf("%s: households %v, want %d profiles", when, got.housed, mates)
		}
		for p, h := range got.housed {
			if h != identity.HouseholdID(w.key(landline)) {
				t.Errorf("%s: %s is of household %s", when, p, h)
			}
		}
		if w.profile(user(1)) == w.profile(user(2)) {
			t.Errorf("%s: one profile", when)
		}
	}
	expect("two at one landline", 2)
	w.must(identity.Command{Kind: identity.BlockValue, Identifiers: []identity.Identifier{landline}})
	expect("blocked", 0)
	w.must(identity.Command{Kind: identity.UnblockValue, Identifiers: []identity.Identifier{landline}})
	expect("unblocked", 2)
	if err := w.check(); err != nil {
		t.Error(err)
	}
	erased := uint64(w.key(user(2)))
	for _, where := range []string{"identifiers DELETE WHERE identifier_id = ?", "identity_evidence DELETE WHERE ? IN (low_id, high_id)"} {
		if err := w.db.Exec(t.Context(), "ALTER TABLE "+where+" SETTINGS mutations_sync = 2", erased); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	expect("one erased", 1)
}

// coupledAtHome is a world in which two users called from one landline.
func coupledAtHome(t *testing.T) *world {
	t.Helper()
	w := newStory(t, warehousetest.NewTestDatabase(t))
	w.send(onDay(w, 1, user(1), landline), onDay(w, 2, user(2), landline), onDay(w, 3, user(1), id(identity.Email, "a@shop.example")))
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	return w
}

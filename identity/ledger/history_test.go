package ledger

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// histories is how many random histories a property is tried on, each some ten
// seconds of engine work: a thousandth of KINDRED_TEST_COUNT, at least 1.
func histories(t testing.TB) int {
	return max(1, count(t)/1000)
}

// count is KINDRED_TEST_COUNT, 0 without it.
func count(t testing.TB) int {
	s := os.Getenv("KINDRED_TEST_COUNT")
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal("KINDRED_TEST_COUNT is not a number")
	}
	return n
}

// strides is how tests walk that stop an owner before each step of something: from
// a first step on, by so many. All steps take a KINDRED_TEST_COUNT of 1000; without
// it every eighth is tried, and in short runs every twelfth, from one on that differs
// from run to run.
func strides(t testing.TB) (first, by int) {
	if count(t) >= 1000 {
		return 0, 1
	}
	few := 8
	if testing.Short() {
		few = 12
	}
	first = rand.IntN(few)
	t.Logf("stops before every %dth step, from step %d on", few, first)
	return first, few
}

// mustHaveStopped checks that a test which tries all steps stopped before those.
func mustHaveStopped(t testing.TB, by int, steps map[string]bool, names ...string) {
	t.Helper()
	for _, name := range names {
		if by == 1 && !steps[name] {
			t.Errorf("not stopped before %q: %v", name, steps)
		}
	}
}

const firstSeed = 20260504

// TestCrashes stops owners before random steps, over and over: whatever the
// order of stops, what readers see, a rebuild, the history and the notices end
// equal to the definition.
func TestCrashes(t *testing.T) {
	db := warehousetest.Shared(t)
	for i := range histories(t) {
		seed := firstSeed + uint64(i)
		w := newWorld(t, db, seed)
		stops := map[string]int{}
		for range 4 {
			for range 15 {
				w.sendRandom()
			}
			for range 3 {
				left := w.r.IntN(25)
				err := w.own(func(name string) error {
					if left--; left < 0 {
						stops[name]++
						return errCrash
					}
					return nil
				})
				if err != nil && !errors.Is(err, errCrash) {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		}
		if err := w.own(nil); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := w.check(); err != nil {
			t.Fatalf("seed %d, stops %v: %v", seed, stops, err)
		}
	}
}

// TestReplacedOwner holds an owner before a random step while its successor
// takes over and goes on, and then lets it go on as well, until it meets the
// fence. Nothing it writes changes what readers see.
func TestReplacedOwner(t *testing.T) {
	db := warehousetest.Shared(t)
	for i := range histories(t) {
		seed := firstSeed + uint64(i)
		w := newWorld(t, db, seed)
		for range 3 {
			for range 20 {
				w.sendRandom()
			}
			held, left := "", w.r.IntN(25)
			var before map[string]reading
			err := w.own(func(name string) error {
				if left--; left != -1 {
					return nil
				}
				held = name
				for range 10 {
					w.sendRandom()
				}
				if err := w.own(nil); err != nil {
					return fmt.Errorf("successor: %w", err)
				}
				before = w.readings()
				return nil
			})
			if held == "" {
				continue
			}
			// StartEpoch may see the successor's epoch before the fence does.
			if !errors.Is(err, errFence) && (held != "epoch" || err == nil) {
				t.Fatalf("seed %d: replaced owner held before %q ended with %v, want the fence", seed, held, err)
			}
			if diff := cmp.Diff(before, w.readings(), cmp.AllowUnexported(reading{})); diff != "" {
				t.Fatalf("seed %d: replaced owner held before %q changed the reading: %s", seed, held, diff)
			}
			if err := w.check(); err != nil {
				t.Fatalf("seed %d, held before %q: %v", seed, held, err)
			}
		}
	}
}

func (w *world) readings() map[string]reading {
	all := map[string]reading{}
	for _, name := range w.workspaces {
		all[name] = w.published(name)
	}
	return all
}

// TestOrder sends the same evidence in another order, some of it twice, in other
// batches: the reading is the same.
func TestOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	db := warehousetest.Shared(t)
	for i := range histories(t) {
		seed := firstSeed + uint64(i)
		w := newWorld(t, db, seed)
		for range 50 {
			w.sendRandom()
		}
		other := newWorld(t, db, seed+1)
		for n, name := range w.workspaces {
			for _, at := range w.r.Perm(len(w.sent[name])) {
				e := w.sent[name][at]
				ids := make([]identity.Identifier, len(e.Members))
				for i, m := range e.Members {
					ids[i] = m.Identifier
				}
				keyer := identity.NewKeyer(identity.Secret{1}, other.workspaces[n])
				e.Workspace = other.workspaces[n]
				e.Members, _ = keyer.Members(ids)
				e.Anchor = keyer.Anchor(e.Members)
				for range 1 + w.r.IntN(2) {
					other.send(e)
				}
			}
			for _, at := range w.r.Perm(len(w.linked[name])) {
				l := w.linked[name][at]
				l.Workspace = other.workspaces[n]
				for range 1 + w.r.IntN(2) {
					other.sendLinks(l)
				}
			}
		}
		other.shuffle()
		for _, x := range []*world{w, other} {
			if err := x.own(nil); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if err := x.check(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
}

// TestLedgerAlone stops an owner at every step and then loses the records that
// it had not committed, but had stored: the ledger alone is enough to end equal
// to the definition.
func TestLedgerAlone(t *testing.T) {
	db := warehousetest.Shared(t)
	for _, stop := range []string{"reading", "version", "notices", "commit"} {
		w := newWorld(t, db, firstSeed)
		for range 30 {
			w.sendRandom()
		}
		o := newOwner(w.ledger(nil), w.topic.join())
		if err := o.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.ledger.step = func(name string) error {
			if name == stop {
				return errCrash
			}
			return nil
		}
		if err := o.process(t.Context(), w.topic.log); !errors.Is(err, errCrash) {
			t.Fatalf("stop before %q: %v", stop, err)
		}
		w.topic.offset = int64(len(w.topic.log))
		if err := w.own(nil); err != nil {
			t.Fatal(err)
		}
		if err := w.check(); err != nil {
			t.Fatalf("stop before %q: %v", stop, err)
		}
	}
}

// after returns the stop after one, of which the first has -1 before it: none.
func after(stop, first, by int) int {
	if stop < 0 {
		return first
	}
	return stop + by
}

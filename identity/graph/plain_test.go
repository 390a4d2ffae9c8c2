package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// TestPlainEqualsSteps: what a first evaluation writes down of plain components is,
// field by field, what the steps come to, and so is what is kept of all others.
func TestPlainEqualsSteps(t *testing.T) {
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 17))
		size := 80
		if seed%2 == 0 {
			size = 12 // More of it is plain, or nearly.
		}
		w := randomWorld(r, 1+r.IntN(size))
		if seed%2 == 0 {
			w.heldFrom = 16
		}
		rows, erased := w.mergedRows()
		loaded := func(portion int) *Graph {
			g := w.graph()
			g.portion = portion
			for k, at := range erased {
				g.Erase(k, at)
			}
			load(g, rand.New(rand.NewPCG(uint64(seed), 18)), rows)
			for _, e := range w.entries {
				if e.sighting == nil && e.erase == 0 {
					e.tell(g)
				}
			}
			return g
		}
		steps, plain := loaded(1<<30), loaded(1+r.IntN(3))
		want, got := steps.Flush(), plain.Flush()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("seed %d: changes %v, want %v", seed, got, want)
		}
		if err := sameState(plain, steps); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := check(plain); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestOrdinaryIsPlain: of an ordinary ledger nearly all is plain, and what is written
// down of it is what the steps come to.
func TestOrdinaryIsPlain(t *testing.T) {
	ids, pairs := storedRows(3000)
	loaded := func() *Graph {
		g := New(identity.DefaultRules())
		g.rules.Untrusted = map[string]bool{"web": true}
		l := g.Load(numbered, []string{"web", "server"})
		l.Identifiers(ids)
		l.Pairs(pairs)
		l.End()
		return g
	}
	if rest, n := loaded().evaluatePlain(), len(ids); len(rest) > n/50 {
		t.Errorf("of %d identifiers %d begin components that are not plain", n, len(rest))
	}
	steps, plain := loaded(), loaded()
	steps.portion, plain.portion = 1<<30, 64
	want, got := steps.Flush(), plain.Flush()
	if !slices.Equal(got.Moves, want.Moves) || len(got.Moves) == 0 {
		t.Errorf("%d moves, want the %d of the steps", len(got.Moves), len(want.Moves))
	}
	if err := sameState(plain, steps); err != nil {
		t.Error(err)
	}
	if plain.count.visits >= steps.count.visits {
		t.Errorf("%d visits, the steps take %d", plain.count.visits, steps.count.visits)
	}
}

// sameState compares what two graphs that were loaded alike keep, but for the order of
// followers and for tallies, which are made where they are missing: see check.
func sameState(g, h *Graph) error {
	for x := ref(1); x < h.nodes.end(); x++ {
		a, b := *g.nodes.at(x), *h.nodes.at(x)
		if !slices.Equal(followers(g, x), followers(h, x)) {
			return fmt.Errorf("node %d is followed by %v, want %v", x, followers(g, x), followers(h, x))
		}
		for _, n := range [2]*node{&a, &b} {
			if n.flags&several != 0 {
				n.rows = 0 // the place of the first of them
			}
			n.child, n.next, n.prev = 0, 0, 0
			if n.head != x {
				n.founder = 0 // of heads only
			}
		}
		// Lists of edges are in the order in which their state was found.
		if a.live, a.parked = b.live, b.parked; a != b {
			return fmt.Errorf("node %d is %+v, want %+v", x, a, b)
		}
	}
	for e := ref(1); e < h.edges.end(); e++ {
		a, b := *g.edges.at(e), *h.edges.at(e)
		a.nextA, a.nextB, a.prevA, a.prevB = b.nextA, b.nextB, b.prevA, b.prevB
		if a.rows != 0 && b.rows != 0 {
			a.rows, a.period = b.rows, b.period
		}
		if a != b {
			return fmt.Errorf("edge %d is %+v, want %+v", e, a, b)
		}
	}
	for _, n := range [...]struct {
		what      string
		got, want int
	}{
		{"crowded", len(g.crowded), len(h.crowded)},
		{"tenures", len(g.tenures), len(h.tenures)},
		{"classes", len(g.classes), len(h.classes)},
		{"clusters", len(g.unit), len(h.unit)},
		{"claims", len(g.claims), len(h.claims)},
		{"homes", len(g.homes), len(h.homes)},
		{"records", len(g.scored), len(h.scored)},
		{"super-nodes", len(g.supers), len(h.supers)},
		{"generic", g.count.generic, h.count.generic},
	} {
		if n.got != n.want {
			return fmt.Errorf("%d %s, want %d", n.got, n.what, n.want)
		}
	}
	return nil
}

// followers returns who follows x, in order.
func followers(g *Graph, x ref) []ref {
	var all []ref
	for c := g.nodes.at(x).child; c != 0; c = g.nodes.at(c).next {
		all = append(all, c)
	}
	slices.Sort(all)
	return all
}

// TestNotPlain: where a limit refuses somebody, or a moving identifier has a past tenure,
// a component is left to the steps.
func TestNotPlain(t *testing.T) {
	const day = 24 * 60 * 60 * 1000
	names := []identity.Namespace{identity.UserID, identity.Phone, identity.Loyalty}
	at := func(days int64) (identity.Period, identity.Span) {
		d := identity.DayOfMillis(days * day)
		return identity.PeriodOfMillis(days * day), identity.Span{FirstEvent: days * day, FirstReceived: days * day, LastEvent: d, LastReceived: d}
	}
	type pair struct {
		low, high identity.Key
		day       int64
	}
	for _, c := range []struct {
		name  string
		ids   []uint16 // namespaces of the identifiers 1, 2, …
		pairs []pair
		plain bool
	}{
		{"a phone number", []uint16{0, 1}, []pair{{1, 2, 0}}, true},
		{"two of a user", []uint16{0, 1, 1}, []pair{{1, 2, 0}, {1, 3, 9}}, true},
		{"one of two users", []uint16{0, 0, 1}, []pair{{1, 3, 0}, {2, 3, 9}}, true},
		{"one of two users, one after the other", []uint16{0, 0, 1}, []pair{{1, 3, 0}, {2, 3, 600}}, false},
		{"one number", []uint16{0, 2}, []pair{{1, 2, 0}}, true},
		{"two of which one is refused", []uint16{0, 2, 2}, []pair{{1, 2, 0}, {1, 3, 0}}, false},
	} {
		loaded := func(portion int) *Graph {
			g := New(identity.DefaultRules())
			g.portion = portion
			l := g.Load(names, []string{"server"})
			for i, n := range c.ids {
				s := StoredIdentifier{Key: identity.Key(i + 1), Namespace: n}
				s.Period, s.Span = at(0)
				l.Identifiers([]StoredIdentifier{s})
			}
			for _, p := range c.pairs {
				s := StoredPair{Low: p.low, High: p.high}
				s.Period, s.Span = at(p.day)
				l.Pairs([]StoredPair{s})
			}
			l.End()
			return g
		}
		if rest := loaded(1).evaluatePlain(); (len(rest) == 0) != c.plain {
			t.Errorf("%s: left to the steps: %v", c.name, rest)
		}
		steps, plain := loaded(1<<30), loaded(1)
		steps.Flush()
		plain.Flush()
		if err := sameState(plain, steps); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

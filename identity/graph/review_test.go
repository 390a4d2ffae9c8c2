package graph

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// standingOf is the definition of whether a scored pair waits, written over the
// whole ledger: who is with whom by evidence alone is asked of the same ledger
// without scores.
func standingOf(g, bare *Graph, a, b identity.Key, s Scored) identity.ReviewStanding {
	parted := func(x, y identity.Key) bool { return g.stands(identity.CannotLink, min(x, y), max(x, y)) }
	p, q := g.Profile(a), g.Profile(b)
	switch {
	case p == q:
		return identity.ReviewMerged
	case g.denied(min(a, b), max(a, b)), parted(identity.Key(p), identity.Key(q)):
		return identity.ReviewDecided
	}
	for _, x := range append(bare.Members(bare.Profile(a)), a) { // Who is gone is of no profile.
		for _, y := range append(bare.Members(bare.Profile(b)), b) {
			if parted(x, y) {
				return identity.ReviewDecided
			}
		}
	}
	switch {
	case s.Weight < g.rules.ReviewThreshold:
		return identity.ReviewWithdrawn
	case !s.Read:
		return identity.ReviewMuted
	}
	return identity.ReviewWaiting
}

// TestQuestions: in random ledgers the walk, however small its steps are, meets
// exactly the pairs that wait, each once; whatever is decided about one of them
// takes it out of the queue.
func TestQuestions(t *testing.T) {
	met := map[identity.ReviewStanding]int{}
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 15))
		w := worldOf(r, 1+r.IntN(60), mostlyScores)
		g, bare := w.graph(), w.graph()
		for _, e := range erasuresFirst(slices.Clone(w.entries)) {
			e.tell(g)
			if e.score == nil {
				e.tell(bare)
			}
		}
		g.Flush()
		bare.Flush()
		want := map[[2]identity.Key]bool{}
		for _, n := range w.nodes {
			for _, s := range g.Scores(n.Key) {
				q, barrier, standing := g.Question(n.Key, s.Other)
				if expect := standingOf(g, bare, n.Key, s.Other, s); standing != expect {
					t.Fatalf("seed %d: pair %x %x is %s, want %s", seed, n.Key, s.Other, standing, expect)
				}
				met[standing]++
				if standing != identity.ReviewWaiting {
					continue
				}
				want[inOrder(n.Key, s.Other)] = true
				if q.Sizes[0] != len(g.Members(q.Profiles[0])) || q.Profiles[1] != g.Profile(q.B) || barrier.Kind == "" || q.Weight != s.Weight {
					t.Fatalf("seed %d: question %+v behind %+v", seed, q, barrier)
				}
			}
		}
		got, place := map[[2]identity.Key]bool{}, uint32(0)
		for first := true; first || place != 0; first = false {
			place = g.Questions(place, 1+r.IntN(4), func(q Question) {
				if got[[2]identity.Key{q.A, q.B}] || q.A >= q.B {
					t.Fatalf("seed %d: pair %x %x is met twice, or turned round", seed, q.A, q.B)
				}
				got[[2]identity.Key{q.A, q.B}] = true
			})
		}
		if !maps.Equal(got, want) {
			t.Fatalf("seed %d: %d pairs wait, want %d", seed, len(got), len(want))
		}
		decideAll(t, g, slices.SortedFunc(maps.Keys(want), func(a, b [2]identity.Key) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }), r)
	}
	for _, s := range []identity.ReviewStanding{identity.ReviewWaiting, identity.ReviewMerged, identity.ReviewDecided, identity.ReviewWithdrawn, identity.ReviewMuted} {
		if met[s] == 0 {
			t.Errorf("no pair is %s", s)
		}
	}
}

// decideAll decides about one pair after the other, at random.
func decideAll(t *testing.T, g *Graph, pairs [][2]identity.Key, r *rand.Rand) {
	t.Helper()
	for i, p := range pairs {
		if _, _, standing := g.Question(p[0], p[1]); standing != identity.ReviewWaiting {
			continue // By what was decided before.
		}
		kind := pick(r, identity.CannotLink, identity.Reject)
		g.Decide(identity.Decision{Kind: kind, A: p[0], B: p[1], On: true, At: 1 << 50, ID: string(rune('a' + i))})
		g.Flush()
		if _, _, standing := g.Question(p[1], p[0]); standing != identity.ReviewDecided {
			t.Fatalf("pair %x %x is %s after a %s", p[0], p[1], standing, kind)
		}
	}
}

package graph

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// TestExplanationsAreTrue compares what Why says, of all pairs of identifiers of
// random ledgers, with what the oracle did with each pair of evidence.
func TestExplanationsAreTrue(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	kinds := map[identity.BarrierKind]int{}
	hops := map[identity.HopKind]int{}
	for seed := range (testCount(t) + 2) / 3 {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		size := 1 + r.IntN(80)
		w := randomWorld(r, size)
		if seed%3 == 0 {
			w = worldOf(r, size, mostlyScores)
		}
		g, o := w.graph(), oracle.New(w.rules)
		for _, e := range erasuresFirst(slices.Clone(w.entries)) {
			e.tell(g)
			e.tell(o)
		}
		g.Flush()
		j := newJudge(w, g, o.Evaluate())
		for i, a := range w.nodes {
			for _, b := range w.nodes[i:] {
				e := g.Why(a.Key, b.Key)
				if err := j.judge(a.Key, b.Key, e); err != nil {
					t.Fatalf("seed %d: why %s %x, %s %x: %+v %+v: %v", seed, a.Namespace, a.Key, b.Namespace, b.Key, e, e.Barrier, err)
				}
				for _, h := range e.Path {
					hops[h.Kind]++
				}
				if e.Barrier != nil {
					kinds[e.Barrier.Kind]++
				}
			}
		}
	}
	if testCount(t) > 100 {
		allKinds(t, hops, identity.HopFused, identity.HopFollows, identity.HopJoined, identity.HopClaimed, identity.HopLinked)
		allKinds(t, kinds,
			identity.BarrierUnknown, identity.BarrierBlocked, identity.BarrierGeneric, identity.BarrierCrowded,
			identity.BarrierVoid, identity.BarrierRetired, identity.BarrierRejected, identity.BarrierCannotLink,
			identity.BarrierLimit, identity.BarrierStronger, identity.BarrierSize, identity.BarrierWeight)
	}
	t.Logf("hops %v barriers %v", hops, kinds)
}

// allKinds fails where one of want never came.
func allKinds[K comparable](t *testing.T, met map[K]int, want ...K) {
	t.Helper()
	for _, k := range want {
		if met[k] == 0 {
			t.Errorf("none was of kind %v", k)
		}
	}
}

// TestSettled: a graph that calls itself settled has nothing to report.
func TestSettled(t *testing.T) {
	for seed := range (testCount(t) + 2) / 3 {
		r := rand.New(rand.NewPCG(uint64(seed), 12))
		w := randomWorld(r, 1+r.IntN(80))
		g := w.graph()
		for i, e := range erasuresFirst(slices.Clone(w.entries)) {
			e.tell(g)
			settled := g.Settled()
			if c := g.Flush(); settled && len(c.Moves)+len(c.Flipped)+len(c.Retold)+len(c.Rehoused) > 0 {
				t.Fatalf("seed %d: settled after entry %d, which changed %+v", seed, i, c)
			}
			if !g.Settled() {
				t.Fatalf("seed %d: not settled after a flush", seed)
			}
		}
	}
}

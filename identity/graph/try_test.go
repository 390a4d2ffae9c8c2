package graph

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// tried is a graph that is asked between flushes what decisions would move.
type tried struct {
	w     *world
	g     *Graph
	told  []entry
	moved int
}

// definition evaluates what the graph was told, and decisions after all others.
func (x *tried) definition(decisions []identity.Decision) oracle.Result {
	o := oracle.New(x.w.rules)
	for _, e := range x.told {
		e.tell(o)
	}
	for i, d := range decisions {
		d.At, d.ID = 1<<60, fmt.Sprintf("%09d", i)
		o.Decide(d)
	}
	return o.Evaluate()
}

// ask tries random decisions and compares the answer with the definition.
func (x *tried) ask(r *rand.Rand) error {
	var decisions []identity.Decision
	for range 1 + r.IntN(4) {
		d := *x.w.decision(r).decision
		d.At, d.ID = 0, fmt.Sprintf("%09d", len(decisions))
		decisions = append(decisions, d)
	}
	standing := maps.Clone(x.g.standing)
	got := x.g.Try(decisions)
	before, after := x.definition(nil), x.definition(decisions)
	var want []identity.Move
	for _, k := range slices.Sorted(maps.Keys(after.Profile)) {
		if a, b := after.Profile[k], before.Profile[k]; a != b {
			want = append(want, identity.Move{Identifier: k, Old: b, New: a})
		}
	}
	x.moved += len(want)
	if d := cmp.Diff(want, got); d != "" {
		return fmt.Errorf("%d decisions would move otherwise: %s", len(decisions), d)
	}
	if !maps.Equal(standing, x.g.standing) {
		return fmt.Errorf("other decisions stand")
	}
	if !x.g.Settled() {
		return fmt.Errorf("the graph is not settled")
	}
	return check(x.g)
}

// TestTryChangesNothing: in random ledgers Try says what the definition says,
// and the stream goes on as if it had not been asked.
func TestTryChangesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	moved := 0
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 12))
		w := randomWorld(r, 1+r.IntN(50))
		x := &tried{w: w, g: w.graph()}
		p := newReplica()
		for _, e := range erasuresFirst(slices.Clone(w.entries)) {
			e.tell(x.g)
			x.told = append(x.told, e)
			c := x.g.Flush()
			err := p.apply(x.g, c, []entry{e})
			if err == nil && r.IntN(3) == 0 {
				err = x.ask(r)
			}
			if err == nil {
				err = same(x.g, p, x.definition(nil), w)
			}
			if err != nil {
				t.Fatalf("seed %d, after %d entries: %v", seed, len(x.told), err)
			}
		}
		moved += x.moved
	}
	if moved == 0 {
		t.Error("no decision would move anybody")
	}
}

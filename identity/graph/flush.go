package graph

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// Changes is what a flush changed, each list ascending by key.
type Changes struct {
	// Moves holds each identifier whose profile changed, once. A household
	// value moves from its own key to profile 0 when it is first seen.
	Moves []identity.Move
	// Flipped holds the identifiers that became or ceased to be blocked,
	// generic or gone: their sets are to be decided again. A new identifier is
	// among them only where old sets may have ignored it, because its earlier
	// sightings expired or were erased.
	Flipped []identity.Key
	// Retold holds each identifier whose past tenures changed, once.
	Retold []Retelling
	// Rehoused holds each profile whose household changed, once. A profile that
	// became part of another one leaves its household; under its id one finds
	// the household of that one.
	Rehoused []Rehousing
}

// Retelling says that a moving identifier has other past tenures. The lists are
// not changed by anyone any more.
type Retelling struct {
	Identifier identity.Key
	Old, New   []Tenure
}

// Rehousing says that a profile has another household. Zero is none.
type Rehousing struct {
	Profile  identity.ProfileID
	Old, New identity.HouseholdID
}

// Flush evaluates what was added since the last flush and returns what it
// changed. Each step is a pure function of the one before, kept current by
// computing again whatever a changed input can reach; so the state after a
// flush does not depend on how entries were ordered or cut into flushes.
func (g *Graph) Flush() Changes {
	if n := len(g.work.fresh); n > g.portion && n > int(g.nodes.end())/2 {
		g.evaluateInPortions()
	} else {
		g.evaluate()
		g.noteSevered()
	}
	g.linkRecords()
	g.households()
	return g.settle()
}

// evaluate brings everything up to date but linkage and households.
func (g *Graph) evaluate() {
	for _, x := range g.work.status {
		g.nodes.at(x).flags &^= statusDirty
		g.classify(x)
	}
	g.work.status = g.work.status[:0]
	for _, x := range g.work.tenure {
		g.retire(x)
	}
	g.fuse()
	for _, x := range g.work.tenure {
		g.nodes.at(x).flags &^= tenureDirty
		g.nameOwners(x)
	}
	g.work.tenure = g.work.tenure[:0]
	for _, e := range g.work.edges {
		g.reconsider(e)
	}
	g.follow()
	g.admit()
	g.units()
	g.admitClaims()
	g.found()
}

// settle clears the work lists and reports.
func (g *Graph) settle() Changes {
	w := &g.work
	many := max(len(w.journal), len(w.fresh)) > keptWork
	c := Changes{Moves: g.moved()}
	for _, f := range w.flips {
		g.nodes.at(f.x).flags &^= flipNoted
		if g.class(f.x) != f.class {
			c.Flipped = append(c.Flipped, g.nodes.at(f.x).key)
		}
	}
	c.Retold = append(c.Retold, w.retold...)
	c.Rehoused = g.rehoused()
	for _, e := range w.edges {
		g.edges.at(e).flags &^= edgeDirty
	}
	for _, e := range w.dead {
		g.freeEdge(e)
	}
	// Those of a rebuild are in order as they come.
	slices.SortFunc(c.Moves, func(a, b identity.Move) int { return cmp.Compare(a.Identifier, b.Identifier) })
	slices.Sort(c.Flipped)
	slices.SortFunc(c.Retold, func(a, b Retelling) int { return cmp.Compare(a.Identifier, b.Identifier) })
	w.edges, w.dead, w.fresh = w.edges[:0], w.dead[:0], w.fresh[:0]
	w.changed, w.stale, w.admitted = w.changed[:0], w.stale[:0], w.admitted[:0]
	w.left, w.removed = w.left[:0], false
	g.lowest = nil // For a first evaluation, and edges may be freed from now on.
	if many {
		*w = work{} // A rebuild must not hold its lists for ever.
		return c
	}
	w.journal, w.flips, w.retold = w.journal[:0], w.flips[:0], w.retold[:0]
	return c
}

// moved returns what the journal says, and ends it.
func (g *Graph) moved() []identity.Move {
	w := &g.work
	if len(w.fresh) == int(g.nodes.end())-1 {
		return g.movedOfAll()
	}
	for _, x := range w.fresh {
		if g.ns(x).rule.Household {
			g.journal(x)
		}
	}
	for _, x := range w.fresh {
		g.nodes.at(x).flags &^= fresh
	}
	var moves []identity.Move
	for _, o := range w.journal {
		n := g.nodes.at(o.x)
		n.flags &^= journaled
		if now := g.present(o.x); now != o.profile {
			moves = append(moves, identity.Move{Identifier: n.key, Old: o.profile, New: now})
		}
	}
	return moves
}

// movedOfAll is moved where every identifier is new, and so was its own profile: all
// are looked at in the order in which they are stored, part by part.
func (g *Graph) movedOfAll() []identity.Move {
	const part = 64 * pageSize
	end := g.nodes.end()
	parts := make([][]identity.Move, (int(end)+part-1)/part)
	g.sideBySide(len(parts), func(i int) {
		parts[i] = g.movedOfPart(max(1, ref(i*part)), min(end, ref((i+1)*part)))
	})
	g.sideBySide(len(parts), func(i int) { // When nobody reads the flags of another part.
		for x := max(1, ref(i*part)); x < min(end, ref((i+1)*part)); x++ {
			g.nodes.at(x).flags &^= fresh | journaled
		}
	})
	return slices.Concat(parts...)
}

// movedOfPart is movedOfAll of the identifiers before end. What lies elsewhere is read
// for many of them at once, so that the processor does not wait for one after the other.
func (g *Graph) movedOfPart(x, end ref) (moves []identity.Move) {
	var noted, founders [together]ref
	most := 0
	for y := x; y < end; y++ {
		if g.nodes.at(y).flags&journaled != 0 || g.ns(y).rule.Household {
			most++
		}
	}
	moves = make([]identity.Move, 0, most)
	for x < end {
		n := 0
		for ; x < end && n < together; x++ {
			d := g.nodes.at(x)
			if household := g.ns(x).rule.Household; household || d.flags&journaled != 0 {
				noted[n], founders[n] = x, d.head
				if household {
					founders[n] = 0
				}
				n++
			}
		}
		for i, h := range founders[:n] {
			if h != 0 {
				founders[i] = g.founderOf(h)
			}
		}
		for i, f := range founders[:n] {
			key, now := g.nodes.at(noted[i]).key, identity.ProfileID(0)
			if f != 0 {
				now = identity.ProfileID(g.nodes.at(f).key)
			}
			if now != identity.ProfileID(key) {
				moves = append(moves, identity.Move{Identifier: key, Old: identity.ProfileID(key), New: now})
			}
		}
	}
	return moves
}

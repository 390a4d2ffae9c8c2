package graph

import (
	"github.com/kindred-cdp/kindred/identity"
)

// Expire takes away the sightings of ns in periods earlier than before, and
// those of pairs with such an end; the greatest before wins. It reads every
// identifier and pair once.
func (g *Graph) Expire(ns identity.Namespace, before identity.Period) {
	i := g.space(ns)
	s := &g.spaces[i]
	if s.expired && before <= s.before {
		return
	}
	s.expired, s.before = true, before
	g.forgets = true
	for e := ref(1); e < g.edges.end(); e++ {
		d := g.edges.at(e)
		if d.a != 0 && d.flags&dead == 0 && (uint32(g.nodes.at(d.a).space) == i || uint32(g.nodes.at(d.b).space) == i) {
			g.expireEdge(e, before)
		}
	}
	for x := ref(1); x < g.nodes.end(); x++ {
		if d := g.nodes.at(x); uint32(d.space) == i && d.flags&alive != 0 {
			g.expireNode(x, before)
		}
	}
}

func (g *Graph) expireEdge(e ref, before identity.Period) {
	d := g.edges.at(e)
	if d.rows == 0 {
		if d.period < before {
			g.kill(e)
		}
		return
	}
	rest, ok := g.dropRows(&d.rows, before)
	if !ok {
		g.kill(e)
		return
	}
	if rest.first != d.first {
		d.first = rest.first
		g.markEdge(e)
		g.later(e)
	}
	if rest.last != d.last {
		d.last = rest.last
		g.markTenures(d)
	}
	if rest.trusted != (d.flags&trusted != 0) {
		d.flags ^= trusted
		g.refresh(e)
	}
}

func (g *Graph) expireNode(x ref, before identity.Period) {
	d := g.nodes.at(x)
	if d.flags&several == 0 {
		if d.period() < before {
			g.vanish(x)
		}
		return
	}
	rest, ok := g.dropRows(&d.rows, before)
	switch {
	case !ok:
		g.vanish(x)
	case rest.first != d.first:
		d.first = rest.first
		if d.flags&homed != 0 && g.ns(x).rule.Household {
			g.markHome(x)
		}
		g.markFounders(x)
		g.touch(x)
	}
}

// Erase takes away the sightings of k received at or before at (milliseconds
// since 1970 UTC), those of its pairs, and scores made until then; the greatest
// at wins. As the owner
// of the rows stamps at, at or after every received time in them, Erase must
// come before evidence of k that was received later, also when a ledger is
// loaded: load erasures first.
func (g *Graph) Erase(k identity.Key, at int64) {
	if old, ok := g.erased[k]; ok && at <= old {
		return
	}
	g.erased[k] = at
	g.forgets = true
	x := g.find(k)
	if x == 0 {
		return
	}
	if g.nodes.at(x).flags&alive != 0 {
		g.vanish(x)
	}
	g.eraseScores(x, at)
	// All edges are parked now, and killing one moves none.
	end := func(e ref) {
		if g.edges.at(e).flags&dead == 0 {
			g.kill(e)
		}
	}
	g.eachIn(g.nodes.at(x).parked, x, end)
	g.eachDomestic(x, end)
}

// markFounders marks the group of x, and the wall that admitted it: x, first seen
// later than before or gone, may have been the founder of both, and may move
// from the one to the other before that is looked at.
func (g *Graph) markFounders(x ref) {
	h := g.nodes.at(x).head
	g.markFounder(h)
	if c := g.unit[h]; c != nil && c.admitted {
		g.markFounder(c.wall)
	}
}

// later marks what reads an edge that is, or may soon be, first seen later than
// before: another may be the better one to follow now, and whoever follows by
// this one comes later.
func (g *Graph) later(e ref) {
	d := g.edges.at(e)
	for _, x := range [2]ref{g.rep(d.a), g.rep(d.b)} {
		if n := g.nodes.at(x); n.edge == e {
			g.markScan(x)
			g.markReadmit(g.nodes.at(n.parent).head)
		}
	}
}

// vanish makes a node gone.
func (g *Graph) vanish(x ref) {
	g.noteFlip(x)
	d := g.nodes.at(x)
	if d.flags&several != 0 {
		g.freeRows(&d.rows)
	}
	d.flags &^= alive | several
	d.rows = 0
	g.count.identifiers--
	if d.flags&blocked != 0 {
		g.count.blocked--
	}
	g.markFuse(x)
	g.markFounders(x)
	g.restate(x)
	g.refreshAll(x)
}

// kill takes an edge out of the ledger. The next flush frees it, unless a new
// sighting of the pair comes first.
func (g *Graph) kill(e ref) {
	d := g.edges.at(e)
	g.freeRows(&d.rows)
	d.flags |= dead
	g.count.pairs--
	g.work.dead = append(g.work.dead, e)
	g.later(e)
	g.refresh(e)
}

package graph

import (
	"math"
	"slices"
)

// addClaim lets a new cluster claim its wall. If what the wall holds is known
// and has room for it, it displaces no one; if it has none and the cluster
// comes after all others, no one else is concerned.
func (g *Graph) addClaim(c *cluster) {
	list := g.claims[c.wall]
	c.place = len(list)
	g.claims[c.wall] = append(list, c)
	t := g.full[c.wall]
	if t == nil {
		g.markClaims(c.wall)
		return
	}
	at := g.order(c.claim)
	after := t.last.compare(at) < 0
	switch {
	case t.fits(g, &c.of):
		t.merge(&c.of)
		if after {
			t.last = at
		}
		c.admitted, c.decided = true, true
		g.relink(c.wall)
		g.welcome(c)
	case after:
		t.refused++
		c.decided = true
		g.markFounder(c.groups[0])
	default:
		g.markClaims(c.wall)
	}
}

// dropClaim takes a cluster that is no more from its wall. If all were
// admitted, or it was not, the others stay as they are.
func (g *Graph) dropClaim(c *cluster) {
	list := g.claims[c.wall]
	last := len(list) - 1
	list[c.place] = list[last]
	list[c.place].place = c.place
	list[last] = nil
	if g.claims[c.wall] = list[:last]; last == 0 {
		delete(g.claims, c.wall)
		delete(g.full, c.wall)
	}
	if !c.admitted {
		if t := g.full[c.wall]; t != nil {
			t.refused--
		}
		return
	}
	g.relink(c.wall)
	if f := g.nodes.at(c.wall).founder; g.nodes.at(f).head != c.wall {
		g.markFounder(c.wall) // It may have come with c.
	}
	if t := g.full[c.wall]; t != nil && t.refused == 0 {
		t.remove(&c.of)
	} else {
		g.markClaims(c.wall)
	}
}

// markClaims makes a wall decide its claims anew.
func (g *Graph) markClaims(wall ref) {
	delete(g.full, wall)
	g.mark(wall, claimsDirty, &g.work.claims)
}

// extendWall adds nodes that came into the group of h, a wall, to what it
// holds. If all is still within the rules, no claim is displaced.
func (g *Graph) extendWall(h ref, nodes []ref) {
	if len(g.claims[h]) == 0 {
		return
	}
	for _, x := range nodes {
		t, u := g.full[h], g.nodeTally(x)
		if t == nil || !t.fits(g, u) {
			g.markClaims(h)
			return
		}
		t.merge(u)
	}
}

// shrinkWall is the opposite of extendWall.
func (g *Graph) shrinkWall(h ref, nodes []ref) {
	if len(g.claims[h]) == 0 {
		return
	}
	t := g.full[h]
	if t == nil || t.refused > 0 {
		g.markClaims(h)
		return
	}
	for _, x := range nodes {
		t.remove(g.nodeTally(x))
	}
}

// admitClaims decides anew which clusters the marked walls admit: in the
// evidence order of the claiming edges. A refused cluster is a profile of its
// own and tries no one else.
func (g *Graph) admitClaims() {
	for _, wall := range g.work.claims {
		g.nodes.at(wall).flags &^= claimsDirty
		if claiming := g.claims[wall]; len(claiming) > 0 {
			g.decideClaims(wall, claiming)
		}
	}
	g.work.claims = g.work.claims[:0]
}

func (g *Graph) decideClaims(wall ref, claiming []*cluster) {
	slices.SortFunc(claiming, func(a, b *cluster) int {
		return g.order(a.claim).compare(g.order(b.claim))
	})
	t := &tally{}
	if held := g.held[wall]; held != nil {
		t.merge(held)
	} else {
		for _, x := range g.group(wall, math.MaxInt) {
			t.add(g, x)
		}
	}
	for i, c := range claiming {
		g.count.visits++
		c.place = i
		was := c.admitted
		if c.admitted = t.fits(g, &c.of); c.admitted {
			t.merge(&c.of)
			t.last = g.order(c.claim)
		} else {
			t.refused++
		}
		if c.admitted != was {
			g.relink(wall)
			g.relinkGroups(c)
		}
		switch {
		case c.admitted && !was:
			g.welcome(c)
		case !c.admitted && was:
			g.markFounder(wall)
			g.markFounder(c.groups[0])
		case !c.admitted && !c.decided:
			g.markFounder(c.groups[0])
		}
		c.decided = true
	}
	g.full[wall] = t
}

// relinkGroups marks the super-node of each group of c.
func (g *Graph) relinkGroups(c *cluster) {
	for _, h := range c.groups {
		g.relink(h)
	}
}

// welcome gives a cluster that its wall has just admitted the founder of the
// wall, or looks for a new one.
func (g *Graph) welcome(c *cluster) {
	f := g.nodes.at(c.wall).founder
	for _, h := range c.groups {
		for _, x := range g.group(h, math.MaxInt) {
			if g.founds(x, f) {
				g.markFounder(c.wall)
				return
			}
		}
	}
	g.adopt(c.groups, f)
}

// profile returns the heads of the groups that make the profile of head h, as
// step 4 leaves it. The result is valid until the next call.
func (g *Graph) profile(h ref) []ref {
	if c := g.unit[h]; c != nil {
		if !c.admitted {
			return c.groups
		}
		h = c.wall
	}
	heads := append(g.work.heads[:0], h)
	for _, c := range g.claims[h] {
		if c.admitted {
			heads = append(heads, c.groups...)
		}
	}
	g.work.heads = heads
	return heads
}

package graph

// unit is a component of loose groups, cut to what the cap C allows.
type unit struct {
	clusters []*cluster
}

// cluster is a set of loose groups that joined. A group alone in its unit and
// without a claim has none.
type cluster struct {
	unit     *unit
	groups   []ref // heads
	joins    []ref // the edges that joined them, for explanations
	of       tally
	wall     ref // head of the fixed group that it claims, or 0
	claim    ref // by this edge
	place    int // in the wall's list of claims
	admitted bool
	decided  bool // its wall has admitted or refused it
}

// pend marks the unit of a loose group; a fixed group has none.
func (g *Graph) pend(h ref) {
	if g.nodes.at(h).flags&fixed == 0 && g.isHead(h) && !g.lonely(h) {
		g.mark(h, pendingDirty, &g.work.pending)
	}
}

// pendOrFound marks the unit of h or, where it has none, its founder: that of
// the unit which it was in may be another's.
func (g *Graph) pendOrFound(h ref) {
	if g.pend(h); g.nodes.at(h).flags&pendingDirty == 0 {
		g.markFounder(h)
	}
}

// lonely reports whether a loose group is beyond C by itself, and known to be
// alone: nothing around it can change that.
func (g *Graph) lonely(h ref) bool {
	t := g.held[h]
	return t != nil && t.size > g.rules.UnitCap && g.unit[h] == nil
}

// units drops and computes anew every unit that a change can reach: it touches
// a node that is in another group or whose wall turned, or an edge that came
// or went, or a group that changed.
func (g *Graph) units() {
	if g.work.removed || g.departed() {
		clear(g.beyond)
	}
	for _, h := range g.work.admitted {
		g.relink(h)
		g.dropUnit(h) // It may have turned into a wall.
		g.pendOrFound(h)
		if len(g.claims[h]) > 0 {
			g.markClaims(h)
		}
	}
	for _, x := range g.work.changed {
		g.relink(g.nodes.at(x).head)
		g.pend(g.nodes.at(x).head)
		g.eachIn(g.nodes.at(x).live, x, func(e ref) {
			if d := g.edges.at(e); d.linking() {
				g.pend(g.nodes.at(d.other(x)).head)
			}
		})
	}
	for _, e := range g.work.edges {
		d := g.edges.at(e)
		g.pend(g.nodes.at(d.a).head)
		g.pend(g.nodes.at(d.b).head)
	}
	for _, h := range g.work.stale {
		g.relink(h)
		g.dropUnit(h)
	}
	for i := 0; i < len(g.work.pending); i++ {
		g.dropUnit(g.work.pending[i])
	}
	for i := 0; i < len(g.work.pending); i++ {
		if h := g.work.pending[i]; g.nodes.at(h).flags&pendingDirty != 0 {
			g.buildUnit(h)
		}
	}
	g.work.pending = g.work.pending[:0]
}

// dropUnit forgets the unit of the group that h heads or headed.
func (g *Graph) dropUnit(h ref) {
	c := g.unit[h]
	if c == nil {
		return
	}
	for _, c := range c.unit.clusters {
		for _, h := range c.groups {
			g.relink(h)
			delete(g.unit, h)
		}
	}
	for _, c := range c.unit.clusters {
		if c.wall != 0 {
			g.dropClaim(c)
		}
		for _, h := range c.groups {
			g.pendOrFound(h)
		}
	}
}

// component is what buildUnit finds around a group.
type component struct {
	heads  []ref
	size   int
	inside []ordered // between two groups of it
	claims []ordered // from one of it to a fixed group
	weak   int32     // rank of the weakest edge followed, or -1
	over   bool      // beyond C
}

// buildUnit computes the unit of h: the component over the weakest rank of
// edges at which it is within C. It may reach groups that were not marked;
// their units are part of it now.
func (g *Graph) buildUnit(h ref) {
	c := &g.work.component
	level := int32(g.ranks - 1)
	if r, ok := g.beyond[h]; ok {
		level = r - 1
	}
	for level >= 0 && !g.explore(h, level, c) {
		level = c.weak - 1
	}
	if level < 0 {
		c.heads, c.inside, c.claims = append(c.heads[:0], h), c.inside[:0], c.claims[:0]
	}
	for _, h := range c.heads {
		g.dropUnit(h)
	}
	for _, h := range c.heads {
		g.nodes.at(h).flags &^= pendingDirty
	}
	if len(c.heads) > 1 || len(c.claims) > 0 {
		g.kruskal(c)
	} else {
		g.markFounder(h)
	}
}

// explore fills c with the component of h over edges of rank up to level. It
// reports false, as soon as it knows, when that is beyond C; the groups it has
// met by then all are, at rank c.weak.
func (g *Graph) explore(h ref, level int32, c *component) bool {
	c.heads, c.inside, c.claims = append(c.heads[:0], h), c.inside[:0], c.claims[:0]
	c.size, c.weak, c.over = 0, -1, false
	g.nodes.at(h).flags |= marked
	for i := 0; i < len(c.heads) && !c.over; i++ {
		members := g.group(c.heads[i], g.rules.UnitCap-c.size)
		c.size += len(members)
		c.over = c.size > g.rules.UnitCap
		for j := 0; j < len(members) && !c.over; j++ {
			g.exploreNode(members[j], level, c)
		}
	}
	for _, h := range c.heads {
		g.nodes.at(h).flags &^= marked
		if c.over {
			g.beyond[h] = c.weak
		}
	}
	return !c.over
}

func (g *Graph) exploreNode(x ref, level int32, c *component) {
	h := g.nodes.at(x).head
	g.eachIn(g.nodes.at(x).live, x, func(e ref) {
		d := g.edges.at(e)
		o := g.nodes.at(d.other(x)).head
		if o == h || !d.linking() {
			return
		}
		at := g.order(e)
		if at.weak > level {
			return
		}
		n := g.nodes.at(o)
		switch {
		case n.flags&fixed != 0:
			c.claims = append(c.claims, ordered{at, e})
			return
		case d.a == x:
			c.inside = append(c.inside, ordered{at, e})
		}
		c.weak = max(c.weak, at.weak)
		if n.flags&marked != 0 {
			return
		}
		n.flags |= marked
		c.heads = append(c.heads, o)
		if r, ok := g.beyond[o]; ok && r <= level {
			c.weak, c.over = max(c.weak, r), true
		}
	})
}

// group returns the identifiers of the group that h heads, of more than limit
// only the first ones, but more than limit. The result is valid until the next
// call.
func (g *Graph) group(h ref, limit int) []ref {
	list := append(g.work.members[:0], h)
	if g.nodes.at(h).flags&fused != 0 {
		list = append(list, g.classes[h].members[1:]...)
	}
	for i := 0; i < len(list) && len(list) <= limit; i++ {
		// Only a representative has followers.
		for c := g.nodes.at(list[i]).child; c != 0; c = g.nodes.at(c).next {
			g.count.visits++
			if g.nodes.at(c).flags&aside != 0 {
				continue
			}
			list = append(list, c)
			if g.nodes.at(c).flags&fused != 0 {
				list = append(list, g.classes[c].members[1:]...)
			}
			if len(list) > limit {
				break
			}
		}
	}
	g.work.members = list
	return list
}

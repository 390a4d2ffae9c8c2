package graph

import "slices"

// fans counts the neighbours of one node.
type fans struct {
	guards int   // pairs that shield it
	in     []fan // one per namespace met
}

// fan is the number of neighbours in one namespace.
type fan struct {
	space uint32
	n     int
}

func (f *fans) add(space uint32, n int) {
	for i := range f.in {
		if f.in[i].space == space {
			f.in[i].n += n
			return
		}
	}
	f.in = append(f.in, fan{space: space, n: n})
}

// counted notes that y has become or ceased to be a neighbour that counts for
// x. It marks x only where that can change its class.
func (g *Graph) counted(x, y ref, on bool) {
	n := g.nodes.at(x)
	by := 1
	if !on {
		by = -1
	}
	if n.flags&fanned != 0 {
		g.fans[x].add(uint32(g.nodes.at(y).space), by)
	}
	if on && n.exceeds(g.ns(x).fewest) || !on && n.flags&(generic|someCrowded) != 0 {
		g.mark(x, statusDirty, &g.work.status)
	}
}

// grown adds an edge to the degree of x, which turns to counting in time.
func (g *Graph) grown(x ref) {
	n := g.nodes.at(x)
	if n.degree < manyEdges {
		n.degree++
	}
	if n.exceeds(g.fansFrom-1) && n.flags&fanned == 0 {
		g.fans[x] = g.fansOf(x)
		n.flags |= fanned
	}
}

// shrunk takes an edge off the degree of n.
func (n *node) shrunk() {
	if n.degree < manyEdges {
		n.degree--
	}
}

// exceeds reports whether n has, or may have, more edges than limit.
func (n *node) exceeds(limit uint32) bool {
	return uint32(n.degree) > limit || n.degree == manyEdges
}

// fansOf counts the neighbours of x.
func (g *Graph) fansOf(x ref) *fans {
	f := &fans{}
	g.eachEdge(x, func(e ref) {
		d := g.edges.at(e)
		if d.flags&neighbours != 0 {
			f.add(uint32(g.nodes.at(d.other(x)).space), 1)
		}
		if d.flags&guards != 0 && !g.ns(x).rule.Principal {
			f.guards++
		}
	})
	return f
}

// overcrowded reports whether the stronger end of d is crowded towards the
// namespace of the other.
func (g *Graph) overcrowded(d *edge) bool {
	if (g.nodes.at(d.a).flags|g.nodes.at(d.b).flags)&someCrowded == 0 {
		return false
	}
	// A crowded namespace is strictly weaker: only a stronger end has one.
	return slices.Contains(g.crowded[d.a], uint32(g.nodes.at(d.b).space)) ||
		slices.Contains(g.crowded[d.b], uint32(g.nodes.at(d.a).space))
}

// classify decides whether x is generic or crowded, and opens or parks the
// edges that this concerns. Fan-out reads raw neighbours only, so no class
// depends on another.
func (g *Graph) classify(x ref) {
	n, ns := g.nodes.at(x), g.ns(x)
	isGeneric, crowds := false, []uint32(nil)
	if n.exceeds(ns.fewest) {
		f := g.fans[x]
		if f == nil {
			f = g.fansOf(x)
		}
		for _, c := range f.in {
			switch up := g.spaces[c.space].rank <= ns.rank; {
			case up && c.n > ns.rule.FanOutUp:
				isGeneric = true
			case !up && c.n > ns.rule.FanOutDown:
				crowds = append(crowds, c.space)
			}
		}
		slices.Sort(crowds)
	}
	old := g.crowded[x]
	opens := n.flags&generic != 0 && !isGeneric ||
		slices.ContainsFunc(old, func(s uint32) bool { return !slices.Contains(crowds, s) })
	if isGeneric == (n.flags&generic != 0) && slices.Equal(old, crowds) {
		return
	}
	g.setGeneric(x, isGeneric)
	g.setCrowded(x, crowds)
	g.eachIn(n.live, x, g.refresh)
	if opens {
		g.eachIn(n.parked, x, g.refresh)
	}
}

func (g *Graph) setCrowded(x ref, spaces []uint32) {
	n := g.nodes.at(x)
	n.flags &^= someCrowded
	delete(g.crowded, x)
	if len(spaces) > 0 {
		n.flags |= someCrowded
		g.crowded[x] = spaces
	}
}

func (g *Graph) setGeneric(x ref, on bool) {
	n := g.nodes.at(x)
	if on == (n.flags&generic != 0) {
		return
	}
	g.noteFlip(x)
	n.flags ^= generic
	g.restate(x)
	g.refreshHomes(x)
	if on {
		g.count.generic++
	} else {
		g.count.generic--
	}
}

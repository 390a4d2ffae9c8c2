package graph

// chosen is a node with the edge by which it will follow.
type chosen struct{ x, parent, edge ref }

// reconsider looks at an edge that changed, from both ends: it may be a better
// one to follow, no good any more, or in another place.
func (g *Graph) reconsider(e ref) {
	d := g.edges.at(e)
	for _, end := range [2]ref{d.a, d.b} {
		x := g.rep(end)
		n := g.nodes.at(x)
		better := d.linking() && g.rank(d.other(end)) < g.rank(x)
		switch {
		case n.edge == e && !better:
			g.markScan(x)
		case n.edge == e:
			g.reordered(g.nodes.at(n.parent).head)
		case better && (n.edge == 0 || g.order(e).compare(g.order(n.edge)) < 0):
			g.markScan(x)
		}
	}
}

// reordered says that someone follows into the group of h by an earlier edge.
// Where no one was refused, order does not matter.
func (g *Graph) reordered(h ref) {
	if t := g.held[h]; t == nil || t.refused > 0 {
		g.markReadmit(h)
	}
}

// choose returns the least eligible edge of x to a node of smaller rank.
func (g *Graph) choose(x ref) chosen {
	best := chosen{x: x}
	rank := g.rank(x)
	if rank == 0 {
		return best
	}
	var least order
	for _, m := range g.members(x) {
		for e := g.nodes.at(m).live; e != 0; {
			g.count.visits++
			d := g.edges.at(e)
			if y := d.other(m); d.linking() && g.rank(y) < rank {
				if o := g.order(e); best.edge == 0 || o.compare(least) < 0 {
					best.edge, best.parent, least = e, g.rep(y), o
				}
			}
			e = d.after(m)
		}
	}
	return best
}

// follow makes every marked node choose, and then moves all that chose anew.
// Moving one by one would make transient cycles.
func (g *Graph) follow() {
	moves := g.work.moves[:0]
	for _, x := range g.work.scan {
		n := g.nodes.at(x)
		n.flags &^= scanDirty
		if g.rep(x) != x {
			continue
		}
		if c := g.choose(x); c.parent != n.parent || c.edge != n.edge {
			moves = append(moves, c)
			n.flags |= marked
		}
	}
	g.work.scan = g.work.scan[:0]
	for _, c := range moves {
		g.unfollow(c.x)
	}
	for _, c := range moves {
		g.followBy(c)
	}
	for _, c := range moves {
		g.regroup(c)
	}
	for _, c := range moves {
		g.nodes.at(c.x).flags &^= marked
	}
	g.work.moves = moves
}

// followBy puts c.x at the head of its parent's list.
func (g *Graph) followBy(c chosen) {
	n := g.nodes.at(c.x)
	n.flags &^= aside
	n.edge = c.edge
	if c.parent == 0 {
		return
	}
	p := g.nodes.at(c.parent)
	n.parent, n.next, n.prev = c.parent, p.child, 0
	if p.child != 0 {
		g.nodes.at(p.child).prev = c.x
	}
	p.child = c.x
}

// unfollow takes x out of its parent's list.
func (g *Graph) unfollow(x ref) {
	n := g.nodes.at(x)
	if n.parent == 0 {
		return
	}
	if n.prev != 0 {
		g.nodes.at(n.prev).next = n.next
	} else {
		g.nodes.at(n.parent).child = n.next
	}
	if n.next != 0 {
		g.nodes.at(n.next).prev = n.prev
	}
	n.parent, n.next, n.prev = 0, 0, 0
}

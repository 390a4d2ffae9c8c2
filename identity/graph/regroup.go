package graph

// regroup takes a node that moved, with all that follow it, out of its old
// group and into the one of its new parent. Where the kept tallies do not
// settle it, both groups are marked to be admitted anew.
func (g *Graph) regroup(c chosen) {
	below, plain := g.below(c.x)
	if from := g.nodes.at(c.x).head; from != c.x && !(plain && g.shrink(from, below)) {
		g.markReadmit(from)
	}
	if c.parent == 0 {
		g.markReadmit(c.x)
		return
	}
	if into := g.nodes.at(c.parent).head; !(plain && g.extend(into, below)) {
		g.markReadmit(into)
	}
}

// below returns x and all that follow it, those set aside too; false when one
// of them moves in the same flush.
func (g *Graph) below(x ref) ([]ref, bool) {
	list := append(g.work.below[:0], x)
	plain := true
	for i := 0; i < len(list) && plain; i++ {
		for c := g.nodes.at(list[i]).child; c != 0; c = g.nodes.at(c).next {
			g.count.visits++
			plain = plain && g.nodes.at(c).flags&marked == 0
			list = append(list, c)
		}
	}
	g.work.below = list
	return list, plain
}

// shrink takes nodes out of the group of h. If no one was refused, all others
// stay as they are.
func (g *Graph) shrink(h ref, nodes []ref) bool {
	t := g.held[h]
	if t == nil || t.refused > 0 || g.nodes.at(h).flags&readmitDirty != 0 {
		return false
	}
	for _, x := range nodes {
		if g.nodes.at(x).head != h {
			return false
		}
	}
	founder := g.nodes.at(h).founder
	for _, x := range nodes {
		for _, m := range g.members(x) {
			t.drop(g, m)
			if m == founder {
				g.markFounder(h)
			}
		}
	}
	g.shrinkWall(h, nodes)
	return true
}

// extend takes nodes, the first of which all others follow, into the group of
// h. If they fit, no one else is displaced; if a single one does not and comes
// after all others, no one else is concerned.
func (g *Graph) extend(h ref, nodes []ref) bool {
	t := g.held[h]
	if t == nil || g.nodes.at(h).flags&readmitDirty != 0 {
		return false
	}
	for _, x := range nodes {
		u := g.nodeTally(x)
		if t.fits(g, u) {
			t.merge(u)
			continue
		}
		if n := g.nodes.at(x); len(nodes) == 1 && t.ordered && t.last.compare(g.order(n.edge)) < 0 {
			t.refused++
			n.flags |= aside
			g.markReadmit(x)
			return true
		}
		delete(g.held, h)
		return false
	}
	founder := g.nodes.at(h).founder
	for _, x := range nodes {
		if o := g.order(g.nodes.at(x).edge); t.ordered && t.last.compare(o) < 0 {
			t.last = o
		}
		g.nodes.at(x).flags &^= aside
		for _, m := range g.members(x) {
			g.setHead(m, h)
			if g.founds(m, founder) {
				g.markFounder(h)
			}
		}
	}
	g.extendWall(h, nodes)
	return true
}

package graph

import "slices"

// admit runs the admission of every marked group. Strongest heads first, as a
// head can only set aside nodes weaker than itself; any order would end the
// same, because a group depends on the tree below its head alone.
func (g *Graph) admit() {
	list := g.work.readmit
	slices.SortFunc(list, func(a, b ref) int { return g.rank(a) - g.rank(b) })
	for i := 0; i < len(g.work.readmit); i++ {
		h := g.work.readmit[i]
		g.nodes.at(h).flags &^= readmitDirty
		if g.isHead(h) {
			g.admitGroup(h)
			g.work.admitted = append(g.work.admitted, h)
		}
	}
	g.work.readmit = g.work.readmit[:0]
}

// isHead reports whether x heads a group: it follows no one, or was refused.
func (g *Graph) isHead(x ref) bool {
	n := g.nodes.at(x)
	return (n.parent == 0 || n.flags&aside != 0) && g.rep(x) == x
}

// admitGroup decides anew who of the tree below h is in its group.
func (g *Graph) admitGroup(h ref) {
	n := g.nodes.at(h)
	wall := n.flags&aside != 0 || g.personal(h)
	turned := wall != (n.flags&fixed != 0)
	n.flags &^= fixed
	if wall {
		n.flags |= fixed
		g.work.removed = g.work.removed || turned
	}
	t := &g.work.group
	if !g.admitAll(h, t) {
		g.admitSome(h, t)
	}
	for _, x := range g.work.accepted {
		for _, m := range g.members(x) {
			if turned {
				g.noteChanged(m)
			}
			g.setHead(m, h)
		}
	}
	g.hold(h, t)
}

// hold keeps t, the tally of h, for later if the group is large.
func (g *Graph) hold(h ref, t *tally) {
	if t.size < g.heldFrom {
		delete(g.held, h)
		return
	}
	kept := g.held[h]
	if kept == nil {
		kept = &tally{}
		g.held[h] = kept
	}
	*kept, *t = *t, *kept
}

// admitAll tries whether the whole tree below h fits. If it does, order does
// not matter and no one is set aside.
func (g *Graph) admitAll(h ref, t *tally) bool {
	t.reset()
	list := append(g.work.accepted[:0], h)
	t.merge(g.nodeTally(h))
	for i := 0; i < len(list); i++ {
		for c := g.nodes.at(list[i]).child; c != 0; c = g.nodes.at(c).next {
			g.count.visits++
			u := g.nodeTally(c)
			if !t.fits(g, u) {
				return false
			}
			t.merge(u)
			list = append(list, c)
		}
	}
	g.work.accepted = list
	for _, x := range list[1:] {
		g.nodes.at(x).flags &^= aside
	}
	return true
}

// admitSome admits in the evidence order and sets aside whom it must refuse.
// All followers of one rank come before those of the next, and after whom
// they follow.
func (g *Graph) admitSome(h ref, t *tally) {
	t.reset()
	t.ordered = true
	t.merge(g.nodeTally(h))
	list := append(g.work.accepted[:0], h)
	queue := make([][]ordered, g.ranks)
	enqueue := func(x ref) {
		for c := g.nodes.at(x).child; c != 0; c = g.nodes.at(c).next {
			g.count.visits++
			r := g.rank(c)
			queue[r] = append(queue[r], ordered{g.order(g.nodes.at(c).edge), c})
		}
	}
	enqueue(h)
	for r := range queue {
		slices.SortFunc(queue[r], compareOrdered)
		for _, o := range queue[r] {
			c := g.nodes.at(o.e)
			u := g.nodeTally(o.e)
			if t.fits(g, u) {
				t.merge(u)
				t.last = o.order
				c.flags &^= aside
				list = append(list, o.e)
				enqueue(o.e)
				continue
			}
			t.refused++
			if c.flags&aside == 0 {
				c.flags |= aside
				g.markReadmit(o.e)
			}
		}
	}
	g.work.accepted = list
}

// setHead puts x into the group of h.
func (g *Graph) setHead(x, h ref) {
	n := g.nodes.at(x)
	if n.head == h {
		return
	}
	g.journal(x)
	g.noteChanged(x)
	from := n.head
	n.head = h
	if n.flags&(scored|homed) != 0 {
		g.seat(x)
	}
	if from == x {
		delete(g.held, x)
	}
	g.work.stale = append(g.work.stale, from)
	if n.flags&fresh == 0 && g.nodes.at(from).flags&fixed == 0 {
		g.work.left = append(g.work.left, departure{x, from})
	}
}

// seat lists x in the rosters of its group, if something rare is kept of it.
func (g *Graph) seat(x ref) {
	n := g.nodes.at(x)
	if g.postpones {
		g.work.seated = append(g.work.seated, x)
		return
	}
	if n.flags&scored != 0 {
		g.records.put(x, n.head)
	}
	if n.flags&homed != 0 {
		g.tenants.put(x, n.head)
	}
}

// noteChanged says that x is in another group, or its group another wall.
func (g *Graph) noteChanged(x ref) { g.work.changed = append(g.work.changed, x) }

// departure is an identifier that left a loose group.
type departure struct{ x, from ref }

// departed reports whether some identifier left a loose group other than with
// all of it into another loose one. Only then can a component have shrunk by
// moves; a closed edge, a new wall or another class are noted where they occur.
func (g *Graph) departed() bool {
	for _, d := range g.work.left {
		h := g.nodes.at(d.x).head
		if g.nodes.at(d.from).head != h || g.nodes.at(h).flags&fixed != 0 {
			return true
		}
	}
	return false
}

package graph

// addEdge makes a dead edge of x and y, which are in key order, a domestic one if
// one of them is a household value; the caller gives it its first row.
func (g *Graph) addEdge(x, y ref, domestic bool) ref {
	e := g.placedEdge(x, y) // It is gone.
	if e == 0 {
		e = g.edges.add()
		g.byEnds.add(endsHash(x, y), e)
	}
	g.makeEdge(e, x, y, domestic)
	return e
}

// makeEdge is addEdge for an edge that has a place.
func (g *Graph) makeEdge(e, x, y ref, domestic bool) {
	d := g.edges.at(e)
	d.a, d.b, d.flags = x, y, dead
	if g.pairRules > 0 && g.denied(g.nodes.at(x).key, g.nodes.at(y).key) {
		d.flags |= rejected
	}
	if domestic {
		d.flags |= atHome
		g.settleIn(x)
		g.settleIn(y)
		g.link(e)
		return
	}
	g.link(e)
	g.grown(x)
	g.grown(y)
}

// loadEdge makes the edge of x and y with its first sighting, for a load. It is not in
// the index, and goes to the lists in which it belongs at once.
func (g *Graph) loadEdge(x, y ref, domestic bool, s sight) ref {
	e := g.edges.add()
	if domestic {
		g.makeEdge(e, x, y, domestic)
		g.seenEdge(e, s)
		return e
	}
	d := g.edges.at(e)
	d.a, d.b, d.first, d.last, d.period = x, y, s.first, s.last, s.period
	if s.trusted {
		d.flags |= trusted
	}
	if g.pairRules > 0 && g.denied(g.nodes.at(x).key, g.nodes.at(y).key) {
		d.flags |= rejected
	}
	g.grown(x)
	g.grown(y)
	g.count.pairs++
	if !g.opens(e) {
		g.link(e)
		return e
	}
	d.flags |= open
	g.link(e)
	g.forceEdge(e)
	g.markTenures(d)
	return e
}

// freeEdge gives up an edge that is still dead.
func (g *Graph) freeEdge(e ref) {
	d := g.edges.at(e)
	if d.a == 0 || d.flags&(dead|gone) != dead {
		return // Freed already, or seen again.
	}
	g.unlink(e)
	if d.flags&atHome == 0 {
		g.nodes.at(d.a).shrunk()
		g.nodes.at(d.b).shrunk()
	}
	if e < g.placed.edgesEnd {
		*d = edge{a: d.a, b: d.b, flags: dead | gone}
		return
	}
	g.byEnds.remove(endsHash(d.a, d.b), e)
	g.edges.remove(e)
}

// list returns the head of the list of x's edges to which flags belong.
func (g *Graph) list(x ref, flags uint32) *ref {
	if flags&atHome != 0 {
		return g.homes[x].list(flags)
	}
	n := g.nodes.at(x)
	if flags&open != 0 {
		return &n.live
	}
	return &n.parked
}

// link puts e at the head of the lists of both ends.
func (g *Graph) link(e ref) {
	d := g.edges.at(e)
	a, b := g.list(d.a, d.flags), g.list(d.b, d.flags)
	d.nextA, d.prevA, d.nextB, d.prevB = *a, 0, *b, 0
	if *a != 0 {
		*g.prev(*a, d.a) = e
	}
	if *b != 0 {
		*g.prev(*b, d.b) = e
	}
	*a, *b = e, e
}

// unlink takes e out of both lists.
func (g *Graph) unlink(e ref) {
	d := g.edges.at(e)
	g.cut(d.a, d.flags, d.prevA, d.nextA)
	g.cut(d.b, d.flags, d.prevB, d.nextB)
}

func (g *Graph) cut(x ref, flags uint32, before, after ref) {
	if before == 0 {
		*g.list(x, flags) = after
	} else {
		*g.following(before, x) = after
	}
	if after != 0 {
		*g.prev(after, x) = before
	}
}

func (g *Graph) prev(e, x ref) *ref {
	d := g.edges.at(e)
	if d.a == x {
		return &d.prevA
	}
	return &d.prevB
}

func (g *Graph) following(e, x ref) *ref {
	d := g.edges.at(e)
	if d.a == x {
		return &d.nextA
	}
	return &d.nextB
}

// someEdge returns an edge of a node, 0 if it has none.
func (n *node) someEdge() ref {
	if n.live != 0 {
		return n.live
	}
	return n.parked
}

// eachEdge calls f for all edges of x but domestic ones, parked ones included. f may move the
// edge it is given to the other list, and may then be called for it again.
func (g *Graph) eachEdge(x ref, f func(ref)) {
	g.eachIn(g.nodes.at(x).live, x, f)
	g.eachIn(g.nodes.at(x).parked, x, f)
}

func (g *Graph) eachIn(e, x ref, f func(ref)) {
	for e != 0 {
		g.count.visits++
		next := g.edges.at(e).after(x)
		f(e)
		e = next
	}
}

// refreshAll refreshes every edge of x.
func (g *Graph) refreshAll(x ref) {
	g.eachEdge(x, g.refresh)
	if g.nodes.at(x).flags&homed != 0 {
		g.refreshHomes(x)
	}
}

// refresh brings what follows from the state of an edge and its ends up to
// date, in the order of step 0: shield, void, fan-out, generic and crowded.
func (g *Graph) refresh(e ref) {
	d := g.edges.at(e)
	if d.flags&atHome != 0 {
		g.markHome(g.value(d))
		return
	}
	if g.opens(e) == (d.flags&open != 0) {
		return
	}
	g.work.removed = g.work.removed || d.linking()
	g.unlink(e)
	d.flags ^= open
	d.flags &^= retired
	g.link(e)
	g.forceEdge(e)
	g.markTenures(d)
}

// opens reports whether an edge is to be open, after it has brought up to date what
// comes before that in step 0.
func (g *Graph) opens(e ref) bool {
	d := g.edges.at(e)
	a, b := g.nodes.at(d.a), g.nodes.at(d.b)
	usable := d.flags&(dead|rejected) == 0 &&
		a.flags&(alive|blocked) == alive && b.flags&(alive|blocked) == alive
	g.setGuard(e, usable && d.flags&trusted != 0)
	fan := usable && !g.void(d)
	if fan != (d.flags&neighbours != 0) {
		d.flags ^= neighbours
		g.counted(d.a, d.b, fan)
		g.counted(d.b, d.a, fan)
	}
	return fan && (a.flags|b.flags)&generic == 0 && !g.overcrowded(d)
}

// void reports whether d, of unblocked ends, links no one for reasons of trust:
// (1) two principals; (2) untrusted, of a shielded identifier with one as
// strong or stronger; (3) untrusted, of a namespace of trusted claims.
func (g *Graph) void(d *edge) bool {
	a, b := g.ns(d.a), g.ns(d.b)
	if a.rule.Principal && b.rule.Principal {
		return true
	}
	if d.flags&trusted != 0 {
		return false
	}
	return a.rule.TrustedClaims || b.rule.TrustedClaims ||
		g.nodes.at(d.a).flags&shielded != 0 && b.rank <= a.rank ||
		g.nodes.at(d.b).flags&shielded != 0 && a.rank <= b.rank
}

// setGuard notes whether e shields its end that is not the principal.
func (g *Graph) setGuard(e ref, on bool) {
	d := g.edges.at(e)
	a, b := &g.ns(d.a).rule, &g.ns(d.b).rule
	x := d.a
	switch {
	case a.Principal == b.Principal:
		return
	case a.Principal:
		x, a = d.b, b
	}
	if !a.Shieldable || on == (d.flags&guards != 0) {
		return
	}
	d.flags ^= guards
	n := g.nodes.at(x)
	if is := g.guarded(x, on); is != (n.flags&shielded != 0) {
		n.flags ^= shielded
		g.refreshAll(x)
	}
}

// guarded reports whether x has a pair that shields it, after one more (on) or
// one less.
func (g *Graph) guarded(x ref, on bool) bool {
	n := g.nodes.at(x)
	if n.flags&fanned != 0 {
		f := g.fans[x]
		if on {
			f.guards++
		} else {
			f.guards--
		}
		return f.guards > 0
	}
	if on {
		return true
	}
	for _, e := range [2]ref{n.live, n.parked} {
		for ; e != 0; e = g.edges.at(e).after(x) {
			g.count.visits++
			if g.edges.at(e).flags&guards != 0 {
				return true
			}
		}
	}
	return false
}

package graph

import "fmt"

// super is a profile as step 4 leaves it, with scored records in it: a node of
// linkage.
type super struct {
	root  ref   // the head of its wall, or of its first group
	heads []ref // of all its groups
	unit  *linkage
}

// linkage is a unit of linkage: a component of super-nodes, cut to what the cap
// C allows.
type linkage struct {
	supers  []*super
	dropped bool
}

// bond is a profile made of several super-nodes.
type bond struct {
	heads   []ref
	founder ref
}

// root returns the head that stands for the super-node of the group of h.
func (g *Graph) root(h ref) ref {
	switch c := g.unit[h]; {
	case c == nil:
		return h
	case c.admitted:
		return c.wall
	default:
		return c.groups[0]
	}
}

// relink marks the super-node that the group of h is in: what it holds, or its
// founder, may have changed.
func (g *Graph) relink(h ref) {
	if len(g.scored) > 0 {
		g.mark(h, relinkDirty, &g.work.relink)
	}
}

// noteSevered notes whether a record moved that was there before, and so a
// component of scored pairs may have shrunk.
func (g *Graph) noteSevered() {
	if w := &g.work; len(g.scored) > 0 {
		for _, x := range w.changed {
			w.severed = w.severed || g.nodes.at(x).flags&(scored|fresh) == scored
		}
	}
}

// linkRecords brings the units of linkage around the marked super-nodes up to date. It
// runs when these and their founders are known. A change reaches no unit but
// those that hold a changed super-node or an end of a scored pair that came or
// went, before or after: units are nested in the components of weaker pairs, so
// one that does not touch the change is cut off at the same weight as before,
// or is part of the one that is found at an end. A record that moves takes its
// pairs along, so what it left and what it came to are ends enough.
func (g *Graph) linkRecords() {
	if len(g.scored) == 0 {
		return
	}
	w := &g.work
	for _, h := range w.relink {
		g.nodes.at(h).flags &^= relinkDirty
		s := g.supers[h]
		w.severed = w.severed || s != nil && s.root != g.root(h)
	}
	for _, h := range w.relink {
		g.unsettle(h)
	}
	for _, x := range w.rescored {
		g.unsettle(g.nodes.at(x).head)
	}
	for _, x := range w.restated {
		g.unsettle(g.nodes.at(x).head)
		for _, l := range g.scored[x].links {
			g.count.visits++
			g.unsettle(g.nodes.at(l.to).head)
		}
	}
	if w.severed || len(w.restated) > 0 {
		clear(g.floors) // What was beyond C may be within it.
	}
	w.severed = false
	w.relink, w.rescored, w.restated = w.relink[:0], w.rescored[:0], w.restated[:0]
	for i := 0; i < len(w.unlinked); i++ {
		h := w.unlinked[i]
		g.nodes.at(h).flags &^= linkDirty
		if g.supers[h] == nil && g.records.first[h] != 0 {
			g.buildLinkage(h)
		}
	}
	w.unlinked = w.unlinked[:0]
	g.rebond()
	clear(w.supers)
}

// unsettle drops the unit that the group of h was in, and marks the one that it
// will be in.
func (g *Graph) unsettle(h ref) {
	if s := g.supers[h]; s != nil {
		g.dropLinkage(s.unit)
	}
	if g.records.first[h] != 0 {
		g.mark(h, linkDirty, &g.work.unlinked)
	}
}

// dropLinkage forgets a unit. Its bonds stay until the new ones are known, as
// they say what the profiles were.
func (g *Graph) dropLinkage(u *linkage) {
	if u.dropped {
		return
	}
	u.dropped = true
	for _, s := range u.supers {
		for _, h := range s.heads {
			delete(g.supers, h)
			if g.nodes.at(h).flags&bonded != 0 {
				g.work.unbonded = append(g.work.unbonded, h)
			}
		}
	}
	for _, s := range u.supers {
		for _, h := range s.heads {
			g.unsettle(h)
		}
	}
}

// superAt returns the super-node of the group of h.
func (g *Graph) superAt(h ref) *super {
	if s := g.supers[h]; s != nil {
		return s
	}
	root := g.root(h)
	if s := g.work.supers[root]; s != nil {
		return s
	}
	s := &super{root: root}
	s.heads = append(s.heads, g.profile(root)...)
	g.count.visits += int64(len(g.claims[root]))
	if g.work.supers == nil {
		g.work.supers = map[ref]*super{}
	}
	g.work.supers[root] = s
	return s
}

// buildLinkage computes the unit of the group of h. It may reach super-nodes
// that were not marked; their units are part of it now.
func (g *Graph) buildLinkage(h ref) {
	found, weights := g.reach(g.superAt(h))
	u := &linkage{supers: found}
	for _, s := range found {
		if s.unit != nil {
			g.dropLinkage(s.unit)
		}
	}
	for _, s := range found {
		s.unit = u
		for _, h := range s.heads {
			g.supers[h] = s
		}
	}
	if g.supers[h] == nil {
		// Impossible while each wall lists what it admitted, and without an end: h
		// would be marked again and again.
		panic(fmt.Sprintf("graph: the group of %d is not part of its own super-node", h))
	}
	if len(found) > 1 {
		g.average(found, weights)
	}
}

// rebond replaces the bonds of dropped units by the new ones, and notes whose
// profile that changes.
func (g *Graph) rebond() {
	now := map[ref]*bond{}
	for _, b := range g.work.bonds {
		for _, h := range b.heads {
			now[h] = b
			if g.founderOf(h) != b.founder {
				g.journalGroup(h)
			}
		}
	}
	for _, h := range g.work.unbonded {
		if now[h] != nil || g.bonds[h] == nil {
			continue
		}
		if g.isHead(h) && g.bonds[h].founder != g.nodes.at(h).founder {
			g.journalGroup(h)
		}
		delete(g.bonds, h)
		g.nodes.at(h).flags &^= bonded
	}
	for h, b := range now {
		g.bonds[h] = b
		g.nodes.at(h).flags |= bonded
	}
	g.work.bonds, g.work.unbonded = g.work.bonds[:0], g.work.unbonded[:0]
}

// founderOf returns the founder of the profile that the group of h is in.
func (g *Graph) founderOf(h ref) ref {
	if g.nodes.at(h).flags&bonded != 0 {
		return g.bonds[h].founder
	}
	return g.nodes.at(h).founder
}

package graph

import (
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// class is a set of must-linked identifiers: one node of the forest, which its
// representative stands for.
type class struct {
	members   []ref // ascending; the first is the representative
	rank      int
	principal bool
}

// rep returns the node of the forest that x belongs to.
func (g *Graph) rep(x ref) ref {
	if g.nodes.at(x).flags&fused != 0 {
		return g.classes[x].members[0]
	}
	return x
}

// rank returns the rank of x's node: that of its strongest member.
func (g *Graph) rank(x ref) int {
	if g.nodes.at(x).flags&fused != 0 {
		return g.classes[x].rank
	}
	return g.ns(x).rank
}

// personal reports whether the node of x holds a principal.
func (g *Graph) personal(x ref) bool {
	if g.nodes.at(x).flags&fused != 0 {
		return g.classes[x].principal
	}
	return g.ns(x).rule.Principal
}

// members returns the identifiers of the node that x represents. The result
// is valid until the next call.
func (g *Graph) members(x ref) []ref {
	if g.nodes.at(x).flags&fused != 0 {
		return g.classes[x].members
	}
	g.work.single[0] = x
	return g.work.single[:]
}

// fuse brings the classes around the marked identifiers up to date.
func (g *Graph) fuse() {
	for i := 0; i < len(g.work.fuse); i++ {
		x := g.work.fuse[i]
		if g.nodes.at(x).flags&fuseDirty != 0 {
			g.fuseAgain(g.linked(x))
		}
	}
	g.work.fuse = g.work.fuse[:0]
}

// linked returns what classes and must-links, old and new, connect to x.
func (g *Graph) linked(x ref) []ref {
	all, in := []ref{x}, map[ref]bool{x: true}
	add := func(y ref) {
		if y != 0 && !in[y] {
			in[y] = true
			all = append(all, y)
		}
	}
	for i := 0; i < len(all); i++ {
		if c := g.classes[all[i]]; c != nil {
			for _, m := range c.members {
				add(m)
			}
		}
		for _, k := range g.must[g.nodes.at(all[i]).key] {
			add(g.find(k))
		}
	}
	return all
}

// fuseAgain finds the classes within all, which no must-link leaves.
func (g *Graph) fuseAgain(all []ref) {
	now := map[ref]*class{}
	var changed []ref
	for _, x := range all {
		g.nodes.at(x).flags &^= fuseDirty
		if now[x] != nil {
			continue
		}
		c := g.classAround(x)
		for _, m := range c.members {
			now[m] = c
		}
		old := g.classes[x]
		if old == nil && len(c.members) == 1 || old != nil && slices.Equal(old.members, c.members) {
			continue
		}
		changed = append(changed, c.members...)
	}
	for _, x := range changed {
		g.loosen(x)
		g.work.removed = true
	}
	for _, x := range changed {
		n := g.nodes.at(x)
		n.flags &^= fused
		delete(g.classes, x)
		if len(now[x].members) > 1 {
			n.flags |= fused
			g.classes[x] = now[x]
		}
	}
	for _, x := range changed {
		if now[x].members[0] != x {
			g.detach(x)
		} else {
			g.markScan(x)
			g.markReadmit(x)
		}
	}
}

// classAround computes the class of x from the must-links that stand.
func (g *Graph) classAround(x ref) *class {
	c := &class{members: []ref{x}, rank: g.ns(x).rank, principal: g.ns(x).rule.Principal}
	if !g.fusible(x) {
		return c
	}
	in := map[ref]bool{x: true}
	for i := 0; i < len(c.members); i++ {
		for _, k := range g.must[g.nodes.at(c.members[i]).key] {
			if y := g.find(k); y != 0 && !in[y] && g.fusible(y) {
				in[y] = true
				c.members = append(c.members, y)
				c.rank = min(c.rank, g.ns(y).rank)
				c.principal = c.principal || g.ns(y).rule.Principal
			}
		}
	}
	slices.Sort(c.members)
	return c
}

func (g *Graph) fusible(x ref) bool {
	return g.nodes.at(x).flags&(alive|blocked) == alive && !g.ns(x).rule.Household
}

// loosen marks all that a change of x's class can reach: the group it is in,
// and the places of its edges, as its rank may change. A follower by an edge
// that comes later now may have a better one.
func (g *Graph) loosen(x ref) {
	g.touch(x)
	g.eachIn(g.nodes.at(x).live, x, func(e ref) {
		g.forceEdge(e)
		g.markTenures(g.edges.at(e))
	})
	for c := g.nodes.at(x).child; c != 0; c = g.nodes.at(c).next {
		g.markScan(c)
	}
}

// detach takes x, no node of its own any more, out of the forest.
func (g *Graph) detach(x ref) {
	g.unfollow(x)
	n := g.nodes.at(x)
	n.edge = 0
	n.flags &^= aside
}

// touch marks what reads the composition of x's node: the group that holds it
// and the one that refused it.
func (g *Graph) touch(x ref) {
	r := g.rep(x)
	n := g.nodes.at(r)
	g.markReadmit(n.head)
	if n.flags&aside != 0 {
		g.markReadmit(g.nodes.at(n.parent).head)
	}
}

// forgetKey removes k from the list of a.
func forgetKey(m map[identity.Key][]identity.Key, a, k identity.Key) {
	rest := slices.DeleteFunc(m[a], func(o identity.Key) bool { return o == k })
	if len(rest) == 0 {
		delete(m, a)
	} else {
		m[a] = rest
	}
}

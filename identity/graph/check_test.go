package graph

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// check compares what a flush keeps with what it can be computed from.
func check(g *Graph) error {
	group := map[ref]ref{} // by each identifier, the head that counts it
	for x := ref(1); x < g.nodes.end(); x++ {
		if g.isHead(x) {
			for _, m := range g.group(x, math.MaxInt) {
				group[m] = x
			}
		}
	}
	for x := ref(1); x < g.nodes.end(); x++ {
		n := g.nodes.at(x)
		const dirty = statusDirty | tenureDirty | fuseDirty | scanDirty | readmitDirty |
			pendingDirty | claimsDirty | founderDirty | journaled | flipNoted | marked | fresh | relinkDirty | linkDirty | homeDirty
		if n.flags&dirty != 0 {
			return fmt.Errorf("node %d is left dirty: %b", x, n.flags&dirty)
		}
		degree := uint32(0)
		for _, list := range []struct {
			head ref
			open uint32
		}{{n.live, open}, {n.parked, 0}} {
			before := ref(0)
			for e := list.head; e != 0; e = g.edges.at(e).after(x) {
				d := g.edges.at(e)
				if d.a != x && d.b != x || d.flags&open != list.open || *g.prev(e, x) != before || d.flags&dead != 0 {
					return fmt.Errorf("edge %d is wrong in a list of node %d", e, x)
				}
				degree++
				before = e
			}
		}
		if min(degree, manyEdges) != uint32(n.degree) {
			return fmt.Errorf("node %d has degree %d, want %d", x, n.degree, degree)
		}
		if group[x] != n.head {
			return fmt.Errorf("node %d is not in the group of its head", x)
		}
		if f := g.fans[x]; f != nil {
			if want := g.fansOf(x); want.guards != f.guards {
				return fmt.Errorf("node %d counts %d guards, want %d", x, f.guards, want.guards)
			}
		}
	}
	if err := cmp.Or(checkLinkage(g), checkHomes(g)); err != nil {
		return err
	}
	for h, t := range g.held {
		if err := checkHeld(g, h, t); err != nil {
			return err
		}
	}
	for h := range g.full {
		if len(g.claims[h]) == 0 {
			return fmt.Errorf("wall %d is full of nothing", h)
		}
	}
	for h, c := range g.unit {
		if !slices.Contains(c.groups, h) || !g.isHead(h) || g.nodes.at(h).flags&fixed != 0 {
			return fmt.Errorf("cluster of %d is stale", h)
		}
	}
	for h, list := range g.claims {
		if len(list) == 0 || !g.isHead(h) || g.nodes.at(h).flags&fixed == 0 {
			return fmt.Errorf("claims on %d are stale", h)
		}
	}
	return nil
}

// checkHeld compares the kept tally of a group with one made anew.
func checkHeld(g *Graph, h ref, t *tally) error {
	if !g.isHead(h) {
		return fmt.Errorf("tally of %d is stale", h)
	}
	var want tally
	refused := 0
	for _, x := range g.group(h, math.MaxInt) {
		want.add(g, x)
		for c := g.nodes.at(x).child; c != 0; c = g.nodes.at(c).next {
			if g.nodes.at(c).flags&aside != 0 {
				refused++
			}
		}
	}
	if want.size != t.size || refused > t.refused || len(want.cannot) != len(t.cannot) {
		return fmt.Errorf("tally of %d is %+v, want %+v, %d refused", h, t, want, refused)
	}
	for i, q := range want.limited {
		if got := t.quota(i); got.n != q.n || !slices.Equal(got.firsts, q.firsts) {
			return fmt.Errorf("quota %d of %d is %+v, want %+v", i, h, got, q)
		}
	}
	return nil
}

package graph

import (
	"fmt"
	"slices"
)

// checkLinkage compares what is kept of linkage with what it comes from.
func checkLinkage(g *Graph) error {
	for x := range g.scored {
		n := g.nodes.at(x)
		if g.records.seats[x].head != n.head || n.flags&scored == 0 {
			return fmt.Errorf("record %d is not listed under its head", x)
		}
		s := g.supers[n.head]
		if s == nil || s.root != g.root(n.head) || s.unit.dropped || !slices.Contains(s.unit.supers, s) {
			return fmt.Errorf("super-node of record %d is stale", x)
		}
		heads := slices.Clone(g.profile(s.root))
		slices.Sort(heads)
		if kept := slices.Sorted(slices.Values(s.heads)); !slices.Equal(heads, kept) {
			return fmt.Errorf("super-node of record %d has the groups %v, want %v", x, kept, heads)
		}
		of, want := g.superTally(s), tally{}
		for _, h := range heads {
			for _, m := range g.group(h, g.rules.GroupCap*2) {
				want.add(g, m)
			}
		}
		if of.size != want.size || len(of.cannot) != len(want.cannot) {
			return fmt.Errorf("super-node of record %d holds %+v, want %+v", x, of, want)
		}
	}
	for h, s := range g.supers {
		if !slices.Contains(s.heads, h) || !g.isHead(h) {
			return fmt.Errorf("super-node of %d is stale", h)
		}
	}
	for h, b := range g.bonds {
		if !slices.Contains(b.heads, h) || !g.isHead(h) || g.supers[h] == nil || g.nodes.at(h).flags&bonded == 0 {
			return fmt.Errorf("bond of %d is stale", h)
		}
	}
	return nil
}

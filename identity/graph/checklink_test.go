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

// checkHomes compares what is kept of households with what it comes from.
func checkHomes(g *Graph) error {
	for x, m := range g.homes {
		isValue := g.ns(x).rule.Household
		if !isValue && g.tenants.seats[x].head != g.nodes.at(x).head {
			return fmt.Errorf("tenant %d is not listed under its head", x)
		}
		over := isValue && g.crowdedHome(x)
		for i, list := range [2]ref{m.shown, m.hidden} {
			before := ref(0)
			for e := list; e != 0; e = g.edges.at(e).after(x) {
				d := g.edges.at(e)
				if d.a != x && d.b != x || *g.prev(e, x) != before || d.flags&(atHome|dead) != atHome ||
					(d.flags&shown != 0) != (i == 0) || isValue && (d.flags&shown != 0) != (g.links(d) && !over) {
					return fmt.Errorf("domestic edge %d is wrong in a list of node %d", e, x)
				}
				before = e
			}
		}
		if h := m.household; h != nil && (!slices.Contains(h.values, x) || g.housed[h.profiles[0]] != h) {
			return fmt.Errorf("household of value %d is stale", x)
		}
	}
	for f, h := range g.housed {
		if !slices.Contains(h.profiles, f) || g.homes[h.values[0]].household != h {
			return fmt.Errorf("household of profile %d is stale", f)
		}
	}
	return nil
}

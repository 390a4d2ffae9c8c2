package graph

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// Tenure is a past time in which a moving identifier belonged to someone.
type Tenure struct {
	Until int64        // start of the next tenure, milliseconds since 1970 UTC
	Owner identity.Key // an identifier; whose profile it is, is another question
}

// tenureEdges returns the open edges of a moving x to stronger identifiers, by
// first seen.
func (g *Graph) tenureEdges(x ref) []ref {
	found := g.work.tenureEdges[:0]
	rank := g.ns(x).rank
	g.eachIn(g.nodes.at(x).live, x, func(e ref) {
		if g.ns(g.edges.at(e).other(x)).rank < rank {
			found = append(found, e)
		}
	})
	slices.SortFunc(found, func(e, f ref) int {
		return cmp.Compare(g.edges.at(e).first, g.edges.at(f).first)
	})
	g.work.tenureEdges = found
	return found
}

// tenureStarts returns where in edges each tenure starts: after a hole longer
// than the gap. Last seen is a day, so holes are whole days.
func (g *Graph) tenureStarts(x ref, edges []ref) []int {
	starts := g.work.starts[:0]
	gap := g.ns(x).gapDays
	var last identity.Day
	for i, e := range edges {
		d := g.edges.at(e)
		if i == 0 || float64(identity.DayOfMillis(d.first)-last) > gap {
			starts = append(starts, i)
			last = d.last
		}
		last = max(last, d.last)
	}
	g.work.starts = starts
	return starts
}

// retire makes only the last tenure of x link.
func (g *Graph) retire(x ref) {
	edges := g.tenureEdges(x)
	starts := g.tenureStarts(x, edges)
	for i, e := range edges {
		d := g.edges.at(e)
		if past := i < starts[len(starts)-1]; past != (d.flags&retired != 0) {
			g.work.removed = g.work.removed || past
			d.flags ^= retired
			g.forceEdge(e)
		}
	}
}

// nameOwners finds to whom each past tenure of x belonged: the other end of
// its first edge in the evidence order.
func (g *Graph) nameOwners(x ref) {
	edges := g.tenureEdges(x)
	starts := g.tenureStarts(x, edges)
	var past []Tenure
	for i := 1; i < len(starts); i++ {
		best := edges[starts[i-1]]
		for _, e := range edges[starts[i-1]+1 : starts[i]] {
			if g.order(e).compare(g.order(best)) < 0 {
				best = e
			}
		}
		past = append(past, Tenure{
			Until: g.edges.at(edges[starts[i]]).first,
			Owner: g.nodes.at(g.edges.at(best).other(x)).key,
		})
	}
	if slices.Equal(past, g.tenures[x]) {
		return
	}
	g.work.retold = append(g.work.retold, Retelling{Identifier: g.nodes.at(x).key, Old: g.tenures[x], New: past})
	if past == nil {
		delete(g.tenures, x)
	} else {
		g.tenures[x] = past
	}
}

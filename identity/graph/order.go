package graph

import (
	"cmp"

	"github.com/kindred-cdp/kindred/identity"
)

// order is the place of an edge in the evidence order: rank of the weaker
// node, rank of the stronger node, first seen, keys. Ranks are those of nodes,
// so that whoever follows comes after the one it follows.
type order struct {
	weak, strong int32
	first        int64
	low, high    identity.Key
}

func (g *Graph) order(e ref) order {
	d := g.edges.at(e)
	a, b := int32(g.rank(d.a)), int32(g.rank(d.b))
	return order{
		weak: max(a, b), strong: min(a, b), first: d.first,
		low: g.nodes.at(d.a).key, high: g.nodes.at(d.b).key,
	}
}

func (o order) compare(p order) int {
	switch {
	case o.weak != p.weak:
		return cmp.Compare(o.weak, p.weak)
	case o.strong != p.strong:
		return cmp.Compare(o.strong, p.strong)
	case o.first != p.first:
		return cmp.Compare(o.first, p.first)
	case o.low != p.low:
		return cmp.Compare(o.low, p.low)
	}
	return cmp.Compare(o.high, p.high)
}

// ordered is an edge with its place, for sorting.
type ordered struct {
	order
	e ref
}

func compareOrdered(a, b ordered) int { return a.compare(b.order) }

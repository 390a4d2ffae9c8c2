package graph

import (
	"fmt"
	"math"

	"github.com/kindred-cdp/kindred/identity"
)

// tie is one thing that holds two identifiers of one profile together.
type tie struct {
	from, to ref
	kind     identity.HopKind
	weight   int32 // of record links
}

// ties are the ties of one profile. Those of fused nodes, followers and records
// are read from the nodes; those of clusters lie with the cluster.
type ties struct {
	g        *Graph
	clusters map[ref][]tie // by the end that they start at
}

func (g *Graph) tiesOf(h ref) ties {
	t := ties{g: g, clusters: map[ref][]tie{}}
	seen := map[*cluster]bool{}
	add := func(e ref, kind identity.HopKind) {
		d := g.edges.at(e)
		t.clusters[d.a] = append(t.clusters[d.a], tie{from: d.a, to: d.b, kind: kind})
		t.clusters[d.b] = append(t.clusters[d.b], tie{from: d.b, to: d.a, kind: kind})
	}
	for _, h := range g.whole(h) {
		c := g.unit[h]
		if c == nil || seen[c] {
			continue
		}
		seen[c] = true
		for _, e := range c.joins {
			add(e, identity.HopJoined)
		}
		if c.admitted {
			add(c.claim, identity.HopClaimed)
		}
	}
	return t
}

// each calls f for the ties of x: first those that no rule could undo.
func (t ties) each(x ref, f func(tie)) {
	g := t.g
	g.eachFused(x, func(y ref) { f(tie{from: x, to: y, kind: identity.HopFused}) })
	r := g.rep(x)
	follows := func(n *node) {
		if n.flags&aside != 0 {
			return
		}
		if d := g.edges.at(n.edge); d.a == x || d.b == x {
			f(tie{from: x, to: d.other(x), kind: identity.HopFollows})
		}
	}
	if n := g.nodes.at(r); n.parent != 0 {
		follows(n)
	}
	for c := g.nodes.at(r).child; c != 0; c = g.nodes.at(c).next {
		follows(g.nodes.at(c))
	}
	for _, o := range t.clusters[x] {
		f(o)
	}
	g.eachBonded(x, func(l link) { f(tie{from: x, to: l.to, kind: identity.HopLinked, weight: l.weight}) })
}

// eachFused calls f for all that a standing must-link fuses with x directly.
func (g *Graph) eachFused(x ref, f func(ref)) {
	if g.nodes.at(x).flags&fused == 0 {
		return
	}
	for _, k := range g.must[g.nodes.at(x).key] {
		if y := g.find(k); y != 0 && g.nodes.at(y).flags&fused != 0 && g.rep(y) == g.rep(x) {
			f(y)
		}
	}
}

// eachBonded calls f for the scored pairs of x that speak for a bond: they count
// and lead to another super-node of its profile. The greatest weight is first.
func (g *Graph) eachBonded(x ref, f func(link)) {
	h := g.nodes.at(x).head
	if g.nodes.at(x).flags&scored == 0 || g.nodes.at(h).flags&bonded == 0 || !g.legible(x) {
		return
	}
	for _, l := range g.scored[x].links {
		to := g.nodes.at(l.to).head
		if g.reads(l) && g.bonds[to] == g.bonds[h] && g.root(to) != g.root(h) {
			f(l)
		}
	}
}

// path returns the fewest hops from x to y, which are of one profile.
func (g *Graph) path(x, y ref) []Hop {
	t := g.tiesOf(g.nodes.at(x).head)
	by := map[ref]tie{y: {}} // From y, so that the hops come out in order.
	for queue := []ref{y}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == x {
			return g.hops(by, x, y)
		}
		t.each(queue[0], func(o tie) {
			if _, ok := by[o.to]; !ok {
				by[o.to] = o
				queue = append(queue, o.to)
			}
		})
	}
	return nil
}

func (g *Graph) hops(by map[ref]tie, x, y ref) []Hop {
	list := []Hop{}
	for at := x; at != y; at = by[at].from {
		o := by[at]
		h := Hop{From: g.nodes.at(at).key, To: g.nodes.at(o.from).key, Kind: o.kind, Weight: int64(o.weight)}
		if o.kind == identity.HopFused {
			h.Decision = g.standing[subject{identity.MustLink, min(h.From, h.To), max(h.From, h.To)}].id
		}
		h.Rule = g.rule(at, o)
		list = append(list, h)
	}
	return list
}

// rule says in plain words why x and the start of o hold together.
func (g *Graph) rule(x ref, o tie) string {
	weak, strong := x, o.from
	if g.rank(weak) < g.rank(strong) {
		weak, strong = strong, weak
	}
	switch o.kind {
	case identity.HopFused:
		a, b := g.nodes.at(x).key, g.nodes.at(o.from).key
		if g.standing[subject{identity.MustLink, min(a, b), max(a, b)}].at == identity.RenamedAt {
			return "an alias event of a trusted source renamed the one to the other"
		}
		return "an operator joined the two"
	case identity.HopFollows:
		return fmt.Sprintf("the %s follows the %s, the strongest and earliest that it was seen with", g.name(weak), g.name(strong))
	case identity.HopJoined:
		return fmt.Sprintf("the %s and the %s were seen together, and neither belongs to a %s", g.name(weak), g.name(strong), g.principals())
	case identity.HopClaimed:
		return fmt.Sprintf("all that is joined to the %s came to one profile by this pair, the first of its pairs with one", g.loose(x, o.from))
	}
	return fmt.Sprintf("the two records are alike: weight %d, and the profiles on average %d or more", o.weight, max(1, g.rules.LinkThreshold))
}

// loose returns the namespace of the end that a cluster claimed a wall with.
func (g *Graph) loose(x, y ref) identity.Namespace {
	if g.nodes.at(g.nodes.at(x).head).flags&fixed != 0 {
		return g.name(y)
	}
	return g.name(x)
}

// eachMember calls f for all identifiers of the profile that h is a head of,
// until f returns false.
func (g *Graph) eachMember(h ref, f func(ref) bool) {
	heads := append([]ref(nil), g.whole(h)...)
	for _, h := range heads {
		for _, x := range append([]ref(nil), g.group(h, math.MaxInt)...) {
			if !f(x) {
				return
			}
		}
	}
}

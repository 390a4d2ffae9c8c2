package graph

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// Subgraph is what holds one profile together, as identity.Subgraph, in keys.
type Subgraph struct {
	Profile     identity.ProfileID
	Household   identity.HouseholdID // 0: none
	Identifiers []SubNode            // by first seen
	Pairs       []SubPair            // by first seen
	Truncated   bool
}

// SubNode is an identifier of a profile.
type SubNode struct {
	Key       identity.Key
	Namespace identity.Namespace
	FirstSeen int64
	State     string // "", blocked, generic, crowded, gone
	Founder   bool
	Follows   identity.Key // 0: no one
}

// SubPair is a pair within a profile. States are those of identity.GraphPair.
type SubPair struct {
	A, B  identity.Key
	Links bool
	State string
	// Weight is that of a record link.
	Weight int64
	First  int64
	Last   identity.Day
}

// Subgraph returns what holds the profile together that p, any id ever given
// out, stands for: at most limit identifiers and as many pairs. It is as of the
// last flush, and changes nothing.
func (g *Graph) Subgraph(p identity.ProfileID, limit int) Subgraph {
	s := Subgraph{Profile: g.Profile(identity.Key(p))}
	x := g.find(identity.Key(p))
	if x == 0 || g.ns(x).rule.Household {
		return s
	}
	s.Household, _ = g.Household(p)
	in := map[ref]bool{}
	g.eachMember(g.nodes.at(x).head, func(m ref) bool {
		if len(in) >= limit {
			s.Truncated = true
			return false
		}
		in[m] = true
		s.Identifiers = append(s.Identifiers, g.subNode(m, s.Profile))
		return true
	})
	slices.SortFunc(s.Identifiers, func(a, b SubNode) int {
		return cmp.Or(cmp.Compare(a.FirstSeen, b.FirstSeen), cmp.Compare(a.Key, b.Key))
	})
	g.pairsWithin(&s, g.tiesOf(g.nodes.at(x).head), in, limit)
	slices.SortFunc(s.Pairs, func(a, b SubPair) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B), cmp.Compare(a.State, b.State))
	})
	return s
}

func (g *Graph) subNode(x ref, p identity.ProfileID) SubNode {
	n := g.nodes.at(x)
	s := SubNode{Key: n.key, Namespace: g.name(x), FirstSeen: n.first, Founder: identity.Key(p) == n.key}
	switch {
	case n.flags&alive == 0:
		s.State = "gone"
	case n.flags&blocked != 0:
		s.State = string(identity.BarrierBlocked)
	case n.flags&generic != 0:
		s.State = string(identity.BarrierGeneric)
	case n.flags&someCrowded != 0:
		s.State = string(identity.BarrierCrowded)
	}
	if r := g.nodes.at(g.rep(x)); r.parent != 0 && r.flags&aside == 0 {
		if d := g.edges.at(r.edge); d.a == x || d.b == x {
			s.Follows = g.nodes.at(d.other(x)).key
		}
	}
	return s
}

// pairsWithin adds the pairs of which both ends are in. Of what is parked at a
// value seen with thousands it reads as much as a search may.
func (g *Graph) pairsWithin(s *Subgraph, t ties, in map[ref]bool, limit int) {
	budget := searchEdges
	for x := range in {
		held := map[ref]bool{}
		t.each(x, func(o tie) {
			switch o.kind {
			case identity.HopFused, identity.HopLinked:
				if a, b := g.nodes.at(x).key, g.nodes.at(o.to).key; a < b && in[o.to] {
					s.Pairs = append(s.Pairs, SubPair{A: a, B: b, Links: true, State: string(o.kind), Weight: int64(o.weight)})
				}
			default:
				held[o.to] = true
			}
		})
		n := g.nodes.at(x)
		for _, e := range [2]ref{n.live, n.parked} {
			for ; e != 0 && budget > 0; e = g.edges.at(e).after(x) {
				budget--
				if d := g.edges.at(e); d.a == x && in[d.b] && d.flags&dead == 0 {
					s.Pairs = append(s.Pairs, g.subPair(e, held[d.b]))
				}
			}
		}
		if budget <= 0 || len(s.Pairs) > limit {
			s.Pairs, s.Truncated = s.Pairs[:min(limit, len(s.Pairs))], true
			return
		}
	}
}

func (g *Graph) subPair(e ref, holds bool) SubPair {
	d := g.edges.at(e)
	p := SubPair{
		A: g.nodes.at(d.a).key, B: g.nodes.at(d.b).key, Links: d.linking(), State: "linking", First: d.first, Last: d.last,
	}
	switch {
	case !p.Links:
		p.State = string(g.dropped(e).Kind)
	case !holds:
		p.State = "redundant"
	}
	return p
}

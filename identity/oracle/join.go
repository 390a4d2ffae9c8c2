package oracle

import (
	"math"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// cluster is a set of loose groups that have joined.
type cluster struct {
	members []identity.Key
	claim   *group // the fixed group that it claims, or nil
	by      pair   // the claiming pair
}

// alone is the level of a group that is within C at no rank.
const alone = math.MinInt

// join is step 3.
//
// "Units are connected components of loose groups over eligible pairs; fixed
// groups are walls. Inside a unit, Kruskal in ≺ order: join two clusters unless
// a limit, a cannot-link, G, or two different fixed groups would meet; a
// cluster's first pair to a fixed group makes its claim."
//
// A pair that counts at the level of one of its groups lies inside one unit, so
// one pass over the pairs serves all units.
func (e *evaluation) join() {
	in := map[*group]*cluster{}
	for _, g := range e.groups {
		if !g.fixed {
			in[g] = &cluster{members: g.members}
		}
	}
	level := e.levels()
	for _, p := range e.pairs { // in ≺ order since step 2
		a, b := e.groupOf(p.low), e.groupOf(p.high)
		if a.fixed {
			a, b = b, a
		}
		if rank, _ := e.ranks(p); a.fixed || a == b || rank > level[a] {
			continue
		}
		x, y := in[a], in[b]
		switch {
		case y == nil && x.claim == nil:
			x.claim, x.by = b, p
		case y == nil || x == y || !e.mayJoin(x, y):
		default:
			joined := e.joined(x, y)
			e.tie(p, identity.HopJoined)
			for g, c := range in {
				if c == x || c == y {
					in[g] = joined
				}
			}
		}
	}
	seen := map[*cluster]bool{}
	for _, g := range e.groups {
		if c := in[g]; c != nil && !seen[c] {
			seen[c] = true
			e.clusters = append(e.clusters, c)
		}
	}
}

// mayJoin reports whether nothing forbids two clusters to join. Whether a wall
// that they claim has room is not asked: that is step 4.
func (e *evaluation) mayJoin(x, y *cluster) bool {
	if x.claim != nil && y.claim != nil && x.claim != y.claim {
		return false
	}
	return e.fits(x.members, y.members)
}

// joined returns the union of two clusters, with the earlier of their claims.
func (e *evaluation) joined(x, y *cluster) *cluster {
	c := &cluster{members: slices.Concat(x.members, y.members), claim: x.claim, by: x.by}
	if y.claim != nil && (x.claim == nil || e.order(y.by, x.by) < 0) {
		c.claim, c.by = y.claim, y.by
	}
	return c
}

// levels returns the weakest rank of pairs that each loose group may use.
//
// "A unit of more than C loose identifiers is no person: its weakest rank of
// pairs is ignored, and again, until the part around a group is within C; at
// worst a group stands alone. (Level of a group = largest rank r at which its
// component over pairs of rank ≤ r is within C.)"
func (e *evaluation) levels() map[*group]int {
	level := map[*group]int{}
	for _, g := range e.groups {
		if !g.fixed {
			level[g] = alone
		}
	}
	for r := range e.pairRanks() {
		for _, component := range e.components(r) {
			size := 0
			for _, g := range component {
				size += len(g.members)
			}
			if size > e.rules.UnitCap {
				continue
			}
			for _, g := range component {
				level[g] = max(level[g], r)
			}
		}
	}
	return level
}

// pairRanks returns every rank that a pair has.
func (e *evaluation) pairRanks() map[int]bool {
	ranks := map[int]bool{}
	for _, p := range e.pairs {
		rank, _ := e.ranks(p)
		ranks[rank] = true
	}
	return ranks
}

// components returns the connected components of loose groups over the pairs
// of rank up to r.
func (e *evaluation) components(r int) map[*group][]*group {
	root := map[*group]*group{}
	for _, g := range e.groups {
		if !g.fixed {
			root[g] = g
		}
	}
	for _, p := range e.pairs {
		a, b := root[e.groupOf(p.low)], root[e.groupOf(p.high)]
		if rank, _ := e.ranks(p); rank > r || a == nil || b == nil || a == b {
			continue
		}
		for g := range root {
			if root[g] == b {
				root[g] = a
			}
		}
	}
	components := map[*group][]*group{}
	for g, r := range root {
		components[r] = append(components[r], g)
	}
	return components
}

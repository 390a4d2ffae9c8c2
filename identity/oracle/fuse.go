package oracle

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// class is a node: must-linked identifiers as one, or a single identifier.
type class struct {
	members   []identity.Key // ascending
	rank      int            // of its strongest member
	principal bool           // a member is a principal
}

// fuse is step 1.
//
// "Must-linked identifiers (not blocked, not gone) form one node with the rank
// of its strongest member. Limits do not apply inside it."
func (e *evaluation) fuse() {
	root := map[identity.Key]identity.Key{}
	for k := range e.firstSeen {
		if !e.rule(k).Household {
			root[k] = k
		}
	}
	for s, d := range e.decisions {
		if s.kind != identity.MustLink || !d.On || e.blocked(s.a) || e.blocked(s.b) {
			continue
		}
		a, known := root[s.a]
		b, alsoKnown := root[s.b]
		if !known || !alsoKnown {
			continue // One is gone, or a household.
		}
		for k, r := range root {
			if r == b {
				root[k] = a
			}
		}
	}
	classes := map[identity.Key]*class{}
	e.class = map[identity.Key]*class{}
	for k, r := range root {
		c, rule := classes[r], e.rule(k)
		if c == nil {
			c = &class{rank: rule.Rank}
			classes[r] = c
		}
		c.members = append(c.members, k)
		c.rank = min(c.rank, rule.Rank)
		c.principal = c.principal || rule.Principal
		e.class[k] = c
	}
	for _, c := range classes {
		slices.Sort(c.members)
	}
	e.pairs = slices.DeleteFunc(e.pairs, func(p pair) bool { return e.class[p.low] == e.class[p.high] })
}

// order is the evidence order ≺.
//
// "Evidence order ≺ = (rank of weaker end, rank of stronger end, first seen,
// pair key): total."
func (e *evaluation) order(p, q pair) int {
	pWeak, pStrong := e.ranks(p)
	qWeak, qStrong := e.ranks(q)
	return cmp.Or(cmp.Compare(pWeak, qWeak), cmp.Compare(pStrong, qStrong),
		cmp.Compare(p.first, q.first), cmp.Compare(p.low, q.low), cmp.Compare(p.high, q.high))
}

// ranks returns the ranks of a pair's nodes. A weaker rank is a greater number.
func (e *evaluation) ranks(p pair) (weaker, stronger int) {
	a, b := e.class[p.low].rank, e.class[p.high].rank
	return max(a, b), min(a, b)
}

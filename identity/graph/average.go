package graph

import (
	"math"
	"math/bits"

	"github.com/kindred-cdp/kindred/identity"
)

// average joins super-nodes of one unit by average linkage: the two clusters of
// the greatest sum of weights over n × m first, where a missing weight is 0, as
// long as it is of the link threshold and the rules allow it. Limits, caps and
// cannot-links that forbid two clusters forbid all that hold them, so whatever
// is refused once stays refused.
func (g *Graph) average(supers []*super, pairs []scoredPair) {
	a := averaging{g: g, next: heap[candidate]{before: better}}
	for _, s := range supers {
		a.parts = append(a.parts, &part{
			of: g.superTally(s), founder: g.nodes.at(s.root).founder, heads: s.heads, n: 1, near: map[int]int64{},
		})
	}
	for _, p := range pairs {
		x, y := a.parts[p.a], a.parts[p.b]
		if w, ok := x.near[p.b]; !ok || w < int64(p.weight) {
			x.near[p.b], y.near[p.a] = int64(p.weight), int64(p.weight)
		}
	}
	for i, x := range a.parts {
		for j := range x.near {
			if i < j {
				a.propose(i, j)
			}
		}
	}
	a.run()
	for _, x := range a.parts {
		if x != nil && x.n > 1 {
			g.work.bonds = append(g.work.bonds, &bond{heads: x.heads, founder: x.founder})
		}
	}
}

// averaging is one run of average linkage.
type averaging struct {
	g     *Graph
	parts []*part // nil: joined to another
	next  heap[candidate]
}

// part is a cluster of super-nodes.
type part struct {
	of      tally
	founder ref
	heads   []ref
	n       int           // super-nodes
	age     int           // joins so far
	near    map[int]int64 // sum of weights to other parts
}

// candidate is two parts that may join, as they were when it was proposed.
type candidate struct {
	a, b       int
	ageA, ageB int
	sum, area  uint64
	low, high  identity.Key
}

// better orders candidates: the greatest score first, then the least founders.
func better(a, b *candidate) bool {
	aHigh, aLow := bits.Mul64(a.sum, b.area)
	bHigh, bLow := bits.Mul64(b.sum, a.area)
	switch {
	case aHigh != bHigh:
		return aHigh > bHigh
	case aLow != bLow:
		return aLow > bLow
	case a.low != b.low:
		return a.low < b.low
	}
	return a.high < b.high
}

// propose makes parts i and j a candidate if their score is high enough.
func (a *averaging) propose(i, j int) {
	x, y := a.parts[i], a.parts[j]
	sum := x.near[j]
	a.g.count.visits++
	if sum <= 0 {
		return
	}
	c := candidate{a: i, b: j, ageA: x.age, ageB: y.age, sum: uint64(sum), area: uint64(x.n) * uint64(y.n)}
	high, low := bits.Mul64(uint64(max(1, a.g.rules.LinkThreshold)), c.area)
	if high > 0 || low > c.sum {
		return
	}
	p, q := a.g.nodes.at(x.founder).key, a.g.nodes.at(y.founder).key
	c.low, c.high = min(p, q), max(p, q)
	a.next.push(c)
}

func (a *averaging) run() {
	for len(a.next.items) > 0 {
		c := a.next.pop()
		x, y := a.parts[c.a], a.parts[c.b]
		if x == nil || y == nil || x.age != c.ageA || y.age != c.ageB || !x.of.fits(a.g, &y.of) {
			continue
		}
		a.join(c.a, c.b)
	}
}

// join adds part j to part i.
func (a *averaging) join(i, j int) {
	x, y := a.parts[i], a.parts[j]
	a.parts[j] = nil
	x.of.merge(&y.of)
	x.heads = append(x.heads[:len(x.heads):len(x.heads)], y.heads...)
	x.n += y.n
	x.age++
	if a.g.founds(y.founder, x.founder) {
		x.founder = y.founder
	}
	for k, w := range y.near {
		delete(a.parts[k].near, j)
		if k != i {
			x.near[k] += w
			a.parts[k].near[i] = x.near[k]
		}
	}
	for k := range x.near {
		a.propose(i, k)
	}
}

// superTally returns what a super-node holds, as a copy.
func (g *Graph) superTally(s *super) (t tally) {
	if c := g.unit[s.root]; c != nil {
		t.merge(&c.of)
		return t
	}
	held := g.held[s.root]
	if len(g.claims[s.root]) > 0 {
		held = g.full[s.root]
	}
	if held != nil {
		t.merge(held)
		return t
	}
	for _, h := range s.heads {
		for _, x := range g.group(h, math.MaxInt) {
			t.add(g, x)
		}
	}
	return t
}

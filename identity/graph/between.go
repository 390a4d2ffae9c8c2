package graph

import (
	"cmp"
	"math"
)

// crossing is a known pair, or a scored one, of two profiles.
type crossing struct {
	x, y   ref // of this profile, and of the other one
	edge   ref // 0: a scored pair
	link   link
	order  order
	scored bool
}

// turn makes c a crossing from the other profile to this one.
func (c *crossing) turn() { c.x, c.y, c.link.to = c.y, c.x, c.x }

// meeting is a search for the evidence between two profiles, from both ends.
// It looks at whole profiles: within one, all is connected already.
type meeting struct {
	g      *Graph
	budget int // edges that may still be read
	sides  [2]side
	// What was found: the pair at which the two sides meet, from the first one.
	found bool
	at    crossing
	total int // profiles that one passes
}

// side is what was reached from one end.
type side struct {
	steps map[ref]step // by founder
	queue []ref
}

// step is how a profile was reached.
type step struct {
	from  ref // a founder; 0 at the end itself
	by    crossing
	depth int
}

// between looks for the evidence between the profiles of x and y. It always goes on
// where there is less to read, so a value seen with thousands is met from the
// other end.
func (g *Graph) between(x, y ref) *meeting {
	m := &meeting{g: g, budget: searchEdges}
	for i, z := range [2]ref{x, y} {
		f := g.founderOf(g.nodes.at(z).head)
		m.sides[i] = side{steps: map[ref]step{f: {}}, queue: []ref{f}}
	}
	for !m.found && m.budget > 0 {
		i := m.cheaper()
		if i < 0 {
			break
		}
		s := &m.sides[i]
		p := s.queue[0]
		s.queue = s.queue[1:]
		m.expand(i, p)
	}
	return m
}

// cheaper returns the side whose next profile has fewer edges, -1 where neither
// has one.
func (m *meeting) cheaper() int {
	best, least := -1, math.MaxInt
	for i, s := range m.sides {
		if len(s.queue) == 0 {
			continue
		}
		if n := m.g.reading(s.queue[0]); n < least {
			best, least = i, n
		}
	}
	return best
}

// reading returns how many edges the profile founded by f has, or more than a
// search may read.
func (g *Graph) reading(f ref) int {
	n := 0
	g.eachMember(g.nodes.at(f).head, func(x ref) bool {
		n += 1 + int(g.nodes.at(x).degree)
		if g.nodes.at(x).flags&scored != 0 {
			n += len(g.scored[x].links)
		}
		return n <= searchEdges
	})
	return n
}

// expand reads the pairs of the profile founded by p with other profiles.
func (m *meeting) expand(i int, p ref) {
	here, there := &m.sides[i], &m.sides[1-i]
	depth := here.steps[p].depth + 1
	m.g.eachCrossing(p, &m.budget, func(c crossing) {
		q := m.g.founderOf(m.g.nodes.at(c.y).head)
		if far, ok := there.steps[q]; ok {
			m.close(i, c, depth+far.depth)
			return
		}
		old, ok := here.steps[q]
		if !ok {
			here.queue = append(here.queue, q)
		}
		if !ok || old.from == p && c.order.compare(old.by.order) < 0 {
			here.steps[q] = step{from: p, by: c, depth: depth}
		}
	})
}

// close notes a pair at which the sides meet, if none is nearer or earlier.
func (m *meeting) close(i int, c crossing, total int) {
	if i == 1 {
		c.turn()
	}
	if !m.found || cmp.Or(cmp.Compare(total, m.total), c.order.compare(m.at.order)) < 0 {
		m.found, m.at, m.total = true, c, total
	}
}

// first returns the first pair, in the order of evidence, of those that one
// crosses from the one end to the other; false where there is no way.
func (m *meeting) first() (crossing, bool) {
	if !m.found {
		return crossing{}, false
	}
	best := m.at
	for i, z := range [2]ref{m.at.x, m.at.y} {
		f := m.g.founderOf(m.g.nodes.at(z).head)
		for s := m.sides[i].steps[f]; s.from != 0; s = m.sides[i].steps[s.from] {
			c := s.by
			if i == 1 {
				c.turn()
			}
			if c.order.compare(best.order) < 0 {
				best = c
			}
		}
	}
	return best, true
}

// eachCrossing calls f for the pairs of the profile founded by p with living
// identifiers of others, as far as budget goes.
func (g *Graph) eachCrossing(p ref, budget *int, f func(crossing)) {
	outside := func(y ref) bool {
		n := g.nodes.at(y)
		return n.flags&alive != 0 && g.founderOf(n.head) != p
	}
	g.eachMember(g.nodes.at(p).head, func(x ref) bool {
		n := g.nodes.at(x)
		for _, e := range [2]ref{n.live, n.parked} {
			for ; e != 0 && *budget > 0; e = g.edges.at(e).after(x) {
				*budget--
				if d := g.edges.at(e); d.flags&dead == 0 && outside(d.other(x)) {
					f(crossing{x: x, y: d.other(x), edge: e, order: g.order(e)})
				}
			}
		}
		if n.flags&scored == 0 {
			return *budget > 0
		}
		for _, l := range g.scored[x].links {
			if *budget--; outside(l.to) {
				f(crossing{x: x, y: l.to, link: l, scored: true, order: g.orderOfLink(x, l)})
			}
		}
		return *budget > 0
	})
}

// orderOfLink is the place of a scored pair: after all evidence, the greatest
// weight first.
func (g *Graph) orderOfLink(x ref, l link) order {
	a, b := g.nodes.at(x).key, g.nodes.at(l.to).key
	return order{weak: math.MaxInt32, strong: math.MaxInt32, first: -int64(l.weight), low: min(a, b), high: max(a, b)}
}

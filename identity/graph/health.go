package graph

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// Counts are the figures of health that need no look at pairs.
type Counts struct {
	Profiles, Largest, Generic int
	// Conflicts are the groups and clusters that the profile which they follow
	// or claim refused, by kind.
	Conflicts map[identity.BarrierKind]int
}

// Counts counts; see Survey.
func (g *Graph) Counts() Counts {
	s := g.Survey(1, false)
	s.finish()
	return s.Counts()
}

// Health describes the whole graph as of the last flush, with at most top
// entries of each list; see Survey.
func (g *Graph) Health(top int) identity.Health {
	s := g.Survey(top, true)
	s.finish()
	return s.Health()
}

func largerProfile(a, b identity.HealthProfile) int {
	return cmp.Or(cmp.Compare(b.Identifiers, a.Identifiers), cmp.Compare(a.Profile, b.Profile))
}

// linkingWithin counts the pairs that link within the profile that f founded.
func (g *Graph) linkingWithin(f ref) (n int) {
	g.eachMember(g.nodes.at(f).head, func(x ref) bool {
		for e := g.nodes.at(x).live; e != 0; e = g.edges.at(e).after(x) {
			if d := g.edges.at(e); d.a == x && d.linking() && g.founderOf(g.nodes.at(d.b).head) == f {
				n++
			}
		}
		return true
	})
	return n
}

// best keeps the first few of what it is given, in order.
type best[T any] struct {
	top    int
	before func(a, b T) int
	list   []T
}

func (l *best[T]) add(v T) {
	if len(l.list) == l.top && (l.top == 0 || l.before(l.list[l.top-1], v) <= 0) {
		return
	}
	at, _ := slices.BinarySearchFunc(l.list, v, l.before)
	l.list = slices.Insert(l.list, at, v)
	l.list = l.list[:min(len(l.list), l.top)]
}

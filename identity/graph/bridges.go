package graph

import (
	"cmp"

	"github.com/kindred-cdp/kindred/identity"
)

// weak is a profile of three identifiers or more that a single pair holds
// together, with the pair whose loss would part most.
type weak struct {
	identity.HealthBridge
	first int64
}

func weaker(a, b weak) int {
	return cmp.Or(cmp.Compare(b.Smaller, a.Smaller), cmp.Compare(b.first, a.first), cmp.Compare(a.Profile, b.Profile))
}

// bridge looks for the weakest pair of the profile that f founded. It overwrites
// sizes, in places that it does not look at any more, or where no founder is.
func (s *Survey) bridge(f ref) int {
	g := s.g
	n := g.nodes.at(f)
	if s.sizes[f] < 3 || g.founderOf(n.head) != f {
		return 1
	}
	b := &s.bridges
	if grown := int(g.nodes.end()); b.g == nil || len(b.number) < grown {
		b.g, b.number = g, append(s.sizes, make([]uint32, grown-len(s.sizes))...)
	}
	if x, y, smaller, first := b.widest(f); smaller > 0 {
		s.weakest.add(weak{identity.HealthBridge{
			Profile: identity.ProfileID(n.key), A: g.nodes.at(x).key, B: g.nodes.at(y).key, Smaller: smaller,
		}, first})
	}
	return 1 + len(b.members) + len(b.ways)
}

// bridges finds the bridges of one profile after the other: Tarjan, "A note on
// finding the bridges of a graph", Information Processing Letters 2(6), 1974,
// by depth-first search. Its lists serve all profiles.
type bridges struct {
	g      *Graph
	number []uint32 // by identifier: its position in members
	heads  []ref
	// Of one profile, by position.
	members []ref
	ways    []way // of each member those from starts[i] to starts[i+1]
	starts  []int
	entered []int // 0: not yet
	low     []int // the least entered that what is below it leads to
	below   []int // identifiers entered through it, itself included
	stack   []visit
}

// way is a pair that links, a record link or a must-link to another member.
type way struct {
	to    int
	pair  uint64 // the same from both ends
	first int64
	fast  bool // no evidence: it holds whatever is lost
}

// visit is a member being looked at, entered by a way.
type visit struct {
	at, next int
	by       way
	from     int
}

// widest returns the bridge of the profile that f founded with the greatest
// smaller part; of equals the latest one.
func (b *bridges) widest(f ref) (x, y ref, smaller int, first int64) {
	b.read(f)
	n, clock := len(b.members), 0
	b.stack = append(b.stack[:0], visit{from: -1})
	for len(b.stack) > 0 {
		v := &b.stack[len(b.stack)-1]
		if b.entered[v.at] == 0 {
			clock++
			b.entered[v.at], b.low[v.at], b.below[v.at] = clock, clock, 1
		}
		if at := b.starts[v.at] + v.next; at < b.starts[v.at+1] {
			v.next++
			w := b.ways[at]
			switch {
			case w.pair == v.by.pair && v.from == w.to:
			case b.entered[w.to] == 0:
				b.stack = append(b.stack, visit{at: w.to, by: w, from: v.at})
			default:
				b.low[v.at] = min(b.low[v.at], b.entered[w.to])
			}
			continue
		}
		done := *v
		b.stack = b.stack[:len(b.stack)-1]
		if done.from < 0 {
			continue
		}
		b.low[done.from] = min(b.low[done.from], b.low[done.at])
		b.below[done.from] += b.below[done.at]
		part := min(b.below[done.at], n-b.below[done.at])
		if b.low[done.at] == b.entered[done.at] && !done.by.fast &&
			(part > smaller || part == smaller && done.by.first > first) {
			x, y, smaller, first = b.members[done.from], b.members[done.at], part, done.by.first
		}
	}
	return x, y, smaller, first
}

// read fills the lists with the profile that f founded.
func (b *bridges) read(f ref) {
	g := b.g
	b.members, b.ways, b.starts = b.members[:0], b.ways[:0], b.starts[:0]
	b.heads = append(b.heads[:0], g.whole(g.nodes.at(f).head)...)
	for _, h := range b.heads {
		b.members = append(b.members, g.group(h, len(b.number))...)
	}
	b.entered, b.low, b.below = zeros(b.entered, len(b.members)), zeros(b.low, len(b.members)), zeros(b.below, len(b.members))
	for i, x := range b.members {
		b.number[x] = uint32(i)
	}
	const (
		fusion = 1 << 62
		link64 = 1 << 63
	)
	for _, x := range b.members {
		b.starts = append(b.starts, len(b.ways))
		for e := g.nodes.at(x).live; e != 0; e = g.edges.at(e).after(x) {
			d := g.edges.at(e)
			if y := d.other(x); d.linking() && g.founderOf(g.nodes.at(y).head) == f {
				b.ways = append(b.ways, way{to: int(b.number[y]), pair: uint64(e), first: d.first})
			}
		}
		g.eachFused(x, func(y ref) {
			b.ways = append(b.ways, way{to: int(b.number[y]), pair: fusion | uint64(min(x, y))<<30 ^ uint64(max(x, y)), fast: true})
		})
		g.eachBonded(x, func(l link) {
			b.ways = append(b.ways, way{to: int(b.number[l.to]), pair: link64 | uint64(min(x, l.to))<<30 ^ uint64(max(x, l.to)), first: l.at})
		})
	}
	b.starts = append(b.starts, len(b.ways))
}

// zeros returns list with n zeros.
func zeros(list []int, n int) []int {
	if cap(list) < n {
		return make([]int, n)
	}
	list = list[:n]
	clear(list)
	return list
}

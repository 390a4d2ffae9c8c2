package graph

import (
	"cmp"
	"math/bits"

	"github.com/kindred-cdp/kindred/identity"
)

// Survey describes a whole graph in steps, between which the graph may change:
// no step reads more than it is told to, so nobody waits long for one. Each
// identifier and each pair is read once, as of some flush between the first step
// and the last; a survey that no flush comes between is exact. Where flushes do:
//
//   - an identifier that moved meanwhile counts for the profile that it was met
//     in. Profiles that were joined while identifiers were met are joined after
//     it, so that none counts twice; what left a profile after it was met counts
//     with it.
//   - identifiers that are newer than the survey do not count.
//
// So profiles, sizes and merges agree with each other, and differ from those of
// any one moment by no more than what changed in between. A survey allocates four
// bytes for each identifier, and changes nothing. It takes 1.1 s over ten million
// identifiers, and with the pairs 3.4 s (BenchmarkHealth, on a busy machine).
type Survey struct {
	g     *Graph
	top   int
	pairs bool // look at pairs as well
	part  int  // of parts
	at    ref  // the next to look at in this part
	last  ref  // one more than the last identifier of the survey

	sizes    []uint32 // by founder
	h        identity.Health
	counted  int // identifiers of profiles
	shared   int // those of profiles of several
	linking  int // pairs that link within a profile
	largest  best[identity.HealthProfile]
	generics best[identity.HealthValue]
	bridges  bridges
	weakest  best[weak]
}

// Survey starts a survey with at most top entries of each list; without pairs it
// is good for Counts and Totals only.
func (g *Graph) Survey(top int, pairs bool) *Survey {
	s := &Survey{
		g: g, top: top, pairs: pairs, at: 1, last: g.nodes.end(), sizes: make([]uint32, g.nodes.end()),
		h: identity.Health{
			Identifiers: g.count.identifiers, Pairs: g.count.pairs, Blocked: g.count.blocked, Generic: g.count.generic,
			Conflicts: map[identity.BarrierKind]int{},
		},
		largest: best[identity.HealthProfile]{top: top, before: largerProfile},
		generics: best[identity.HealthValue]{top: top, before: func(a, b identity.HealthValue) int {
			return cmp.Or(cmp.Compare(b.Neighbours, a.Neighbours), cmp.Compare(a.Key, b.Key))
		}},
		weakest: best[weak]{top: top, before: weaker},
	}
	return s
}

// parts are looked at one after the other. Each looks at one identifier or pair
// and returns what that cost, in looks.
var parts = []func(*Survey, ref) int{
	(*Survey).size, (*Survey).settle, (*Survey).total, (*Survey).refusal, (*Survey).pair, (*Survey).among, (*Survey).bridge,
}

const (
	partsWithoutPairs = 4
	partSize          = 0 // walks the identifiers that there were at the start,
	partPair          = 4 // the pairs, and
	partAmong         = 5 // the list of the largest profiles
)

// Step looks at some n identifiers and pairs, and reports whether that was all.
// The graph must be Settled.
func (s *Survey) Step(n int) (done bool) {
	for n > 0 {
		if s.part == len(parts) || !s.pairs && s.part == partsWithoutPairs {
			return true
		}
		if s.at >= s.end() {
			s.part, s.at = s.part+1, 1
			continue
		}
		n -= parts[s.part](s, s.at)
		s.at++
	}
	return false
}

// end is one more than the last to look at in this part.
func (s *Survey) end() ref {
	switch s.part {
	case partSize:
		return s.last
	case partPair:
		return s.g.edges.end()
	case partAmong:
		return ref(len(s.largest.list)) + 1
	default:
		return ref(len(s.sizes))
	}
}

// finish takes all steps.
func (s *Survey) finish() {
	for !s.Step(1 << 30) {
	}
}

// size counts x for its profile, unless it is gone, blocked, generic or a
// household value.
func (s *Survey) size(x ref) int {
	g := s.g
	n := g.nodes.at(x)
	if s.pairs && n.flags&(alive|generic) == alive|generic {
		s.generics.add(identity.HealthValue{Key: n.key, Namespace: g.name(x), Neighbours: g.widest(x).n})
	}
	if n.flags&(alive|blocked|generic) == alive && !g.ns(x).rule.Household {
		s.put(g.founderOf(n.head), 1)
	}
	return 1
}

// put adds n identifiers to the profile that f founded, which may be newer than
// the survey.
func (s *Survey) put(f ref, n uint32) {
	if more := int(f) + 1 - len(s.sizes); more > 0 {
		s.sizes = append(s.sizes, make([]uint32, more)...)
	}
	s.sizes[f] += n
}

// settle gives what was counted for f to the profile that f belongs to by now.
func (s *Survey) settle(f ref) int {
	if n := s.sizes[f]; n > 0 {
		if now := s.g.founderOf(s.g.nodes.at(f).head); now != f {
			s.sizes[f] = 0
			s.put(now, n)
		}
	}
	return 1
}

// total counts the profile that f founded.
func (s *Survey) total(f ref) int {
	n := s.sizes[f]
	if n == 0 {
		return 1
	}
	s.h.Profiles++
	s.counted += int(n)
	if n > 1 {
		s.shared += int(n)
	}
	class := bits.Len32(n) - 1
	for len(s.h.Sizes) <= class {
		s.h.Sizes = append(s.h.Sizes, 0)
	}
	s.h.Sizes[class]++
	s.largest.add(identity.HealthProfile{Profile: identity.ProfileID(s.g.nodes.at(f).key), Identifiers: int(n)})
	return 1
}

// pair counts e where it links within a profile, or adds it to the conflicts
// where it stands between two: what is void, and what two principals share.
func (s *Survey) pair(e ref) int {
	g := s.g
	d := g.edges.at(e)
	if d.a == 0 || d.flags&(dead|atHome) != 0 {
		return 1
	}
	a, b := g.nodes.at(d.a), g.nodes.at(d.b)
	same := g.founderOf(a.head) == g.founderOf(b.head)
	switch {
	case d.linking() && same:
		s.linking++
	case d.linking() && g.personal(a.head) && g.personal(b.head):
		s.h.Conflicts[identity.BarrierLimit]++
	case !same && d.flags&(rejected|open) == 0 && (a.flags|b.flags)&blocked == 0 && a.flags&b.flags&alive != 0 && g.void(d):
		s.h.Conflicts[identity.BarrierVoid]++
	}
	return 1
}

// refusal counts x where a group set it aside, and the clusters that it refused
// where it is a wall.
func (s *Survey) refusal(x ref) int {
	g := s.g
	n := g.nodes.at(x)
	if n.flags&aside != 0 && n.parent != 0 {
		if b, ok := g.clash(g.tallyOf(g.nodes.at(n.parent).head), g.nodeTally(x)); ok {
			s.h.Conflicts[b.Kind]++
		}
	}
	if n.head != x || n.flags&fixed == 0 || len(g.claims) == 0 {
		return 1
	}
	for _, c := range g.claims[x] {
		if c.admitted || g.full[x] == nil {
			continue
		}
		if b, ok := g.clash(g.full[x], &c.of); ok {
			s.h.Conflicts[b.Kind]++
		}
	}
	return 1 + len(g.claims[x])
}

// among counts the pairs within the i-th of the largest profiles, from 1.
func (s *Survey) among(i ref) int {
	l := &s.largest.list[i-1]
	l.Pairs = s.g.linkingWithin(s.g.find(identity.Key(l.Profile)))
	return l.Identifiers + l.Pairs
}

// Totals are the identifiers, profiles and merges, as Graph.Stats has them.
func (s *Survey) Totals() (identifiers, profiles, merges int) {
	return s.h.Identifiers, s.h.Profiles, s.counted - s.h.Profiles
}

// Counts returns what a survey found that is done.
func (s *Survey) Counts() Counts {
	c := Counts{Profiles: s.h.Profiles, Generic: s.h.Generic, Conflicts: s.h.Conflicts}
	if len(s.largest.list) > 0 {
		c.Largest = s.largest.list[0].Identifiers
	}
	return c
}

// Health returns what a survey with pairs found that is done.
func (s *Survey) Health() identity.Health {
	h := s.h
	h.Merges = s.counted - h.Profiles
	if s.shared > 0 {
		h.Density = float64(s.linking) / float64(s.shared)
	}
	h.Largest, h.Generics = s.largest.list, s.generics.list
	h.Weakest = make([]identity.HealthBridge, 0, len(s.weakest.list))
	for _, w := range s.weakest.list {
		h.Weakest = append(h.Weakest, w.HealthBridge)
	}
	return h
}

package graph

import (
	"github.com/kindred-cdp/kindred/identity"
)

// Question is a scored pair that waits for a person to decide; see
// identity.Review.
type Question struct {
	A, B     identity.Key // in order
	Weight   int64        // hundredths of a bit
	Profiles [2]identity.ProfileID
	Sizes    [2]int // identifiers of each
}

// Questions calls visit for each scored pair that waits for a decision, as of the
// last flush, from a place on; 0 is the first. It looks at some n identifiers and
// pairs and returns the place to go on from, 0 at the end. Places stay what they
// are while the graph changes; a pair is met at the lesser of its keys, once.
func (g *Graph) Questions(place uint32, n int, visit func(Question)) uint32 {
	if len(g.scored) == 0 {
		return 0
	}
	for x := max(1, place); x < g.nodes.end(); x++ {
		if n--; n < 0 {
			return x
		}
		if g.nodes.at(x).flags&scored == 0 {
			continue
		}
		for _, l := range g.scored[x].links {
			if int64(l.weight) < g.rules.ReviewThreshold {
				break // The greatest come first.
			}
			n--
			if g.nodes.at(l.to).key < g.nodes.at(x).key || g.asked(x, l) != identity.ReviewWaiting {
				continue
			}
			q := g.question(x, l)
			n -= q.Sizes[0] + q.Sizes[1]
			visit(q)
		}
	}
	return 0
}

// Question returns the scored pair of a and b, in any order, and whether it waits
// for a decision, or why not. Where it does, the barrier is what keeps the two
// profiles apart.
func (g *Graph) Question(a, b identity.Key) (Question, Barrier, identity.ReviewStanding) {
	x, y := g.find(min(a, b)), g.find(max(a, b))
	r := g.scored[x]
	if x == y || r == nil || g.scored[y] == nil {
		return Question{}, Barrier{}, identity.ReviewUnknown
	}
	l, ok := r.find(g.scored[y], x, y)
	if !ok {
		return Question{}, Barrier{}, identity.ReviewUnknown
	}
	standing := g.asked(x, l)
	if standing != identity.ReviewWaiting {
		return Question{}, Barrier{}, standing
	}
	return g.question(x, l), g.barrier(crossing{x: x, y: y, link: l, scored: true}), standing
}

// asked says whether the pair l of x waits for a decision. Somebody has decided
// about it where the pair is rejected or cannot-linked itself, and where a
// cannot-link stands between the founders of the two profiles, as an unmerge
// leaves it, or between what evidence alone joins to the two records. One that
// only others bring in, whom linkage joined to either, says nothing of these two.
func (g *Graph) asked(x ref, l link) identity.ReviewStanding {
	switch {
	case g.founderOf(g.nodes.at(x).head) == g.founderOf(g.nodes.at(l.to).head):
		return identity.ReviewMerged
	case l.denied || g.parted(x, l.to):
		return identity.ReviewDecided
	case int64(l.weight) < g.rules.ReviewThreshold:
		return identity.ReviewWithdrawn
	case !g.legible(x) || !g.legible(l.to):
		return identity.ReviewMuted
	}
	return identity.ReviewWaiting
}

// parted reports whether a cannot-link stands between the founders of the
// profiles of two records, or between their super-nodes.
func (g *Graph) parted(x, y ref) bool {
	if len(g.cannot) == 0 {
		return false
	}
	h, o := g.nodes.at(x).head, g.nodes.at(y).head
	p := inOrder(g.nodes.at(g.founderOf(h)).key, g.nodes.at(g.founderOf(o)).key)
	if g.stands(identity.CannotLink, p[0], p[1]) {
		return true
	}
	s, t := g.supers[h], g.supers[o]
	if s == nil || t == nil { // Neither is without one once all is flushed.
		return false
	}
	return g.forbidden(g.superTally(s).cannot, g.superTally(t).cannot)
}

// question describes the pair l of x, the lesser of its keys.
func (g *Graph) question(x ref, l link) Question {
	q := Question{A: g.nodes.at(x).key, B: g.nodes.at(l.to).key, Weight: int64(l.weight)}
	for i, z := range [2]ref{x, l.to} {
		q.Profiles[i] = g.present(z)
		g.eachMember(g.nodes.at(z).head, func(ref) bool {
			q.Sizes[i]++
			return true
		})
	}
	return q
}

package graph

import (
	"github.com/kindred-cdp/kindred/identity"
)

// Explanation says why two identifiers are one profile or why they are not, as
// identity.Explanation does, in keys.
type Explanation struct {
	Same               bool
	ProfileA, ProfileB identity.ProfileID
	// Path leads from the first identifier to the second where they are one
	// profile; else to Barrier.From, where that is of the first one's profile.
	Path    []Hop
	Barrier *Barrier // where they are not one profile
}

// Hop is one step of a path.
type Hop struct {
	From, To identity.Key
	Kind     identity.HopKind
	Rule     string // in plain words
	Weight   int64  // of a record link
	Decision string // the id of the decision behind a must-link
}

// Barrier is what keeps two identifiers apart. From is nearer to the first of
// the two; both are zero where nothing is known.
type Barrier struct {
	Kind     identity.BarrierKind
	From, To identity.Key
	// Namespace is what a limit or a fan-out counts, Count how many there are, or
	// would be, and Bound how many there may be; for other kinds they are empty.
	Namespace    identity.Namespace
	Count, Bound int
	Detail       string // in plain words, without values
	// Scored says that the pair is one of records, of Weight.
	Scored bool
	Weight int64
}

// searchEdges is the number of edges that a search for a barrier may read.
const searchEdges = 10_000

// Why explains a and b as of the last flush: see Settled. It reads only the two
// profiles, and what lies between them up to a bound; it changes nothing.
func (g *Graph) Why(a, b identity.Key) Explanation {
	w := Explanation{Same: a == b, ProfileA: g.Profile(a), ProfileB: g.Profile(b)}
	x, y := g.find(a), g.find(b)
	why := g.unexplained(x)
	if why == "" {
		why = g.unexplained(y)
	}
	switch {
	case w.Same:
	case why != "":
		w.Barrier = &Barrier{Kind: identity.BarrierUnknown, Detail: why}
	case w.ProfileA == w.ProfileB:
		w.Same, w.Path = true, g.path(x, y)
	default:
		g.whyNot(&w, x, y)
	}
	return w
}

// whyNot finds what keeps x and y, of two profiles, apart. It searches from the
// lesser key, so that both directions name the same pair.
func (g *Graph) whyNot(w *Explanation, x, y ref) {
	turned := g.nodes.at(y).key < g.nodes.at(x).key
	from, to := x, y
	if turned {
		from, to = y, x
	}
	m := g.between(from, to)
	c, ok := m.first()
	if !ok {
		w.Barrier = &Barrier{Kind: identity.BarrierUnknown, Detail: "no evidence connects the two"}
		if m.budget <= 0 {
			w.Barrier.Detail = "no evidence connects the two among what was read, which is not all there is"
		}
		return
	}
	if turned {
		c.turn()
	}
	b := g.barrier(c)
	w.Barrier = &b
	if g.present(c.x) == w.ProfileA {
		w.Path = g.path(x, c.x)
	}
}

// unexplained says why no explanation can start at x; empty when one can.
func (g *Graph) unexplained(x ref) string {
	switch {
	case x == 0:
		return "one of the two was never seen"
	case g.nodes.at(x).flags&alive == 0:
		return "all evidence of one of the two has expired or was erased"
	case g.ns(x).rule.Household:
		return "a " + string(g.ns(x).name) + " is of a household and joins no persons"
	}
	return ""
}

// Settled reports whether everything that was added is evaluated. Explanations
// and figures are of the last flush; between an addition and the flush after it
// pairs may already be known that no profile has been told of.
func (g *Graph) Settled() bool {
	w := &g.work
	for _, list := range [...][]ref{
		w.status, w.tenure, w.fuse, w.scan, w.edges, w.dead, w.fresh, w.readmit, w.founder,
		w.relink, w.rescored, w.restated, w.homes,
	} {
		if len(list) > 0 {
			return false
		}
	}
	return len(w.flips) == 0
}

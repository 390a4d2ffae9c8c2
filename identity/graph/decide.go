package graph

import (
	"cmp"

	"github.com/kindred-cdp/kindred/identity"
)

// subject is what a decision is about, a < b unless b is zero.
type subject struct {
	kind identity.DecisionKind
	a, b identity.Key
}

func subjectOf(d identity.Decision) subject {
	if d.Kind == identity.Block {
		return subject{kind: d.Kind, a: d.A}
	}
	return subject{kind: d.Kind, a: min(d.A, d.B), b: max(d.A, d.B)}
}

// verdict is the decision that stands for a subject.
type verdict struct {
	at int64
	id string
	on bool
}

// Decide adds an operator decision. The greatest (At, ID) of a subject stands,
// in whatever order decisions come, and identifiers need not have been seen.
func (g *Graph) Decide(d identity.Decision) {
	s := subjectOf(d)
	old, known := g.standing[s]
	if known && cmp.Or(cmp.Compare(old.at, d.At), cmp.Compare(old.id, d.ID)) >= 0 {
		return
	}
	g.standing[s] = verdict{at: d.At, id: d.ID, on: d.On}
	if old.on == d.On || s.a == s.b {
		return
	}
	a, b := g.find(s.a), g.find(s.b)
	switch d.Kind {
	case identity.Block:
		if a != 0 {
			g.setBlocked(a, opBlocked, d.On)
		}
	case identity.Reject:
		g.deny(a, b)
	case identity.CannotLink:
		g.join(g.cannot, hasCannot, s, d.On)
		g.deny(a, b)
		for _, x := range [2]ref{a, b} {
			if x != 0 {
				g.touch(x)
			}
		}
	case identity.MustLink:
		g.join(g.must, hasMust, s, d.On)
		for _, x := range [2]ref{a, b} {
			if x != 0 {
				g.forceFuse(x)
			}
		}
	}
}

// stands reports whether the standing decision of a subject is on.
func (g *Graph) stands(kind identity.DecisionKind, a, b identity.Key) bool {
	return g.standing[subject{kind: kind, a: a, b: b}].on
}

// denied reports whether a and b, in order, are rejected or cannot-linked.
func (g *Graph) denied(a, b identity.Key) bool {
	return g.stands(identity.Reject, a, b) || g.stands(identity.CannotLink, a, b)
}

// deny brings the edge of a and b, in key order, up to date with decisions.
func (g *Graph) deny(a, b ref) {
	g.pairRules++
	if a == 0 || b == 0 {
		return
	}
	g.denyLink(a, b)
	e := g.findEdge(a, b)
	if e == 0 {
		return
	}
	d := g.edges.at(e)
	d.flags &^= rejected
	if g.denied(g.nodes.at(a).key, g.nodes.at(b).key) {
		d.flags |= rejected
	}
	g.refresh(e)
}

// join adds the pair of s to both lists of m, or takes it out.
func (g *Graph) join(m map[identity.Key][]identity.Key, flag uint32, s subject, on bool) {
	for _, p := range [2][2]identity.Key{{s.a, s.b}, {s.b, s.a}} {
		if on {
			m[p[0]] = append(m[p[0]], p[1])
		} else {
			forgetKey(m, p[0], p[1])
		}
		if x := g.find(p[0]); x != 0 {
			g.nodes.at(x).flags &^= flag
			if len(m[p[0]]) > 0 {
				g.nodes.at(x).flags |= flag
			}
		}
	}
}

// recall gives a new node the decisions that came before it.
func (g *Graph) recall(x ref) {
	d := g.nodes.at(x)
	if g.stands(identity.Block, d.key, 0) {
		d.flags |= opBlocked
	}
	if len(g.cannot[d.key]) > 0 {
		d.flags |= hasCannot
	}
	if len(g.must[d.key]) > 0 {
		d.flags |= hasMust
	}
}

// setBlocked sets one of the two flags of blocked.
func (g *Graph) setBlocked(x ref, flag uint32, on bool) {
	d := g.nodes.at(x)
	was := d.flags&blocked != 0
	g.noteFlip(x)
	d.flags &^= flag
	if on {
		d.flags |= flag
	}
	is := d.flags&blocked != 0
	if is == was || d.flags&alive == 0 {
		return
	}
	if is {
		g.count.blocked++
	} else {
		g.count.blocked--
	}
	g.markFuse(x)
	g.restate(x)
	g.refreshAll(x)
}

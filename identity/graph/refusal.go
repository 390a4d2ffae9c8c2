package graph

import (
	"fmt"
	"math"

	"github.com/kindred-cdp/kindred/identity"
)

// refused says why an eligible edge does not make its two profiles one: what the
// step refused that read it. The rules are hereditary, so what did not fit when
// it was refused does not fit now that more has come.
func (g *Graph) refused(e ref) Barrier {
	d := g.edges.at(e)
	for _, x := range [2]ref{g.rep(d.a), g.rep(d.b)} {
		if n := g.nodes.at(x); n.edge == e && n.flags&aside != 0 {
			if b, ok := g.clash(g.tallyOf(g.nodes.at(n.parent).head), g.nodeTally(x)); ok {
				return b
			}
		}
	}
	ha, hb := g.nodes.at(d.a).head, g.nodes.at(d.b).head
	wall, other := ha, hb
	if g.nodes.at(wall).flags&fixed == 0 {
		wall, other = hb, ha
	}
	a, b := g.unit[ha], g.unit[hb]
	switch c := g.unit[other]; {
	case g.nodes.at(other).flags&fixed != 0: // Two walls.
	case g.nodes.at(wall).flags&fixed != 0:
		if c == nil || c.wall == 0 {
			return g.beyondUnit()
		}
		if c.wall == wall && g.full[wall] != nil {
			if b, ok := g.clash(g.full[wall], &c.of); ok {
				return b
			}
		}
	case a == nil || b == nil || a.unit != b.unit:
		return g.beyondUnit()
	default:
		if b, ok := g.clash(&a.of, &b.of); ok {
			return b
		}
		if a.wall == 0 || b.wall == 0 || a.wall == b.wall {
			return g.beyondUnit() // The pair is weaker than the unit reads.
		}
	}
	if b, ok := g.clashOfProfiles(ha, hb); ok {
		return b
	}
	return Barrier{Kind: identity.BarrierStronger, Detail: g.elsewhere(e)}
}

func (g *Graph) beyondUnit() Barrier {
	return g.oversized("what is connected without a "+g.principals(), g.rules.UnitCap)
}

// principals returns the name of the principal namespace.
func (g *Graph) principals() string {
	for ns, r := range g.rules.Namespaces {
		if r.Principal {
			return string(ns)
		}
	}
	return "principal"
}

// elsewhere says whom the ends of e stay with.
func (g *Graph) elsewhere(e ref) string {
	d := g.edges.at(e)
	for _, p := range [2][2]ref{{d.a, d.b}, {d.b, d.a}} {
		x, y := p[0], p[1]
		n := g.nodes.at(g.rep(x))
		if n.edge == 0 || n.edge == e || g.rank(y) >= g.rank(x) {
			continue
		}
		end := g.edges.at(n.edge).b
		if g.rep(end) == g.rep(x) {
			end = g.edges.at(n.edge).a
		}
		if n.flags&aside != 0 {
			return fmt.Sprintf("the %s follows a %s by stronger or earlier evidence, was refused there, and tries no one else", g.name(x), g.name(end))
		}
		return fmt.Sprintf("the %s follows a %s by stronger or earlier evidence", g.name(x), g.name(end))
	}
	return "one of the two belongs to another by stronger or earlier evidence, and tries no one else"
}

// tallyOf returns what the group of h holds, kept or counted anew.
func (g *Graph) tallyOf(h ref) *tally {
	if t := g.held[h]; t != nil {
		return t
	}
	t := &tally{}
	for _, x := range g.group(h, math.MaxInt) {
		t.add(g, x)
	}
	return t
}

// clashOfProfiles is clash for the whole profiles of two heads.
func (g *Graph) clashOfProfiles(h, o ref) (Barrier, bool) {
	var t, u tally
	for _, p := range [2]struct {
		h  ref
		of *tally
	}{{h, &t}, {o, &u}} {
		g.eachMember(p.h, func(x ref) bool {
			p.of.add(g, x)
			return true
		})
	}
	return g.clash(&t, &u)
}

// clash says why t and u do not fit; false where they do.
func (g *Graph) clash(t, u *tally) (Barrier, bool) {
	if t.fits(g, u) {
		return Barrier{}, false
	}
	if len(t.cannot) > 0 && len(u.cannot) > 0 && g.forbidden(t.cannot, u.cannot) {
		return Barrier{Kind: identity.BarrierCannotLink, Detail: "an operator parted two identifiers of the two profiles"}, true
	}
	for i := range min(len(t.limited), len(u.limited)) {
		a, b, l := &t.limited[i], &u.limited[i], g.limits[i]
		if a.n == 0 || b.n == 0 || a.n+b.n <= l.max || l.window > 0 && !crosses(a.firsts, b.firsts, l) {
			continue
		}
		r := Barrier{Kind: identity.BarrierLimit, Namespace: g.limitedName(i), Count: a.n + b.n, Bound: l.max}
		r.Detail = fmt.Sprintf("one profile would hold %d of %s, and may hold %d", r.Count, r.Namespace, l.max)
		if l.window > 0 {
			r.Detail = fmt.Sprintf("one profile would hold more than %d of %s first seen within %s", l.max, r.Namespace, plainDays(l.window))
		}
		return r, true
	}
	return g.oversized("one profile", g.rules.GroupCap), true
}

// limitedName returns the namespace of limit i.
func (g *Graph) limitedName(i int) identity.Namespace {
	for _, s := range g.spaces {
		if s.limit == i {
			return s.name
		}
	}
	return "" // No limit is without a namespace.
}

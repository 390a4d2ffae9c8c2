package graph

import (
	"fmt"
	"strings"

	"github.com/kindred-cdp/kindred/identity"
)

// barrier says which rule refused c, a pair of two profiles.
func (g *Graph) barrier(c crossing) Barrier {
	var b Barrier
	switch {
	case c.scored:
		b = g.weighed(c)
		b.Scored, b.Weight = true, int64(c.link.weight)
	case g.edges.at(c.edge).linking():
		b = g.refused(c.edge)
	default:
		b = g.dropped(c.edge)
	}
	b.From, b.To = g.nodes.at(c.x).key, g.nodes.at(c.y).key
	return b
}

// name returns the namespace of x.
func (g *Graph) name(x ref) identity.Namespace { return g.ns(x).name }

// dropped says why step 0 drops an edge, in the order of step 0.
func (g *Graph) dropped(e ref) Barrier {
	d := g.edges.at(e)
	if d.flags&rejected != 0 {
		return g.decided(d.a, d.b)
	}
	if b, ok := g.mute(d.a, d.b); ok && b.Kind == identity.BarrierBlocked {
		return b
	}
	if g.void(d) {
		return Barrier{Kind: identity.BarrierVoid, Detail: g.whyVoid(d)}
	}
	if b, ok := g.mute(d.a, d.b); ok {
		return b
	}
	if g.overcrowded(d) {
		return g.crowdedBy(d)
	}
	moving := d.a
	if g.ns(d.b).gapDays > 0 && g.ns(d.a).rank < g.ns(d.b).rank {
		moving = d.b
	}
	return Barrier{Kind: identity.BarrierRetired, Detail: fmt.Sprintf(
		"the %s has moved on: after a hole of more than %.0f days it was seen with another", g.name(moving), g.ns(moving).gapDays)}
}

// decided says which decision of an operator stands between x and y.
func (g *Graph) decided(x, y ref) Barrier {
	a, b := g.nodes.at(x).key, g.nodes.at(y).key
	if g.stands(identity.CannotLink, min(a, b), max(a, b)) {
		return Barrier{Kind: identity.BarrierCannotLink, Detail: "an operator parted the two"}
	}
	return Barrier{Kind: identity.BarrierRejected, Detail: "an operator rejected the pair"}
}

// mute says which end of a pair links no one, the lesser key first; false where
// both may.
func (g *Graph) mute(x, y ref) (Barrier, bool) {
	if g.nodes.at(y).key < g.nodes.at(x).key {
		x, y = y, x
	}
	for _, z := range [2]ref{x, y} {
		if g.nodes.at(z).flags&blocked != 0 {
			return g.blockedBy(z), true
		}
	}
	for _, z := range [2]ref{x, y} {
		if g.nodes.at(z).flags&generic != 0 {
			return g.genericBy(z), true
		}
	}
	return Barrier{}, false
}

func (g *Graph) blockedBy(x ref) Barrier {
	by := "by an operator"
	if g.nodes.at(x).flags&ruleBlocked != 0 {
		by = "by the rules"
	}
	return Barrier{Kind: identity.BarrierBlocked, Detail: fmt.Sprintf("the %s is a value blocked %s and links no one", g.name(x), by)}
}

// whyVoid says which of the three grounds makes d void.
func (g *Graph) whyVoid(d *edge) string {
	a, b := g.ns(d.a), g.ns(d.b)
	if a.rule.Principal && b.rule.Principal {
		return fmt.Sprintf("two %s were seen together: only an operator joins those", a.name)
	}
	for _, p := range [2][2]ref{{d.a, d.b}, {d.b, d.a}} {
		x, y := p[0], p[1]
		if g.nodes.at(x).flags&shielded != 0 && g.ns(y).rank <= g.ns(x).rank {
			return fmt.Sprintf("an untrusted source claims the %s, which a trusted source has seen with its owner", g.name(x))
		}
	}
	if !a.rule.TrustedClaims {
		a = b
	}
	return fmt.Sprintf("only a trusted source may claim a %s", a.name)
}

func (g *Graph) fansAt(x ref) *fans {
	if f := g.fans[x]; f != nil {
		return f
	}
	return g.fansOf(x)
}

// genericBy says of what a generic x has too many.
func (g *Graph) genericBy(x ref) Barrier {
	most := g.widest(x)
	bound := g.ns(x).rule.FanOutUp
	return Barrier{
		Kind: identity.BarrierGeneric, Namespace: g.spaces[most.space].name, Count: most.n, Bound: bound,
		Detail: fmt.Sprintf("the %s was seen with %d of %s, and links no one beyond %d", g.name(x), most.n, g.spaces[most.space].name, bound),
	}
}

// widest returns the namespace as strong or stronger that x has most neighbours
// in.
func (g *Graph) widest(x ref) (most fan) {
	for _, c := range g.fansAt(x).in {
		if g.spaces[c.space].rank <= g.ns(x).rank && c.n > most.n {
			most = c
		}
	}
	return most
}

// crowdedBy says of what the stronger end of d has too many.
func (g *Graph) crowdedBy(d *edge) Barrier {
	x, y := d.a, d.b
	if g.ns(y).rank < g.ns(x).rank {
		x, y = y, x
	}
	n := 0
	for _, c := range g.fansAt(x).in {
		if c.space == uint32(g.nodes.at(y).space) {
			n = c.n
		}
	}
	bound := g.ns(x).rule.FanOutDown
	return Barrier{
		Kind: identity.BarrierCrowded, Namespace: g.name(y), Count: n, Bound: bound,
		Detail: fmt.Sprintf("the %s was seen with %d of %s, and links none of those beyond %d", g.name(x), n, g.name(y), bound),
	}
}

// weighed says why a scored pair of two profiles does not join them.
func (g *Graph) weighed(c crossing) Barrier {
	if c.link.denied {
		return g.decided(c.x, c.y)
	}
	weak := Barrier{Kind: identity.BarrierWeight}
	if w := int64(c.link.weight); w < g.rules.ReviewThreshold {
		weak.Detail = fmt.Sprintf("the weight of the record link is %d, below %d, from which one counts", w, g.rules.ReviewThreshold)
		return weak
	}
	if b, ok := g.mute(c.x, c.y); ok {
		return b
	}
	h, o := g.nodes.at(c.x).head, g.nodes.at(c.y).head
	if g.supers[h] == nil || g.supers[o] == nil || g.supers[h].unit != g.supers[o].unit {
		return g.oversized("a unit of records", g.rules.UnitCap)
	}
	if b, ok := g.clashOfProfiles(h, o); ok {
		return b
	}
	weak.Detail = fmt.Sprintf("the record link weighs %d, but on average the two profiles are alike by less than %d",
		c.link.weight, max(1, g.rules.LinkThreshold))
	return weak
}

// oversized is the barrier of a cap.
func (g *Graph) oversized(what string, bound int) Barrier {
	return Barrier{Kind: identity.BarrierSize, Bound: bound, Detail: fmt.Sprintf("%s would have more than %d members", what, bound)}
}

// plainDays writes a window in days.
func plainDays(ms int64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(ms)/float64(24*60*60*1000)), ".0") + " days"
}

package graph

import (
	"github.com/kindred-cdp/kindred/identity"
)

// sight is one span as the rules of its source read it.
type sight struct {
	period   identity.Period
	first    int64
	last     identity.Day
	received int64
	trusted  bool
}

// read sets an event time later than its received time to it, and then takes
// event times from trusted sources and received times from the others.
func (g *Graph) read(source string, p identity.Period, span identity.Span) sight {
	return readAs(g.rules.Trusted(source), p, span)
}

func readAs(trusted bool, p identity.Period, span identity.Span) sight {
	s := sight{
		period:   p,
		first:    span.FirstReceived,
		last:     span.LastReceived,
		received: span.FirstReceived,
		trusted:  trusted,
	}
	if s.trusted {
		s.first = min(span.FirstEvent, span.FirstReceived)
		s.last = min(span.LastEvent, span.LastReceived)
	}
	return s
}

// See adds a sighting: its identifiers and all their pairs.
func (g *Graph) See(s identity.Sighting) {
	sight := g.read(s.Source, s.Period, s.Span)
	var room [identity.MaxMembers]ref
	refs := room[:0]
	for _, n := range s.Members {
		refs = append(refs, g.seeNode(n, sight))
	}
	for i, a := range refs {
		for _, b := range refs[i+1:] {
			if a != 0 && b != 0 {
				g.seeEdge(a, b, sight)
			}
		}
	}
}

// SeeIdentifier adds a sighting of one identifier. Spans of the same source
// and period may be merged before or come one by one, in any order.
func (g *Graph) SeeIdentifier(n identity.Node, source string, p identity.Period, span identity.Span) {
	g.seeNode(n, g.read(source, p, span))
}

// SeePair adds a sighting of a pair. It says nothing of its two identifiers on
// their own: without a sighting of each the pair does not count.
func (g *Graph) SeePair(low, high identity.Node, source string, p identity.Period, span identity.Span) {
	s := g.read(source, p, span)
	if g.covers(low, s) && g.covers(high, s) {
		g.seeEdge(g.node(low), g.node(high), s)
	}
}

// covers reports whether neither expiry nor erasure takes the sighting away.
func (g *Graph) covers(n identity.Node, s sight) bool {
	if !g.forgets {
		return true
	}
	if ns := &g.spaces[g.space(n.Namespace)]; ns.expired && s.period < ns.before {
		return false
	}
	at, ok := g.erased[n.Key]
	return !ok || s.received > at
}

// seeNode adds the sighting of n and returns its node, or 0 where the sighting
// does not count.
func (g *Graph) seeNode(n identity.Node, s sight) ref {
	if !g.covers(n, s) {
		return 0
	}
	x := g.node(n)
	g.seenNode(x, s)
	return x
}

// seenNode merges a sighting into x.
func (g *Graph) seenNode(x ref, s sight) {
	d := g.nodes.at(x)
	if d.flags&alive == 0 {
		d.first, d.rows = s.first, ref(s.period)
		g.appear(x)
		return
	}
	if d.flags&several == 0 && d.period() != s.period {
		d.rows = g.addRow(row{period: d.period(), first: d.first}, 0)
		d.flags |= several
	}
	if d.flags&several != 0 {
		g.mergeRow(&d.rows, s)
	}
	if s.first < d.first {
		d.first = s.first
		g.firstLowered(x)
	}
}

// node returns the node of n, a new and still gone one where there is none.
func (g *Graph) node(n identity.Node) ref {
	x := g.find(n.Key)
	if x == 0 {
		x = g.addNode(n)
	}
	if n.Blocked && g.nodes.at(x).flags&ruleBlocked == 0 {
		g.setBlocked(x, ruleBlocked, true)
	}
	return x
}

func (g *Graph) addNode(n identity.Node) ref {
	x := g.newNode(n.Key, g.space(n.Namespace))
	g.byKey.add(mix(uint64(n.Key)), x)
	return x
}

// newNode makes a gone node that is in no index.
func (g *Graph) newNode(k identity.Key, space uint32) ref {
	x := g.nodes.add()
	d := g.nodes.at(x)
	d.key, d.space, d.head, d.founder = k, uint16(space), x, x
	d.flags = fresh
	if g.ns(x).rule.Principal {
		d.flags |= fixed
	}
	g.work.fresh = append(g.work.fresh, x)
	if len(g.standing) > 0 {
		g.recall(x)
	}
	return x
}

// appear makes a gone node count.
func (g *Graph) appear(x ref) {
	d := g.nodes.at(x)
	// Old sets may have ignored it. Those of a new identifier are all new,
	// unless its earlier sightings expired or were erased.
	if ns := g.ns(x); d.flags&fresh == 0 || ns.expired || g.wasErased(d.key) {
		g.forceFlip(x)
	}
	d.flags |= alive
	g.count.identifiers++
	if d.flags&blocked != 0 {
		g.count.blocked++
	}
	if d.flags&fresh == 0 {
		g.touch(x) // Its first seen is another.
	}
	g.markFuse(x)
	g.restate(x)
	g.refreshAll(x)
}

func (g *Graph) wasErased(k identity.Key) bool {
	_, ok := g.erased[k]
	return ok
}

// firstLowered marks what reads the first seen of x.
func (g *Graph) firstLowered(x ref) {
	if g.nodes.at(x).flags&homed != 0 && g.ns(x).rule.Household {
		g.markHome(x) // It may name its household now.
	}
	h := g.nodes.at(x).head
	f := g.nodes.at(h).founder
	switch {
	case x == f:
		g.relink(h)
	case g.founds(x, f):
		g.markFounder(h)
	}
	if i := g.ns(x).limit; i >= 0 && g.limits[i].window > 0 {
		g.touch(x)
	}
}

// seeEdge adds the sighting of the pair x, y.
func (g *Graph) seeEdge(x, y ref, s sight) {
	pairs, domestic := g.pairs(x, y)
	if !pairs {
		return
	}
	if g.nodes.at(y).key < g.nodes.at(x).key {
		x, y = y, x
	}
	e := g.findEdge(x, y)
	if e == 0 {
		e = g.addEdge(x, y, domestic)
	}
	g.seenEdge(e, s)
}

// pairs reports whether x and y make an edge, and whether it is a domestic one.
func (g *Graph) pairs(x, y ref) (pairs, domestic bool) {
	household := g.ns(x).rule.Household
	domestic = household != g.ns(y).rule.Household
	return x != y && (!household || domestic), domestic
}

// seenEdge merges a sighting into e.
func (g *Graph) seenEdge(e ref, s sight) {
	d := g.edges.at(e)
	if d.flags&dead != 0 {
		d.flags &^= dead | trusted
		d.first, d.last, d.period = s.first, s.last, s.period
		if s.trusted {
			d.flags |= trusted
		}
		g.count.pairs++
		g.refresh(e)
		return
	}
	if d.rows == 0 && d.period != s.period {
		d.rows = g.addRow(row{period: d.period, first: d.first, last: d.last, trusted: d.flags&trusted != 0}, 0)
	}
	if d.rows != 0 {
		g.mergeRow(&d.rows, s)
	}
	g.seenAgain(e, s)
}

// seenAgain merges a sighting into an edge that counts already. A known pair that
// is not earlier, on no later day and no better trusted marks nothing: this is
// what nearly all traffic comes to.
func (g *Graph) seenAgain(e ref, s sight) {
	d := g.edges.at(e)
	if s.first < d.first {
		d.first = s.first
		g.markEdge(e)
	}
	if s.last > d.last {
		d.last = s.last
		if d.flags&open != 0 {
			g.markTenures(d)
		}
	}
	if s.trusted && d.flags&trusted == 0 {
		d.flags |= trusted
		g.refresh(e)
	}
}

package graph

import (
	"sync"

	"github.com/kindred-cdp/kindred/identity"
)

// plainMost is the number of identifiers up to which a component can be plain.
const plainMost = 15

// evaluatePlain evaluates the plain components of a graph that is evaluated for the
// first time, and returns identifiers of all others. Plain is what nearly every person
// is: few identifiers of which no decision, score or household value is known, nobody
// is generic or has a past tenure, the rules refuse no one, and no loose group has a
// pair to another group. Then steps 0 to 4 come to this: whoever has a stronger
// neighbour follows the first one, and the first seen of a group is its founder. That
// is written down at once, without the marks and lists by which the steps tell each
// other what to look at again, and is what they would leave.
//
// A component belongs to whoever begins with its first identifier; others turn back
// before they read what that one writes. So it is done side by side without a lock.
func (g *Graph) evaluatePlain() []ref {
	part := 16 * g.portion
	end := int(g.nodes.end())
	rest := make([][]ref, (end+part-1)/part)
	var counting sync.Mutex
	g.sideBySide(len(rest), func(i int) {
		p := plain{g: g, most: min(plainMost, g.heldFrom-1, g.rules.UnitCap, g.rules.GroupCap)}
		rest[i] = p.evaluate(ref(max(1, i*part)), ref(min(end, (i+1)*part)))
		counting.Lock()
		defer counting.Unlock()
		g.count.visits += p.visits
		g.work.touched ^= p.touched // The compiler must not think that nobody wants it.
	})
	n := 0
	for _, r := range rest {
		n += len(r)
	}
	all := make([]ref, 0, n)
	for _, r := range rest {
		all = append(all, r...)
	}
	return all
}

// plain is one component, and room for it.
type plain struct {
	g       *Graph
	most    int // identifiers of one
	n       int
	of      [plainMost]plainNode
	visits  int64
	touched ref
}

// plainNode is an identifier of a component.
type plainNode struct {
	x     ref
	node  *node
	space *namespace
	by    ref // the edge by which it follows, or 0
	leads int // place of the one that it follows
	head  int // place of the head of its group
	first ref // of heads: the founder of the group
}

// evaluate takes the components of which the first identifier is from x to before end.
func (p *plain) evaluate(x, end ref) (rest []ref) {
	for near := x; x < end; x++ {
		if x == near {
			near = p.touch(x, end)
		}
		if p.before(x, x) {
			continue
		}
		least, whole := p.walk(x)
		if least && !(whole && p.settle()) {
			rest = append(rest, x)
		}
	}
	return rest
}

// before reports whether x is known to have a neighbour before y. Of a load it is known,
// and spares most identifiers to look at an edge.
func (p *plain) before(x, y ref) bool {
	if int(x) >= len(p.g.lowest) {
		return false
	}
	least := p.g.lowest[x]
	return least != 0 && least < y
}

const (
	startsAtOnce = together / 4  // components that are touched at once
	edgesEach    = plainMost - 1 // of either end of the first edge: more of them are not plain
)

// touch reads what walks from the next identifiers come to, for many at once: see
// collector.touch. It reads nothing that settle writes.
func (p *plain) touch(x, end ref) (near ref) {
	g, n := p.g, 0
	var from, edges [2 * startsAtOnce]ref // an identifier and the next of its edges
	for ; x < end && n < startsAtOnce; x++ {
		if p.before(x, x) {
			continue
		}
		if d := g.nodes.at(x); d.live|d.parked != 0 {
			from[n], edges[n] = x, d.someEdge()
			n++
		}
	}
	near = x
	firsts, n := n, 0
	for i := range firsts {
		x := from[i]
		if y := g.edges.at(edges[i]).other(x); y > x && !p.before(y, x) {
			from[n], edges[n], from[startsAtOnce+n] = x, edges[i], y
			n++
		}
	}
	for i := range n {
		edges[startsAtOnce+i] = g.nodes.at(from[startsAtOnce+i]).someEdge()
	}
	for range edgesEach {
		left := ref(0)
		for i := range n {
			for _, i := range [2]int{i, startsAtOnce + i} {
				if edges[i] == 0 {
					continue
				}
				d := g.edges.at(edges[i])
				edges[i] = d.after(from[i])
				p.touched ^= ref(g.nodes.at(d.other(from[i])).key)
				left |= edges[i]
			}
		}
		if left == 0 {
			break
		}
	}
	return near
}

// walk collects what evidence connects with x. It reports whether x may be the first
// of it, and whether what was collected is all of it.
func (p *plain) walk(x ref) (least, whole bool) {
	g := p.g
	p.of[0].x, p.n = x, 1
	for i := 0; i < p.n; i++ {
		x := p.of[i].x
		d := g.nodes.at(x)
		for _, e := range [2]ref{d.live, d.parked} {
			for e != 0 {
				d := g.edges.at(e)
				y := d.other(x)
				if y < p.of[0].x || p.before(y, p.of[0].x) {
					return false, false
				}
				if !p.collect(y) {
					return true, false
				}
				e = d.after(x)
			}
		}
	}
	return true, true
}

// collect adds x; false where that is one too many.
func (p *plain) collect(x ref) bool {
	if p.place(x) < p.n {
		return true
	}
	if p.n >= p.most {
		return false
	}
	p.of[p.n].x = x
	p.n++
	return true
}

// place returns where x is, p.n if it is not there.
func (p *plain) place(x ref) int {
	i := 0
	for i < p.n && p.of[i].x != x {
		i++
	}
	return i
}

// settle evaluates the component if it is plain; if not, it changes nothing.
func (p *plain) settle() bool {
	g := p.g
	for i := range p.n {
		o := &p.of[i]
		o.node = g.nodes.at(o.x)
		o.space = &g.spaces[o.node.space]
		if o.node.flags&(generic|someCrowded|fused|aside|hasCannot|hasMust|statusDirty|fuseDirty|scored|homed) != 0 || p.n > p.most {
			return false
		}
	}
	if p.n == 1 {
		p.of[0].node.flags &^= plainDirty
		return true
	}
	for i := range p.n {
		if !p.choose(i) {
			return false
		}
	}
	for i := range p.n {
		h := i
		for p.of[h].by != 0 {
			h = p.of[h].leads
		}
		p.of[i].head = h
	}
	if !p.fits() || !p.apart() {
		return false
	}
	p.write()
	return true
}

// plainDirty is how identifiers of a plain component may have been marked.
const plainDirty = scanDirty | readmitDirty | founderDirty | tenureDirty

// choose finds whom the i-th follows: by its first edge to a stronger one. It reports
// false where not all of these link, or it may have past tenures.
func (p *plain) choose(i int) bool {
	g, o := p.g, &p.of[i]
	o.by = 0
	var least order
	stronger := 0
	for e := o.node.live; e != 0; {
		p.visits++
		d := g.edges.at(e)
		j := p.place(d.other(o.x))
		if rank := p.of[j].space.rank; rank < o.space.rank {
			stronger++
			at := order{
				weak: int32(o.space.rank), strong: int32(rank), first: d.first,
				low: g.nodes.at(d.a).key, high: g.nodes.at(d.b).key,
			}
			if o.by == 0 || at.compare(least) < 0 {
				o.by, o.leads, least = e, j, at
			}
		}
		if !d.linking() {
			return false
		}
		e = d.after(o.x)
	}
	if o.by != 0 && o.space.rule.Principal {
		return false // Whose group is a wall depends on the rules.
	}
	return o.space.gapDays <= 0 || stronger < 2 || p.oneTenure(o)
}

// oneTenure reports whether there is no hole in the edges of o to stronger ones: no
// edge but the first seen one begins later than the gap after all before it.
func (p *plain) oneTenure(o *plainNode) bool {
	g, n := p.g, 0
	var edges [plainMost]*edge // by first seen
	for e := o.node.live; e != 0; {
		d := g.edges.at(e)
		if g.ns(d.other(o.x)).rank < o.space.rank {
			i := n
			for ; i > 0 && d.first < edges[i-1].first; i-- {
				edges[i] = edges[i-1]
			}
			edges[i] = d
			n++
		}
		e = d.after(o.x)
	}
	last := edges[0].last
	for _, d := range edges[1:n] {
		if float64(identity.DayOfMillis(d.first)-last) > o.space.gapDays {
			return false
		}
		last = max(last, d.last)
	}
	return true
}

// fits reports whether no group holds more of anything than a limit allows, whatever
// its window.
func (p *plain) fits() bool {
	for i := range p.n {
		l := p.of[i].space.limit
		if l < 0 {
			continue
		}
		held := 0
		for j := range p.n {
			if p.of[j].head == p.of[i].head && p.of[j].space.limit == l {
				held++
			}
		}
		if held > p.g.limits[l].max {
			return false
		}
	}
	return true
}

// apart reports whether all edges that link lie inside of groups, or between walls.
func (p *plain) apart() bool {
	g := p.g
	for i := range p.n {
		for e := p.of[i].node.live; e != 0; {
			d := g.edges.at(e)
			if d.a == p.of[i].x {
				x, y := p.of[i].head, p.of[p.place(d.b)].head
				if x != y && !(p.of[x].space.rule.Principal && p.of[y].space.rule.Principal) {
					return false
				}
			}
			e = d.after(p.of[i].x)
		}
	}
	return true
}

// write writes down the groups and their founders.
func (p *plain) write() {
	g := p.g
	for i := range p.n {
		o := &p.of[i]
		o.node.flags &^= plainDirty
		o.first = o.x
		for _, e := range [2]ref{o.node.live, o.node.parked} {
			for e != 0 {
				d := g.edges.at(e)
				d.flags &^= edgeDirty
				e = d.after(o.x)
			}
		}
		if o.by != 0 {
			g.followBy(chosen{x: o.x, parent: p.of[o.leads].x, edge: o.by})
			o.node.head = p.of[o.head].x
		}
	}
	for i := range p.n {
		if h := &p.of[p.of[i].head]; g.founds(p.of[i].x, h.first) {
			h.first = p.of[i].x
		}
	}
	for i := range p.n {
		o := &p.of[i]
		if o.by == 0 {
			o.node.founder = o.first
		}
		if p.of[o.head].first != o.x {
			o.node.flags |= journaled
		}
	}
}

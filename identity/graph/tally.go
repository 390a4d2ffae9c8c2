package graph

import "slices"

// tally is what a set of nodes holds of everything that rules limit. The rules
// are hereditary: whatever fits a set fits each of its subsets. So if all fit
// together their order does not matter, and one more that fits displaces none.
type tally struct {
	size    int
	limited []quota // by limit; may be shorter than Graph.limits
	cannot  []ref   // members with cannot-links
	// Of kept tallies: how many were refused, or more; and, where ordered says
	// so, a place in the evidence order that no admitted one comes after.
	refused int
	ordered bool
	last    order
}

// quota is what a tally holds of one limited namespace.
type quota struct {
	n      int
	firsts []int64 // first seen of each, ascending; with a window only
}

func (t *tally) reset() {
	t.size, t.refused, t.ordered = 0, 0, false
	t.cannot = t.cannot[:0]
	for i := range t.limited {
		t.limited[i].n = 0
		t.limited[i].firsts = t.limited[i].firsts[:0]
	}
}

func (t *tally) quota(i int) *quota {
	for len(t.limited) <= i {
		t.limited = append(t.limited, quota{})
	}
	return &t.limited[i]
}

// add adds one identifier.
func (t *tally) add(g *Graph, x ref) {
	n := g.nodes.at(x)
	t.size++
	if n.flags&hasCannot != 0 {
		t.cannot = append(t.cannot, x)
	}
	i := g.ns(x).limit
	if i < 0 {
		return
	}
	q := t.quota(i)
	q.n++
	if g.limits[i].window > 0 {
		at, _ := slices.BinarySearch(q.firsts, n.first)
		q.firsts = slices.Insert(q.firsts, at, n.first)
	}
}

// drop removes one identifier whose first seen has not changed since add.
func (t *tally) drop(g *Graph, x ref) {
	n := g.nodes.at(x)
	t.size--
	t.cannot = slices.DeleteFunc(t.cannot, func(y ref) bool { return y == x })
	i := g.ns(x).limit
	if i < 0 {
		return
	}
	q := t.quota(i)
	q.n--
	if g.limits[i].window > 0 {
		if at, ok := slices.BinarySearch(q.firsts, n.first); ok {
			q.firsts = slices.Delete(q.firsts, at, at+1)
		}
	}
}

// merge adds all of u.
func (t *tally) merge(u *tally) {
	t.size += u.size
	t.cannot = append(t.cannot, u.cannot...)
	for i := range u.limited {
		q := t.quota(i)
		q.n += u.limited[i].n
		for _, first := range u.limited[i].firsts {
			at, _ := slices.BinarySearch(q.firsts, first)
			q.firsts = slices.Insert(q.firsts, at, first)
		}
	}
}

// remove takes all of u out again.
func (t *tally) remove(u *tally) {
	t.size -= u.size
	for _, x := range u.cannot {
		// Once: a node that leaves a cluster for its wall is in both for a while.
		if i := slices.Index(t.cannot, x); i >= 0 {
			t.cannot = slices.Delete(t.cannot, i, i+1)
		}
	}
	for i := range u.limited {
		q := t.quota(i)
		q.n -= u.limited[i].n
		for _, first := range u.limited[i].firsts {
			if at, ok := slices.BinarySearch(q.firsts, first); ok {
				q.firsts = slices.Delete(q.firsts, at, at+1)
			}
		}
	}
}

// fits reports whether t and u, each within the rules, may meet: whether no
// limit, cannot-link or cap would break. Limits do not apply inside one fused
// node, so only what both sides hold together can break one.
func (t *tally) fits(g *Graph, u *tally) bool {
	if t.size+u.size > g.rules.GroupCap {
		return false
	}
	for i := range min(len(t.limited), len(u.limited)) {
		a, b, l := &t.limited[i], &u.limited[i], g.limits[i]
		if a.n > 0 && b.n > 0 && a.n+b.n > l.max &&
			(l.window == 0 || crosses(a.firsts, b.firsts, l)) {
			return false
		}
	}
	return len(t.cannot) == 0 || len(u.cannot) == 0 || !g.forbidden(t.cannot, u.cannot)
}

// crosses reports whether more than l.max of a and b, some of each, are first
// seen inside one half-open window. Both are ascending.
func crosses(a, b []int64, l limit) bool {
	a = around(a, b[0]-l.window, b[len(b)-1]+l.window)
	i, j := 0, 0 // the window ends before a[i] and b[j]
	p, q := 0, 0 // and starts at a[p] and b[q]
	for i < len(a) || j < len(b) {
		var last int64
		if j == len(b) || i < len(a) && a[i] <= b[j] {
			last = a[i]
			i++
		} else {
			last = b[j]
			j++
		}
		for p < i && last-a[p] >= l.window {
			p++
		}
		for q < j && last-b[q] >= l.window {
			q++
		}
		if i > p && j > q && i-p+j-q > l.max {
			return true
		}
	}
	return false
}

// around returns the part of a, ascending, from from to to.
func around(a []int64, from, to int64) []int64 {
	i, _ := slices.BinarySearch(a, from)
	j, _ := slices.BinarySearch(a, to+1)
	return a[i:j]
}

// forbidden reports whether a cannot-link crosses from a to b.
func (g *Graph) forbidden(a, b []ref) bool {
	for _, x := range a {
		for _, k := range g.cannot[g.nodes.at(x).key] {
			if y := g.find(k); y != 0 && slices.Contains(b, y) {
				return true
			}
		}
	}
	return false
}

// nodeTally returns the tally of the node that x represents. It is valid until
// the next call.
func (g *Graph) nodeTally(x ref) *tally {
	t := &g.work.one
	t.reset()
	for _, m := range g.members(x) {
		t.add(g, m)
	}
	return t
}

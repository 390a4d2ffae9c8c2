package graph

import (
	"github.com/kindred-cdp/kindred/identity"
)

// row is what the sightings of one identifier or pair in one period say. Rows
// exist only where there are several periods; sources need no rows of their
// own, because trust is decided when a sighting is read and expiry takes whole
// periods.
type row struct {
	first   int64
	last    identity.Day
	period  identity.Period
	next    ref
	trusted bool
}

// period returns the period of the only row of n.
func (n *node) period() identity.Period { return identity.Period(int32(n.rows)) }

func (g *Graph) addRow(r row, next ref) ref {
	i := g.rows.add()
	r.next = next
	*g.rows.at(i) = r
	return i
}

// mergeRow merges s into the list at head.
func (g *Graph) mergeRow(head *ref, s sight) {
	for i := *head; i != 0; {
		r := g.rows.at(i)
		if r.period == s.period {
			r.first, r.last = min(r.first, s.first), max(r.last, s.last)
			r.trusted = r.trusted || s.trusted
			return
		}
		i = r.next
	}
	*head = g.addRow(row{period: s.period, first: s.first, last: s.last, trusted: s.trusted}, *head)
}

// dropRows removes the rows of periods before p and returns the union of the
// rest; false when there is none.
func (g *Graph) dropRows(head *ref, p identity.Period) (rest row, ok bool) {
	kept := ref(0)
	for i := *head; i != 0; {
		r := g.rows.at(i)
		next := r.next
		if r.period < p {
			g.rows.remove(i)
			i = next
			continue
		}
		if !ok {
			rest, ok = *r, true
		} else {
			rest.first, rest.last = min(rest.first, r.first), max(rest.last, r.last)
			rest.trusted = rest.trusted || r.trusted
		}
		r.next, kept = kept, i
		i = next
	}
	*head = kept
	return rest, ok
}

// freeRows removes a whole list.
func (g *Graph) freeRows(head *ref) {
	for i := *head; i != 0; {
		next := g.rows.at(i).next
		g.rows.remove(i)
		i = next
	}
	*head = 0
}

package graph

import (
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// Alone parts the members of a profile, as of the last flush, into those that are of
// this person alone and those that others were seen with as well: that have a pair
// with an identifier of another profile that names a person, and is as strong or
// stronger. A device or a cookie names nobody: of two that were seen together each is
// whose its other pairs say. A pair that is rejected or void says nothing, or else
// eleven invented logins beside an address would keep it for good; nor does one with a
// generic or blocked value, which is nobody's.
func (g *Graph) Alone(members []identity.Key) (alone, shared []identity.Key) {
	for _, k := range members {
		if x := g.find(k); x != 0 && g.shared(x) {
			shared = append(shared, k)
		} else {
			alone = append(alone, k)
		}
	}
	return alone, shared
}

func (g *Graph) shared(x ref) bool {
	n, ns, mine := g.nodes.at(x), g.ns(x), g.present(x)
	if n.flags&generic != 0 {
		return true
	}
	found := false
	g.eachEdge(x, func(e ref) {
		d := g.edges.at(e)
		y := d.other(x)
		rule := g.ns(y).rule
		found = found || d.flags&neighbours != 0 && g.ns(y).rank <= ns.rank && (rule.Principal || rule.Shieldable) &&
			g.nodes.at(y).flags&generic == 0 && g.present(y) != mine
	})
	return found
}

// Homes returns the household values that were seen with some of persons and with
// nothing else: an address or a landline that tells of nobody but them.
func (g *Graph) Homes(persons []identity.Key) (values []identity.Key) {
	theirs, met := map[ref]bool{}, map[ref]bool{}
	for _, k := range persons {
		theirs[g.find(k)] = true
	}
	for _, k := range persons {
		x := g.find(k)
		if x == 0 {
			continue
		}
		g.eachDomestic(x, func(e ref) {
			y := g.edges.at(e).other(x)
			if met[y] {
				return
			}
			met[y] = true
			only := true
			g.eachDomestic(y, func(e ref) {
				d := g.edges.at(e)
				only = only && (d.flags&dead != 0 || theirs[d.other(y)])
			})
			if only && g.nodes.at(y).flags&alive != 0 {
				values = append(values, g.nodes.at(y).key)
			}
		})
	}
	slices.Sort(values)
	return values
}

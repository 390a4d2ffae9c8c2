package graph

import "github.com/kindred-cdp/kindred/identity"

// home is what is kept of an identifier seen with household values, or of such
// a value: its domestic edges, which no step of persons reads. Only shown ones
// link; those of a value seen with too many profiles are all hidden.
type home struct {
	shown, hidden ref        // heads of its lists of edges
	household     *household // of values only
}

// household is a component of profiles and household values.
type household struct {
	id       identity.HouseholdID
	values   []ref
	profiles []ref // founders
}

// list returns the head of the list of domestic edges to which flags belong.
func (m *home) list(flags uint32) *ref {
	if flags&shown != 0 {
		return &m.shown
	}
	return &m.hidden
}

// settleIn gives x, an end of a domestic edge, a home.
func (g *Graph) settleIn(x ref) {
	n := g.nodes.at(x)
	if n.flags&homed != 0 {
		return
	}
	n.flags |= homed
	g.homes[x] = &home{}
	if !g.ns(x).rule.Household {
		g.tenants.put(x, n.head)
	}
}

// value returns the end of a domestic edge that is a household value.
func (g *Graph) value(d *edge) ref {
	if g.ns(d.a).rule.Household {
		return d.a
	}
	return d.b
}

func (g *Graph) markHome(v ref) {
	if g.postpones {
		g.work.atHome = append(g.work.atHome, v)
		return
	}
	g.mark(v, homeDirty, &g.work.homes)
}

// eachDomestic calls f for all domestic edges of x. f must move none.
func (g *Graph) eachDomestic(x ref, f func(ref)) {
	if g.nodes.at(x).flags&homed == 0 {
		return
	}
	g.eachIn(g.homes[x].shown, x, f)
	g.eachIn(g.homes[x].hidden, x, f)
}

// refreshHomes marks the household values seen with x, or x itself if it is
// one: its class changed, or its profile.
func (g *Graph) refreshHomes(x ref) { g.eachDomestic(x, g.refresh) }

// links reports whether a domestic edge counts: it is not rejected, neither end
// is blocked or gone, and the identifier is not generic.
func (g *Graph) links(d *edge) bool {
	return d.flags&(dead|rejected) == 0 && g.legible(d.a) && g.legible(d.b)
}

// Household returns the household of the profile that p, any id ever given out,
// stands for; false when it has none. It is as of the last flush.
func (g *Graph) Household(p identity.ProfileID) (identity.HouseholdID, bool) {
	x := g.find(identity.Key(p))
	if x == 0 {
		return 0, false
	}
	h := g.housed[g.founderOf(g.nodes.at(x).head)]
	if h == nil {
		return 0, false
	}
	return h.id, true
}

// Housemates returns the household of which id is, or was, the name: its
// values and its profiles, nil when there is none.
func (g *Graph) Housemates(id identity.HouseholdID) (values []identity.Key, profiles []identity.ProfileID) {
	x := g.find(identity.Key(id))
	if x == 0 || g.homes[x] == nil || g.homes[x].household == nil {
		return nil, nil
	}
	h := g.homes[x].household
	for _, v := range h.values {
		values = append(values, g.nodes.at(v).key)
	}
	for _, f := range h.profiles {
		profiles = append(profiles, identity.ProfileID(g.nodes.at(f).key))
	}
	return values, profiles
}

package graph

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// households brings the households around what changed up to date. It runs when
// the profiles are known, and changes none. As with units, a household that no
// change touches stays: what came or went ends at a value or a profile that is
// marked here, and the households of these are dropped and found again.
func (g *Graph) households() {
	if len(g.homes) == 0 {
		return
	}
	w := &g.work
	for _, o := range w.journal {
		n := g.nodes.at(o.x)
		if n.flags&homed == 0 || g.ns(o.x).rule.Household {
			continue
		}
		if g.present(o.x) == o.profile && n.flags&fresh == 0 {
			continue
		}
		g.refreshHomes(o.x)
		g.unhouse(g.nodes.at(o.x).head)
		if p := g.find(identity.Key(o.profile)); p != 0 {
			g.unhouse(g.nodes.at(p).head)
		}
	}
	for i := 0; i < len(w.homes); i++ {
		v := w.homes[i]
		g.nodes.at(v).flags &^= homeDirty
		g.show(v)
		g.dropHousehold(g.homes[v].household)
	}
	s := search{g: g, over: map[ref]bool{}}
	for _, v := range w.homes {
		s.from(v, true)
	}
	for _, h := range w.unhoused {
		s.from(h, false)
	}
	w.homes, w.unhoused = w.homes[:0], w.unhoused[:0]
}

// unhouse drops the household of the profile of head h, and marks what it will
// be in.
func (g *Graph) unhouse(h ref) {
	g.dropHousehold(g.housed[g.founderOf(h)])
	g.work.unhoused = append(g.work.unhoused, h)
}

// dropHousehold forgets h and marks its values.
func (g *Graph) dropHousehold(h *household) {
	if h == nil || g.homes[h.values[0]].household != h {
		return
	}
	for _, v := range h.values {
		g.homes[v].household = nil
		g.markHome(v)
	}
	for _, f := range h.profiles {
		delete(g.housed, f)
		g.noteHousehold(f, h.id)
	}
}

// noteHousehold notes the household that the profile of founder f had at the
// last flush.
func (g *Graph) noteHousehold(f ref, id identity.HouseholdID) {
	if g.work.housed == nil {
		g.work.housed = map[ref]identity.HouseholdID{}
	}
	if _, ok := g.work.housed[f]; !ok {
		g.work.housed[f] = id
	}
}

// rehoused returns whose household changed, ascending by profile.
func (g *Graph) rehoused() []Rehousing {
	var list []Rehousing
	for f, old := range g.work.housed {
		r := Rehousing{Profile: identity.ProfileID(g.nodes.at(f).key), Old: old}
		if h := g.housed[f]; h != nil {
			r.New = h.id
		}
		if r.New != r.Old {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b Rehousing) int { return cmp.Compare(a.Profile, b.Profile) })
	clear(g.work.housed)
	return list
}

// show decides which edges of v link. If v is seen with too many profiles none
// does: then only those that did so far are read.
func (g *Graph) show(v ref) {
	m := g.homes[v]
	if g.crowdedHome(v) {
		g.eachIn(m.shown, v, func(e ref) { g.flipShown(e, v) })
		return
	}
	for _, list := range [2]ref{m.shown, m.hidden} {
		g.eachIn(list, v, func(e ref) {
			if d := g.edges.at(e); g.links(d) != (d.flags&shown != 0) {
				g.flipShown(e, v)
			}
		})
	}
}

// flipShown shows or hides e, an edge of v.
func (g *Graph) flipShown(e, v ref) {
	d := g.edges.at(e)
	g.unlink(e)
	d.flags ^= shown
	g.link(e)
	g.unhouse(g.nodes.at(d.other(v)).head)
}

// crowdedHome reports whether v is seen with more profiles than its fan-out. It
// reads until it knows: at most the identifiers of so many profiles.
func (g *Graph) crowdedHome(v ref) bool {
	m, most := g.homes[v], g.ns(v).rule.FanOutUp
	var room [16]ref
	met := room[:0]
	for _, list := range [2]ref{m.shown, m.hidden} {
		for e := list; e != 0; e = g.edges.at(e).after(v) {
			g.count.visits++
			d := g.edges.at(e)
			if !g.links(d) {
				continue
			}
			f := g.founderOf(g.nodes.at(d.other(v)).head)
			if !slices.Contains(met, f) {
				met = append(met, f)
			}
			if len(met) > most {
				return true
			}
		}
	}
	return false
}

// search finds households. A component of more than C values and profiles is
// none.
type search struct {
	g    *Graph
	over map[ref]bool // values and founders known to be in one beyond C
	at   map[ref]bool // values and founders of this component
	// beyond says that this component is beyond C.
	beyond bool
	// What is found, and how much of it has been read.
	values, profiles, heads []ref
}

// from finds the household of a value, or of the profile of a head.
func (s *search) from(x ref, value bool) {
	g := s.g
	s.at, s.beyond = map[ref]bool{}, false
	s.values, s.profiles, s.heads = nil, nil, nil
	if value {
		if m := g.homes[x]; m.household != nil || m.shown == 0 || s.over[x] {
			return
		}
		s.meetValue(x)
	} else {
		f := g.founderOf(g.nodes.at(x).head)
		if g.housed[f] != nil || s.over[f] {
			return
		}
		s.meetProfile(x)
	}
	if !s.spread() {
		for x := range s.at {
			s.over[x] = true
		}
		return
	}
	if len(s.values) > 0 {
		s.found()
	}
}

// spread finds the rest of the component; false as soon as it is beyond C.
func (s *search) spread() bool {
	g := s.g
	for i, j := 0, 0; !s.beyond && (i < len(s.values) || j < len(s.heads)); {
		if i < len(s.values) {
			v := s.values[i]
			i++
			for e := g.homes[v].shown; e != 0 && !s.beyond; e = g.edges.at(e).after(v) {
				g.count.visits++
				s.meetProfile(g.nodes.at(g.edges.at(e).other(v)).head)
			}
		} else {
			h := s.heads[j]
			j++
			for _, h := range g.whole(h) {
				g.tenants.each(h, s.readTenant)
			}
		}
	}
	return !s.beyond
}

// readTenant meets the values seen with x.
func (s *search) readTenant(x ref) {
	g := s.g
	for e := g.homes[x].shown; e != 0 && !s.beyond; e = g.edges.at(e).after(x) {
		g.count.visits++
		s.meetValue(g.edges.at(e).other(x))
	}
}

func (s *search) meetValue(v ref) {
	if !s.at[v] {
		s.meet(v)
		s.values = append(s.values, v)
	}
}

func (s *search) meetProfile(h ref) {
	h = s.g.nodes.at(h).head
	if f := s.g.founderOf(h); !s.at[f] {
		s.meet(f)
		s.profiles = append(s.profiles, f)
		s.heads = append(s.heads, h)
	}
}

// meet adds a value or a founder. One that is known to be beyond C is as good
// as all that is around it.
func (s *search) meet(x ref) {
	s.at[x] = true
	s.beyond = s.beyond || s.over[x] || len(s.at) > s.g.rules.UnitCap
}

// found makes a household of what is found.
func (s *search) found() {
	g := s.g
	h := &household{values: s.values, profiles: s.profiles}
	first := h.values[0]
	for _, v := range h.values[1:] {
		if g.founds(v, first) {
			first = v
		}
	}
	h.id = identity.HouseholdID(g.nodes.at(first).key)
	for _, v := range h.values {
		g.homes[v].household = h
	}
	for _, f := range h.profiles {
		g.noteHousehold(f, 0)
		g.housed[f] = h
	}
}

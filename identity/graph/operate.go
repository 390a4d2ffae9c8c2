package graph

import (
	"math"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// State is what a decision about one identifier depends on.
type State struct {
	Namespace identity.Namespace // empty where nothing is known of it, counted or not
	Known     bool               // has a counted sighting
	Household bool               // links households, never persons
	// ByRules and ByDecision say who blocks it.
	ByRules, ByDecision bool
}

// State returns the state of k.
func (g *Graph) State(k identity.Key) State {
	x := g.find(k)
	if x == 0 {
		return State{}
	}
	f := g.nodes.at(x).flags
	return State{
		Namespace: g.ns(x).name, Known: f&alive != 0, Household: g.ns(x).rule.Household,
		ByRules: f&ruleBlocked != 0, ByDecision: f&opBlocked != 0,
	}
}

// Across is what holds two parts of a profile together, each list ascending and
// each pair in key order.
type Across struct {
	// Pairs were seen together or scored, and are not rejected yet.
	Pairs [][2]identity.Key
	// Fused are must-linked.
	Fused [][2]identity.Key
	// Founders are the least (first seen, key) of either part.
	Founders [2]identity.Key
}

// Across returns what holds the two parts together, as of the last flush. The
// parts must have known identifiers only and share none. Pairs of identifiers
// with household values hold no person and are not among it.
func (g *Graph) Across(leaving, staying []identity.Key) Across {
	var sides [2]map[ref]bool
	var a Across
	degree := [2]int{}
	for i, part := range [2][]identity.Key{leaving, staying} {
		sides[i] = make(map[ref]bool, len(part))
		founder := ref(0)
		for _, k := range part {
			x := g.find(k)
			sides[i][x] = true
			degree[i] += int(g.nodes.at(x).degree)
			if founder == 0 || g.founds(x, founder) {
				founder = x
			}
		}
		a.Founders[i] = g.nodes.at(founder).key
	}
	near, far := sides[0], sides[1]
	if degree[1] < degree[0] { // A hub is read from its other end.
		near, far = far, near
	}
	pairs := map[[2]identity.Key]bool{}
	for x := range near {
		g.acrossFrom(x, far, pairs, &a)
	}
	for pair := range pairs {
		a.Pairs = append(a.Pairs, pair)
	}
	slices.SortFunc(a.Pairs, byKeys)
	slices.SortFunc(a.Fused, byKeys)
	return a
}

// acrossFrom adds what holds x to those of far.
func (g *Graph) acrossFrom(x ref, far map[ref]bool, pairs map[[2]identity.Key]bool, a *Across) {
	k := g.nodes.at(x).key
	add := func(y ref) {
		pair := inOrder(k, g.nodes.at(y).key)
		if far[y] && !g.stands(identity.Reject, pair[0], pair[1]) {
			pairs[pair] = true
		}
	}
	g.eachEdge(x, func(e ref) {
		if d := g.edges.at(e); d.flags&dead == 0 {
			add(d.other(x))
		}
	})
	if r := g.scored[x]; r != nil {
		for _, l := range r.links {
			add(l.to)
		}
	}
	for _, other := range g.must[k] {
		if y := g.find(other); y != 0 && far[y] {
			a.Fused = append(a.Fused, inOrder(k, other))
		}
	}
}

func inOrder(a, b identity.Key) [2]identity.Key { return [2]identity.Key{min(a, b), max(a, b)} }

func byKeys(a, b [2]identity.Key) int {
	if a[0] != b[0] {
		if a[0] < b[0] {
			return -1
		}
		return 1
	}
	switch {
	case a[1] < b[1]:
		return -1
	case a[1] > b[1]:
		return 1
	}
	return 0
}

// Meeting is what a link of two identifiers meets.
type Meeting struct {
	Fused bool // they are one node already
	// CannotLinks stand between members of the two profiles, each in key order.
	CannotLinks [][2]identity.Key
	// Limits are the namespaces of which one profile of both would hold more
	// than it may, the strongest first.
	Limits []identity.Namespace
	// Beyond are pairs, each in key order, that fuse all identifiers of each of
	// these namespaces in the two profiles: within one node no limit applies.
	Beyond [][2]identity.Key
	Size   bool // one profile of both would be beyond the cap of groups
}

// Meeting returns what a link of a and b, both known, meets, as of the last
// flush.
func (g *Graph) Meeting(a, b identity.Key) Meeting {
	var m Meeting
	x, y := g.find(a), g.find(b)
	m.Fused = g.rep(x) == g.rep(y)
	if m.Fused || g.present(x) == g.present(y) {
		return m // What is one profile broke nothing.
	}
	t, u := g.profileTally(x), g.profileTally(y)
	m.Size = t.size+u.size > g.rules.GroupCap
	for i := range min(len(t.limited), len(u.limited)) {
		p, q, l := &t.limited[i], &u.limited[i], g.limits[i]
		if p.n > 0 && q.n > 0 && p.n+q.n > l.max && (l.window == 0 || crosses(p.firsts, q.firsts, l)) {
			m.Limits = append(m.Limits, g.limited(i))
			m.Beyond = append(m.Beyond, g.chain(i, x, y)...)
		}
	}
	slices.SortFunc(m.Beyond, byKeys)
	slices.SortFunc(m.Limits, func(a, b identity.Namespace) int {
		if d := g.spaces[g.spaceOf[a]].rank - g.spaces[g.spaceOf[b]].rank; d != 0 {
			return d
		}
		if a < b {
			return -1
		}
		return 1
	})
	for _, z := range t.cannot {
		k := g.nodes.at(z).key
		for _, other := range g.cannot[k] {
			if o := g.find(other); o != 0 && slices.Contains(u.cannot, o) {
				m.CannotLinks = append(m.CannotLinks, inOrder(k, other))
			}
		}
	}
	slices.SortFunc(m.CannotLinks, byKeys)
	return m
}

// chain returns pairs that fuse what the profiles of x and y hold of a limit.
func (g *Graph) chain(i int, x, y ref) [][2]identity.Key {
	var keys []identity.Key
	for _, z := range [2]ref{x, y} {
		g.eachMember(g.nodes.at(z).head, func(m ref) bool {
			if g.ns(m).limit == i {
				keys = append(keys, g.nodes.at(m).key)
			}
			return true
		})
	}
	slices.Sort(keys)
	var pairs [][2]identity.Key
	for j := 1; j < len(keys); j++ {
		pairs = append(pairs, [2]identity.Key{keys[j-1], keys[j]})
	}
	return pairs
}

// limited returns the namespace of a limit.
func (g *Graph) limited(i int) identity.Namespace {
	s := slices.IndexFunc(g.spaces, func(s namespace) bool { return s.limit == i })
	return g.spaces[s].name // Every limit is of a namespace.
}

// profileTally returns what the profile of x holds.
func (g *Graph) profileTally(x ref) *tally {
	t := &tally{}
	for _, h := range slices.Clone(g.whole(g.nodes.at(x).head)) {
		for _, m := range g.group(h, math.MaxInt) {
			t.add(g, m)
		}
	}
	return t
}

// Each calls visit for every identifier ever seen, with its namespace and its
// profile as of the last flush, until visit returns false.
func (g *Graph) Each(visit func(identity.Key, identity.Namespace, identity.ProfileID) bool) {
	g.EachFrom(0, visit)
}

// EachFrom is Each, from a place on; 0 is the first. It returns the place after
// the last identifier visited, or 0 when there is none any more. Identifiers keep
// their places, and new ones come at the end, also while places are held.
func (g *Graph) EachFrom(place uint32, visit func(identity.Key, identity.Namespace, identity.ProfileID) bool) uint32 {
	for x := max(1, place); x < g.nodes.end(); x++ {
		if !visit(g.nodes.at(x).key, g.ns(x).name, g.present(x)) {
			return x + 1
		}
	}
	return 0
}

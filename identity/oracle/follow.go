package oracle

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// group is a head and the nodes that follow it, directly or through others.
type group struct {
	members  []identity.Key // the head's first
	setAside bool
	fixed    bool
}

// follow is step 2.
//
// "A node follows, by the ≺-least eligible pair, a node of strictly smaller
// rank. … A tree admits its members in ≺ order, unless a limit, a cannot-link
// or the size cap G would break; a refused node is set aside: it heads a group
// of its own with its followers."
//
// The ≺ order over all trees at once is the ≺ order in each; and a follower
// comes after the node that it follows, whose own pair has a stronger weaker
// end.
func (e *evaluation) follow() {
	slices.SortFunc(e.pairs, e.order)
	parentPair := map[*class]pair{}
	parent := map[*class]*class{}
	for _, p := range e.pairs {
		a, b := e.class[p.low], e.class[p.high]
		if a.rank < b.rank {
			a, b = b, a // a is the weaker node.
		}
		if a.rank != b.rank && parent[a] == nil {
			parent[a], parentPair[a] = b, p
		}
	}
	e.group = map[*class]*group{}
	var followers []*class
	for _, c := range e.classes() {
		if parent[c] == nil {
			e.newGroup(c, false)
		} else {
			followers = append(followers, c)
		}
	}
	slices.SortFunc(followers, func(a, b *class) int { return e.order(parentPair[a], parentPair[b]) })
	for _, c := range followers {
		g := e.group[parent[c]]
		if !e.fits(g.members, c.members) {
			e.newGroup(c, true)
			continue
		}
		g.members = append(g.members, c.members...)
		e.group[c] = g
		e.tie(parentPair[c], identity.HopFollows)
	}
}

// tie notes a pair that holds a profile together.
func (e *evaluation) tie(p pair, kind identity.HopKind) {
	e.ties[[2]identity.Key{p.low, p.high}] = kind
}

// newGroup makes c the head of a group.
//
// "A group headed by a principal or by a set-aside node is fixed; the others
// are loose."
func (e *evaluation) newGroup(c *class, setAside bool) {
	g := &group{members: slices.Clone(c.members), setAside: setAside, fixed: setAside || c.principal}
	e.group[c] = g
	e.groups = append(e.groups, g)
}

// classes returns the nodes by their least key.
func (e *evaluation) classes() []*class {
	var list []*class
	for k, c := range e.class {
		if c.members[0] == k {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *class) int { return cmp.Compare(a.members[0], b.members[0]) })
	return list
}

// groupOf returns the group of an identifier.
func (e *evaluation) groupOf(k identity.Key) *group { return e.group[e.class[k]] }

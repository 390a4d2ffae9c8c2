package graph

import (
	"math"
	"slices"
	"unsafe"

	"github.com/kindred-cdp/kindred/identity"
)

// Profile returns the profile of k as of the last flush: its own key when it
// is unknown, gone or blocked, zero when it is a household value.
func (g *Graph) Profile(k identity.Key) identity.ProfileID {
	x := g.find(k)
	if x == 0 {
		return identity.ProfileID(k)
	}
	return g.present(x)
}

// Known reports whether k may have been seen, also where no sighting of it
// counts any more. False is certain: since New the graph was given no sighting
// of k. Where sightings expire they leave no trace, and nothing is certain of a
// key that has no node.
func (g *Graph) Known(k identity.Key) bool {
	if g.find(k) != 0 {
		return true
	}
	return g.forgets && (g.wasErased(k) || slices.ContainsFunc(g.spaces, func(s namespace) bool { return s.expired }))
}

// Members returns the identifiers of the profile that p, any id ever given
// out, stands for now: ascending, nil when there are none.
func (g *Graph) Members(p identity.ProfileID) []identity.Key {
	x := g.find(identity.Key(p))
	if x == 0 || g.nodes.at(x).flags&alive == 0 || g.ns(x).rule.Household {
		return nil
	}
	var keys []identity.Key
	for _, h := range g.whole(g.nodes.at(x).head) {
		for _, m := range g.group(h, math.MaxInt) {
			keys = append(keys, g.nodes.at(m).key)
		}
	}
	slices.Sort(keys)
	return keys
}

// whole returns the heads of the groups that make the profile of head h. The
// result is valid until the next call.
func (g *Graph) whole(h ref) []ref {
	if g.nodes.at(h).flags&bonded != 0 {
		return g.bonds[h].heads
	}
	return g.profile(h)
}

// Tenures returns the past tenures of a moving identifier, earliest first. An
// event of its time goes to the owner of the first tenure with time < Until, a
// later one is the identifier's own.
func (g *Graph) Tenures(k identity.Key) []Tenure {
	x := g.find(k)
	if x == 0 {
		return nil
	}
	return slices.Clone(g.tenures[x])
}

// Moving reports whether k is known and of a namespace that moves between people:
// the time of an event may then tell whose it is.
func (g *Graph) Moving(k identity.Key) bool {
	x := g.find(k)
	return x != 0 && g.ns(x).gapDays > 0
}

// Deciding returns the member that decides to whom a set belongs, by the
// classes of the last flush: of those that are neither gone nor household
// values the one of least (rank, key) that is neither blocked nor generic, or
// else the least of them; false where there are none. It reads keys only.
func (g *Graph) Deciding(members []identity.Node) (identity.Key, bool) {
	best, bestMute, bestRank := identity.Key(0), false, 0
	for _, m := range members {
		x := g.find(m.Key)
		if x == 0 || g.nodes.at(x).flags&alive == 0 || g.ns(x).rule.Household {
			continue
		}
		mute := g.nodes.at(x).flags&(blocked|generic) != 0
		rank := g.ns(x).rank
		var better bool
		switch {
		case best == 0:
			better = true
		case mute != bestMute:
			better = bestMute
		case rank != bestRank:
			better = rank < bestRank
		default:
			better = m.Key < best
		}
		if better {
			best, bestMute, bestRank = m.Key, mute, rank
		}
	}
	return best, best != 0
}

// Stats are figures of the ledger as of the last flush.
type Stats struct {
	Identifiers int // with a counted sighting
	Pairs       int // with a counted sighting, those with household values included
	Generic     int // identifiers seen with too many
	Blocked     int // identifiers blocked by the rules or a decision
	// Profiles is the number of distinct profiles of identifiers that are not
	// gone, blocked, generic or household values, and Merges the number of
	// those identifiers less Profiles.
	Profiles, Merges int
	Visits           int64 // edges looked at since New
	Bytes            int   // of pages and indexes; side maps not included
}

// Stats counts. It reads every identifier once.
func (g *Graph) Stats() Stats {
	s := Stats{
		Identifiers: g.count.identifiers,
		Pairs:       g.count.pairs,
		Generic:     g.count.generic,
		Blocked:     g.count.blocked,
		Visits:      g.count.visits,
	}
	counted := 0
	seen := make([]uint64, g.nodes.end()/64+1)
	for x := ref(1); x < g.nodes.end(); x++ {
		n := g.nodes.at(x)
		if n.flags&(alive|blocked|generic) != alive || g.ns(x).rule.Household {
			continue
		}
		counted++
		f := g.founderOf(n.head)
		if seen[f/64]&(1<<(f%64)) == 0 {
			seen[f/64] |= 1 << (f % 64)
			s.Profiles++
		}
	}
	s.Merges = counted - s.Profiles
	s.Bytes = len(g.nodes.page)*pageSize*int(unsafe.Sizeof(node{})) +
		len(g.edges.page)*pageSize*int(unsafe.Sizeof(edge{})) +
		len(g.rows.page)*pageSize*int(unsafe.Sizeof(row{})) +
		g.byKey.bytes() + g.byEnds.bytes() + 4*(len(g.placed.nodes)+len(g.placed.edges))
	return s
}

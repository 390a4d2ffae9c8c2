package graph

import (
	"math"

	"github.com/kindred-cdp/kindred/identity"
)

// founds reports whether x comes before f, the founder of its profile so far.
func (g *Graph) founds(x, f ref) bool {
	a, b := g.nodes.at(x), g.nodes.at(f)
	if x == f || a.first > b.first {
		return false
	}
	return a.first < b.first || a.key < b.key
}

// found finds the founders of the marked profiles: the least (first seen, key).
func (g *Graph) found() {
	for _, h := range g.work.founder {
		if g.nodes.at(h).flags&founderDirty == 0 {
			continue
		}
		g.nodes.at(h).flags &^= founderDirty
		if g.isHead(h) {
			g.foundProfile(g.profile(h))
		}
	}
	g.work.founder = g.work.founder[:0]
}

func (g *Graph) foundProfile(heads []ref) {
	f := ref(0)
	for _, h := range heads {
		g.nodes.at(h).flags &^= founderDirty
		for _, x := range g.group(h, math.MaxInt) {
			if f == 0 || g.founds(x, f) {
				f = x
			}
		}
	}
	g.adopt(heads, f)
}

// adopt makes f the founder of groups.
func (g *Graph) adopt(heads []ref, f ref) {
	for _, h := range heads {
		if g.nodes.at(h).founder == f {
			continue
		}
		g.journalGroup(h)
		g.nodes.at(h).founder = f
		g.relink(h)
	}
}

// old is a note of what an identifier was at the last flush.
type old struct {
	x       ref
	profile identity.ProfileID
}

// journal notes the profile that x had at the last flush. It must be called
// before the head of x, or the founder or the bond of that head, changes.
func (g *Graph) journal(x ref) {
	n := g.nodes.at(x)
	if n.flags&journaled == 0 {
		n.flags |= journaled
		g.work.journal = append(g.work.journal, old{x, g.profileOf(x)})
	}
}

// journalGroup notes the profiles of all in the group of h.
func (g *Graph) journalGroup(h ref) {
	for _, x := range g.group(h, math.MaxInt) {
		g.journal(x)
	}
}

// profileOf returns the profile of x; zero for a household value.
func (g *Graph) profileOf(x ref) identity.ProfileID {
	if n := g.nodes.at(x); n.flags&fresh != 0 {
		return identity.ProfileID(n.key)
	}
	return g.present(x)
}

// present returns the profile of x as it is now.
func (g *Graph) present(x ref) identity.ProfileID {
	if g.ns(x).rule.Household {
		return 0
	}
	return identity.ProfileID(g.nodes.at(g.founderOf(g.nodes.at(x).head)).key)
}

// flip is a note of the classes that an identifier had at the last flush.
type flip struct {
	x     ref
	class uint32
}

// class returns what decides whether x may decide a set.
func (g *Graph) class(x ref) uint32 {
	f := g.nodes.at(x).flags
	if f&alive == 0 {
		return 0
	}
	c := f & (alive | generic)
	if f&blocked != 0 {
		c |= ruleBlocked
	}
	return c
}

// noteFlip notes the classes of x before they change. A new identifier has
// none: the sets that hold it are new too.
func (g *Graph) noteFlip(x ref) {
	if g.nodes.at(x).flags&fresh == 0 {
		g.forceFlip(x)
	}
}

func (g *Graph) forceFlip(x ref) {
	n := g.nodes.at(x)
	if n.flags&flipNoted == 0 {
		n.flags |= flipNoted
		g.work.flips = append(g.work.flips, flip{x, g.class(x)})
	}
}

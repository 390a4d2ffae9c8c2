package oracle

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// admitClaims is step 4.
//
// "A fixed group admits the clusters that claim it in ≺ order of the claiming
// pair, under the same rules. A refused cluster is a profile of its own; it
// tries no one else."
func (e *evaluation) admitClaims() {
	claiming := slices.DeleteFunc(slices.Clone(e.clusters), func(c *cluster) bool { return c.claim == nil })
	slices.SortFunc(claiming, func(a, b *cluster) int { return e.order(a.by, b.by) })
	for _, c := range claiming {
		if !e.fits(c.claim.members, c.members) {
			c.claim = nil
			continue
		}
		c.claim.members = append(c.claim.members, c.members...)
		e.tie(c.by, identity.HopClaimed)
	}
}

// partition returns the members of every profile as step 4 leaves it.
func (e *evaluation) partition() [][]identity.Key {
	var profiles [][]identity.Key
	for _, g := range e.groups {
		if g.fixed {
			profiles = append(profiles, g.members)
		}
	}
	for _, c := range e.clusters {
		if c.claim == nil {
			profiles = append(profiles, c.members)
		}
	}
	return profiles
}

// founder: "ProfileID = key of the founder, the least (first seen, key)."
func (e *evaluation) founder(members []identity.Key) identity.ProfileID {
	return identity.ProfileID(slices.MinFunc(members, func(a, b identity.Key) int {
		return cmp.Or(cmp.Compare(e.firstSeen[a], e.firstSeen[b]), cmp.Compare(a, b))
	}))
}

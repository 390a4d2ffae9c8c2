package oracle

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// household is a set of household values and the profiles seen with them.
type household struct {
	id       identity.HouseholdID
	values   []identity.Key
	profiles []int // positions in evaluation.profiles
}

// keepDomestic notes the counted pairs of an identifier and a household value,
// which step 0 drops: no step reads them.
func (e *evaluation) keepDomestic() {
	for _, p := range e.pairs {
		if e.rule(p.low).Household != e.rule(p.high).Household {
			e.domestic = append(e.domestic, p)
		}
	}
}

// findHouseholds runs when all persons are known, and changes none.
//
// "A household is a component of profile–household-value edges after step 5,
// values over fan-out 12 left out, id = key of its least (first seen, key)
// value; no person step reads it."
func (e *evaluation) findHouseholds() {
	seen := e.seenWith()
	var found []household
	for value, profiles := range seen {
		if len(profiles) > e.rule(value).FanOutUp {
			continue
		}
		h := household{values: []identity.Key{value}}
		for p := range profiles {
			h.profiles = append(h.profiles, p)
		}
		// Swallow what shares a profile; the rest shares none with each other.
		found = slices.DeleteFunc(found, func(o household) bool {
			touches := slices.ContainsFunc(o.profiles, func(p int) bool { return profiles[p] })
			if touches {
				h.values = append(h.values, o.values...)
				h.profiles = append(h.profiles, o.profiles...)
			}
			return touches
		})
		found = append(found, h)
	}
	for _, h := range found {
		slices.Sort(h.profiles)
		h.profiles = slices.Compact(h.profiles)
		if len(h.values)+len(h.profiles) > e.rules.UnitCap {
			continue
		}
		h.id = identity.HouseholdID(slices.MinFunc(h.values, func(a, b identity.Key) int {
			return cmp.Or(cmp.Compare(e.firstSeen[a], e.firstSeen[b]), cmp.Compare(a, b))
		}))
		e.households = append(e.households, h)
	}
}

// seenWith returns the distinct profiles of each household value.
func (e *evaluation) seenWith() map[identity.Key]map[int]bool {
	of := map[identity.Key]int{}
	for i, members := range e.profiles {
		for _, k := range members {
			of[k] = i
		}
	}
	seen := map[identity.Key]map[int]bool{}
	for _, p := range e.domestic {
		value, k := p.low, p.high
		if !e.rule(value).Household {
			value, k = k, value
		}
		if e.blocked(value) || e.blocked(k) || e.generic[k] ||
			e.stands(identity.Reject, value, k) || e.stands(identity.CannotLink, value, k) {
			continue
		}
		if seen[value] == nil {
			seen[value] = map[int]bool{}
		}
		seen[value][of[k]] = true
	}
	return seen
}

package oracle

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// evaluation is the work sheet of one Evaluate: each step reads what earlier
// steps wrote, and writes its own part.
type evaluation struct {
	*Oracle

	// Counted sightings. An identifier that is not in firstSeen is gone.
	firstSeen map[identity.Key]int64

	// Step 0. pairs are the pairs that no sub-step has dropped so far.
	pairs   []pair
	generic map[identity.Key]bool
	crowded map[identity.Key]map[identity.Namespace]bool
	tenures map[identity.Key][]tenure
	dropped map[[2]identity.Key]identity.BarrierKind

	// Step 1.
	class map[identity.Key]*class

	// Steps 2 to 4.
	group    map[*class]*group
	groups   []*group
	clusters []*cluster

	ties map[[2]identity.Key]identity.HopKind // what steps 2 to 4 accepted

	// Step 5: the members of every profile, and those that step 4 left.
	profiles [][]identity.Key
	supers   map[identity.Key]int

	// Households.
	domestic   []pair // counted pairs of an identifier and a household value
	households []household
}

func newEvaluation(o *Oracle) *evaluation {
	return &evaluation{
		Oracle:  o,
		dropped: map[[2]identity.Key]identity.BarrierKind{},
		ties:    map[[2]identity.Key]identity.HopKind{},
		supers:  map[identity.Key]int{},
	}
}

// pair is a pair of identifiers with the counted evidence for it.
type pair struct {
	low, high identity.Key
	first     int64        // first seen, milliseconds since 1970 UTC
	last      identity.Day // last seen
	trusted   bool
}

// other returns the end of p that is not k.
func (p pair) other(k identity.Key) identity.Key {
	if p.low == k {
		return p.high
	}
	return p.low
}

// countSightings finds the identifiers that are not gone and their pairs.
//
// "First seen is the least event time where the source is trusted and the
// least received time where it is not; last seen alike. A pair is trusted if
// one of its counted rows is. An identifier without a counted sighting is gone:
// it is in no set of decisions below."
func (e *evaluation) countSightings() {
	e.firstSeen = map[identity.Key]int64{}
	pairs := map[[2]identity.Key]pair{}
	for s := range e.sightings {
		if !e.counts(s) {
			continue
		}
		p := e.read(s)
		if s.high == 0 {
			if old, ok := e.firstSeen[s.low]; !ok || p.first < old {
				e.firstSeen[s.low] = p.first
			}
			continue
		}
		k := [2]identity.Key{s.low, s.high}
		if old, ok := pairs[k]; ok {
			p.first, p.last = min(p.first, old.first), max(p.last, old.last)
			p.trusted = p.trusted || old.trusted
		}
		pairs[k] = p
	}
	for _, p := range pairs {
		if !e.gone(p.low) && !e.gone(p.high) {
			e.pairs = append(e.pairs, p)
		}
	}
	// The steps read sets, so this order only makes failures repeat.
	slices.SortFunc(e.pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high))
	})
}

// read returns what one sighting says, by the trust of its source.
func (e *evaluation) read(s sighting) pair {
	if e.rules.Trusted(s.source) {
		return pair{low: s.low, high: s.high, first: s.span.FirstEvent, last: s.span.LastEvent, trusted: true}
	}
	return pair{low: s.low, high: s.high, first: s.span.FirstReceived, last: s.span.LastReceived}
}

// counts reports whether neither expiry nor erasure covers a sighting.
func (e *evaluation) counts(s sighting) bool {
	for _, k := range []identity.Key{s.low, s.high} {
		if k == 0 {
			continue
		}
		if before, ok := e.expired[e.nodes[k].Namespace]; ok && s.period < before {
			return false
		}
		if at, ok := e.erased[k]; ok && s.span.FirstReceived <= at {
			return false
		}
	}
	return true
}

// gone reports whether an identifier has no counted sighting.
func (e *evaluation) gone(k identity.Key) bool {
	_, ok := e.firstSeen[k]
	return !ok
}

// blocked reports whether a value links no one, by the rules or by a decision.
func (e *evaluation) blocked(k identity.Key) bool {
	return e.nodes[k].Blocked || e.stands(identity.Block, k, 0)
}

func (e *evaluation) rule(k identity.Key) identity.Rule {
	return e.rules.Rule(e.nodes[k].Namespace)
}

package oracle

import (
	"cmp"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Tenure is a past time in which a moving identifier belonged to an owner.
type Tenure struct {
	Until int64        // start of the next tenure, milliseconds since 1970 UTC
	Owner identity.Key // an identifier; its profile is the tenure's
}

// tenure is a run of a moving identifier's pairs to stronger identifiers
// without a hole longer than the gap.
type tenure struct {
	start int64
	last  identity.Day
	pairs []pair
	owner identity.Key // of past tenures only
}

// dropRetired is the last part of step 0.
//
// "A moving identifier's pairs to stronger ones are intervals [first, last]; a
// hole longer than the gap ends a tenure; only the last tenure links."
func (e *evaluation) dropRetired() {
	e.tenures = map[identity.Key][]tenure{}
	stronger := map[identity.Key][]pair{}
	for _, p := range e.pairs {
		for _, k := range []identity.Key{p.low, p.high} {
			if rule := e.rule(k); rule.MovingGap > 0 && e.rule(p.other(k)).Rank < rule.Rank {
				stronger[k] = append(stronger[k], p)
			}
		}
	}
	retired := map[pair]bool{}
	for k, pairs := range stronger {
		e.tenures[k] = splitTenures(pairs, e.rule(k).MovingGap)
		for _, past := range e.past(k) {
			for _, p := range past.pairs {
				retired[p] = true
			}
		}
	}
	e.drop(func(p pair) identity.BarrierKind { return because(retired[p], identity.BarrierRetired) })
}

// splitTenures sorts pairs by first seen and cuts where a hole exceeds gap.
func splitTenures(pairs []pair, gap time.Duration) []tenure {
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high))
	})
	var tenures []tenure
	for _, p := range pairs {
		n := len(tenures)
		if n == 0 || days(identity.DayOfMillis(p.first)-tenures[n-1].last) > gap {
			tenures = append(tenures, tenure{start: p.first, last: p.last})
			n++
		}
		t := &tenures[n-1]
		t.last = max(t.last, p.last)
		t.pairs = append(t.pairs, p)
	}
	return tenures
}

func days(d identity.Day) time.Duration { return time.Duration(d) * 24 * time.Hour }

// past returns the tenures of k but the last, which is present.
func (e *evaluation) past(k identity.Key) []tenure {
	return e.tenures[k][:len(e.tenures[k])-1]
}

// nameTenureOwners finds whom each past tenure belonged to.
//
// "Owner = the other end of the ≺-least eligible pair (step 0, but for retired)
// of that tenure."
func (e *evaluation) nameTenureOwners() {
	for k := range e.tenures {
		for i, past := range e.past(k) {
			least := slices.MinFunc(past.pairs, e.order)
			e.tenures[k][i].owner = least.other(k)
		}
	}
}

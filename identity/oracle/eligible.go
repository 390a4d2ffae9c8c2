package oracle

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// drop removes the pairs for which reason gives one, and keeps the reason.
func (e *evaluation) drop(reason func(pair) identity.BarrierKind) {
	e.pairs = slices.DeleteFunc(e.pairs, func(p pair) bool {
		kind := reason(p)
		if kind != "" {
			e.dropped[[2]identity.Key{p.low, p.high}] = kind
		}
		return kind != ""
	})
}

// because returns kind where it holds.
func because(holds bool, kind identity.BarrierKind) identity.BarrierKind {
	if holds {
		return kind
	}
	return ""
}

// dropRejectedAndBlocked is the first part of step 0.
//
// "Drop a pair that is rejected or directly cannot-linked; … whose end is
// blocked." And: household values are "members of the set, never in pairs".
func (e *evaluation) dropRejectedAndBlocked() {
	e.pairs = slices.DeleteFunc(e.pairs, func(p pair) bool { return e.rule(p.low).Household || e.rule(p.high).Household })
	e.drop(func(p pair) identity.BarrierKind {
		return cmp.Or(
			because(e.stands(identity.CannotLink, p.low, p.high), identity.BarrierCannotLink),
			because(e.stands(identity.Reject, p.low, p.high), identity.BarrierRejected),
			because(e.blocked(p.low) || e.blocked(p.high), identity.BarrierBlocked),
		)
	})
}

// dropVoid is the second part of step 0: void pairs make no link, no fan-out
// and no tenure.
//
// "Void is (1) a pair of two principals; (2) an untrusted pair of a shielded
// identifier with one as strong or stronger; (3) every untrusted pair of a
// namespace declared trusted claims."
func (e *evaluation) dropVoid() {
	shielded := e.shielded()
	exposed := func(p pair, k identity.Key) bool {
		return shielded[k] && e.rule(p.other(k)).Rank <= e.rule(k).Rank
	}
	void := func(p pair) bool {
		low, high := e.rule(p.low), e.rule(p.high)
		switch {
		case low.Principal && high.Principal:
			return true
		case p.trusted:
			return false
		case exposed(p, p.low) || exposed(p, p.high):
			return true
		}
		return low.TrustedClaims || high.TrustedClaims
	}
	e.drop(func(p pair) identity.BarrierKind { return because(void(p), identity.BarrierVoid) })
}

// shielded: "an identifier other than a principal, device, push token or cookie
// that has a trusted pair to a principal, not rejected, neither end blocked."
func (e *evaluation) shielded() map[identity.Key]bool {
	shielded := map[identity.Key]bool{}
	for _, p := range e.pairs {
		for _, k := range []identity.Key{p.low, p.high} {
			rule := e.rule(k)
			if p.trusted && rule.Shieldable && !rule.Principal && e.rule(p.other(k)).Principal {
				shielded[k] = true
			}
		}
	}
	return shielded
}

// dropGenericAndCrowded is the third part of step 0. Both look at the same raw
// neighbours, so neither depends on the other.
//
// "Drop a pair whose end is generic (more than up distinct neighbours in one
// namespace as strong or stronger: too many people); whose stronger end is
// crowded towards the namespace of the other (more than down distinct
// neighbours there: only those pairs stop linking)."
func (e *evaluation) dropGenericAndCrowded() {
	e.generic = map[identity.Key]bool{}
	e.crowded = map[identity.Key]map[identity.Namespace]bool{}
	for k, neighbours := range e.fanOut() {
		rule := e.rule(k)
		for ns, n := range neighbours {
			switch up := e.rules.Rule(ns).Rank <= rule.Rank; {
			case up && n > rule.FanOutUp:
				e.generic[k] = true
			case !up && n > rule.FanOutDown:
				if e.crowded[k] == nil {
					e.crowded[k] = map[identity.Namespace]bool{}
				}
				e.crowded[k][ns] = true
			}
		}
	}
	// A crowded namespace is strictly weaker, so only a stronger end has one.
	e.drop(func(p pair) identity.BarrierKind {
		return cmp.Or(
			because(e.generic[p.low] || e.generic[p.high], identity.BarrierGeneric),
			because(e.crowded[p.low][e.nodes[p.high].Namespace], identity.BarrierCrowded),
			because(e.crowded[p.high][e.nodes[p.low].Namespace], identity.BarrierCrowded),
		)
	})
}

// fanOut: "fan-out counts raw neighbours (rejected pairs and blocked neighbours
// excluded, generic ones not), never profiles: so it is not circular."
func (e *evaluation) fanOut() map[identity.Key]map[identity.Namespace]int {
	neighbours := map[identity.Key]map[identity.Namespace]int{}
	add := func(k, neighbour identity.Key) {
		if neighbours[k] == nil {
			neighbours[k] = map[identity.Namespace]int{}
		}
		neighbours[k][e.nodes[neighbour].Namespace]++
	}
	for _, p := range e.pairs {
		add(p.low, p.high)
		add(p.high, p.low)
	}
	return neighbours
}

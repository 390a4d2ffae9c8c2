package oracle

import (
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// fits reports whether two sets of identifiers, each of them in order by
// itself, may share a profile: "unless a limit, a cannot-link or the size cap G
// would break".
func (e *evaluation) fits(a, b []identity.Key) bool {
	if len(a)+len(b) > e.rules.GroupCap {
		return false
	}
	for _, x := range a {
		for _, y := range b {
			if e.stands(identity.CannotLink, x, y) {
				return false
			}
		}
	}
	return e.withinLimits(slices.Concat(a, b))
}

// withinLimits checks a set of identifiers against every namespace's limit.
//
// "A limit with a window counts identifiers by their first seen: no N+1 of them
// inside one window." Limits do not apply inside a fused node.
func (e *evaluation) withinLimits(keys []identity.Key) bool {
	byNamespace := map[identity.Namespace][]identity.Key{}
	for _, k := range keys {
		ns := e.nodes[k].Namespace
		byNamespace[ns] = append(byNamespace[ns], k)
	}
	for ns, same := range byNamespace {
		rule := e.rules.Rule(ns)
		limit := rule.Limit
		if rule.Principal {
			limit = 1
		}
		if limit == 0 {
			continue
		}
		if rule.LimitWindow == 0 || rule.Principal {
			if e.tooMany(same, limit) {
				return false
			}
			continue
		}
		for _, start := range same {
			from := e.firstSeen[start]
			inside := slices.DeleteFunc(slices.Clone(same), func(k identity.Key) bool {
				t := e.firstSeen[k]
				return t < from || t >= from+rule.LimitWindow.Milliseconds()
			})
			if e.tooMany(inside, limit) {
				return false
			}
		}
	}
	return true
}

// tooMany reports whether keys exceed a limit other than inside one node.
func (e *evaluation) tooMany(keys []identity.Key, limit int) bool {
	if len(keys) <= limit {
		return false
	}
	return slices.ContainsFunc(keys, func(k identity.Key) bool { return e.class[k] != e.class[keys[0]] })
}

package evaluate

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// Pair is evidence that two identifiers were met together.
type Pair struct {
	A, B  identity.Node
	First int64 // first seen, milliseconds since 1970 UTC
}

// ByPrincipal is the first simple method, joining by the user id alone: an
// identifier belongs to the principal that it was first met with, and an
// identifier never met with one stands alone. The order of pairs does not
// matter.
func ByPrincipal(pairs []Pair, principal identity.Namespace) func(identity.Key) identity.ProfileID {
	pairs = slices.Clone(pairs)
	slices.SortFunc(pairs, func(p, q Pair) int {
		return cmp.Or(cmp.Compare(p.First, q.First),
			cmp.Compare(min(p.A.Key, p.B.Key), min(q.A.Key, q.B.Key)),
			cmp.Compare(max(p.A.Key, p.B.Key), max(q.A.Key, q.B.Key)))
	})
	owner := map[identity.Key]identity.Key{}
	for _, p := range pairs {
		person, other := p.A, p.B
		if person.Namespace != principal {
			person, other = other, person
		}
		if person.Namespace != principal || other.Namespace == principal {
			continue
		}
		if _, ok := owner[other.Key]; !ok {
			owner[other.Key] = person.Key
		}
	}
	return func(k identity.Key) identity.ProfileID {
		if person, ok := owner[k]; ok {
			return identity.ProfileID(person)
		}
		return identity.ProfileID(k)
	}
}

// Components is the second simple method, bare connected components: whatever
// a chain of pairs connects is one person. It has no guards; the caller leaves
// out pairs of blocked values where the comparison should be kind.
func Components(pairs []Pair) func(identity.Key) identity.ProfileID {
	parent := map[identity.Key]identity.Key{}
	root := func(k identity.Key) identity.Key {
		for {
			up, ok := parent[k]
			if !ok {
				return k
			}
			if above, ok := parent[up]; ok {
				parent[k] = above // Path halving keeps this near linear.
			}
			k = up
		}
	}
	for _, p := range pairs {
		// The least key is the root, so that ids do not depend on the order.
		if a, b := root(p.A.Key), root(p.B.Key); a < b {
			parent[b] = a
		} else if b < a {
			parent[a] = b
		}
	}
	return func(k identity.Key) identity.ProfileID { return identity.ProfileID(root(k)) }
}

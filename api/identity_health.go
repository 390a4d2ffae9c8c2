package api

import (
	"github.com/kindred-cdp/kindred/identity"
)

// IdentityHealth is the state of a workspace's identity graph.
type IdentityHealth struct {
	Identifiers int `json:"identifiers"`
	Profiles    int `json:"profiles"`
	Merges      int `json:"merges"` // identifiers beyond the first of their profiles
	Pairs       int `json:"pairs"`
	Blocked     int `json:"blocked"`
	Generic     int `json:"generic"`
	// Density is linking pairs to identifiers of profiles with two or more.
	Density float64 `json:"density"`
	// Sizes counts profiles by their number of identifiers.
	Sizes []HealthSize `json:"sizes"`
	// Largest are the profiles of most identifiers; Weakest the pairs whose loss
	// would part a profile, the greatest smaller part first.
	Largest []identity.HealthProfile `json:"largest"`
	Weakest []HealthPair             `json:"weakest"`
	// Generics are the values seen with too many others, which link no one.
	Generics []HealthGeneric `json:"generic_values"`
	// Conflicts counts what was refused to be one profile, by what refused it.
	Conflicts map[identity.BarrierKind]int `json:"conflicts"`
}

// HealthSize counts the profiles of a range of sizes.
type HealthSize struct {
	From     int `json:"from"`
	To       int `json:"to"`
	Profiles int `json:"profiles"`
}

// HealthPair is a pair whose loss would part a profile. The ends are keys, which
// find the profile like any id.
type HealthPair struct {
	Profile identity.ProfileID `json:"profile"`
	A       KnownKey           `json:"a"`
	B       KnownKey           `json:"b"`
	Smaller int                `json:"smaller"` // identifiers of the smaller part
}

// HealthGeneric is a value seen with too many others.
type HealthGeneric struct {
	KnownKey
	Neighbours int `json:"neighbours"`
}

// KnownKey is an identifier by its key, with what is known and may be shown of
// it.
type KnownKey struct {
	Key       identity.ProfileID `json:"key"`
	Namespace identity.Namespace `json:"namespace,omitempty"`
	Value     string             `json:"value,omitempty"`
}

// known shows a key by what values knows of it.
func (v veil) known(key identity.Key, values map[identity.Key]identity.Identifier) KnownKey {
	k := KnownKey{Key: identity.ProfileID(key)}
	if id, ok := values[key]; ok {
		k.Namespace, k.Value = id.Namespace, v.value(id)
	}
	return k
}

func (v veil) health(h *identity.Health, values map[identity.Key]identity.Identifier) IdentityHealth {
	r := IdentityHealth{
		Identifiers: h.Identifiers, Profiles: h.Profiles, Merges: h.Merges, Pairs: h.Pairs, Blocked: h.Blocked, Generic: h.Generic,
		Density: h.Density, Conflicts: h.Conflicts, Sizes: make([]HealthSize, len(h.Sizes)),
		Largest: append([]identity.HealthProfile{}, h.Largest...),
		Weakest: make([]HealthPair, len(h.Weakest)), Generics: make([]HealthGeneric, len(h.Generics)),
	}
	if r.Conflicts == nil {
		r.Conflicts = map[identity.BarrierKind]int{}
	}
	for i, n := range h.Sizes {
		r.Sizes[i] = HealthSize{From: 1 << i, To: 2<<i - 1, Profiles: n}
	}
	for i, b := range h.Weakest {
		r.Weakest[i] = HealthPair{Profile: b.Profile, A: v.known(b.A, values), B: v.known(b.B, values), Smaller: b.Smaller}
	}
	for i, g := range h.Generics {
		r.Generics[i] = HealthGeneric{KnownKey: v.known(g.Key, values), Neighbours: g.Neighbours}
		r.Generics[i].Namespace = g.Namespace
	}
	return r
}

// healthKeys are the keys that an answer about health names.
func healthKeys(h *identity.Health) []identity.Key {
	var keys []identity.Key
	for _, b := range h.Weakest {
		keys = append(keys, b.A, b.B)
	}
	for _, g := range h.Generics {
		keys = append(keys, g.Key)
	}
	return keys
}

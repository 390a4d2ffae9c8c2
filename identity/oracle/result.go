package oracle

import (
	"cmp"
	"maps"

	"github.com/kindred-cdp/kindred/identity"
)

// Result is what a ledger means.
type Result struct {
	// Profile holds every identifier ever named by a sighting or pair: a gone
	// one is its own profile, a household has profile 0.
	Profile map[identity.Key]identity.ProfileID
	// Generic, Blocked and Gone hold true entries only.
	Generic, Blocked, Gone map[identity.Key]bool
	// Crowded holds, of each crowded identifier, the namespaces towards which
	// it links no one.
	Crowded map[identity.Key]map[identity.Namespace]bool
	// Tenures holds the past tenures of each moving identifier that has any,
	// earliest first.
	Tenures map[identity.Key][]Tenure
	// Profiles is the number of distinct profiles of counted identifiers, and
	// Merges the number of those identifiers minus Profiles. Counted are those
	// that are neither gone, blocked, generic nor households.
	Profiles, Merges int
	// Household holds the profiles that are in a household, HouseholdValue the
	// values that make one.
	Household      map[identity.ProfileID]identity.HouseholdID
	HouseholdValue map[identity.Key]identity.HouseholdID

	reasons Reasons
	rules   *identity.Rules
	nodes   map[identity.Key]identity.Node
}

// Reasons are what the steps did with each pair, low key first.
type Reasons struct {
	// Dropped holds the pairs that step 0 dropped, and why, Eligible those that it
	// left between two nodes, and Ties those of them that steps 2 to 4 accepted.
	Dropped  map[[2]identity.Key]identity.BarrierKind
	Eligible map[[2]identity.Key]bool
	Ties     map[[2]identity.Key]identity.HopKind
	// Super numbers the profiles that step 4 leaves, by identifier.
	Super map[identity.Key]int
}

// Reasons returns what the steps did with each pair.
func (r Result) Reasons() Reasons { return r.reasons }

func (e *evaluation) result() Result {
	r := Result{
		Profile: map[identity.Key]identity.ProfileID{},
		Generic: e.generic,
		Blocked: map[identity.Key]bool{},
		Gone:    map[identity.Key]bool{},
		Crowded: e.crowded,
		Tenures: map[identity.Key][]Tenure{},
		rules:   e.rules,
		nodes:   maps.Clone(e.nodes),

		reasons: Reasons{Dropped: e.dropped, Eligible: map[[2]identity.Key]bool{}, Ties: e.ties, Super: e.supers},

		Household:      map[identity.ProfileID]identity.HouseholdID{},
		HouseholdValue: map[identity.Key]identity.HouseholdID{},
	}
	for _, p := range e.pairs {
		r.reasons.Eligible[[2]identity.Key{p.low, p.high}] = true
	}
	for k := range e.nodes {
		r.Profile[k] = identity.ProfileID(k)
		if e.rule(k).Household {
			r.Profile[k] = 0
		}
		if e.blocked(k) {
			r.Blocked[k] = true
		}
		if e.gone(k) {
			r.Gone[k] = true
		}
	}
	for _, members := range e.profiles {
		id := e.founder(members)
		for _, k := range members {
			r.Profile[k] = id
		}
	}
	for _, h := range e.households {
		for _, v := range h.values {
			r.HouseholdValue[v] = h.id
		}
		for _, i := range h.profiles {
			r.Household[e.founder(e.profiles[i])] = h.id
		}
	}
	for k, tenures := range e.tenures {
		for i, past := range e.past(k) {
			r.Tenures[k] = append(r.Tenures[k], Tenure{Until: tenures[i+1].start, Owner: past.owner})
		}
	}
	r.count()
	return r
}

// count: "profiles = distinct profiles of unblocked, non-generic identifiers;
// merges = those identifiers − profiles."
func (r *Result) count() {
	identifiers, profiles := 0, map[identity.ProfileID]bool{}
	for k, id := range r.Profile {
		if id == 0 || r.Gone[k] || r.Blocked[k] || r.Generic[k] {
			continue
		}
		identifiers++
		profiles[id] = true
	}
	r.Profiles, r.Merges = len(profiles), identifiers-len(profiles)
}

// Deciding returns the deciding member of an anchor's set, or false when the
// set has none.
//
// "Of its members that are neither gone nor household values, the one of least
// (rank, key) that is not blocked or generic; if none is left, the least of
// them; if there are none, no row." The rank is the identifier's own.
func (r Result) Deciding(members []identity.Node) (identity.Key, bool) {
	var best identity.Node
	found := false
	for _, m := range members {
		_, known := r.nodes[m.Key]
		if !known || r.Gone[m.Key] || r.rules.Rule(m.Namespace).Household {
			continue
		}
		if !found || r.before(m, best) {
			best, found = m, true
		}
	}
	return best.Key, found
}

// before orders members by how well they decide.
func (r Result) before(a, b identity.Node) bool {
	mute := func(n identity.Node) int {
		if r.Blocked[n.Key] || r.Generic[n.Key] {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(mute(a), mute(b)),
		cmp.Compare(r.rules.Rule(a.Namespace).Rank, r.rules.Rule(b.Namespace).Rank),
		cmp.Compare(a.Key, b.Key)) < 0
}

// Attribute returns the profile of an event with these members at a time in
// milliseconds since 1970 UTC, or 0 when nothing decides.
//
// "If the deciding member is moving and has past tenures, the event goes to the
// owner of the first tenure with event time < until; a later event is the
// identifier's own."
func (r Result) Attribute(members []identity.Node, at int64) identity.ProfileID {
	k, ok := r.Deciding(members)
	if !ok {
		return 0
	}
	for _, t := range r.Tenures[k] {
		if at < t.Until {
			return r.Profile[t.Owner]
		}
	}
	return r.Profile[k]
}

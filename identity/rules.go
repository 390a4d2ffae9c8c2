package identity

import (
	"strings"
	"time"
)

// Rule is the declared behaviour of one namespace.
type Rule struct {
	// Rank orders namespaces by strength; 0 is the strongest.
	Rank int
	// Principal marks the one namespace whose identifiers are persons: two of
	// them never share a profile unless an operator fuses them.
	Principal bool
	// Limit is the greatest number of identifiers of the namespace in one
	// profile; 0 means no limit. With LimitWindow only those first seen within
	// one window of that length count.
	Limit       int
	LimitWindow time.Duration
	// MovingGap above 0 declares the namespace moving: a hole in the evidence
	// longer than it ends a tenure, and only the last tenure links.
	MovingGap time.Duration
	// FanOutUp is the number of distinct neighbours in one namespace as strong
	// or stronger beyond which an identifier is generic and links no one. Of a
	// household value it is the number of distinct profiles beyond which the
	// value makes no household.
	FanOutUp int
	// FanOutDown is the number of distinct neighbours in one weaker namespace
	// beyond which the identifier's pairs to that namespace link no one.
	FanOutDown int
	// Household marks values that link households, never persons: they are in
	// no pair that a person rests on, and decide nothing.
	Household bool
	// TrustedClaims voids every untrusted pair of the namespace.
	TrustedClaims bool
	// Shieldable is false for principals, devices, push tokens and cookies.
	Shieldable bool
}

// Rules are the declared rules of a workspace. A Rules value is immutable once
// it is in use; a change is a new version.
type Rules struct {
	Version    int
	Namespaces map[Namespace]Rule
	// Default serves namespaces that Namespaces does not name.
	Default Rule
	// Untrusted names the sources whose event times and claims are not trusted:
	// public browser and mobile keys. Sources whose name begins with PublicPrefix are so
	// without being named, but those of Believed.
	Untrusted, Believed map[string]bool
	// Rename names the sources whose alias events rename a user id, where they
	// are trusted.
	Rename map[string]bool
	// Blocked reports values that link no one; it must be pure.
	Blocked func(Identifier) bool
	// UnitCap (C) bounds a unit of loose identifiers, a unit of linkage and a
	// household; GroupCap (G) bounds a group.
	UnitCap, GroupCap int
	// ModelVersion names the frozen model whose scored pairs of records count;
	// empty: none do. Scores of other models wait for rules that name them.
	ModelVersion string
	// ReviewThreshold is the least weight of a scored pair that counts, and
	// LinkThreshold, above 0, the least average weight at which two profiles
	// join; between them lies what a person should look at. Weights are
	// hundredths of a bit, log2 of the odds of a match times 100: 0 is even odds,
	// 700 is 128 to 1.
	ReviewThreshold, LinkThreshold int64
}

// Rule returns the rule of n.
func (r *Rules) Rule(n Namespace) Rule {
	if rule, ok := r.Namespaces[n]; ok {
		return rule
	}
	return r.Default
}

// PublicPrefix begins the names of sources whose API keys everybody can read. It is part
// of the name so that what such a source said is untrusted whenever it is read again, by
// whom ever, and also when the key is long gone.
const PublicPrefix = "public/"

// Trusted reports whether source's event times and claims are trusted.
func (r *Rules) Trusted(source string) bool {
	return !r.Untrusted[source] && (!strings.HasPrefix(source, PublicPrefix) || r.Believed[source])
}

// Renames reports whether alias events of source rename a user id: never those
// of a source that is not trusted.
func (r *Rules) Renames(source string) bool { return r.Rename[source] && r.Trusted(source) }

// DefaultRules returns the defaults of identity-ledger §11.
func DefaultRules() *Rules {
	const day = 24 * time.Hour
	base := func(rank int) Rule { return Rule{Rank: rank, FanOutUp: 10, FanOutDown: 1000, Shieldable: true} }
	with := func(r Rule, f func(*Rule)) Rule { f(&r); return r }
	claim := with(base(1), func(r *Rule) { r.Limit, r.TrustedClaims = 1, true })
	open := func(r *Rule) { r.Shieldable = false }
	home := func(r *Rule) { r.Household, r.FanOutUp = true, 12 }
	return &Rules{
		Version: 1,
		Namespaces: map[Namespace]Rule{
			UserID:      with(base(0), func(r *Rule) { r.Principal, r.Shieldable = true, false }),
			CustomerNo:  claim,
			Loyalty:     claim,
			CRMID:       claim,
			Email:       with(base(2), func(r *Rule) { r.Limit, r.LimitWindow = 5, 30*day }),
			Phone:       with(base(3), func(r *Rule) { r.Limit, r.MovingGap = 5, 180*day }),
			Social:      base(4),
			Card:        base(4),
			Device:      with(base(5), func(r *Rule) { r.FanOutUp, r.Shieldable = 20, false }),
			PushToken:   with(base(6), open),
			AnonymousID: with(base(7), open),
			RFID:        base(7),
			Record:      with(base(7), func(r *Rule) { r.TrustedClaims = true }),
			Landline:    with(base(8), home),
			Address:     with(base(8), home),
		},
		Default:  base(7),
		Blocked:  BlockedByDefault,
		UnitCap:  256,
		GroupCap: 5000,

		ReviewThreshold: 200,
		LinkThreshold:   700,
	}
}

package rulefile

import (
	"maps"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
)

// File is one declared version of the rules of a workspace. A File from
// Default or Parse names every namespace that has declared defaults.
type File struct {
	// Version is the number of this declaration, from 1; a change has a higher one.
	Version int
	// Untrusted names the sources whose event times and claims are not
	// trusted; Trusted those that are, whatever is assumed of their kind. A
	// source in neither list is trusted, but where all can read its API key, as
	// its name may say (identity.PublicPrefix).
	Untrusted, Trusted []string
	// Rename names the trusted sources whose alias events rename a user id: a
	// must-link of the two (`alias: rename`).
	Rename []string
	// Caps bound units and groups.
	Caps Caps
	// Linkage says which scored pairs of records count, and when they join.
	Linkage Linkage
	// Default serves the namespaces that Namespaces does not name.
	Default    identity.Rule
	Namespaces map[identity.Namespace]identity.Rule
	// Blocked adds to and takes from the values that link no one by default.
	Blocked map[identity.Namespace]Blocking
}

// Caps are the bounds beyond which evidence is no longer one person.
type Caps struct {
	// Unit is the greatest number of loose identifiers in one unit (C), Group
	// the greatest number of identifiers in one profile (G).
	Unit, Group int
}

// Linkage says what scored pairs of records do. Weights are in bits, log2 of the
// odds of a match: 0 is even odds, 7 is 128 to 1 or a probability of .992.
type Linkage struct {
	// Model is the version of the frozen model whose scores count; empty: none do.
	Model string
	// Review is the least weight that counts, Link the least average weight at
	// which two profiles join.
	Review, Link Bits
}

// Bits is a weight in hundredths of a bit, as identity.Rules has it; texts have
// it in bits, with up to two decimals.
type Bits int64

// Blocking changes which values of one namespace link no one. An entry is a
// value, or a pattern in which * stands for any text and ? for one character;
// a backslash before *, ? or \ means the character itself. Case does not matter.
type Blocking struct {
	// Add blocks, beside the defaults. Remove lets link again what the defaults
	// or Add would block.
	Add, Remove []string
}

// Default returns the declared form of identity.DefaultRules.
func Default() File {
	rules := identity.DefaultRules()
	return File{
		Version:    rules.Version,
		Untrusted:  slices.Sorted(maps.Keys(rules.Untrusted)),
		Caps:       Caps{Unit: rules.UnitCap, Group: rules.GroupCap},
		Linkage:    Linkage{Model: rules.ModelVersion, Review: Bits(rules.ReviewThreshold), Link: Bits(rules.LinkThreshold)},
		Default:    rules.Default,
		Namespaces: maps.Clone(rules.Namespaces),
	}
}

// Rules returns the rules that f declares, or the faults of Validate, for values
// that were normalised without options. They share nothing with f.
func (f File) Rules() (*identity.Rules, error) { return f.RulesFor(normalize.Normalizer{}) }

// RulesFor is Rules for values that n normalised: what is blocked is compared
// with them.
func (f File) RulesFor(n normalize.Normalizer) (*identity.Rules, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	rules := identity.DefaultRules() // Keeps what a file does not declare.
	rules.Version = f.Version
	rules.Namespaces = maps.Clone(f.Namespaces)
	rules.Default = f.Default
	rules.UnitCap, rules.GroupCap = f.Caps.Unit, f.Caps.Group
	rules.ModelVersion = f.Linkage.Model
	rules.ReviewThreshold, rules.LinkThreshold = int64(f.Linkage.Review), int64(f.Linkage.Link)
	rules.Blocked = f.blocked(n)
	rules.Untrusted, rules.Believed, rules.Rename = set(f.Untrusted), set(f.Trusted), set(f.Rename)
	return rules, nil
}

// set returns the set of a list, nil for an empty one.
func set(list []string) map[string]bool {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string]bool, len(list))
	for _, v := range list {
		m[v] = true
	}
	return m
}

// field is one key of the text with the place of its value: a pointer to int,
// bool, string, time.Duration, Bits or []string.
type field struct {
	key   string
	value any
}

// The fields of each table, in the order of the text. Parse, Format and Diff
// go by these lists alone: a new key is one new line here.

func (f *File) fields() []field {
	return []field{{"version", &f.Version}, {"untrusted", &f.Untrusted}, {"trusted", &f.Trusted}, {"rename", &f.Rename}}
}

func (c *Caps) fields() []field { return []field{{"unit", &c.Unit}, {"group", &c.Group}} }

func (l *Linkage) fields() []field {
	return []field{{"model", &l.Model}, {"review", &l.Review}, {"link", &l.Link}}
}

func (b *Blocking) fields() []field { return []field{{"add", &b.Add}, {"remove", &b.Remove}} }

func ruleFields(r *identity.Rule) []field {
	return []field{
		{"rank", &r.Rank},
		{"principal", &r.Principal},
		{"limit", &r.Limit},
		{"limit_window", &r.LimitWindow},
		{"moving_gap", &r.MovingGap},
		{"fan_out_up", &r.FanOutUp},
		{"fan_out_down", &r.FanOutDown},
		{"household", &r.Household},
		{"trusted_claims", &r.TrustedClaims},
		{"shieldable", &r.Shieldable},
	}
}

// The tables of a text beside its fields.
const (
	capsTable       = "caps"
	linkageTable    = "linkage"
	defaultTable    = "default"
	namespacesTable = "namespaces"
	blockedTable    = "blocked"
)

var topTables = []string{capsTable, linkageTable, defaultTable, namespacesTable, blockedTable}

// byStrength returns the declared namespaces, the strongest rank first.
func (f File) byStrength() []identity.Namespace {
	names := slices.Sorted(maps.Keys(f.Namespaces))
	slices.SortStableFunc(names, func(a, b identity.Namespace) int {
		return f.Namespaces[a].Rank - f.Namespaces[b].Rank
	})
	return names
}

const day = 24 * time.Hour

package rulefile

import (
	"maps"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// File is one declared version of the rules of a workspace. A File from
// Default or Parse names every namespace that has declared defaults.
type File struct {
	// Version is the number of this declaration, from 1; a change has a higher one.
	Version int
	// Untrusted names the sources whose event times and claims are not
	// trusted; Trusted those that are, whatever is assumed of their kind. A
	// source in neither list is trusted.
	Untrusted, Trusted []string
	// Rename names the trusted sources whose alias events rename a user id: a
	// must-link of the two (`alias: rename`).
	Rename []string
	// Caps bound units and groups.
	Caps Caps
	// Normalise declares how raw values are read.
	Normalise Normalise
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

// Normalise are the options by which raw values are read. Another value gives
// other keys to the values that arrive from then on, never to stored ones.
type Normalise struct {
	// Region is the ISO 3166 code by which phone numbers without a country code
	// are read; empty leaves them as they are.
	Region string
	// StripPlusTags drops "+tag" from every e-mail address.
	StripPlusTags bool
	// ProviderRules applies what large mail providers document of their
	// addresses, such as dots that do not count.
	ProviderRules bool
}

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
		Default:    rules.Default,
		Namespaces: maps.Clone(rules.Namespaces),
	}
}

// Rules returns the rules that f declares, or the faults of Validate. They
// share nothing with f.
func (f File) Rules() (*identity.Rules, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	rules := identity.DefaultRules() // Keeps what a file does not declare.
	rules.Version = f.Version
	rules.Namespaces = maps.Clone(f.Namespaces)
	rules.Default = f.Default
	rules.UnitCap, rules.GroupCap = f.Caps.Unit, f.Caps.Group
	rules.Blocked = f.blocked()
	rules.Untrusted = nil
	for _, source := range f.Untrusted {
		if rules.Untrusted == nil {
			rules.Untrusted = map[string]bool{}
		}
		rules.Untrusted[source] = true
	}
	return rules, nil
}

// field is one key of the text with the place of its value: a pointer to int,
// bool, string, time.Duration or []string.
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

func (n *Normalise) fields() []field {
	return []field{{"region", &n.Region}, {"strip_plus_tags", &n.StripPlusTags}, {"provider_rules", &n.ProviderRules}}
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
	normaliseTable  = "normalise"
	defaultTable    = "default"
	namespacesTable = "namespaces"
	blockedTable    = "blocked"
)

var topTables = []string{capsTable, normaliseTable, defaultTable, namespacesTable, blockedTable}

// byStrength returns the declared namespaces, the strongest rank first.
func (f File) byStrength() []identity.Namespace {
	names := slices.Sorted(maps.Keys(f.Namespaces))
	slices.SortStableFunc(names, func(a, b identity.Namespace) int {
		return f.Namespaces[a].Rank - f.Namespaces[b].Rank
	})
	return names
}

const day = 24 * time.Hour

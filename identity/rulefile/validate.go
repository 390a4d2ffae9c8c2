package rulefile

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
)

// maxList bounds a list of values, and so the work on one identifier.
const maxList = 10000

// maxPatterns bounds the patterns of one list; each is tried on every value.
const maxPatterns = 100

// Validate reports every rule that f breaks at once, joined, each a *Fault.
func (f File) Validate() error { return f.faults().join() }

func (f File) faults() faults {
	var fs faults
	if f.Version < 1 || f.Version > math.MaxInt32 {
		fs.add("version", "must be a whole number from 1")
	}
	f.checkSources(&fs)
	f.checkCaps(&fs)
	f.checkLinkage(&fs)
	checkRule(&fs, defaultTable, f.Default)
	if f.Default.Principal {
		fs.add("default.principal", "must be false: every namespace not named would be persons")
	}
	if f.Default.Household {
		fs.add("default.household", "must be false: identifiers of new namespaces would link no one")
	}
	for _, ns := range f.byStrength() {
		key := namespacesTable + "." + string(ns)
		if ns.Validate() != nil {
			fs.add(namespacesTable+"."+quoteKey(string(ns)), "is not a name of a namespace: %s", identity.ErrNamespace)
			continue
		}
		checkRule(&fs, key, f.Namespaces[ns])
	}
	for _, ns := range slices.Sorted(maps.Keys(Default().Namespaces)) {
		if _, ok := f.Namespaces[ns]; !ok {
			fs.add(namespacesTable+"."+string(ns), "must be there: it has declared defaults, and would get those of other namespaces")
		}
	}
	f.checkPrincipal(&fs)
	for _, ns := range slices.Sorted(maps.Keys(f.Blocked)) {
		f.checkBlocking(&fs, ns)
	}
	return fs
}

// checkPrincipal holds the one principal to be the strongest of all.
func (f File) checkPrincipal(fs *faults) {
	var principals []identity.Namespace
	for _, ns := range f.byStrength() {
		if f.Namespaces[ns].Principal {
			principals = append(principals, ns)
		}
	}
	if len(principals) == 0 {
		fs.add(namespacesTable, "must declare one principal: the namespace whose identifiers are persons")
		return
	}
	first := principals[0]
	for _, ns := range principals[1:] {
		fs.add(namespacesTable+"."+string(ns)+".principal", "must be false: %s is the principal, and there is one", first)
	}
	rank := f.Namespaces[first].Rank
	for _, ns := range f.byStrength() {
		if ns != first && !f.Namespaces[ns].Principal && f.Namespaces[ns].Rank <= rank {
			fs.add(namespacesTable+"."+string(ns)+".rank", "must be greater than %d: the principal %s is the strongest of all", rank, first)
		}
	}
	if f.Default.Rank <= rank {
		fs.add("default.rank", "must be greater than %d: the principal %s is the strongest of all", rank, first)
	}
}

// checkRule reports what one rule contradicts in itself.
func checkRule(fs *faults, key string, r identity.Rule) {
	for _, f := range ruleFields(&r) {
		switch p := f.value.(type) {
		case *int:
			if *p < 0 || *p > math.MaxInt32 {
				fs.add(key+"."+f.key, "must be a whole number from 0 to 2147483647")
			}
		case *time.Duration:
			if *p < 0 {
				fs.add(key+"."+f.key, "must not be negative")
			} else if *p%time.Second != 0 {
				fs.add(key+"."+f.key, "must be in whole seconds")
			}
		}
	}
	if r.FanOutUp == 0 {
		fs.add(key+".fan_out_up", "must be 1 or more: with 0 every identifier is generic at its first neighbour")
	}
	if r.FanOutDown == 0 {
		fs.add(key+".fan_out_down", "must be 1 or more: with 0 no weaker identifier ever links")
	}
	if r.LimitWindow > 0 && r.Limit == 0 {
		fs.add(key+".limit_window", "must be 0s or come with a limit: it bounds when the limited identifiers count")
	}
	if r.MovingGap > 0 && r.Limit == 1 {
		fs.add(key+".moving_gap", "must be 0s where limit is 1: an identifier that moves has successors, and they would never be accepted")
	}
	checkRoles(fs, key, r)
}

// checkRoles reports roles that exclude each other.
func checkRoles(fs *faults, key string, r identity.Rule) {
	if r.Principal {
		if r.Household {
			fs.add(key+".household", "must be false for a principal: a person is no household")
		}
		if r.MovingGap > 0 {
			fs.add(key+".moving_gap", "must be 0s for a principal: a person does not pass to another")
		}
		if r.Limit > 1 {
			fs.add(key+".limit", "must be 0 or 1 for a principal: two persons never share a profile")
		}
		if r.LimitWindow > 0 {
			fs.add(key+".limit_window", "must be 0s for a principal: two persons never share a profile, at any distance")
		}
		if r.Shieldable {
			fs.add(key+".shieldable", "must be false for a principal: it is what shields others")
		}
	}
	if r.Household {
		if r.Limit > 0 {
			fs.add(key+".limit", "must be 0 for a household: its values are in no profile")
		}
		if r.MovingGap > 0 {
			fs.add(key+".moving_gap", "must be 0s for a household: its values are in no pair")
		}
		if r.TrustedClaims {
			fs.add(key+".trusted_claims", "must be false for a household: its values are in no pair")
		}
	}
}

func (f File) checkCaps(fs *faults) {
	for _, c := range f.Caps.fields() {
		if n := *c.value.(*int); n < 1 || n > math.MaxInt32 {
			fs.add("caps."+c.key, "must be a whole number from 1 to 2147483647")
		}
	}
	if f.Caps.Group < f.Caps.Unit {
		fs.add("caps.group", "must be at least caps.unit (%d): a profile holds at least one unit", f.Caps.Unit)
	}
}

// maxBits is beyond any weight that data can bear out.
const maxBits = 100 * 100

func (f File) checkLinkage(fs *faults) {
	l := f.Linkage
	if l.Model != "" && (!sourceName(l.Model) || len(l.Model) > 100) {
		fs.add("linkage.model", "must be empty or the version of a model: printable UTF-8 of at most 100 bytes")
	}
	if l.Link <= 0 || l.Link > maxBits {
		fs.add("linkage.link", "must be above 0 and at most 100 bits: at 0 a match is as likely as none")
	}
	if l.Review < 0 || l.Review > maxBits {
		fs.add("linkage.review", "must be from 0 to 100 bits")
	} else if l.Review > l.Link && l.Link > 0 {
		fs.add("linkage.review", "must be at most linkage.link (%s): pairs that join would not count", l.Link)
	}
}

// checkSources holds the lists of sources to name each source once.
func (f File) checkSources(fs *faults) {
	lists := f.fields()[1:]
	in := func(list int, source string) bool { return slices.Contains(*lists[list].value.(*[]string), source) }
	for i, l := range lists {
		list := *l.value.(*[]string)
		checkTexts(fs, l.key, list)
		for _, source := range list {
			if !sourceName(source) {
				continue // reported as text
			}
			switch {
			case i == 1 && in(0, source):
				fs.add(l.key, "must not name source %s, which is in untrusted as well", quoteKey(source))
			case i == 2 && in(0, source):
				fs.add(l.key, "must not name source %s, which is untrusted: a rename would join two persons on its word", quoteKey(source))
			}
		}
	}
}

// sourceName reports whether a source can be written and read back. The
// replacement character is what damaged text decodes to, and equals no one's.
func sourceName(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsRune(s, utf8.RuneError) &&
		strings.IndexFunc(s, unicode.IsControl) < 0
}

// checkTexts reports entries that are no text, and doubles.
func checkTexts(fs *faults, key string, list []string) {
	if len(list) > maxList {
		fs.add(key, "must have at most %d entries", maxList)
		return
	}
	seen := make(map[string]bool, len(list))
	for i, v := range list {
		switch {
		case strings.TrimSpace(v) == "":
			fs.add(key, "must have no empty entry: entry %d is", i+1)
		case !sourceName(v):
			fs.add(key, "must have entries of printable UTF-8 text: entry %d is not", i+1)
		case len(v) > 512:
			fs.add(key, "must have entries of at most 512 bytes: entry %d is longer", i+1)
		case seen[v]:
			fs.add(key, "must have every entry once: entry %d is a double", i+1)
		}
		seen[v] = true
	}
}

// checkBlocking reports entries that block everything or contradict each other.
func (f File) checkBlocking(fs *faults, ns identity.Namespace) {
	key := blockedTable + "." + quoteKey(string(ns))
	if ns.Validate() != nil {
		fs.add(key, "is not a name of a namespace: %s", identity.ErrNamespace)
		return
	}
	b, n := f.Blocked[ns], normalize.Normalizer{}
	canonical := func(entry string) string {
		if p := parsePattern(strings.ToLower(entry)); p.wild() {
			return "\x00" + p.text() // never equal to a value
		}
		return exactForm(n, ns, entry)
	}
	removed := map[string]bool{}
	for _, entry := range b.Remove {
		removed[canonical(entry)] = true
	}
	for _, l := range b.fields() {
		list := *l.value.(*[]string)
		checkTexts(fs, key+"."+l.key, list)
		patterns := 0
		for i, entry := range list {
			p := parsePattern(entry)
			if p.wild() {
				patterns++
			}
			if strings.Trim(entry, "*?") == "" && entry != "" {
				fs.add(key+"."+l.key, "must have patterns with a character that is not wild: entry %d matches every value", i+1)
			}
			if l.key == "add" && removed[canonical(entry)] {
				fs.add(key+"."+l.key, "must not hold what remove holds: entry %d is in both", i+1)
			}
		}
		if patterns > maxPatterns {
			fs.add(key+"."+l.key, "must have at most %d patterns: each is tried on every value", maxPatterns)
		}
	}
}

package oracle

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// records makes records 1 to n, each seen alone.
func records(n int) string { return repeat(n, "see % app r%") }

// TestLinkage checks step 5, one rule a case.
func TestLinkage(t *testing.T) {
	for _, c := range []struct {
		name, script, want string
		rules              func(*identity.Rules)
	}{
		{"at the threshold", records(2) + "score r1 r2 700", "r1: r1 r2", nil},
		{"below it", records(2) + "score r1 r2 699", "r1 | r2", nil},
		{
			"below the review threshold",
			records(2) + "score r1 r2 700", "r1 | r2",
			func(r *identity.Rules) { r.ReviewThreshold = 701 },
		},
		{"another model", records(2) + "score r1 r2 900 1 m2", "r1 | r2", nil},
		{"no model", records(2) + "score r1 r2 900", "r1 | r2", func(r *identity.Rules) { r.ModelVersion = "" }},
		{"rejected", records(2) + "score r1 r2 900\nreject r2 r1", "r1 | r2", nil},
		{"rejected no more", records(2) + "score r1 r2 900\nreject r2 r1\nno reject r1 r2", "r1: r1 r2", nil},
		{"blocked", records(2) + "score r1 r2 900\nblock r2", "r1 | r2", nil},
		{"gone", "see 1 app r1\nscore r1 r2 900", "r1 | r2", nil},
		{"generic", records(2) + repeat(11, "see 9 app r2 n%") + "score r1 r2 900", "n1 | n10 | n11 | n2 | n3 | n4 | n5 | n6 | n7 | n8 | n9 | r1 | r2", nil},
		{"the later score stands", records(2) + "score r1 r2 900 1\nscore r1 r2 300 2", "r1 | r2", nil},
		{"the missing pair counts as 0", records(3) + "score r1 r2 1000\nscore r2 r3 900", "r1: r1 r2 | r3", nil},
		{"but a strong one carries it", records(3) + "score r1 r2 1500\nscore r2 r3 1400", "r1: r1 r2 r3", nil},
		{
			"the greatest pair of two profiles is their weight",
			records(4) + "see 5 app r1 e1\nsee 5 app r2 e1\nsee 5 app r3 e2\nsee 5 app r4 e2\nscore r1 r3 300\nscore r2 r4 700",
			"r1: e1 e2 r1 r2 r3 r4", nil,
		},
		{"ties go to the least founders", records(3) + "score r1 r2 900\nscore r2 r3 900\nscore r1 r3 0", "r1: r1 r2 | r3", nil},
		{
			"two user ids never meet",
			"see 1 app r1 u1\nsee 2 app r2 u2\nsee 3 app r3\nscore r1 r3 900\nscore r2 r3 800\nscore r1 r2 800",
			"r1: r1 r3 u1 | r2: r2 u2", nil,
		},
		{"two customer numbers never meet", "see 1 app r1 n1\nsee 2 app r2 n2\nscore r1 r2 2000", "n1: n1 r1 | n2: n2 r2", nil},
		{"a cannot-link between others of theirs", "see 1 app r1 e1\nsee 2 app r2\nscore r1 r2 900\ncut e1 r2", "e1: e1 r1 | r2", nil},
		{"the cap of a group", records(3) + "score r1 r2 2000\nscore r2 r3 2000", "r1: r1 r2 | r3", func(r *identity.Rules) { r.GroupCap = 2 }},
		{
			"a unit beyond C ignores its least weights",
			records(5) + "score r1 r2 2000\nscore r2 r3 1900\nscore r3 r4 1700\nscore r4 r5 1800",
			"r1: r1 r2 r3 | r4: r4 r5", func(r *identity.Rules) { r.UnitCap = 4 },
		},
		{
			"and of equal weights all",
			records(5) + "score r1 r2 900\nscore r2 r3 900\nscore r3 r4 900\nscore r4 r5 900",
			"r1 | r2 | r3 | r4 | r5", func(r *identity.Rules) { r.UnitCap = 4 },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := testRules()
			if c.rules != nil {
				c.rules(rules)
			}
			if got := show(evaluate(rules, parse(t, c.script))); got != c.want {
				t.Errorf("profiles\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// showHouseholds writes households as "h1: c1 u1", the values by name and the
// profiles by their founders.
func showHouseholds(r Result) string {
	in := map[identity.HouseholdID][]string{}
	for p, id := range r.Household {
		in[id] = append(in[id], name(identity.Key(p)))
	}
	var list []string
	for id, names := range in {
		slices.Sort(names)
		var values []string
		for v, of := range r.HouseholdValue {
			if of == id && v != identity.Key(id) {
				values = append(values, name(v))
			}
		}
		slices.Sort(values)
		list = append(list, strings.Join(append([]string{name(identity.Key(id))}, values...), " ")+": "+strings.Join(names, " "))
	}
	slices.Sort(list)
	return strings.Join(list, " | ")
}

// TestHouseholds checks what makes a household, one rule a case.
func TestHouseholds(t *testing.T) {
	for _, c := range []struct {
		name, script, want string
		rules              func(*identity.Rules)
	}{
		{"two persons at one landline", "see 1 app u1 h1\nsee 2 app u2 h1", "h1: u1 u2", nil},
		{"one person has one too", "see 1 app u1 h1", "h1: u1", nil},
		{"values of one person are one household", "see 1 app u1 h1\nsee 2 app u1 a1\nsee 3 app u2 a1", "h1 a1: u1 u2", nil},
		{"the older value names it", "see 2 app u1 h1\nsee 1 app u2 a1\nsee 3 app u2 u1 a1 h1", "a1 h1: u1 u2", nil},
		{"a value alone has none", "see 1 app h1", "", nil},
		{"two values alone do not meet", "see 1 app h1 a1\nsee 1 app u1 h1\nsee 1 app u2 a1", "a1: u2 | h1: u1", nil},
		{"twelve profiles", repeat(12, "see % app u% h1"), "h1: u1 u10 u11 u12 u2 u3 u4 u5 u6 u7 u8 u9", nil},
		{"thirteen do not", repeat(13, "see % app u% h1"), "", nil},
		{"they are profiles, not identifiers", repeat(13, "see % app u1 c% h1") + "see 20 app u2 h1", "h1: c1 u2", nil},
		{"blocked value", "see 1 app u1 h1\nblock h1", "", nil},
		{"blocked person", "see 1 app u1 h1\nsee 1 app u2 h1\nblock u1", "h1: u2", nil},
		{"rejected", "see 1 app u1 h1\nsee 1 app u2 h1\nreject u1 h1", "h1: u2", nil},
		{"a generic address of many", repeat(11, "see 1 app u% e1") + "see 1 app e1 h1", "", nil},
		{"expired", "see 1 app u1 h1\nsee 200 app u1\nsee 200 app u2 h1\nexpire h1 200", "h1: u2", nil},
		{"erased", "see 1 app u1 h1\nsee 1 app u2 h1\nerase u1 5", "h1: u2", nil},
		{"beyond C is none", "see 1 app u1 h1 a1\nsee 1 app u2 a1", "", func(r *identity.Rules) { r.UnitCap = 3 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := testRules()
			rules.Namespaces = maps.Clone(rules.Namespaces)
			if c.rules != nil {
				c.rules(rules)
			}
			if got := showHouseholds(evaluate(rules, parse(t, c.script))); got != c.want {
				t.Errorf("households\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestHouseholdsFormNoPerson: taking the household values out of every event
// changes no profile but their own.
func TestHouseholdsFormNoPerson(t *testing.T) {
	for seed := range count(t) {
		rng := rand.New(rand.NewPCG(uint64(seed), 4))
		rules, script := randomRules(rng), randomScript(rng, true)
		var without []string
		for line := range strings.Lines(script) {
			f := strings.Fields(line)
			if f[0] == "see" {
				f = slices.DeleteFunc(f, func(w string) bool { return w[0] == 'h' })
			}
			if f[0] != "see" || len(f) > 3 {
				without = append(without, strings.Join(f, " "))
			}
		}
		with, bare := evaluate(rules, parse(t, script)), evaluate(rules, parse(t, strings.Join(without, "\n")))
		for k, id := range bare.Profile {
			if with.Profile[k] != id {
				t.Fatalf("seed %d: %s is in %v, without household values in %v\n%s", seed, name(k), with.Profile[k], id, script)
			}
		}
		if fmt.Sprint(bare.Household) != "map[]" {
			t.Fatalf("seed %d: a household without values", seed)
		}
	}
}

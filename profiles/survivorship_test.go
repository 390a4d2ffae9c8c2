package profiles

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// said is an observation at the given minutes, in a world of one trait.
func said(source, value string, minutes ...int) Observation {
	o := Observation{Trait: "t", Source: source, Value: value, Count: uint64(len(minutes))}
	for i, m := range minutes {
		at := Moment{Time: time.Date(2025, 1, 1, 0, m, 0, 0, time.UTC), Message: fmt.Sprintf("%032x", m)}
		if i == 0 || at.Compare(o.First) < 0 {
			o.First = at
		}
		if i == 0 || at.Compare(o.Last) > 0 {
			o.Last = at
		}
	}
	return o
}

func TestReduce(t *testing.T) {
	priority := TraitRule{Rule: SourcePriority, Sources: []string{"crm", "shop"}}
	f := func(name string, rule TraitRule, want string, observations ...Observation) {
		t.Helper()
		rules := Rules{Default: rule}
		shuffle := rand.New(rand.NewPCG(1, 2))
		for range 10 { // The order of the observations must not matter.
			shuffle.Shuffle(len(observations), func(i, j int) { observations[i], observations[j] = observations[j], observations[i] })
			got := "none"
			if traits := rules.Reduce(append([]Observation{}, observations...)); len(traits) == 1 {
				tr := traits[0]
				got = fmt.Sprintf("%s %s %d", tr.Value, tr.Source, tr.Time.Minute())
				if tr.Name != "t" || tr.Rule != rule.Rule {
					t.Errorf("%s: trait %+v", name, tr)
				}
			}
			if got != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
	}
	f("nothing", TraitRule{Rule: Newest}, "none")
	f("newest", TraitRule{Rule: Newest}, `"b" web 9`, said("web", `"a"`, 1, 8), said("web", `"b"`, 2, 9), said("crm", `"c"`, 3))
	f("newest said again", TraitRule{Rule: Newest}, `"a" web 9`, said("web", `"a"`, 1, 9), said("web", `"b"`, 2, 3))
	f("oldest", TraitRule{Rule: Oldest}, `"a" web 1`, said("web", `"a"`, 1, 8), said("web", `"b"`, 2, 9))
	f("most frequent", TraitRule{Rule: MostFrequent}, `"a" crm 5`, said("web", `"a"`, 1, 2), said("crm", `"a"`, 5), said("web", `"b"`, 8, 9))
	f("most frequent, tie", TraitRule{Rule: MostFrequent}, `"b" web 9`, said("web", `"a"`, 1, 8), said("web", `"b"`, 2, 9))
	f("priority", priority, `"b" crm 2`, said("web", `"a"`, 9), said("crm", `"b"`, 2), said("shop", `"c"`, 3))
	f("priority, newest of the best", priority, `"d" crm 4`, said("crm", `"b"`, 2), said("crm", `"d"`, 4))
	f("priority, others last", priority, `"c" shop 3`, said("web", `"a"`, 9), said("shop", `"c"`, 3))
	f("priority, none named", priority, `"a" web 9`, said("web", `"a"`, 9), said("app", `"c"`, 3))
	f("longest counts characters", TraitRule{Rule: Longest}, `"abcd" web 1`, said("web", `"abcd"`, 1), said("web", `"éé"`, 2), said("web", `12345678`, 3))
	f("longest, tie", TraitRule{Rule: Longest}, `"cd" web 2`, said("web", `"ab"`, 1), said("web", `"cd"`, 2))
	f("longest of no text", TraitRule{Rule: Longest}, "none", said("web", `1`, 1))
	f("union", TraitRule{Rule: Union}, `["a","b",1,{"x":2}] web 4`, said("web", `["a","b"]`, 1), said("web", `"b"`, 2), said("web", `[1,"a",null]`, 3), said("web", `{"x":2}`, 4))
	f("sum", TraitRule{Rule: Sum}, `2.3 web 4`, said("web", `0.1`, 1, 2, 3), said("web", `2`, 4), said("web", `"9"`, 5), said("web", `true`, 6))
	f("sum of hostile numbers", TraitRule{Rule: Sum}, `1 web 1`, said("web", `1`, 1), said("web", `1e999999999`, 2), said("web", `1e-999999999`, 3), said("web", strings.Repeat("9", 1000), 4))
	f("sum of nothing", TraitRule{Rule: Sum}, "none", said("web", `"x"`, 1))
	f("max", TraitRule{Rule: Max}, `3 web 2`, said("web", `-5`, 9), said("web", `3`, 2), said("web", `2.9`, 8))
	f("max of negatives", TraitRule{Rule: Max}, `-1 web 2`, said("web", `-5`, 9), said("web", `-1`, 2))
}

func TestReduceSeparatesTraits(t *testing.T) {
	a, b := said("web", `1`, 1), said("web", `2`, 2)
	a.Trait, b.Trait = "b", "a"
	got := DefaultRules().Reduce([]Observation{a, b})
	var names []string
	for _, tr := range got {
		names = append(names, tr.Name+string(tr.Value))
	}
	if d := cmp.Diff([]string{"a2", "b1"}, names); d != "" {
		t.Error(d)
	}
}

func TestRulesValidate(t *testing.T) {
	if err := DefaultRules().Validate(); err != nil {
		t.Error(err)
	}
	bad := Rules{Default: TraitRule{Rule: "best"}, Traits: map[string]TraitRule{"x": {Rule: SourcePriority}}}
	if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), `"best"`) || !strings.Contains(err.Error(), `trait "x"`) {
		t.Errorf("faults: %v", err)
	}
}

func ExampleRules_Reduce() {
	at := func(hour int) Moment { return Moment{Time: time.Date(2025, 1, 1, hour, 0, 0, 0, time.UTC)} }
	traits := DefaultRules().Reduce([]Observation{
		{Trait: "country", Source: "web", Value: `"PT"`, Count: 3, First: at(1), Last: at(5)},
		{Trait: "country", Source: "crm", Value: `"BR"`, Count: 1, First: at(7), Last: at(7)},
		{Trait: "created_at", Source: "crm", Value: `"2024"`, Count: 1, First: at(1), Last: at(1)},
		{Trait: "created_at", Source: "web", Value: `"2025"`, Count: 1, First: at(2), Last: at(2)},
	})
	for _, t := range traits {
		fmt.Println(t.Name, string(t.Value), t.Rule, t.Source)
	}
	// Output:
	// country "BR" newest crm
	// created_at "2024" oldest crm
}

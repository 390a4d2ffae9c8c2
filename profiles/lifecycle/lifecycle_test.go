package lifecycle

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestDefaultRules(t *testing.T) {
	rules := DefaultRules()
	if err := rules.Validate(); err != nil {
		t.Fatal(err)
	}
	unknown := math.NaN()
	f := func(want Stage, facts Facts) {
		t.Helper()
		if got := rules.Stage(facts); got != want {
			t.Errorf("%+v: %s, want %s", facts, got, want)
		}
	}
	nobody := Facts{SinceLast: unknown, SinceFirst: unknown, LastGap: unknown, Alive: unknown}
	f(Anonymous, nobody)
	nobody.Known = true
	f(Lead, nobody)
	f(New, Facts{true, 1, 2, 2, unknown, .9})
	f(New, Facts{false, 1, 30, 30, unknown, unknown})
	f(Active, Facts{true, 1, 31, 31, unknown, unknown})
	f(Active, Facts{true, 2, 31, 60, 29, .5})
	f(AtRisk, Facts{true, 9, 90, 600, 20, .49})
	f(Loyal, Facts{true, 3, 40, 200, 20, .8})
	f(Loyal, Facts{true, 3, 40, 200, 20, unknown})
	f(Lapsed, Facts{true, 9, 366, 900, 20, .01})
	f(WonBack, Facts{true, 2, 90, 270, 180, .2})
	f(Loyal, Facts{true, 3, 91, 600, 180, .6})
}

// The first rule that holds wins.
func TestOrderDecides(t *testing.T) {
	rules := Rules{{Stage: Loyal, When: []Condition{{Purchases, More, 1}}}, {Stage: Active, When: []Condition{{Purchases, More, 0}}}, {Stage: Lead}}
	for purchases, want := range []Stage{Lead, Active, Loyal} {
		if got := rules.Stage(Facts{Purchases: purchases}); got != want {
			t.Errorf("%d purchases: %s", purchases, got)
		}
	}
	rules[0], rules[1] = rules[1], rules[0]
	if got := rules.Stage(Facts{Purchases: 2}); got != Active {
		t.Errorf("the other way round: %s", got)
	}
}

func TestRulesThatAreNone(t *testing.T) {
	err := Rules{{Stage: "vip", When: []Condition{{"age", "near", 3}, {Alive, Less, math.NaN()}}}}.Validate()
	for _, part := range []string{`"vip"`, "age near 3", "alive lt NaN", "the last rule"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	if Rules(nil).Validate() == nil {
		t.Error("no rules are valid")
	}
}

func ExampleRules_Stage() {
	fmt.Println(DefaultRules().Stage(Facts{Known: true, Purchases: 4, SinceLast: 80, SinceFirst: 300, LastGap: 40, Alive: .3}))
	// Output: at_risk
}

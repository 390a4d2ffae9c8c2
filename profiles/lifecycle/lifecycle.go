// Package lifecycle says where in their life with a brand people are. A stage is
// decided by declared rules over a few facts, of which the first that holds wins,
// so that everybody is in exactly one stage and anybody can be told why. It is pure
// and knows no database.
package lifecycle

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Stage is a stage of the life with a brand.
type Stage string

// The stages of DefaultRules.
const (
	Anonymous Stage = "anonymous" // nobody knows who they are, and they bought nothing
	Lead      Stage = "lead"      // known, and bought nothing
	New       Stage = "new"       // bought for the first time lately
	Active    Stage = "active"    // buys
	Loyal     Stage = "loyal"     // buys again and again
	AtRisk    Stage = "at_risk"   // will more likely not come back than come
	Lapsed    Stage = "lapsed"    // bought long ago
	WonBack   Stage = "won_back"  // came back lately after a long time
)

// Stages lists the stages in the order of a life.
func Stages() []Stage {
	return []Stage{Anonymous, Lead, New, Active, Loyal, AtRisk, Lapsed, WonBack}
}

// Fact names a number that rules ask for.
type Fact string

// The facts. One that is not known is NaN, and no condition on it holds.
const (
	Known     Fact = "known"      // 1 where an identifier tells who it is, else 0
	Purchases Fact = "purchases"  // days with a purchase
	SinceLast Fact = "since_last" // days since the last purchase
	// SinceFirst is the days since the first purchase, LastGap those between the
	// last two days with one.
	SinceFirst Fact = "since_first"
	LastGap    Fact = "last_gap"
	// Alive is the probability that the customer has not dropped out.
	Alive Fact = "alive"
)

// Facts are what is known of one person.
type Facts struct {
	Known                          bool
	Purchases                      int
	SinceLast, SinceFirst, LastGap float64
	Alive                          float64
}

func (f Facts) value(of Fact) float64 {
	switch of {
	case Known:
		if f.Known {
			return 1
		}
		return 0
	case Purchases:
		return float64(f.Purchases)
	case SinceLast:
		return f.SinceLast
	case SinceFirst:
		return f.SinceFirst
	case LastGap:
		return f.LastGap
	case Alive:
		return f.Alive
	}
	return math.NaN()
}

// Op compares.
type Op string

// The operators.
const (
	Equal   Op = "eq"
	Less    Op = "lt"
	AtMost  Op = "lte"
	More    Op = "gt"
	AtLeast Op = "gte"
)

// Condition holds where a fact compares so.
type Condition struct {
	Fact  Fact    `json:"fact"`
	Op    Op      `json:"op"`
	Value float64 `json:"value"`
}

func (c Condition) holds(f Facts) bool {
	v := f.value(c.Fact)
	switch c.Op {
	case Equal:
		return v == c.Value
	case Less:
		return v < c.Value
	case AtMost:
		return v <= c.Value
	case More:
		return v > c.Value
	case AtLeast:
		return v >= c.Value
	}
	return false
}

// Rule gives a stage to those for whom all conditions hold; without any, to all.
type Rule struct {
	Stage Stage       `json:"stage"`
	When  []Condition `json:"when,omitempty"`
}

// Rules are rules in order: the first that holds decides.
type Rules []Rule

// DefaultRules returns the rules that stand unless others are declared: times in
// days. Who came back after half a year is won back for a quarter; who did not come
// for a year has lapsed; the first month is new; then the odds of coming back decide,
// and three days with purchases make a loyal customer.
func DefaultRules() Rules {
	return Rules{
		{Anonymous, []Condition{{Known, Equal, 0}, {Purchases, Equal, 0}}},
		{Lead, []Condition{{Purchases, Equal, 0}}},
		{WonBack, []Condition{{LastGap, AtLeast, 180}, {SinceLast, AtMost, 90}}},
		{Lapsed, []Condition{{SinceLast, More, 365}}},
		{New, []Condition{{SinceFirst, AtMost, 30}}},
		{AtRisk, []Condition{{Alive, Less, .5}}},
		{Loyal, []Condition{{Purchases, AtLeast, 3}}},
		{Active, nil},
	}
}

// Validate reports every fault of the rules.
func (r Rules) Validate() error {
	var errs []error
	facts := []Fact{Known, Purchases, SinceLast, SinceFirst, LastGap, Alive}
	ops := []Op{Equal, Less, AtMost, More, AtLeast}
	for i, rule := range r {
		if !slices.Contains(Stages(), rule.Stage) {
			errs = append(errs, fmt.Errorf("lifecycle: rule %d gives stage %q, which is not known", i+1, rule.Stage))
		}
		for _, c := range rule.When {
			if !slices.Contains(facts, c.Fact) || !slices.Contains(ops, c.Op) || math.IsNaN(c.Value) {
				errs = append(errs, fmt.Errorf("lifecycle: rule %d asks for %s %s %v, which is no condition", i+1, c.Fact, c.Op, c.Value))
			}
		}
	}
	if len(r) == 0 || len(r[len(r)-1].When) > 0 {
		errs = append(errs, errors.New("lifecycle: the last rule must hold for everybody"))
	}
	return errors.Join(errs...)
}

// Stage returns the stage of a person; empty where no rule holds, which Validate
// rules out.
func (r Rules) Stage(f Facts) Stage {
	for _, rule := range r {
		if !slices.ContainsFunc(rule.When, func(c Condition) bool { return !c.holds(f) }) {
			return rule.Stage
		}
	}
	return ""
}

package profiles

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// Rule names a way to make one value of many observations.
type Rule string

// The survivorship rules. Observations up to and including the newest null are
// gone before any rule looks: null removes. "Newest" orders by (event time,
// message hash), so the result depends on the observations as a set only. What
// a rule cannot use (a text where a sum is asked for) it passes over.
const (
	Newest         Rule = "newest"
	Oldest         Rule = "oldest"
	MostFrequent   Rule = "most_frequent"   // ties: the newest
	SourcePriority Rule = "source_priority" // TraitRule.Sources in order, then all others; newest within a source
	Longest        Rule = "longest"         // the string of most characters; ties: the newest
	Union          Rule = "union"           // distinct values and elements of arrays, in order of first appearance
	Sum            Rule = "sum"             // of numbers
	Max            Rule = "max"             // of numbers
)

// Computed marks a trait that is no statement of anybody but computed from the
// events of the profile, as ComputedTrait declares it. It is no rule of survivorship.
const Computed Rule = "computed"

// TraitRule is the rule of one trait.
type TraitRule struct {
	Rule Rule
	// Sources orders sources for SourcePriority, the most trusted first.
	Sources []string
}

// Rules is the table of survivorship rules. It is immutable once in use.
type Rules struct {
	// Default serves the traits that Traits does not name.
	Default TraitRule
	Traits  map[string]TraitRule
	// Computed are the traits that are computed from events, which take the place of
	// statements of their names wherever traits are asked for by name.
	Computed []ComputedTrait
}

// DefaultRules lets the newest statement win, keeps the oldest date of
// creation, and collects tags.
func DefaultRules() Rules {
	oldest, union := TraitRule{Rule: Oldest}, TraitRule{Rule: Union}
	return Rules{
		Default: TraitRule{Rule: Newest},
		Traits: map[string]TraitRule{
			"created_at": oldest, "createdAt": oldest, "signed_up_at": oldest,
			"first_referrer": oldest, "first_campaign": oldest,
			"tags": union, "interests": union,
		},
	}
}

// Rule returns the rule of a trait.
func (r Rules) Rule(trait string) TraitRule {
	if rule, ok := r.Traits[trait]; ok {
		return rule
	}
	return r.Default
}

// Validate reports every rule that does not exist and every source priority
// without sources.
func (r Rules) Validate() error {
	errs := []error{r.Default.validate("default")}
	names := make([]string, 0, len(r.Traits))
	for name := range r.Traits {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		errs = append(errs, r.Traits[name].validate(name))
	}
	errs = append(errs, ValidateComputed(r.Computed))
	return errors.Join(errs...)
}

func (r TraitRule) validate(name string) error {
	switch r.Rule {
	case Newest, Oldest, MostFrequent, Longest, Union, Sum, Max:
		return nil
	case SourcePriority:
		if len(r.Sources) == 0 {
			return fmt.Errorf("trait %q: rule source_priority needs sources", name)
		}
		return nil
	}
	return fmt.Errorf("trait %q: unknown survivorship rule %q", name, r.Rule)
}

// Moment orders observations: by event time, then by message.
type Moment struct {
	Time time.Time
	// Message is the hash of the message in hexadecimal digits of fixed width.
	Message string
}

// Compare orders moments.
func (m Moment) Compare(o Moment) int {
	return cmp.Or(m.Time.Compare(o.Time), cmp.Compare(m.Message, o.Message))
}

// Observation says that a source gave a trait one value, Count times, after
// the last null. Grouping before reading keeps a profile of many thousand
// statements small on the wire.
type Observation struct {
	Trait       string
	Source      string
	Value       string // JSON text, not null
	Count       uint64
	First, Last Moment
}

// Reduce applies the rules to the observations of one profile and returns the
// surviving traits by name. It may reorder observations. A trait whose rule
// finds nothing it can use has no value.
func (r Rules) Reduce(observations []Observation) []Trait {
	slices.SortFunc(observations, func(a, b Observation) int {
		return cmp.Or(cmp.Compare(a.Trait, b.Trait), a.First.Compare(b.First),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Value, b.Value))
	})
	var traits []Trait
	for start := 0; start < len(observations); {
		end := start + 1
		for end < len(observations) && observations[end].Trait == observations[start].Trait {
			end++
		}
		name := observations[start].Trait
		rule := r.Rule(name)
		if t, ok := rule.reduce(observations[start:end]); ok {
			t.Name, t.Rule = name, rule.Rule
			traits = append(traits, t)
		}
		start = end
	}
	return traits
}

// reduce applies one rule to the observations of one trait, which are sorted
// by first moment.
func (r TraitRule) reduce(obs []Observation) (Trait, bool) {
	switch r.Rule {
	case Oldest:
		return chosen(obs[0], obs[0].First), true
	case MostFrequent:
		return mostFrequent(obs), true
	case SourcePriority:
		return best(obs, func(o Observation) (int, bool) {
			i := slices.Index(r.Sources, o.Source)
			if i < 0 {
				i = len(r.Sources)
			}
			return -i, true
		})
	case Longest:
		return best(obs, func(o Observation) (int, bool) {
			var s string
			if json.Unmarshal([]byte(o.Value), &s) != nil {
				return 0, false
			}
			return utf8.RuneCountInString(s), true
		})
	case Union:
		return union(obs), true
	case Sum, Max:
		return number(r.Rule, obs)
	default:
		return best(obs, func(Observation) (int, bool) { return 0, true })
	}
}

func chosen(o Observation, at Moment) Trait {
	return Trait{Value: json.RawMessage(o.Value), Source: o.Source, Time: at.Time}
}

// best returns the newest of the observations with the greatest weight.
func best(obs []Observation, weight func(Observation) (int, bool)) (Trait, bool) {
	found, top, pick := false, 0, Observation{}
	for _, o := range obs {
		w, ok := weight(o)
		if !ok {
			continue
		}
		if !found || w > top || w == top && o.Last.Compare(pick.Last) > 0 {
			found, top, pick = true, w, o
		}
	}
	return chosen(pick, pick.Last), found
}

func mostFrequent(obs []Observation) Trait {
	type tally struct {
		count uint64
		last  Observation
	}
	byValue := make(map[string]*tally, len(obs))
	var top *tally
	for _, o := range obs {
		t := byValue[o.Value]
		if t == nil {
			t = &tally{last: o}
			byValue[o.Value] = t
		}
		t.count += o.Count
		if o.Last.Compare(t.last.Last) > 0 {
			t.last = o
		}
	}
	for _, t := range byValue {
		if top == nil || t.count > top.count || t.count == top.count && t.last.Last.Compare(top.last.Last) > 0 {
			top = t
		}
	}
	return chosen(top.last, top.last.Last)
}

func union(obs []Observation) Trait {
	newest, seen, out := obs[0], map[string]bool{}, []string{}
	for _, o := range obs {
		if o.Last.Compare(newest.Last) > 0 {
			newest = o
		}
		var elements []json.RawMessage
		if json.Unmarshal([]byte(o.Value), &elements) != nil {
			elements = []json.RawMessage{json.RawMessage(o.Value)}
		}
		for _, e := range elements {
			if s := string(e); !seen[s] && s != "null" {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	t := chosen(newest, newest.Last)
	t.Value = json.RawMessage("[" + strings.Join(out, ",") + "]")
	return t
}

func number(rule Rule, obs []Observation) (Trait, bool) {
	var total decimal.Decimal
	var pick *Observation
	for i, o := range obs {
		v, ok := parseNumber(o.Value)
		if !ok {
			continue
		}
		switch {
		case rule == Sum:
			total = total.Add(v.Mul(decimal.NewFromUint64(o.Count)))
			if pick == nil || o.Last.Compare(pick.Last) > 0 {
				pick = &obs[i]
			}
		case pick == nil || v.GreaterThan(total) || v.Equal(total) && o.Last.Compare(pick.Last) > 0:
			total, pick = v, &obs[i]
		}
	}
	if pick == nil {
		return Trait{}, false
	}
	t := chosen(*pick, pick.Last)
	t.Value = json.RawMessage(total.String())
	return t, true
}

// maxDigits bounds the length and the exponent of a number in a sum: decimals
// are exact, so adding 1e999999999 to 1 would need as many digits.
const maxDigits = 40

func parseNumber(text string) (decimal.Decimal, bool) {
	var n json.Number
	if len(text) > maxDigits || strings.HasPrefix(text, `"`) || json.Unmarshal([]byte(text), &n) != nil {
		return decimal.Decimal{}, false
	}
	v, err := decimal.NewFromString(n.String())
	if err != nil || v.Exponent() > maxDigits || v.Exponent() < -maxDigits {
		return decimal.Decimal{}, false
	}
	return v, true
}

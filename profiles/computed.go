package profiles

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Computation names how a trait is computed from the events of a profile.
type Computation string

// The computations. Those of a property pass over events that do not have it, and
// over what they cannot use. A computation that finds nothing gives no trait, but
// for count and sum, which give 0.
const (
	ComputeCount        Computation = "count"
	ComputeSum          Computation = "sum"           // of numbers, exact to four decimal places
	ComputeAverage      Computation = "average"       // the same
	ComputeFirst        Computation = "first"         // the value of the earliest event
	ComputeLast         Computation = "last"          // of the latest event
	ComputeMostFrequent Computation = "most_frequent" // ties: the one seen last
	ComputeUniqueList   Computation = "unique_list"   // distinct values, those seen last first
	ComputeTimeSince    Computation = "time_since"    // the last event, in whole units
)

// ComputedTrait declares a trait that is computed from the events of a profile
// whenever it is read, and so follows every merge and unmerge.
type ComputedTrait struct {
	Name    string
	Compute Computation
	// Event and Kind restrict the events; empty ones do not.
	Event, Kind string
	// Property is what is computed from: the path of a property, with dots between
	// the names of nested objects. Count and time_since have none.
	Property string
	// Within restricts the events to (now - Within, now]; 0 is all time.
	Within time.Duration
	// Where must all hold for an event to count.
	Where []Condition
	// Limit is the greatest length of a unique list. 0 is 100.
	Limit int
	// Unit of time_since. 0 is a day.
	Unit time.Duration
}

// Condition tests a property of an event.
type Condition struct {
	Property string
	Op       string // eq, neq, in, gt, gte, lt, lte, exists
	// Values are texts, float64s or bools: one, any number for in, none for exists.
	Values []any
}

// Bounds of declarations.
const (
	maxComputed   = 100 // traits
	maxConditions = 20  // of a trait
	maxList       = 1000
	defaultList   = 100
	maxTraitName  = 200
)

// ValidateComputed reports every fault of a list of declarations.
func ValidateComputed(list []ComputedTrait) error {
	var errs []error
	if len(list) > maxComputed {
		errs = append(errs, fmt.Errorf("%d computed traits; the limit is %d", len(list), maxComputed))
	}
	seen := map[string]bool{}
	for _, t := range list {
		if seen[t.Name] {
			errs = append(errs, fmt.Errorf("computed trait %q is declared twice", t.Name))
		}
		seen[t.Name] = true
		if err := t.validate(); err != nil {
			errs = append(errs, fmt.Errorf("computed trait %q: %w", t.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (t ComputedTrait) validate() error {
	var errs []error
	add := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	add(t.Name == "" || len(t.Name) > maxTraitName || !utf8.ValidString(t.Name), "a name has 1 to %d bytes of UTF-8", maxTraitName)
	switch t.Compute {
	case ComputeCount, ComputeTimeSince:
		add(t.Property != "", "%s has no property", t.Compute)
	case ComputeSum, ComputeAverage, ComputeFirst, ComputeLast, ComputeMostFrequent, ComputeUniqueList:
		add(t.Property == "", "%s needs a property", t.Compute)
	default:
		add(true, "unknown computation %q", t.Compute)
	}
	add(t.Within < 0, "a window is not negative")
	add(t.Limit < 0 || t.Limit > maxList, "a list has at most %d values", maxList)
	add(t.Limit > 0 && t.Compute != ComputeUniqueList, "only unique_list has a limit")
	add(t.Unit < 0 || t.Unit > 0 && t.Unit < time.Second, "a unit is a second or more")
	add(t.Unit > 0 && t.Compute != ComputeTimeSince, "only time_since has a unit")
	add(len(t.Where) > maxConditions, "at most %d conditions", maxConditions)
	for _, c := range t.Where {
		if err := c.validate(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (c Condition) validate() error {
	if c.Property == "" {
		return errors.New("a condition needs a property")
	}
	n := len(c.Values)
	switch c.Op {
	case "exists":
		if n != 0 {
			return errors.New("exists has no value")
		}
	case "eq", "neq", "gt", "gte", "lt", "lte":
		if n != 1 {
			return fmt.Errorf("%s has one value", c.Op)
		}
	case "in":
		if n == 0 || n > maxList {
			return fmt.Errorf("in has 1 to %d values", maxList)
		}
	default:
		return fmt.Errorf("unknown operator %q", c.Op)
	}
	for _, v := range c.Values {
		switch v.(type) {
		case string, float64:
		case bool:
			if c.Op != "eq" && c.Op != "neq" && c.Op != "in" {
				return fmt.Errorf("%s does not compare true or false", c.Op)
			}
		default:
			return fmt.Errorf("a value is a text, a number, true or false, not %T", v)
		}
	}
	return nil
}

// Aggregate is what the events of a profile add up to for one computed trait.
type Aggregate struct {
	Events uint64    // that count
	Last   time.Time // of the last of them
	// Value is JSON text: the sum, average, first or last value; empty for none.
	Value string
	// Values are the distinct values, for most_frequent and unique_list.
	Values []Tally
}

// Tally is a distinct value with how often it was there, and when last.
type Tally struct {
	Value string // JSON text
	Count uint64
	Last  time.Time
}

// Trait returns the trait that an aggregate gives, at a time; false for none.
func (t ComputedTrait) Trait(a Aggregate, now time.Time) (Trait, bool) {
	out := Trait{Name: t.Name, Rule: Computed, Time: a.Last}
	value := a.Value
	switch t.Compute {
	case ComputeCount:
		value = strconv.FormatUint(a.Events, 10)
	case ComputeTimeSince:
		if value = ""; a.Events > 0 {
			value = strconv.FormatInt(int64(max(0, now.Sub(a.Last))/cmp.Or(t.Unit, 24*time.Hour)), 10)
		}
	case ComputeMostFrequent:
		slices.SortFunc(a.Values, func(a, b Tally) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last), cmp.Compare(a.Value, b.Value))
		})
		if value = ""; len(a.Values) > 0 {
			value = a.Values[0].Value
		}
	case ComputeUniqueList:
		value = t.list(a.Values)
	}
	if value == "" || value == "null" || !json.Valid([]byte(value)) {
		return Trait{}, false
	}
	out.Value = json.RawMessage(value)
	return out, true
}

// ListLimit is the greatest length of a unique list.
func (t ComputedTrait) ListLimit() int { return cmp.Or(t.Limit, defaultList) }

func (t ComputedTrait) list(values []Tally) string {
	if len(values) == 0 {
		return ""
	}
	slices.SortFunc(values, func(a, b Tally) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Value, b.Value)) })
	values = values[:min(len(values), t.ListLimit())]
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.Value
	}
	return "[" + strings.Join(texts, ",") + "]"
}

// WithComputed returns traits with computed ones among them, by name. A computed
// trait takes the place of statements of its name.
func WithComputed(traits, computed []Trait) []Trait {
	declared := map[string]bool{}
	for _, t := range computed {
		declared[t.Name] = true
	}
	traits = slices.DeleteFunc(traits, func(t Trait) bool { return declared[t.Name] })
	traits = append(traits, computed...)
	slices.SortFunc(traits, func(a, b Trait) int { return cmp.Compare(a.Name, b.Name) })
	return traits
}

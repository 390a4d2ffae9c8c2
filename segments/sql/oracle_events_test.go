package sql_test

import (
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments"
)

// matches reports whether an event is one that a leaf means.
func (o *oracle) matches(e clickhousetest.Event, name, kind string, where []segments.Property, within time.Duration, period segments.Period) bool {
	if e.Name != name || kind != "" && e.Kind != kind || !o.inWindow(e.Time, within) || e.Time.Before(period.From) {
		return false
	}
	if !period.Until.IsZero() && !e.Time.Before(period.Until) {
		return false
	}
	return says(e, where)
}

// says reports whether the properties of an event pass every test.
func says(e clickhousetest.Event, where []segments.Property) bool {
	for _, w := range where {
		v := dig(e.Properties, w.Path)
		if len(w.Each) == 0 {
			if !passes(v, w.Test) {
				return false
			}
			continue
		}
		list, _ := v.([]any)
		if !slices.ContainsFunc(list, func(x any) bool {
			m, _ := x.(map[string]any)
			return passes(dig(m, w.Each), w.Test)
		}) {
			return false
		}
	}
	return true
}

func (o *oracle) event(p *person, leaf segments.Event) bool {
	if leaf.Pick != "" {
		var picked *clickhousetest.Event
		for i, e := range p.events {
			if o.matches(e, leaf.Name, leaf.Kind, nil, leaf.Within, leaf.Period) &&
				(picked == nil || o.later(e, *picked) == (leaf.Pick == segments.Last)) {
				picked = &p.events[i]
			}
		}
		return picked != nil && says(*picked, leaf.Where)
	}
	var of []clickhousetest.Event
	for _, e := range p.events {
		if o.matches(e, leaf.Name, leaf.Kind, leaf.Where, leaf.Within, leaf.Period) {
			of = append(of, e)
		}
	}
	if leaf.Measure.Aggregate != "" {
		return measure(of, leaf.Measure)
	}
	if len(leaf.Count) == 0 {
		return len(of) > 0
	}
	return leaf.Count.Holds(float64(len(of)))
}

func measure(events []clickhousetest.Event, m segments.Measured) bool {
	days := map[string]bool{}
	var numbers []float64
	sum := new(big.Int)
	for _, e := range events {
		days[e.Time.UTC().Format(time.DateOnly)] = true
		if x, ok := dig(e.Properties, m.Of).(float64); ok && math.Abs(x) <= 1e15 {
			numbers = append(numbers, x)
			whole, _ := big.NewFloat(math.RoundToEven(x * 10000)).Int(nil)
			sum.Add(sum, whole)
		}
	}
	total, _ := new(big.Float).SetInt(sum).Float64()
	total /= 10000
	switch {
	case m.Aggregate == segments.Days:
		return m.Is.Holds(float64(len(days)))
	case m.Aggregate == segments.Sum:
		return m.Is.Holds(total)
	case len(numbers) == 0:
		return false
	case m.Aggregate == segments.Average:
		return m.Is.Holds(total / float64(len(numbers)))
	case m.Aggregate == segments.Min:
		return m.Is.Holds(slices.Min(numbers))
	}
	return m.Is.Holds(slices.Max(numbers))
}

// sequence tries every way to take events for the steps.
func (o *oracle) sequence(p *person, leaf segments.Sequence) bool {
	events := slices.Clone(p.events)
	slices.SortFunc(events, func(a, b clickhousetest.Event) int {
		if o.later(a, b) {
			return 1
		}
		return -1
	})
	is := func(e clickhousetest.Event, name, kind string, where []segments.Property) bool {
		return o.matches(e, name, kind, where, leaf.Within, leaf.Period)
	}
	var try func(step, start, last int) bool
	try = func(step, start, last int) bool {
		if step == len(leaf.Steps) {
			return leaf.Span == 0 || events[last].Time.Sub(events[start].Time) <= leaf.Span
		}
		s := leaf.Steps[step]
		if s.Optional && try(step+1, start, last) {
			return true
		}
		for i := last + 1; i < len(events); i++ {
			if last >= 0 {
				gap := events[i].Time.Sub(events[last].Time)
				if gap < s.AtLeast || s.AtMost > 0 && gap > s.AtMost {
					continue
				}
				if x := s.Without; x != nil && slices.ContainsFunc(events[last+1:i], func(e clickhousetest.Event) bool { return is(e, x.Name, x.Kind, x.Where) }) {
					continue
				}
			}
			from := start
			if step == 0 {
				from = i
			}
			if is(events[i], s.Name, s.Kind, s.Where) && try(step+1, from, i) {
				return true
			}
		}
		return false
	}
	return try(0, -1, -1)
}

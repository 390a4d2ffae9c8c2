package segments

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// kinds are the kinds of events, as the ingest packages name them.
var kinds = []string{
	"behaviour", "transaction", "social", "location", "support", "feedback", "sensor", "contact", "catalogue",
}

// aggregates are the members of an event that measure, in the order of Measured.
var aggregates = []Aggregate{Sum, Average, Min, Max, Days}

func (p *parser) event(at string, v jsonValue) Node {
	o := p.object(at, v, "event", "kind", "count", "within", "from", "until", "zone", "where", "pick", "sum", "average", "min", "max", "is", "days")
	e := Event{Within: p.within(at, o), Period: p.period(at, o)}
	e.Name, e.Kind, e.Where = p.named(at, o)
	if count, ok := o.get("count"); ok {
		e.Count = p.comparison(join(at, "count"), count)
	}
	e.Measure = p.measured(at, o)
	if pick, ok := o.get("pick"); ok {
		e.Pick = Pick(pick.text)
		switch {
		case pick.kind != isString || e.Pick != First && e.Pick != Last:
			p.add(join(at, "pick"), "must be first or last")
		case len(e.Where) == 0:
			p.add(at, "must have \"where\": what the %s event must say", e.Pick)
		}
	}
	asked := 0
	for _, asks := range []bool{len(e.Count) > 0, e.Measure.Aggregate != "", e.Pick != ""} {
		if asks {
			asked++
		}
	}
	if asked > 1 {
		p.add(at, "must ask one thing: count, a measure or pick")
	}
	return e
}

// named reads what an event, a step and an exclusion share.
func (p *parser) named(at string, o object) (name, kind string, where []Property) {
	name = p.name(at, o, "event")
	if v, ok := o.get("kind"); ok {
		if v.kind != isString || !slices.Contains(kinds, v.text) {
			p.add(join(at, "kind"), "must be one of %s", strings.Join(kinds, ", "))
		}
		kind = v.text
	}
	if v, ok := o.get("where"); ok {
		where = p.where(join(at, "where"), v)
	}
	return name, kind, where
}

func (p *parser) measured(at string, o object) Measured {
	var m Measured
	for _, a := range aggregates {
		v, ok := o.get(string(a))
		switch {
		case !ok:
			continue
		case m.Aggregate != "":
			p.add(at, "must measure one thing, has both %q and %q", m.Aggregate, a)
			return m
		case a == Days:
			m.Is = p.comparison(join(at, string(a)), v)
		default:
			m.Of = p.path(at, o, string(a))
		}
		m.Aggregate = a
	}
	is, ok := o.get("is")
	switch {
	case ok && (m.Aggregate == "" || m.Aggregate == Days):
		p.add(join(at, "is"), "has its place beside sum, average, min or max")
	case !ok && m.Aggregate != "" && m.Aggregate != Days:
		p.add(at, "must have \"is\": what the %s is compared with", m.Aggregate)
	case ok:
		m.Is = p.comparison(join(at, "is"), is)
	}
	return m
}

// period reads from and until: instants of RFC 3339, or dates, which begin at
// midnight in the zone.
func (p *parser) period(at string, o object) Period {
	zone := time.UTC
	if v, ok := o.get("zone"); ok {
		loaded, err := time.LoadLocation(v.text)
		if v.kind != isString || err != nil || v.text == "" || v.text == "Local" {
			p.add(join(at, "zone"), "must be a time zone such as \"Europe/Lisbon\"")
		} else {
			zone = loaded
		}
	}
	read := func(member string) time.Time {
		v, ok := o.get(member)
		if !ok {
			return time.Time{}
		}
		t, err := time.ParseInLocation(time.DateOnly, v.text, zone)
		if err != nil {
			t, err = time.Parse(time.RFC3339, v.text)
		}
		if t = t.UTC(); v.kind != isString || err != nil || t.Year() < 1970 || t.Year() > 2200 {
			p.add(join(at, member), "must be a date such as \"2025-01-31\" or a time of RFC 3339, of 1970 to 2200")
			return time.Time{}
		}
		return t.Truncate(time.Millisecond)
	}
	period := Period{From: read("from"), Until: read("until")}
	if !period.From.IsZero() && !period.Until.IsZero() && !period.From.Before(period.Until) {
		p.add(join(at, "until"), "must be later than from")
	}
	return period
}

func (p *parser) where(at string, v jsonValue) []Property {
	if v.kind != isArray || len(v.items) == 0 || len(v.items) > MaxConditions {
		p.add(at, "must be an array of 1 to %d conditions", MaxConditions)
		return nil
	}
	conditions := make([]Property, 0, len(v.items))
	for i, item := range v.items {
		at := fmt.Sprintf("%s/%d", at, i)
		if item.kind != isObject {
			p.add(at, "must be an object, is %s", item.kind)
			continue
		}
		o := p.object(at, item, "property", "each", "op", "value")
		c := Property{Path: p.path(at, o, "property"), Test: p.test(at, o)}
		if _, ok := o.get("each"); ok {
			c.Each = p.path(at, o, "each")
		}
		conditions = append(conditions, c)
	}
	return conditions
}

func (p *parser) path(at string, o object, member string) []string {
	path := splitPath(p.name(at, o, member))
	if len(path) > 1 && slices.Contains(path, "") {
		p.add(join(at, member), "must be names joined by single dots")
	}
	return path
}

// MaxSteps is the greatest number of steps of a sequence.
const MaxSteps = 10

func (p *parser) sequence(at string, v jsonValue) Node {
	o := p.object(at, v, "sequence", "within", "from", "until", "zone", "span")
	s := Sequence{Within: p.within(at, o), Period: p.period(at, o), Span: p.duration(at, o, "span")}
	steps, _ := o.get("sequence")
	at = join(at, "sequence")
	if steps.kind != isArray || len(steps.items) < 2 || len(steps.items) > MaxSteps {
		p.add(at, "must be an array of 2 to %d steps", MaxSteps)
		return s
	}
	for i, item := range steps.items {
		at := fmt.Sprintf("%s/%d", at, i)
		if item.kind != isObject {
			p.add(at, "must be an object, is %s", item.kind)
			continue
		}
		s.Steps = append(s.Steps, p.step(at, item, i == 0, i == len(steps.items)-1))
	}
	return s
}

func (p *parser) step(at string, v jsonValue, first, last bool) Step {
	o := p.object(at, v, "event", "kind", "where", "optional", "after", "without")
	var s Step
	s.Name, s.Kind, s.Where = p.named(at, o)
	if v, ok := o.get("optional"); ok {
		s.Optional = v.truth
		switch {
		case v.kind != isBool:
			p.add(join(at, "optional"), "must be a boolean, is %s", v.kind)
		case v.truth && (first || last):
			p.add(join(at, "optional"), "has no place at the first and the last step")
		}
	}
	if v, ok := o.get("after"); ok {
		at := join(at, "after")
		if v.kind != isObject || len(v.members) == 0 {
			p.add(at, "must be an object of bounds such as {\"lte\": \"1h\"}")
		}
		bounds := p.object(at, v, "gte", "lte")
		s.AtLeast, s.AtMost = p.duration(at, bounds, "gte"), p.duration(at, bounds, "lte")
		if first {
			p.add(at, "has no place at the first step")
		}
		if s.AtMost > 0 && s.AtLeast > s.AtMost {
			p.add(at, "must not ask for more than it allows")
		}
	}
	if v, ok := o.get("without"); ok {
		s.Without = p.exclusion(join(at, "without"), v, first)
	}
	return s
}

func (p *parser) exclusion(at string, v jsonValue, first bool) *Exclusion {
	if v.kind != isObject {
		p.add(at, "must be an object, is %s", v.kind)
		return nil
	}
	if first {
		p.add(at, "has no place at the first step")
	}
	o := p.object(at, v, "event", "kind", "where")
	var x Exclusion
	x.Name, x.Kind, x.Where = p.named(at, o)
	return &x
}

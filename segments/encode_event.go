package segments

import (
	"strconv"
	"time"
)

func (e Event) encode() any {
	m := encodeNamed(e.Name, e.Kind, e.Where)
	if len(e.Count) > 0 {
		m["count"] = e.Count.encode()
	}
	switch e.Measure.Aggregate {
	case "":
	case Days:
		m["days"] = e.Measure.Is.encode()
	default:
		m[string(e.Measure.Aggregate)] = joinPath(e.Measure.Of)
		m["is"] = e.Measure.Is.encode()
	}
	if e.Pick != "" {
		m["pick"] = string(e.Pick)
	}
	return e.Period.encode(withWindow(m, e.Within))
}

func encodeNamed(name, kind string, where []Property) map[string]any {
	m := map[string]any{"event": name}
	if kind != "" {
		m["kind"] = kind
	}
	if len(where) > 0 {
		list := make([]any, len(where))
		for i, c := range where {
			condition := map[string]any{"property": joinPath(c.Path)}
			if len(c.Each) > 0 {
				condition["each"] = joinPath(c.Each)
			}
			list[i] = c.Test.encode(condition)
		}
		m["where"] = list
	}
	return m
}

func (s Sequence) encode() any {
	steps := make([]any, len(s.Steps))
	for i, step := range s.Steps {
		m := encodeNamed(step.Name, step.Kind, step.Where)
		if step.Optional {
			m["optional"] = true
		}
		after := withDuration(withDuration(map[string]any{}, "gte", step.AtLeast), "lte", step.AtMost)
		if len(after) > 0 {
			m["after"] = after
		}
		if x := step.Without; x != nil {
			m["without"] = encodeNamed(x.Name, x.Kind, x.Where)
		}
		steps[i] = m
	}
	m := withDuration(map[string]any{"sequence": steps}, "span", s.Span)
	return s.Period.encode(withWindow(m, s.Within))
}

// encode writes instants: they mean the same in every zone.
func (p Period) encode(m map[string]any) map[string]any {
	if !p.From.IsZero() {
		m["from"] = p.From.UTC().Format(time.RFC3339Nano)
	}
	if !p.Until.IsZero() {
		m["until"] = p.Until.UTC().Format(time.RFC3339Nano)
	}
	return m
}

func withWindow(m map[string]any, d time.Duration) map[string]any {
	return withDuration(m, "within", d)
}

func withDuration(m map[string]any, member string, d time.Duration) map[string]any {
	if d == 0 {
		return m
	}
	for _, unit := range []byte{'w', 'd', 'h', 'm'} {
		if d%units[unit] == 0 {
			m[member] = strconv.FormatInt(int64(d/units[unit]), 10) + string(unit)
			break
		}
	}
	return m
}

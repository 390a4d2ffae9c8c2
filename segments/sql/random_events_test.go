package sql_test

import (
	"time"

	"github.com/kindred-cdp/kindred/segments"
)

func (m maker) where(most int) []segments.Property {
	var where []segments.Property
	for range m.IntN(most + 1) {
		w := segments.Property{Path: []string{m.one("size", "it's", "a b")}, Test: m.test()}
		switch m.IntN(6) {
		case 0, 1:
			w.Path = []string{"deep", "er"}
		case 2:
			w.Path, w.Each = []string{m.one("items", "items", "size")}, []string{m.one("sku", "n")}
		}
		where = append(where, w)
	}
	return where
}

func (m maker) period() segments.Period {
	at := func() time.Time { return now.Add(-time.Duration(m.IntN(6)) * 24 * time.Hour) }
	switch m.IntN(5) {
	case 0:
		return segments.Period{From: at()}
	case 1:
		return segments.Period{Until: at()}
	case 2:
		from := at()
		return segments.Period{From: from, Until: from.Add(time.Duration(1+m.IntN(48)) * time.Hour)}
	}
	return segments.Period{}
}

func (m maker) kind() string {
	if m.IntN(4) == 0 {
		return m.one("behaviour", "transaction")
	}
	return ""
}

func (m maker) eventLeaf() segments.Event {
	e := segments.Event{Name: m.name(), Kind: m.kind(), Within: m.within(), Period: m.period(), Where: m.where(2)}
	switch m.IntN(8) {
	case 0, 1, 2:
		e.Count = m.comparison(0, 1, 2, 3, 1.5)
	case 3:
		e.Measure = segments.Measured{Aggregate: segments.Days, Is: m.comparison(0, 1, 2, 3)}
	case 4, 5:
		aggregate := []segments.Aggregate{segments.Sum, segments.Average, segments.Min, segments.Max}[m.IntN(4)]
		e.Measure = segments.Measured{Aggregate: aggregate, Of: []string{m.one("size", "a b")}, Is: m.comparison(0, 1, 2.6, .1, 12)}
	case 6:
		e.Pick = segments.Pick(m.one("first", "last"))
		e.Where = append(e.Where, segments.Property{Path: []string{"size"}, Test: m.test()})
	}
	return e
}

func (m maker) sequence() segments.Sequence {
	s := segments.Sequence{Within: m.within(), Period: m.period(), Span: m.gap(), Steps: make([]segments.Step, 2+m.IntN(3))}
	for i := range s.Steps {
		step := segments.Step{Name: m.common(), Kind: m.kind()}
		if m.IntN(5) == 0 {
			step.Where = m.where(1)
		}
		if i > 0 {
			step.AtLeast, step.AtMost = m.gap(), m.gap()
			if step.AtMost > 0 && step.AtLeast > step.AtMost {
				step.AtLeast, step.AtMost = step.AtMost, step.AtLeast
			}
			if m.IntN(2) == 0 {
				step.Without = &segments.Exclusion{Name: m.name(), Where: m.where(1)}
			}
			step.Optional = i < len(s.Steps)-1 && m.IntN(3) == 0
		}
		s.Steps[i] = step
	}
	return s
}

// common is a name of events that are many, so that steps meet.
func (m maker) common() string { return m.one("View", "View", "Buy", "Buy", "it's") }

func (m maker) gap() time.Duration {
	return []time.Duration{0, 0, 0, time.Hour, 24 * time.Hour, 48 * time.Hour, 72 * time.Hour}[m.IntN(7)]
}

// statement is a value of few, so that they repeat; sums of these are exact.
func (m maker) statement() any {
	switch m.IntN(8) {
	case 0:
		return nil
	case 1, 2:
		return float64(m.IntN(4)) / 2
	case 3:
		return []any{m.one("a", "bb"), m.one("bb", "ccc")}
	}
	return m.one("a", "bb", "ccc")
}

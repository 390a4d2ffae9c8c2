package segmentstest

import (
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/lifecycle"
	"github.com/kindred-cdp/kindred/segments"
)

// Leaf is a leaf of any type that means something by itself.
func (m Maker) Leaf() segments.Node {
	switch m.IntN(26) {
	case 0, 1, 2, 19, 20:
		return m.Event()
	case 3, 4:
		return m.Sequence()
	case 5:
		return segments.HasIdentifier{Namespace: identity.Namespace(m.One("email", "user_id", "device", "card"))}
	case 6:
		return m.score()
	case 7:
		return segments.Transactions{Measure: segments.Revenue, Currency: "EUR", Within: m.within(), Test: m.comparison(0, .1, 1, 2.5, 2.2)}
	case 8:
		t := segments.Transactions{Measure: segments.Orders, Within: m.within(), Test: m.comparison(0, 1, 2)}
		if m.IntN(3) == 0 {
			t.Measure, t.Currency = segments.Refunds, "EUR"
		}
		return t
	case 9, 21:
		return m.consent()
	case 10:
		return segments.Holdout{Name: m.One("spring", "it's"), Percent: m.comparison(25, 50, 75)}
	case 11:
		return segments.Household{Profiles: m.comparison(0, 1, 2, 3)}
	case 12:
		return m.accounts()
	case 25:
		return m.group()
	case 15, 16:
		return m.location()
	case 22:
		b := segments.Bought{Orders: m.comparison(0, 1, 2), Within: m.within()}
		if b.Product = m.One("", "p1", "it's"); b.Product == "" || m.IntN(3) == 0 {
			b.Category = m.One("Clothing", "Shoes", "it's")
		}
		return b
	case 17:
		return segments.Recommendation{Group: segments.Group(m.One("promoter", "passive", "detractor")), Within: m.within()}
	case 18:
		return segments.Mood{In: segments.Medium(m.One("", "social", "support", "feedback")), Is: m.comparison(0, -.5, .25), Within: m.within()}
	}
	return segments.Trait{Name: m.trait(), Test: m.test()}
}

func (m Maker) group() segments.Node {
	if m.IntN(2) == 0 {
		return segments.InPersona{ID: m.One("p1", "p2", "it's")}
	}
	return segments.InStage{Stage: lifecycle.Stage(m.One("lead", "at_risk"))}
}

func (m Maker) trait() string {
	if m.IntN(2) == 0 {
		return m.One(ComputedNames...)
	}
	return m.One(TraitNames...)
}

func (m Maker) score() segments.Score {
	return segments.Score{Name: m.One("churn", "value"), End: segments.End(m.One("", "lower", "upper")), Test: m.comparison(0, 1, .5, 12)[:1]}
}

func (m Maker) consent() segments.Consent {
	return segments.Consent{
		Purpose: m.One("marketing", "marketing", "profiling"), Channel: m.One("", "email", "sms"),
		Is: segments.Stance(m.One("granted", "denied", "unknown")),
	}
}

func (m Maker) accounts() segments.Accounts {
	a := segments.Accounts{Count: m.comparison(0, 1, 2)}
	if m.IntN(3) == 0 {
		a.IDs = []string{m.One("acme", "it's"), m.One("globex", "nobody")}
	}
	if m.IntN(2) == 0 {
		a.Where = append(a.Where, segments.Trait{Name: m.One("plan", "it's"), Test: m.test()})
	}
	return a
}

func (m Maker) where(most int) []segments.Property {
	var where []segments.Property
	for range m.IntN(most + 1) {
		w := segments.Property{Path: []string{m.One("size", "price", "it's", "a b")}, Test: m.test()}
		switch m.IntN(6) {
		case 0, 1:
			w.Path = []string{"deep", "er"}
		case 2:
			w.Path, w.Each = []string{m.One("items", "items", "size")}, []string{m.One("sku", "n")}
		}
		where = append(where, w)
	}
	return where
}

func (m Maker) period() segments.Period {
	at := func() time.Time { return Now.Add(-time.Duration(m.IntN(6)) * 24 * time.Hour) }
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

func (m Maker) kind() string {
	if m.IntN(4) == 0 {
		return m.One("behaviour", "transaction")
	}
	return ""
}

// Event is a leaf of events.
func (m Maker) Event() segments.Event {
	e := segments.Event{Name: m.Name(), Kind: m.kind(), Within: m.within(), Period: m.period(), Where: m.where(2)}
	switch m.IntN(11) {
	case 0, 1, 2:
		e.Count = m.comparison(0, 1, 2, 3, 1.5)
	case 3:
		e.Measure = segments.Measured{Aggregate: segments.Days, Is: m.comparison(0, 1, 2, 3)}
	case 4, 5, 8, 9:
		aggregate := []segments.Aggregate{segments.Sum, segments.Average, segments.Min, segments.Max}[m.IntN(4)]
		e.Measure = segments.Measured{Aggregate: aggregate, Of: []string{m.One("size", "price", "a b")}, Is: m.comparison(0, 1, 2.6, .1, 12)}
	case 6, 7:
		e.Pick = segments.Pick(m.One("first", "last"))
		e.Where = append(e.Where, segments.Property{Path: []string{"size"}, Test: m.test()})
	}
	return e
}

// Sequence is a sequence of few steps, or now and then of so many optional ones that nobody
// wants to follow each way.
func (m Maker) Sequence() segments.Sequence {
	s := segments.Sequence{Within: m.within(), Period: m.period(), Span: m.gap(), Steps: make([]segments.Step, 2+m.IntN(3))}
	plain := m.IntN(3) == 0 // Compiled in another way.
	if plain {
		s.Span = 0
	}
	many := m.IntN(8) == 0
	if many {
		s.Steps = make([]segments.Step, 6+m.IntN(2))
	}
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
			if !plain && m.IntN(2) == 0 {
				step.Without = &segments.Exclusion{Name: m.Name(), Where: m.where(1)}
			}
			step.Optional = i < len(s.Steps)-1 && (many || m.IntN(3) == 0)
		}
		s.Steps[i] = step
	}
	return s
}

// common is a name of events that are many, so that steps meet.
func (m Maker) common() string { return m.One("View", "View", "Buy", "Buy", "it's") }

func (m Maker) gap() time.Duration {
	return []time.Duration{0, 0, 0, time.Hour, 24 * time.Hour, 48 * time.Hour, 72 * time.Hour}[m.IntN(7)]
}

package segmentstest

import "github.com/kindred-cdp/kindred/segments"

// Operators are the names of what a definition makes use of, each once: leaves with
// what they ask, operators of tests and bounds, windows, and the joints of trees.
func Operators(d segments.Definition) []string {
	t := tally{}
	t.node(d.Root)
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	return names
}

type tally map[string]bool

func (t tally) node(n segments.Node) {
	switch n := n.(type) {
	case segments.All:
		t["all"] = true
		for _, part := range n {
			t.node(part)
		}
	case segments.Any:
		t["any"] = true
		for _, part := range n {
			t.node(part)
		}
	case segments.Not:
		t["not"] = true
		t.node(n.Node)
	case segments.Trait:
		t.test("trait ", n.Test)
		if len(n.Name) > 9 && n.Name[:9] == "computed_" {
			t["computed trait"] = true
		}
	case segments.Event:
		t.event(n)
	case segments.Sequence:
		t.sequence(n)
	case segments.Transactions:
		t[string(n.Measure)] = true
	case segments.Bought:
		t["bought"] = true
	case segments.HasIdentifier:
		t["identifier"] = true
	case segments.Score:
		t["score "+string(n.End)] = true
	default:
		t.person(n)
	}
}

func (t tally) person(n segments.Node) {
	switch n := n.(type) {
	case segments.Consent:
		t["consent "+string(n.Is)] = true
	case segments.Holdout:
		t["holdout"] = true
	case segments.InPersona:
		t["persona"] = true
	case segments.InStage:
		t["stage"] = true
	case segments.Household:
		t["household"] = true
	case segments.Accounts:
		t["accounts"] = true
		if len(n.Where) > 0 {
			t["accounts where"] = true
		}
	case segments.Location:
		switch {
		case n.Place.Km > 0:
			t["near"] = true
		case len(n.Place.Polygon) > 0:
			t["inside"] = true
		default:
			t["cell"] = true
		}
		if len(n.Minutes) > 0 {
			t["minutes"] = true
		}
	case segments.Recommendation:
		t["nps"] = true
	case segments.Mood:
		t["sentiment"] = true
	}
}

func (t tally) test(of string, test segments.Test) { t[of+string(test.Op)] = true }

func (t tally) event(n segments.Event) {
	switch {
	case n.Pick != "":
		t["event "+string(n.Pick)] = true
	case n.Measure.Aggregate != "":
		t["event "+string(n.Measure.Aggregate)] = true
	default:
		t["event count"] = true
	}
	if n.Within > 0 {
		t["within"] = true
	}
	if n.Period != (segments.Period{}) {
		t["from, until"] = true
	}
	for _, w := range n.Where {
		t.test("where ", w.Test)
		if len(w.Each) > 0 {
			t["each"] = true
		}
	}
}

func (t tally) sequence(n segments.Sequence) {
	t["sequence"] = true
	for _, step := range n.Steps {
		if step.Optional {
			t["optional"] = true
		}
		if step.Without != nil {
			t["without"] = true
		}
		if step.AtLeast > 0 || step.AtMost > 0 {
			t["after"] = true
		}
	}
	if n.Span > 0 {
		t["span"] = true
	}
}

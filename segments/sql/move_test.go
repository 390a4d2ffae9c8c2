package sql_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/segmentstest"
)

// excluded is the name of an event that must not lie within a sequence of d alone, ""
// where there is none.
func excluded(d segments.Definition) string {
	s, ok := d.Root.(segments.Sequence)
	if !ok {
		return ""
	}
	for _, step := range s.Steps {
		if step.Without != nil && !slices.ContainsFunc(s.Steps, func(s segments.Step) bool { return s.Name == step.Without.Name }) {
			return step.Without.Name
		}
	}
	return ""
}

// TestWhatMayNotMoveDoesNot adds events of a name to random people: a definition that they
// may not move says the same of everybody as before. The oracle says what it says.
func TestWhatMayNotMoveDoesNot(t *testing.T) {
	m := seeded(t, 7)
	passed, moved, rest := map[string]int{}, 0, 0
	for n := range testCount(t, 100) {
		o := m.history(clickhousetest.New(t, nil, "main"), 15)
		for i := range 20 {
			d, name := m.Definition(), m.Name()
			if i%4 == 0 { // Exclusions are few, and bear on few people.
				for tries := 0; tries < 200 && excluded(d) == ""; tries++ {
					d = m.Definition()
				}
				name = excluded(d)
			}
			before, there := o.members(d), len(o.events)
			for k := range 12 {
				who := o.events[m.IntN(there)].Identifiers
				if len(who) == 0 {
					continue
				}
				e := m.event(there+k, who, 15)
				e.MessageID, e.Kind, e.Type, e.Name, e.Identifiers = fmt.Sprint("more", n, i, k), "behaviour", "track", name, who
				e.Traits, e.Consents, e.Order, e.Fix, e.Voice = nil, nil, nil, nil, nil
				o.events = append(o.events, e)
			}
			same := slices.Equal(before, o.members(d))
			o.events = o.events[:there]
			switch {
			case segments.MayMove(d, name, ruleTable()):
				if rest++; !same {
					moved++
				}
			case same:
				for _, operator := range segmentstest.Operators(d) {
					passed[operator]++
				}
			default:
				text, _ := d.MarshalJSON()
				t.Fatalf("events of name %q have moved %s", name, text)
			}
		}
	}
	t.Logf("%d of %d that may be moved were; passed over: %v", moved, rest, passed)
	if moved < 10 {
		t.Error("hardly anything was moved: the histories test nothing")
	}
}

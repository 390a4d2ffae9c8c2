// Package segmentstest makes random definitions for the tests of whatever reads,
// writes, compiles or evaluates them. Names and values come from small alphabets,
// so that definitions and random people meet often. It is for tests only.
package segmentstest

import (
	"math/rand/v2"
	"time"

	"github.com/kindred-cdp/kindred/segments"
)

// Now is the time that windows are drawn around.
var Now = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// TraitNames are the names of traits. Each is the name of a rule of survivorship.
var TraitNames = []string{"newest", "oldest", "most_frequent", "longest", "source_priority", "union", "sum", "max"}

// ComputedNames are the names of traits that are computed.
var ComputedNames = []string{"computed_count", "computed_sum", "computed_average", "computed_first", "computed_last", "computed_most_frequent", "computed_unique_list", "computed_time_since", "computed_any"}

// Maker draws definitions.
type Maker struct{ *rand.Rand }

// New returns a Maker whose definitions are those of the seed and the stream.
func New(seed, stream uint64) Maker { return Maker{rand.New(rand.NewPCG(seed, stream))} }

// One returns one of list.
func (m Maker) One(list ...string) string { return list[m.IntN(len(list))] }

// Name is the name of an event.
func (m Maker) Name() string { return m.One("View", "View", "Buy", "Buy", "it's", `back\slash`) }

// Text is a text; some are hostile to whoever quotes them badly.
func (m Maker) Text() string {
	return m.One("PT", "BR", "", "it's", `a\b`, "tab\there", "line\nbreak", "null", "true", "12", "olá", "'; DROP TABLE events; --", "[1]", "PTBR", `q"q`, "{p1:String}", "x\x00y")
}

// Value is a JSON value as encoding/json reads it.
func (m Maker) Value() any {
	switch m.IntN(10) {
	case 0:
		return m.IntN(2) == 0
	case 1:
		return []any{m.Text(), float64(m.IntN(4))}
	case 2:
		return nil
	case 3, 4, 5:
		return m.Number()
	}
	return m.Text()
}

// Number is one of a few numbers.
func (m Maker) Number() float64 {
	return []float64{-3, 0, 1, 2, 3, 12, .5, .1, 1e6, 99.99}[m.IntN(10)]
}

// Definition is a tree, or a single leaf every other time: a fault in one leaf
// shows best where nothing else decides.
func (m Maker) Definition() segments.Definition {
	if m.IntN(2) == 0 {
		return segments.Definition{Root: m.Leaf()}
	}
	return segments.Definition{Root: m.joined(3)}
}

// Node is a tree of at most so many levels below its root.
func (m Maker) Node(depth int) segments.Node {
	if depth == 0 || m.IntN(14) > 3 {
		return m.Leaf()
	}
	return m.joined(depth)
}

func (m Maker) joined(depth int) segments.Node {
	parts := func() []segments.Node {
		list := make([]segments.Node, 1+m.IntN(4))
		for i := range list {
			list[i] = m.Node(depth - 1)
		}
		return list
	}
	switch m.IntN(4) {
	case 0, 1:
		return segments.All(parts())
	case 2:
		return segments.Any(parts())
	}
	return segments.Not{Node: m.Node(depth - 1)}
}

func (m Maker) scalar() segments.Scalar {
	for {
		switch v := m.Value().(type) {
		case string:
			return segments.Scalar{Kind: segments.Text, Text: v}
		case float64:
			return segments.Scalar{Kind: segments.Number, Number: v}
		case bool:
			return segments.Scalar{Kind: segments.Bool, Bool: v}
		}
	}
}

func (m Maker) test() segments.Test {
	op := []segments.Op{segments.Eq, segments.Neq, segments.In, segments.Contains, segments.Exists, segments.Gt, segments.Gte, segments.Lt, segments.Lte}[m.IntN(9)]
	t := segments.Test{Op: op}
	switch op {
	case segments.Exists:
	case segments.In:
		for range 1 + m.IntN(4) {
			t.Values = append(t.Values, m.scalar())
		}
	default:
		s := m.scalar()
		for s.Kind == segments.Bool && op != segments.Eq && op != segments.Neq && op != segments.Contains {
			s = m.scalar()
		}
		t.Values = []segments.Scalar{s}
	}
	return t
}

// comparison is in the order of its operators, as Parse returns it.
func (m Maker) comparison(values ...float64) segments.Comparison {
	ops := []segments.Op{segments.Eq, segments.Gt, segments.Gte, segments.Lt, segments.Lte, segments.Neq}
	c := segments.Comparison{{Op: ops[m.IntN(6)], Value: values[m.IntN(len(values))]}}
	if bound := (segments.Bound{Op: segments.Lt, Value: values[m.IntN(len(values))]}); m.IntN(3) == 0 && c[0].Op != segments.Lt {
		if c[0].Op < segments.Lt {
			return append(c, bound)
		}
		return append(segments.Comparison{bound}, c...)
	}
	return c
}

func (m Maker) within() time.Duration {
	return []time.Duration{0, 0, 24 * time.Hour, 48 * time.Hour, time.Hour, 72 * time.Hour}[m.IntN(6)]
}

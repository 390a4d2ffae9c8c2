package propensity

import (
	"cmp"
	"math"
	"slices"
)

// Reason is how much a feature moves the probability of one example: the difference of
// the log odds to those of the same example with a typical value.
type Reason struct {
	Feature string  `json:"feature"`
	Value   float64 `json:"value"`
	// Missing says that the example has no value; Value is 0 then.
	Missing bool `json:"missing,omitempty"`
	// Effect is in log odds: above 0 it makes the answer likelier.
	Effect float64 `json:"effect"`
}

// Typical are values to compare with, the medians of numbers; features without one are
// left out, and so are categories.
func Typical(t *Table, rows []int32) map[string]float64 {
	out := map[string]float64{}
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Kind != Numeric {
			continue
		}
		if sorted, absent := present(c, rows); len(sorted) > absent {
			out[c.Name] = sorted[len(sorted)/2]
		} else {
			out[c.Name] = math.NaN()
		}
	}
	return out
}

// leastEffect is the difference in log odds below which a feature is no reason.
const leastEffect = .05

// Reasons explains rows: of the features that count most in the model, the ones with the
// greatest effect on each row, at most so many. typical is of Typical.
func (m *Model) Reasons(t *Table, rows []int32, typical map[string]float64, most int) [][]Reason {
	const looked = 10
	out := make([][]Reason, len(rows))
	whole := m.margins(t, rows)
	weights := m.Weights()
	for _, w := range weights[:min(looked, len(weights))] {
		at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == w.Feature && c.Kind == Numeric })
		value, known := typical[w.Feature]
		if at < 0 || !known || w.Share == 0 {
			continue
		}
		other := &Table{Rows: t.Rows, Columns: slices.Clone(t.Columns)}
		other.Columns[at].Numbers = make([]float64, t.Rows)
		for i := range other.Columns[at].Numbers {
			other.Columns[at].Numbers[i] = value
		}
		for i, z := range m.margins(other, rows) {
			effect := whole[i] - z
			if math.Abs(effect) < leastEffect {
				continue
			}
			r := Reason{Feature: w.Feature, Value: t.Columns[at].Numbers[rows[i]], Effect: effect}
			if math.IsNaN(r.Value) {
				r.Value, r.Missing = 0, true
			}
			out[i] = append(out[i], r)
		}
	}
	for i := range out {
		slices.SortStableFunc(out[i], func(a, b Reason) int { return cmp.Compare(math.Abs(b.Effect), math.Abs(a.Effect)) })
		out[i] = out[i][:min(most, len(out[i]))]
	}
	return out
}

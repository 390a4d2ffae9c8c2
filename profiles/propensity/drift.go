package propensity

import (
	"cmp"
	"math"
	"slices"
)

// Bounds of the population stability index by convention: below the first a
// feature stands, above the second it has moved.
const (
	DriftSome = .1
	DriftMuch = .25
)

// Drift is how much a feature moved between two sets of rows.
type Drift struct {
	Feature string `json:"feature"`
	// PSI is the population stability index over tenths of the first set, or
	// over the levels of a category.
	PSI float64 `json:"psi"`
}

// Drifts compares the features of later rows with those of earlier ones, the
// greatest drift first.
func Drifts(t *Table, earlier, later []int32) []Drift {
	out := make([]Drift, len(t.Columns))
	parallel(len(out), workers(), func(i int) {
		c := &t.Columns[i]
		b := newBinner(c, earlier)
		if c.Kind == Numeric {
			sorted, _ := present(c, earlier)
			b.edges = edges(sorted, 9)
		}
		read := binReader{b: &b, column: c, codes: b.bins}
		var before, after [binCount]float64
		for _, r := range earlier {
			before[read.bin(r)]++
		}
		for _, r := range later {
			after[read.bin(r)]++
		}
		out[i] = Drift{c.Name, stability(before[:], after[:])}
	})
	slices.SortStableFunc(out, func(a, b Drift) int { return cmp.Compare(b.PSI, a.PSI) })
	return out
}

// ScoreDrift is the stability index of probabilities over tenths of the first.
func ScoreDrift(earlier, later []float64) float64 {
	sorted := slices.Sorted(slices.Values(earlier))
	b := binner{kind: Numeric, edges: edges(sorted, 9)}
	var before, after [binCount]float64
	for _, p := range earlier {
		before[b.number(p)]++
	}
	for _, p := range later {
		after[b.number(p)]++
	}
	return stability(before[:], after[:])
}

// stability is the index of two counts by bin. Half a row is added to every bin
// that either has, so that an empty one does not make it infinite.
func stability(before, after []float64) float64 {
	var nb, na, bins float64
	for i := range before {
		if before[i]+after[i] > 0 {
			nb, na, bins = nb+before[i], na+after[i], bins+1
		}
	}
	sum := 0.0
	for i := range before {
		if before[i]+after[i] > 0 {
			p, q := (before[i]+.5)/(nb+bins/2), (after[i]+.5)/(na+bins/2)
			sum += (q - p) * math.Log(q/p)
		}
	}
	return sum
}

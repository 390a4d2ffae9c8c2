package propensity

import (
	"math"
	"slices"
	"sort"
)

// Reference is how the values of a feature, or the probabilities of a model, were spread
// when it was trained: tenths, and how many had none. It holds no value of an example
// but the bounds, and is what later ones are compared with.
type Reference struct {
	Name   string    `json:"name"`
	Edges  []float64 `json:"edges"`
	Counts []float64 `json:"counts"` // missing first, then by range
}

// NewReference counts numbers, NaN being none.
func NewReference(name string, numbers []float64) Reference {
	sorted := slices.DeleteFunc(slices.Clone(numbers), math.IsNaN)
	slices.Sort(sorted)
	r := Reference{Name: name, Edges: edges(sorted, 9)}
	r.Counts = r.Empty()
	for _, v := range numbers {
		r.Count(r.Counts, v)
	}
	return r
}

// Empty returns counts of nothing.
func (r Reference) Empty() []float64 { return make([]float64, len(r.Edges)+2) }

// Count adds a number to counts.
func (r Reference) Count(counts []float64, v float64) {
	if math.IsNaN(v) {
		counts[0]++
		return
	}
	counts[1+sort.SearchFloat64s(r.Edges, v)]++
}

// PSI is the population stability index of counts against those of the training.
func (r Reference) PSI(counts []float64) float64 { return stability(r.Counts, counts) }

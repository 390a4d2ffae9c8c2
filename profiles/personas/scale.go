package personas

import (
	"math"
	"slices"
)

// Column is a feature of a model: how its values are made comparable.
type Column struct {
	Feature
	// Centre is the median, of log(1+x) where the feature is not linear, and
	// Spread what one unit of distance is.
	Centre float64 `json:"centre"`
	Spread float64 `json:"spread"`
	// Mean is the mean of the values themselves over all rows that know it.
	Mean float64 `json:"mean"`
	// MeanScaled and Deviation are mean and standard deviation of the sample,
	// scaled.
	MeanScaled float64 `json:"mean_scaled"`
	Deviation  float64 `json:"deviation"`
}

// raw is a value on the scale of Centre.
func (c Column) raw(v float64) float64 {
	if c.Linear {
		return v
	}
	return math.Log1p(v)
}

// scaled is a value as distances see it. What is not known lies in the middle.
func (c Column) scaled(v, clip float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return c.pulled(c.raw(v), clip)
}

// pulled scales a value of the scale of Centre.
func (c Column) pulled(raw, clip float64) float64 {
	return max(-clip, min(clip, (raw-c.Centre)/c.Spread))
}

// The factors that make the median absolute deviation and the interquartile range
// of a normal distribution its standard deviation.
const (
	madToDeviation   = 1.4826
	rangeToDeviation = 1 / 1.349
)

// newColumn measures a feature on known values. The spread is robust where most
// values differ; where most are equal, such as counts that are mostly zero, it is
// the standard deviation. It returns false for a constant.
func newColumn(f Feature, known []float64) (Column, bool) {
	c := Column{Feature: f}
	if len(known) == 0 {
		return c, false
	}
	values := make([]float64, len(known))
	for i, v := range known {
		values[i] = c.raw(v)
	}
	slices.Sort(values)
	c.Centre = quantile(values, .5)
	away := make([]float64, len(values))
	mean, squares := 0.0, 0.0
	for i, v := range values {
		away[i] = math.Abs(v - c.Centre)
		before := mean
		mean += (v - mean) / float64(i+1)
		squares += (v - before) * (v - mean)
	}
	slices.Sort(away)
	for _, spread := range []float64{
		madToDeviation * quantile(away, .5),
		rangeToDeviation * (quantile(values, .75) - quantile(values, .25)),
		math.Sqrt(squares / float64(len(values))),
	} {
		if spread > 1e-9*(1+math.Abs(c.Centre)) && !math.IsInf(spread, 0) {
			if c.Spread = max(spread, f.Step); f.Step == 0 && !f.Linear {
				c.Spread = max(spread, leastStep)
			}
			return c, true
		}
	}
	return c, false
}

// quantile of sorted values, between neighbours.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// scale makes points of rows.
func (m *Model) scale(t Table, rows, places []int) points {
	p := points{d: len(m.Columns), values: make([]float64, len(rows)*len(m.Columns))}
	for n, i := range rows {
		m.scaleRow(t.row(i), places, p.at(n))
	}
	return p
}

func (m *Model) scaleRow(row []float64, places []int, into []float64) {
	for j, c := range m.Columns {
		into[j] = c.scaled(row[places[j]], m.Clip)
	}
}

package propensity

import (
	"math"
	"testing"
)

func TestMetrics(t *testing.T) {
	// The example of the documentation of scikit-learn, and ties.
	y := []bool{false, false, true, true}
	m := Measure([]float64{.1, .4, .35, .8}, y)
	near(t, "AUC", m.AUC, .75, 1e-12)
	near(t, "average precision", m.PRAUC, .8333333, 1e-6)
	near(t, "Brier", m.Brier, (.01+.16+.4225+.04)/4, 1e-12)
	near(t, "log loss", m.LogLoss, -(math.Log(.9)+math.Log(.6)+math.Log(.35)+math.Log(.8))/4, 1e-12)
	near(t, "AUC of ties", Measure([]float64{.5, .5, .5, .5}, y).AUC, .5, 1e-12)
	near(t, "AUC of one answer", Measure([]float64{.5, .1}, []bool{true, true}).AUC, .5, 0)
	near(t, "certain and wrong", Measure([]float64{1, 1}, []bool{true, false}).LogLoss, -math.Log(leastProbability)/2, 1e-9)
	if m := Measure(nil, nil); m.Rows != 0 || m.LogLoss != 0 {
		t.Errorf("%+v", m)
	}
	// ECE: two bins of which one is off by .25.
	p := []float64{.05, .05, .55, .55, .55, .55}
	near(t, "ECE", Measure(p, []bool{false, false, true, true, true, true}).ECE, (2*.05+4*.45)/6, 1e-12)
	// Lift: of 20 rows the first tenth has both positives of four.
	p, up := make([]float64, 20), make([]bool, 20)
	for i := range p {
		p[i], up[i] = float64(20-i)/20, i < 2 || i > 17
	}
	near(t, "lift", Measure(p, up).Lift, 5, 1e-12)
	near(t, "lift of ties", Measure(make([]float64, 20), up).Lift, 1, 1e-12)
}

// The intervals cover the value, and are as wide as the theory of the mean says.
func TestIntervals(t *testing.T) {
	r := random(t, 1)
	p := make([]float64, 2000)
	for i := range p {
		p[i] = r.Float64()
	}
	y := answers(r, len(p), func(i int) float64 { return math.Log(p[i] / (1 - p[i])) })
	m, got := Measure(p, y), Intervals(p, y, 1)
	sum, square := 0.0, 0.0
	for i := range p {
		d := loss(p[i], y[i])
		sum, square = sum+d, square+d*d
	}
	mean := sum / 2000
	width := 2 * 1.96 * math.Sqrt((square/2000-mean*mean)/2000)
	if w := got["log_loss"]; !(w[0] < m.LogLoss && m.LogLoss < w[1]) || math.Abs((w[1]-w[0])/width-1) > .25 {
		t.Errorf("log loss %.4f in %v, width %.4f", m.LogLoss, w, width)
	}
	if w := got["auc"]; !(w[0] < m.AUC && m.AUC < w[1]) || w[1]-w[0] > .06 {
		t.Errorf("AUC %.4f in %v", m.AUC, w)
	}
}

func TestCompare(t *testing.T) {
	y := []bool{true, false, true, false}
	good, bad := []float64{.8, .2, .8, .2}, []float64{.5, .5, .5, .5}
	if c := Compare(bad, good, y); !c.Better || math.Abs(c.Gain-math.Log(1.6)) > 1e-12 {
		t.Errorf("%+v", c)
	}
	if Compare(good, bad, y).Better || Compare(good, good, y).Better {
		t.Error("what is not better is")
	}
}

func TestDrift(t *testing.T) {
	r := random(t, 2)
	table := numbers(r, 20_000, 2)
	for i := 10_000; i < 20_000; i++ {
		table.Columns[1].Numbers[i] += .5
	}
	d := Drifts(table, all(10_000), all(20_000)[10_000:])
	if d[0].Feature != "b" || d[0].PSI < .2 || d[0].PSI > .3 || d[1].PSI > .01 {
		t.Errorf("%+v", d) // A shift of half a deviation is .25 in theory.
	}
	near(t, "of scores", ScoreDrift(table.Columns[0].Numbers[:9000], table.Columns[0].Numbers[9000:]), 0, .01)
}

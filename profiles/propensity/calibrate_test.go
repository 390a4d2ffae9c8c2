package propensity

import (
	"math"
	"slices"
	"testing"
)

// Log odds that are three times too sure are put right: by two numbers where
// there are few positives, by a curve where there are many. Those that are right
// are left alone.
func TestCalibration(t *testing.T) {
	r := random(t, 13)
	for _, c := range []struct {
		rows int
		bend func(float64) float64
		kind string
	}{
		{1500, func(z float64) float64 { return 3*z + 1 }, "platt"},
		{12_000, func(z float64) float64 { return 3 * z * math.Abs(z) }, "isotonic"},
		{1500, func(z float64) float64 { return z }, "none"},
	} {
		draw := func(n int) (z []float64, y []bool) {
			for range n {
				z = append(z, r.NormFloat64()-.5)
			}
			y = answers(r, n, func(i int) float64 { return z[i] })
			for i := range z {
				z[i] = c.bend(z[i])
			}
			return z, y
		}
		z, y := draw(c.rows)
		got := calibrate(z, y)
		if got.Kind != c.kind {
			t.Errorf("%d rows: %s, want %s", c.rows, got.Kind, c.kind)
		}
		z, y = draw(20_000)
		before, after := make([]float64, len(z)), make([]float64, len(z))
		for i := range z {
			before[i], after[i] = noCalibration.probability(z[i]), got.probability(z[i])
		}
		b, a := Measure(before, y), Measure(after, y)
		t.Logf("%s: ECE %.4f to %.4f, log loss %.4f to %.4f", got.Kind, b.ECE, a.ECE, b.LogLoss, a.LogLoss)
		if a.ECE > .03 || a.LogLoss > b.LogLoss+1e-12 || math.Abs(a.AUC-b.AUC) > .001 {
			t.Errorf("%s: %+v, was %+v", got.Kind, a, b)
		}
		slices.Sort(z)
		for i := 1; i < len(z); i++ {
			if got.probability(z[i]) < got.probability(z[i-1]) {
				t.Fatalf("%s: %v has less than %v", got.Kind, z[i], z[i-1])
			}
		}
	}
}

func TestCalibrationOfLittle(t *testing.T) {
	for _, y := range [][]bool{nil, {true}, {true, true, true}, {true, false}} {
		z := make([]float64, len(y))
		for i := range z {
			z[i] = float64(i) * 1e6
		}
		for _, c := range []Calibration{platt(z, y), isotonic(z, y), calibrate(z, y)} {
			for _, v := range []float64{-1e300, 0, 1e300} {
				if p := c.probability(v); !(p > 0 && p < 1) {
					t.Errorf("%v: %+v gives %v", y, c, p)
				}
			}
		}
	}
}

// A model of one base rate is used at another: known, and estimated from
// unlabelled examples.
func TestPriorShift(t *testing.T) {
	r := random(t, 14)
	draw := func(n int, rate float64) (p []float64, y []bool) {
		for range n {
			up := r.Float64() < rate
			x := r.NormFloat64()
			if up {
				x += 1.5
			}
			// The posterior at a rate of one half.
			p, y = append(p, logistics(1.5*x-1.125)), append(y, up)
		}
		return p, y
	}
	p, y := draw(20_000, .1)
	estimated := EstimatePrior(p, .5)
	near(t, "estimated rate", estimated, .1, .01)
	before, after := Measure(p, y), Measure(ShiftPrior(p, .5, estimated), y)
	if before.ECE < .1 || after.ECE > .01 {
		t.Errorf("ECE %.4f, then %.4f", before.ECE, after.ECE)
	}
}

// Where the base rate moves, the calibration is that of the latest examples;
// where it only moved long ago and came back, there is none.
func TestCalibrateForward(t *testing.T) {
	r := random(t, 16)
	draw := func(shift func(i int) float64) (z []float64, y []bool) {
		for range 1600 {
			z = append(z, r.NormFloat64()-1)
		}
		return z, answers(r, len(z), func(i int) float64 { return z[i] + shift(i) })
	}
	z, y := draw(func(i int) float64 { return float64(i) / 1600 * 2 })
	c := calibrateForward(z, y)
	if c.Kind != "platt" || math.Abs(c.Intercept-1.5) > .3 {
		t.Errorf("%+v, want the shift of the later half, 1.5", c)
	}
	whole := calibrate(z, y)
	if math.Abs(whole.Intercept-1) > .3 {
		t.Errorf("%+v, want the shift of all, 1: the test tests nothing", whole)
	}
	z, y = draw(func(i int) float64 { return float64(1-i/800) * 2 })
	if c := calibrateForward(z, y); c.Kind != "none" {
		t.Errorf("%+v", c)
	}
}

package lifetime

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// Customers drawn from the model give back its mean and variances, and the
// margin expected of each is nearer to the true one than both that of all and
// the customer's own.
func TestMarginsOfTheModelItself(t *testing.T) {
	const seed = 3
	r := rand.New(rand.NewPCG(seed, seed))
	customers, truth := make([]Earnings, 20_000), make([]float64, 20_000)
	for i := range customers {
		truth[i] = .3 + .1*r.NormFloat64()
		for range 1 + r.IntN(4) {
			revenue := 10 + 40*r.Float64()
			covered := revenue * float64(r.IntN(5)) / 4
			// Variance 1.6 for a revenue of 1.
			margin := truth[i] + r.NormFloat64()*1.26491/max(1e-9, math.Sqrt(covered))
			customers[i].Add(revenue, covered, covered*margin)
		}
	}
	m, err := FitMargins(customers, .4)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d: %+v", seed, m)
	near(t, "mean", m.Mean, .3, .005)
	near(t, "within", m.Within, 1.6, .05)
	near(t, "between", m.Between, .01, .002)
	near(t, "known", m.KnownShare, .5, .01)
	var own, all, told float64
	for i, e := range customers {
		if e.Covered > 0 {
			own += square(e.Contribution/e.Covered - truth[i])
			all += square(m.Mean - truth[i])
			told += square(m.Rate(e) - truth[i])
		}
	}
	if told > .9*all || told > .9*own {
		t.Errorf("square errors: own margin %.1f, mean %.1f, told %.1f", own, all, told)
	}
}

func square(v float64) float64 { return v * v }

// Unknown is not zero: the money of unknown costs has the margin that is
// expected, bounds on either side, and none at all where too little is known.
func TestUnknownCosts(t *testing.T) {
	var known, half, none Earnings
	known.Add(100, 100, 40)
	known.Add(100, 100, 40)
	half.Add(100, 50, 20)
	none.Add(100, 0, 0)
	m, err := FitMargins([]Earnings{known, half, none}, .6)
	if err != nil || m.Customers != 2 || m.KnownShare != .625 {
		t.Fatalf("%+v, %v", m, err)
	}
	near(t, "rate of nothing known", m.Rate(none), .4, 1e-12)
	if e := m.Contributed(half); e != (Estimate{40, 20, 70}) {
		t.Errorf("half known: %+v", e)
	}
	if e := m.Contributed(known); e != (Estimate{80, 80, 80}) {
		t.Errorf("known: %+v", e)
	}
	if e := (Estimate{10, 5, 20}).Earned(-.5); e != (Estimate{-5, -10, -2.5}) {
		t.Errorf("at a loss: %+v", e)
	}
	var unknown *MarginUnknownError
	if _, err := FitMargins([]Earnings{known, half, none}, .7); !errors.As(err, &unknown) || unknown.Known != .625 {
		t.Errorf("too little known: %v", err)
	}
	if _, err := FitMargins(nil, 0); err == nil {
		t.Error("nothing was bought, and there is a margin")
	}
}

package lifetime

import (
	"math"
	"slices"
	"testing"
)

// The holdout of the CDNOW sample, 39 weeks after a calibration of 39: 1882
// purchase days. The figures of the published models on it are the reference.
func TestHoldout(t *testing.T) {
	purchases := sample(t)
	customers := purchases.summarize(calibrationEnd)
	actual, _ := purchases.holdout(calibrationEnd, holdoutEnd)
	for _, test := range []struct {
		kind            Kind
		mae, rmse, bias float64
	}{
		{BGNBD, .7855, 1.6080, -.122}, {MBGNBD, .7648, 1.6072, -.162}, {ParetoNBD, .7545, 1.6028, -.115},
	} {
		f := fit(t, customers, test.kind)
		var total, absolute, square, predicted float64
		for i, c := range customers {
			e := f.Purchases.Expected(c, 39)
			total += actual[i]
			predicted += e
			absolute += math.Abs(e - actual[i])
			square += (e - actual[i]) * (e - actual[i])
		}
		n := float64(len(customers))
		near(t, "actual purchase days", total, 1882, 0)
		near(t, string(test.kind)+" MAE", absolute/n, test.mae, .0005)
		near(t, string(test.kind)+" RMSE", math.Sqrt(square/n), test.rmse, .0005)
		near(t, string(test.kind)+" bias", predicted/total-1, test.bias, .001)
	}
}

// Of 90 % intervals about 90 % must cover what customers then did. Counts are
// discrete, so their intervals may cover more; the models are known to miss a
// little of the heaviest buyers.
func TestCoverage(t *testing.T) {
	purchases := sample(t)
	customers := purchases.summarize(calibrationEnd)
	counts, money := purchases.holdout(calibrationEnd, holdoutEnd)
	for _, kind := range []Kind{BGNBD, MBGNBD, ParetoNBD} {
		f := fit(t, customers, kind)
		scorer, err := f.Scorer([]float64{39}, Terms{Horizon: 39, Margin: 1})
		if err != nil {
			t.Fatal(err)
		}
		inCounts, inMoney, again, againIn := 0, 0, 0, 0
		for i, c := range customers {
			s, err := scorer.Score(c)
			if err != nil {
				t.Fatal(err)
			}
			if p := s.Purchases[0]; counts[i] >= p.Lower && counts[i] <= p.Upper {
				inCounts++
			}
			in := money[i] >= s.Value.Lower && money[i] <= s.Value.Upper
			if in {
				inMoney++
			}
			if c.Frequency > 1 {
				again++
				if in {
					againIn++
				}
			}
		}
		n := float64(len(customers))
		t.Logf("%s: counts %.3f money %.3f, money of those with two repeats or more %.3f (%d)",
			kind, float64(inCounts)/n, float64(inMoney)/n, float64(againIn)/float64(again), again)
		if share := float64(inCounts) / n; share < .9 || share > .99 {
			t.Errorf("%s: intervals of counts cover %.3f", kind, share)
		}
		if share := float64(inMoney) / n; share < .88 || share > .97 {
			t.Errorf("%s: intervals of money cover %.3f", kind, share)
		}
	}
}

// The probabilities of the model that the calibration period chose come true: the
// randomised probability integral transform of what happened (Czado, Gneiting and Held
// 2009, Biometrics 65(4), 1254-1261) is uniform by the test of Kolmogorov and Smirnov.
// Its p-value hangs on the random numbers as well: of many draws the median counts.
func TestHoldoutIsCalibrated(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestProcessorsDoNotMatter sees its goroutines")
	}
	purchases := sample(t)
	choice, err := Choose(purchases, calibrationEnd, DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	customers := purchases.summarize(calibrationEnd)
	actual, _ := purchases.holdout(calibrationEnd, holdoutEnd)
	f := fit(t, customers, choice.Model)
	r := random(t, 1)
	transform := func(alive func(Customer) float64) float64 {
		u := make([]float64, len(customers))
		for i, c := range customers {
			counts := f.Purchases.posterior(c).counts(39, 1e-12, nil)
			for n := range int(actual[i]) {
				u[i] += probability(counts, alive(c), float64(n))
			}
			u[i] += r.Float64() * probability(counts, alive(c), actual[i])
		}
		return kolmogorov(u)
	}
	draws, passed := make([]float64, 101), 0
	for i := range draws {
		if draws[i] = transform(f.Purchases.Alive); draws[i] > .01 {
			passed++
		}
	}
	slices.Sort(draws)
	median, forever := draws[len(draws)/2], transform(func(Customer) float64 { return 1 })
	t.Logf("%s: median p of %d draws %.3f, %d above .01; if nobody had left %.2g", choice.Model, len(draws), median, passed, forever)
	if !(median > .01) {
		t.Errorf("%s: not uniform, median p %.5f", choice.Model, median)
	}
	if forever > .01 {
		t.Errorf("what is not uniform passes: p %.3f", forever)
	}
}

// kolmogorov is the p-value of values being uniform on [0, 1] (Stephens 1970).
func kolmogorov(u []float64) float64 {
	slices.Sort(u)
	n, d := float64(len(u)), 0.0
	for i, v := range u {
		d = math.Max(d, math.Max(float64(i+1)/n-v, v-float64(i)/n))
	}
	lambda, p, sign := (math.Sqrt(n)+.12+.11/math.Sqrt(n))*d, 0.0, 1.0
	for k := 1.0; k < 100; k++ {
		p += 2 * sign * math.Exp(-2*k*k*lambda*lambda)
		sign = -sign
	}
	return math.Min(math.Max(p, 0), 1)
}

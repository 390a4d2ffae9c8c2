package lifetime

import (
	"math"
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

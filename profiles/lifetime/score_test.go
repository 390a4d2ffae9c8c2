package lifetime

import (
	"errors"
	"math"
	"testing"
)

// What cannot be computed is refused: a number that does not fit a float64, and
// purchases without number.
func TestOutOfRange(t *testing.T) {
	spend := &GammaGamma{P: 6, Q: 3.7, Gamma: 15, PopulationMean: 35}
	for name, test := range map[string]struct {
		fitted   Fitted
		customer Customer
	}{
		"amounts without end":  {Fitted{Purchases: bgPublished, Spend: &GammaGamma{P: 6, Q: 3, Gamma: math.MaxFloat64}}, Customer{Frequency: 2, Recency: 3, Age: 4, Spend: 5}},
		"a purchase a second":  {Fitted{Purchases: bgPublished, Spend: spend}, Customer{Frequency: 600_000, Recency: 1, Age: 1, Spend: 5}},
		"no end of purchases":  {Fitted{Purchases: Poisson{R: 1e6, Alpha: 1e-6}, Spend: spend}, Customer{Age: 1}},
		"purchases alone":      {Fitted{Purchases: Poisson{R: 1e6, Alpha: 1e-6}}, Customer{Age: 1}},
		"an infinite mean":     {Fitted{Purchases: bgPublished, Spend: &GammaGamma{P: 2, Q: 3, Gamma: 4, PopulationMean: math.Inf(1)}}, Customer{Age: 4}},
		"a probability of NaN": {Fitted{Purchases: BetaGeometric{R: math.NaN(), Alpha: 1, A: 1, B: 1}}, Customer{Frequency: 1, Recency: 1, Age: 2}},
	} {
		test.fitted.cfg = DefaultConfig()
		scorer, err := test.fitted.Scorer([]float64{13}, DefaultTerms())
		if err != nil {
			t.Fatal(err)
		}
		// Twice: what is refused must not be remembered as an answer.
		for range 2 {
			if s, err := scorer.Score(test.customer); !errors.Is(err, ErrOutOfRange) || s.Alive != (Estimate{}) || s.Value != (Estimate{}) {
				t.Errorf("%s: %+v, %v", name, s, err)
			}
		}
	}
}

func TestScorerArguments(t *testing.T) {
	f := &Fitted{Purchases: bgPublished, cfg: DefaultConfig()}
	for _, test := range []struct {
		horizon float64
		terms   Terms
	}{
		{-1, DefaultTerms()},
		{math.NaN(), DefaultTerms()},
		{math.Inf(1), DefaultTerms()},
		{1, Terms{}},
		{1, Terms{Horizon: 52, YearlyRate: -1, Margin: 1}},
		{1, Terms{Horizon: 52, YearlyRate: math.NaN(), Margin: 1}},
		{1, Terms{Horizon: 52, Margin: 1.1}},
		{1, Terms{Horizon: 52, Margin: math.NaN()}},
	} {
		if _, err := f.Scorer([]float64{test.horizon}, test.terms); err == nil {
			t.Errorf("accepted %+v", test)
		}
	}
}

// The standard errors are those seen between disjoint tenths of CDNOW, and the
// intervals of P(alive) cover what the whole of CDNOW says.
func TestErrorsAreThoseBetweenSamples(t *testing.T) {
	all := master(t).summarize(calibrationEnd)
	c := Customer{Frequency: 2, Recency: 30.43, Age: 38.86}
	truth := fit(t, all, BGNBD).Purchases.Alive(c)
	const samples = 10
	logs := make([][]float64, 4)
	var claimed [4]float64
	covered := 0
	for i := range samples {
		var part []Customer
		for j := i; j < len(all); j += samples {
			part = append(part, all[j])
		}
		f := fit(t, part, BGNBD)
		for k, p := range f.Purchases.Parameters() {
			logs[k] = append(logs[k], math.Log(p.Value))
			claimed[k] += f.Report.Errors[k] / samples
		}
		scorer, err := f.Scorer(nil, DefaultTerms())
		if err != nil {
			t.Fatal(err)
		}
		s, err := scorer.Score(c)
		if err != nil {
			t.Fatal(err)
		}
		if s.Alive.Lower <= truth && truth <= s.Alive.Upper && s.Alive.Upper-s.Alive.Lower < .3 {
			covered++
		}
	}
	for k, values := range logs {
		mean, square := 0.0, 0.0
		for _, v := range values {
			mean += v / samples
			square += v * v / samples
		}
		seen := math.Sqrt((square - mean*mean) * samples / (samples - 1))
		t.Logf("parameter %d: standard error %.3f, seen %.3f", k, claimed[k], seen)
		// The deviation of ten values is known to about a quarter.
		if ratio := claimed[k] / seen; ratio < .5 || ratio > 2 {
			t.Errorf("parameter %d: standard error %.3f, seen %.3f", k, claimed[k], seen)
		}
	}
	t.Logf("%d of %d intervals of P(alive) cover %.4f", covered, samples, truth)
	if covered < 7 {
		t.Errorf("%d of %d intervals of P(alive) cover %v", covered, samples, truth)
	}
}

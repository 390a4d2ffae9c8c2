package lifetime

import (
	"errors"
	"math"
	"testing"
)

// near fails when got is further than tolerance from want.
func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %.9g, want %.9g ± %.2g", what, got, want, tolerance)
	}
}

func fit(t testing.TB, customers []Customer, kind Kind) *Fitted {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Model = kind
	f, err := Fit(customers, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if f.Report.Fallback != "" {
		t.Fatalf("fallback: %s", f.Report.Fallback)
	}
	return f
}

// The digits are CLVTools' where the file has them (1e-3 relative, likelihood
// within .001), else half of the last digit printed in a paper.
func TestFitReference(t *testing.T) {
	relative := func(want ...float64) [][2]float64 {
		var out [][2]float64
		for _, w := range want {
			out = append(out, [2]float64{w, 1e-3 * w})
		}
		return out
	}
	small := sample(t).summarize(calibrationEnd)
	for _, test := range []struct {
		name       string
		customers  []Customer
		kind       Kind
		parameters [][2]float64
		likelihood [2]float64
	}{
		{"bgnbd clvtools", small, BGNBD, relative(.2425945, 4.4136019, .7929199, 2.4258881), [2]float64{-9582.429, .001}},
		{"bgnbd paper", small, BGNBD, [][2]float64{{.243, .0005}, {4.414, .0005}, {.793, .0005}, {2.426, .0005}}, [2]float64{-9582.4, .05}},
		{"bgnbd rounded", rounded(t), BGNBD, relative(.2425945, 4.4136019, .7929199, 2.4258881), [2]float64{-9582.4256, .001}},
		{"mbgnbd", small, MBGNBD, relative(.52487, 6.18338, .89124, 1.61368), [2]float64{-9582.136, .001}},
		{"paretonbd", small, ParetoNBD, relative(.55315, 10.57633, .60625, 11.67150), [2]float64{-9594.976, .001}},
		{"bgnbd master", master(t).summarize(calibrationEnd), BGNBD, relative(.25163, 4.78900, .72349, 2.16145), [2]float64{-95368.444, .001}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := fit(t, test.customers, test.kind)
			for i, p := range f.Purchases.Parameters() {
				near(t, p.Name, p.Value, test.parameters[i][0], test.parameters[i][1])
			}
			near(t, "log likelihood", f.Report.LogLikelihood, test.likelihood[0], test.likelihood[1])
			t.Logf("%v %.5f errors %.3f", f.Purchases.Parameters(), f.Report.LogLikelihood, f.Report.Errors)
		})
	}
}

func TestGammaGammaReference(t *testing.T) {
	customers := sample(t).summarize(calibrationEnd)
	f := fit(t, customers, BGNBD)
	s := f.Spend
	if s == nil {
		t.Fatal(f.SpendError)
	}
	near(t, "p", s.P, 6.2497, 1e-3*6.2497)
	near(t, "q", s.Q, 3.7444, 1e-3*3.7444)
	near(t, "gamma", s.Gamma, 15.4441, 1e-3*15.4441)
	near(t, "log likelihood", s.LogLikelihood, -4055.918, .001)
	near(t, "population mean", s.PopulationMean, 35.17, .005)
	if s.Customers != 946 || s.HeavyTail {
		t.Errorf("%d repeaters, heavy tail %v", s.Customers, s.HeavyTail)
	}
	// The first ten customers of note 025.
	want := []float64{24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17}
	for i, c := range customers[:10] {
		near(t, "mean spend", s.Mean(c.Frequency, c.Spend), want[i], .005)
	}
}

// The published files say what Summarize must make of the log.
func TestSummarizeAgreesWithPublishedSummary(t *testing.T) {
	ours, published := sample(t).summarize(calibrationEnd), rounded(t)
	if len(ours) != 2357 || len(published) != 2357 {
		t.Fatalf("%d and %d customers", len(ours), len(published))
	}
	for i, c := range ours {
		p := published[i]
		if c.Frequency != p.Frequency || math.Abs(c.Recency-p.Recency) > .0051 || math.Abs(c.Age-p.Age) > .0051 || math.Abs(c.Spend-p.Spend) > .0051 {
			t.Errorf("customer %d: %+v, published %+v", i, c, p)
		}
	}
}

func TestOrderOfCustomersDoesNotMatter(t *testing.T) {
	customers := sample(t).summarize(calibrationEnd)
	a := fit(t, customers, BGNBD)
	for i, j := 0, len(customers)-1; i < j; i, j = i+1, j-1 {
		customers[i], customers[j] = customers[j], customers[i]
	}
	b := fit(t, customers, BGNBD)
	if a.Purchases != b.Purchases {
		t.Errorf("%v, reversed %v", a.Purchases, b.Purchases)
	}
	if a.Spend.P != b.Spend.P || a.Spend.Gamma != b.Spend.Gamma {
		t.Errorf("%v, reversed %v", a.Spend, b.Spend)
	}
}

// A gradient that does not belong to its likelihood still finds some maximum,
// slowly and not exactly; so it is compared with differences of the value.
func TestGradients(t *testing.T) {
	customers := sample(t).summarize(calibrationEnd)[:300]
	table, _ := newTable(customers)
	for name, f := range map[string]objective{
		"bgnbd": BetaGeometric{}.likelihood(table), "mbgnbd": BetaGeometric{Modified: true}.likelihood(table),
		"paretonbd": Pareto{}.likelihood(table), "nbd": Poisson{}.likelihood(table), "spend": newSpendTable(customers, SpendRepeat).likelihood(),
	} {
		n := map[string]int{"nbd": 2, "spend": 3}[name]
		if n == 0 {
			n = 4
		}
		for _, start := range [][]float64{{-1, .5, -.2, .9}, {.7, -1, 1.2, -.6}} {
			theta, grad, none := append([]float64(nil), start[:n]...), make([]float64, n), make([]float64, n)
			f(theta, grad)
			for i := range theta {
				const h = 1e-5
				at := append([]float64(nil), theta...)
				at[i] += h
				high := f(at, none)
				at[i] -= 2 * h
				difference := (high - f(at, none)) / (2 * h)
				near(t, name+" gradient", grad[i], difference, 1e-6*(1+math.Abs(difference)))
			}
		}
	}
}

func TestNotEnoughData(t *testing.T) {
	few := sample(t).summarize(calibrationEnd)
	var once []Customer
	for _, c := range few {
		if c.Frequency == 0 {
			once = append(once, c)
		}
	}
	for name, test := range map[string]struct {
		customers []Customer
		message   string
	}{
		"none":         {nil, "not enough data: 0 customers observed for a day or more, at least 100 are needed"},
		"99 customers": {few[:99], "not enough data: 99 customers observed for a day or more, at least 100 are needed"},
		"no repeaters": {once, "not enough data: 0 customers with a repeat purchase, at least 30 are needed"},
	} {
		f, err := Fit(test.customers, DefaultConfig())
		if f != nil || !errors.Is(err, ErrNotEnoughData) || err.Error() != test.message {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	// Enough purchases, but no money known of them: the value is refused, not
	// the purchases.
	free := append([]Customer(nil), few...)
	for i := range free {
		free[i].Spend = 0
	}
	f, err := Fit(free, DefaultConfig())
	if err != nil || f.Spend != nil || !errors.Is(f.SpendError, ErrNotEnoughData) {
		t.Fatalf("%v, %v", f, err)
	}
	scorer, err := f.Scorer([]float64{39}, DefaultTerms())
	if err != nil {
		t.Fatal(err)
	}
	if s, err := scorer.Score(free[0]); err != nil || s.HasMoney || s.Purchases[0].Value <= 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestRejectedAreCounted(t *testing.T) {
	customers := sample(t).summarize(calibrationEnd)
	bad := []Customer{
		{Frequency: 1, Recency: 5, Age: 4},
		{Frequency: 2, Age: 4},
		{Recency: 1, Age: 4},
		{Age: -1},
		{Frequency: -1, Age: 2},
		{Age: math.NaN()},
		{Frequency: 1, Recency: 1, Age: 2, Spend: math.Inf(1)},
		{},
		{},
		{Age: 1e7},
	}
	clean := fit(t, customers, BGNBD)
	f := fit(t, append(bad, customers...), BGNBD)
	want := map[Reason]int{RecencyAfterAge: 1, RepeatAtZero: 1, RecencyNoRepeat: 1, NegativeValue: 2, NotFinite: 2, Newborn: 2, OutOfRange: 1}
	for reason, n := range want {
		if f.Report.Rejected[reason] != n {
			t.Errorf("%s: %d, want %d", reason, f.Report.Rejected[reason], n)
		}
	}
	if f.Purchases != clean.Purchases || f.Report.Customers != 2357 {
		t.Errorf("rejected customers changed the fit: %v, %v", f.Purchases, clean.Purchases)
	}
}

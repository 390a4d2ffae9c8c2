package lifetime

import (
	"math"
	"testing"
)

// The published parameters at which the published values below were computed.
var (
	bgPublished     = BetaGeometric{R: .243, Alpha: 4.414, A: .793, B: 2.426}
	paretoPublished = Pareto{R: .553, Alpha: 10.578, S: .606, Beta: 11.669}
)

func TestBetaGeometricReference(t *testing.T) {
	m := bgPublished
	c := Customer{Frequency: 2, Recency: 30.43, Age: 38.86}
	near(t, "E(39)", m.Expected(c, 39), 1.226, .0005)
	near(t, "E(39), measured", m.Expected(c, 39), 1.226028, 1e-6)
	near(t, "P(alive)", m.Alive(c), .726579, 1e-6)
	near(t, "P(alive) of a one-time buyer", m.Alive(Customer{Age: 38}), 1, 0)
	near(t, "P(alive | 1000, 10, 100)", m.Alive(Customer{Frequency: 1000, Recency: 10, Age: 100}), 0, 1e-300)
	heavy := m.Expected(Customer{Frequency: 1500, Recency: 200, Age: 201}, 52)
	near(t, "E(52) of a heavy buyer", heavy, 192.70, .005)

	// The sheet behind these used the unrounded parameters.
	m = BetaGeometric{R: .242594, Alpha: 4.413593, A: .792919, B: 2.425896}
	times := []float64{.1429, 1, 3, 31.8571, 32, 78}
	want := []float64{.0078, .0532, .1506, 1.0405, 1.0437, 1.8576}
	for i := range times {
		tolerance := .00005
		if times[i] == 78 {
			tolerance = .0005 // the printed value agrees to three decimals only
		}
		near(t, "E[X(t)]", ExpectedNew(m, times[i]), want[i], tolerance)
	}
}

// P(X(t) = n) of new customers.
func TestCountsReference(t *testing.T) {
	newcomer := geometric{r: bgPublished.R, alpha: bgPublished.Alpha, a: bgPublished.A, b: bgPublished.B}
	for _, test := range []struct {
		t    float64
		n    int
		want float64
	}{{2, 10, 1.07869e-07}, {39, 0, .5737864}, {30, 11, .0019995214}} {
		counts := newcomer.counts(test.t, 1e-13, nil)
		near(t, "P(X = n)", counts[test.n], test.want, 1e-5*test.want)
	}
}

func TestParetoReference(t *testing.T) {
	m := paretoPublished
	c := Customer{Frequency: 26, Recency: 30.86, Age: 31}
	near(t, "E(52)", m.Expected(c, 52), 25.46, .005)
	near(t, "E(52), measured", m.Expected(c, 52), 25.4585, .00005)
	near(t, "P(alive)", m.Alive(c), .9979, .00005)
	rounded := Pareto{R: .55, Alpha: 10.56, S: .61, Beta: 11.64}
	for i, want := range []float64{.05077821, .09916088, .14542507} {
		near(t, "E[X(t)]", ExpectedNew(rounded, float64(i+1)), want, 1e-8)
	}
	// Histories at which CLVTools once returned NaN.
	m = Pareto{R: .5143, Alpha: 2.8845, S: .2856, Beta: 14.1087}
	for _, c := range []Customer{
		{Frequency: 221, Recency: 103.43, Age: 103.57},
		{Frequency: 254, Recency: 97.14, Age: 97.29},
		{Frequency: 161, Recency: 94.71, Age: 98},
		{Frequency: 204, Recency: 98.57, Age: 99.43},
	} {
		if p := m.Alive(c); !(p > 0 && p <= 1) {
			t.Errorf("P(alive) of %+v = %v", c, p)
		}
	}
}

// Discounted expected transactions, 15 % a year, 52 weeks, refitted from the log.
func TestDiscountedReference(t *testing.T) {
	f := fit(t, sample(t).summarize(calibrationEnd), BGNBD)
	terms := Terms{Horizon: 52, YearlyRate: .15, Margin: 1}
	for _, test := range []struct {
		c    Customer
		want float64
	}{
		{Customer{Frequency: 2, Recency: 30.4286, Age: 38.8571}, 1.459935},
		{Customer{Frequency: 1, Recency: 1.7143, Age: 38.8571}, .243483},
		{Customer{Age: 38.8571}, .235314},
	} {
		near(t, "discounted purchases", DiscountedPurchases(f.Purchases, test.c, terms, Week), test.want, 3e-5*test.want)
	}
}

// The limits and special values of the series are those of the integral, which
// knows nothing of them: a = 1, a + b = 1, long horizons, large parameters.
func TestSeriesAgreesWithIntegral(t *testing.T) {
	for _, a := range []float64{1e-4, .3, .793, 1 - 1e-10, 1, 1 + 1e-7, 1.5, 2, 8, 300} {
		for _, b := range []float64{.2, .7, 2.4, 40, 9000} {
			for _, r := range []float64{.05, .24, 1, 30, 1500} {
				for _, horizon := range []float64{1e-6, .5, 5, 52, 260, 3000} {
					g := geometric{r: r, alpha: 4.4, a: a, b: b}
					got, want := g.expected(horizon), g.integrate(g.dropoutNodes(horizon, horizon), horizon)
					if !(math.Abs(got-want) <= 1e-8*want) {
						t.Errorf("%+v at %v: %v, by integration %v", g, horizon, got, want)
					}
				}
			}
		}
	}
}

func TestSeriesOfHorizonsAgreesWithSingleOnes(t *testing.T) {
	for _, f := range []future{
		geometric{r: 2.2, alpha: 43, a: .79, b: 4.4},
		geometric{r: .2, alpha: .5, a: .79, b: 4.4},
		mortal{r: 2.5, alpha: 49, s: .6, beta: 50},
		mortal{r: 2.5, alpha: 49, s: 1, beta: 50},
		steady{r: 2, alpha: 30},
	} {
		out := make([]float64, 60)
		f.series(1.5, out)
		for k := range out {
			want := f.expected(1.5 * float64(k+1))
			near(t, "series", out[k], want, 1e-10*want)
		}
	}
}

// The mean of a distribution of counts is the expectation, computed from other
// formulas.
func TestCountsHaveTheExpectedMean(t *testing.T) {
	for _, f := range []future{
		geometric{r: 2.2, alpha: 43, a: .79, b: 4.4},
		geometric{r: 1500, alpha: 201, a: .8, b: 1503},
		geometric{r: 3000, alpha: 50, a: .8, b: 3003},
		geometric{r: 25, alpha: 36, a: 2, b: 28},
		mortal{r: 2.5, alpha: 49, s: .6, beta: 50},
		mortal{r: 26.5, alpha: 41, s: .3, beta: 42},
		steady{r: 2, alpha: 30},
		steady{r: 3000, alpha: 30},
	} {
		for _, horizon := range []float64{0, .1, 13, 52} {
			mean, total := 0.0, 0.0
			for n, p := range f.counts(horizon, 1e-12, nil) {
				mean += float64(n) * p
				total += p
			}
			want := f.expected(horizon)
			near(t, "total", total, 1, 1e-9)
			near(t, "mean", mean, want, 1e-6*want+1e-12)
		}
	}
}

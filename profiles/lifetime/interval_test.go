package lifetime

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

func TestBetaPrime(t *testing.T) {
	worst := 0.0
	for _, shape := range []float64{1.2, 3, 3.7444, 10, 60} {
		for _, p := range []float64{.5, 3, 6.25, 40} {
			m := amounts{p: p, shape: shape, sums: newSums(p)}
			for _, n := range []float64{1, 2, 2.5, 30, 700} {
				for v := 1e-3; v < 1e3; v *= 1.3 {
					exact := mathext.RegIncBeta(p*n, shape, v/(1+v))
					worst = math.Max(worst, math.Abs(exact-m.betaPrime(v, math.Cbrt(v*shape), n)))
				}
			}
		}
	}
	t.Logf("worst error %.2g", worst)
	if worst > .0025 {
		t.Errorf("error of %v", worst)
	}
}

// simulateFuture draws the money of one customer by following the model step by
// step: alive or not, rate, drop-out after each purchase, amounts.
func simulateFuture(r *rand.Rand, m BetaGeometric, s GammaGamma, c Customer, t float64) (n, money float64) {
	if r.Float64() >= m.Alive(c) {
		return 0, 0
	}
	g := m.posterior(c).(geometric)
	gamma := func(shape, rate float64) float64 { return distuv.Gamma{Alpha: shape, Beta: rate, Src: r}.Rand() }
	rate := gamma(g.r, g.alpha)
	a, b := gamma(g.a, 1), gamma(g.b, 1)
	shape, scale := s.posterior(c.Frequency, c.Spend)
	nu := gamma(shape, scale)
	for at := r.ExpFloat64() / rate; at <= t; at += r.ExpFloat64() / rate {
		n++
		money += gamma(s.P, nu)
		if r.Float64() < a/(a+b) {
			break
		}
	}
	return n, money
}

// The closed forms of expectation, count interval and money interval are those
// of a simulation that knows none of them.
func TestScoreAgreesWithSimulation(t *testing.T) {
	customers := sample(t).summarize(calibrationEnd)
	f := fit(t, customers, BGNBD)
	m, spend := f.Purchases.(BetaGeometric), *f.Spend
	scorer, err := f.Scorer([]float64{52}, Terms{Horizon: 52, Margin: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := random(t, 5)
	draws := 40_000
	for _, c := range []Customer{
		{Frequency: 2, Recency: 30.43, Age: 38.86, Spend: 22.35},
		{Age: 20},
		{Frequency: 12, Recency: 37, Age: 38, Spend: 60},
		{Frequency: 5, Recency: 15, Age: 38, Spend: 12},
	} {
		s, err := scorer.Score(c)
		if err != nil {
			t.Fatal(err)
		}
		counts, money := make([]float64, draws), make([]float64, draws)
		var sumN, sumM, sumNN, sumMM float64
		for i := range draws {
			n, v := simulateFuture(r, m, spend, c, 52)
			counts[i], money[i] = n, v
			sumN, sumNN, sumM, sumMM = sumN+n, sumNN+n*n, sumM+v, sumMM+v*v
		}
		mean := func(what string, got, sum, squares float64) {
			k := float64(draws)
			near(t, what, got, sum/k, 5*math.Sqrt((squares/k-sum*sum/k/k)/k))
		}
		mean("expected purchases", s.Purchases[0].Value, sumN, sumNN)
		mean("lifetime value", s.Value.Value, sumM, sumMM)
		slices.Sort(counts)
		slices.Sort(money)
		for _, q := range []struct{ p, count, money float64 }{
			{.05, s.Purchases[0].Lower, s.Value.Lower}, {.95, s.Purchases[0].Upper, s.Value.Upper},
		} {
			// The share below the quantile, which for money is a step of zeros
			// followed by a continuous part.
			if got := share(money, q.money); q.money > 0 && math.Abs(got-q.p) > .006 || q.money == 0 && got < q.p-.006 {
				t.Errorf("%+v: %.4f of the money is below the quantile %v", c, got, q.p)
			}
			if below, at := share(counts, q.count-1), share(counts, q.count); below > q.p+.006 || at < q.p-.006 {
				t.Errorf("%+v: counts below %v: %.4f, at it: %.4f, want %v between", c, q.count, below, at, q.p)
			}
		}
	}
}

// share returns the share of sorted values that are at most v.
func share(sorted []float64, v float64) float64 {
	i, _ := slices.BinarySearchFunc(sorted, v, func(e, v float64) int {
		if e <= v {
			return -1
		}
		return 1
	})
	return float64(i) / float64(len(sorted))
}

func TestMeanSpendInterval(t *testing.T) {
	g := GammaGamma{P: 6.25, Q: 3.74, Gamma: 15.44, PopulationMean: 35.2}
	r := random(t, 2)
	shape, rate := g.posterior(3, 40)
	f := &Fitted{Purchases: bgPublished, Spend: &g, cfg: DefaultConfig()}
	scorer, err := f.Scorer(nil, DefaultTerms())
	if err != nil {
		t.Fatal(err)
	}
	score, err := scorer.Score(Customer{Frequency: 3, Recency: 20, Age: 30, Spend: 40})
	if err != nil {
		t.Fatal(err)
	}
	low, high := score.Spend.Lower, score.Spend.Upper
	inside := 0
	for range 20_000 {
		if mean := g.P / (distuv.Gamma{Alpha: shape, Beta: rate, Src: r}).Rand(); mean >= low && mean <= high {
			inside++
		}
	}
	near(t, "coverage", float64(inside)/20_000, .9, .01)
}

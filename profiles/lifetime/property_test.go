package lifetime

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// count is the number of random cases: KINDRED_TEST_COUNT, or a modest default.
func count(t testing.TB, modest int) int {
	t.Helper()
	if s := os.Getenv("KINDRED_TEST_COUNT"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("KINDRED_TEST_COUNT: %v", err)
		}
		return n
	}
	return modest
}

// random returns a seeded source and prints the seed.
func random(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// wild draws a size over many orders of magnitude, at times an absurd value.
func wild(r *rand.Rand, low, high float64) float64 {
	switch r.IntN(60) {
	case 0:
		return math.NaN()
	case 1:
		return math.Inf(1 - 2*r.IntN(2))
	case 2:
		return 0
	case 3:
		return -1
	case 4:
		return math.MaxFloat64
	case 5:
		return math.SmallestNonzeroFloat64
	}
	return math.Exp(low + (high-low)*r.Float64())
}

// wildModel draws parameters as far out as a fit can leave them.
func wildModel(r *rand.Rand) Model {
	p := func() float64 { return math.Exp(wall * (2*r.Float64() - 1)) }
	switch r.IntN(4) {
	case 0:
		return BetaGeometric{R: p(), Alpha: p(), A: p(), B: p()}
	case 1:
		return BetaGeometric{R: p(), Alpha: p(), A: p(), B: p(), Modified: true}
	case 2:
		return Pareto{R: p(), Alpha: p(), S: p(), Beta: p()}
	}
	return Poisson{R: p(), Alpha: p()}
}

func wildCustomer(r *rand.Rand) Customer {
	c := Customer{Age: wild(r, -3, 9), Spend: wild(r, -5, 20), First: wild(r, -5, 20)}
	if r.IntN(3) > 0 {
		c.Frequency = int(math.Exp(12*r.Float64()*r.Float64())) - r.IntN(3)
		c.Recency = c.Age * r.Float64()
	}
	if r.IntN(20) == 0 {
		c.Recency = wild(r, -3, 9)
	}
	return c
}

func checkScore(t *testing.T, what any, s Score) {
	t.Helper()
	check := func(name string, e Estimate, most float64) {
		for _, v := range []float64{e.Value, e.Lower, e.Upper} {
			if !(v >= 0 && v <= most) || math.IsInf(v, 0) {
				t.Fatalf("%+v: %s = %+v", what, name, e)
			}
		}
		if e.Lower > e.Upper {
			t.Fatalf("%+v: %s = %+v", what, name, e)
		}
	}
	check("alive", s.Alive, 1)
	for _, p := range s.Purchases {
		check("purchases", p, math.MaxFloat64)
	}
	check("spend", s.Spend, math.MaxFloat64)
	check("value", s.Value, math.MaxFloat64)
}

// Whatever the parameters and the history, a score is finite and in its range,
// or the history is refused for a reason.
func TestScoresAreFinite(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	r := random(t, 7)
	scored, refused, clamped := 0, map[Reason]int{}, 0
	for range count(t, 2500) {
		e := func(size float64) float64 { return math.Exp(size * (2*r.Float64() - 1)) }
		f := &Fitted{Purchases: wildModel(r), cfg: DefaultConfig()}
		f.Spend = &GammaGamma{Kind: spendCandidates[r.IntN(3)], P: e(wall), Q: math.Max(leastQ, e(wall)), Gamma: e(wall) * 100}
		f.Spend.PopulationMean = f.Spend.P * f.Spend.Gamma / (f.Spend.Q - 1)
		if f.Spend.Q < minQ {
			f.Spend.PopulationMean = 50
		}
		s, err := f.Scorer([]float64{0, 90. / 7, 520 * r.Float64()}, Terms{Horizon: 1 + r.IntN(60), YearlyRate: .1, Margin: .3})
		if err != nil {
			t.Fatal(err)
		}
		c := wildCustomer(r)
		score, err := s.Score(c)
		var invalid *InvalidError
		switch {
		case errors.As(err, &invalid):
			refused[invalid.Reason]++
		case errors.Is(err, ErrOutOfRange) && f.Purchases.posterior(c).unbroken(1000) > maxCounts/2:
			refused["out of range"]++
		case err != nil:
			t.Fatalf("%+v %+v %+v: %v", f.Purchases, f.Spend, c, err)
		default:
			scored++
			clamped += score.Clamped
			checkScore(t, []any{f.Purchases, *f.Spend, c}, score)
		}
	}
	t.Logf("%d scored, %d numbers clamped, refused %v", scored, clamped, refused)
	if scored == 0 || len(refused) < 5 {
		t.Error("the inputs are not wild enough")
	}
}

// cohort simulates customers of the BG/NBD (or, with dropout 0, the NBD) model.
func cohort(r *rand.Rand, n int, rate func() float64, dropout func() float64, weeks float64) []Customer {
	var out []Customer
	for range n {
		lambda, p := rate(), dropout()
		until := weeks * (.3 + .7*r.Float64())
		purchases := []Purchase{{Day: 0}}
		for at := 0.0; r.Float64() >= p || len(purchases) == 1; {
			at += r.ExpFloat64() / lambda
			if at > until {
				break
			}
			purchases = append(purchases, Purchase{Day: int(at * 7), Amount: 5 + r.ExpFloat64()*20})
		}
		if c, ok := Summarize(purchases, int(until*7), Week); ok {
			out = append(out, c)
		}
	}
	return out
}

// Cohorts of very different kinds, with and without drop-out, alike and unlike,
// give a fit or a refusal, and finite scores.
func TestCohorts(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestProcessorsDoNotMatter sees its goroutines")
	}
	r := random(t, 11)
	outcomes := map[string]int{}
	for i := range min(200, count(t, 200)) {
		mean, spread := math.Exp(-4+4*r.Float64()), r.IntN(3)
		rate := func() float64 { return mean * math.Exp(float64(spread)*r.NormFloat64()) }
		share := []float64{0, 0, .02, .2, .6}[r.IntN(5)]
		dropout := func() float64 { return share }
		if r.IntN(2) == 0 {
			dropout = func() float64 { return share * 2 * r.Float64() }
		}
		customers := cohort(r, 150+r.IntN(600), rate, dropout, 10+90*r.Float64())
		cfg := DefaultConfig()
		cfg.Model = []Kind{BGNBD, MBGNBD, ParetoNBD, NBD}[i%4]
		f, err := Fit(customers, cfg)
		if errors.Is(err, ErrNotEnoughData) {
			outcomes["not enough data"]++
			continue
		}
		if err != nil {
			t.Fatalf("cohort %d (%s): %v", i, cfg.Model, err)
		}
		outcomes[string(cfg.Model)+" → "+string(f.Purchases.Kind())+" "+f.Report.Fallback]++
		scorer, err := f.Scorer([]float64{13}, DefaultTerms())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range customers[:100] {
			s, err := scorer.Score(c)
			if err != nil {
				t.Fatal(err)
			}
			checkScore(t, c, s)
		}
	}
	for what, n := range outcomes {
		t.Logf("%3d %s", n, what)
	}
}

// Without drop-out a and b run away, and the textbook formula is NaN there.
// With a drop-out that is the same for all they run away too, but it is real.
func TestFallbacks(t *testing.T) {
	c := Customer{Frequency: 12, Recency: 39, Age: 40}
	rate := func(r *rand.Rand) func() float64 { return func() float64 { return .2 + .4*r.Float64() } }
	for _, test := range []struct {
		seed    uint64
		dropout float64
		kind    Kind
		want    Kind
		alive   float64
	}{
		{1, 0, BGNBD, NBD, 1},
		{1, 0, MBGNBD, NBD, 1},
		{1, 0, ParetoNBD, NBD, 1},
		{2, .01, BGNBD, BGNBD, .985},
		{3, .01, BGNBD, BGNBD, .985},
		{4, .003, BGNBD, BGNBD, .995},
	} {
		r := random(t, test.seed)
		cfg := DefaultConfig()
		cfg.Model = test.kind
		f, err := Fit(cohort(r, 800, rate(r), func() float64 { return test.dropout }, 60), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %s %v %q", test.kind, f.Purchases.Kind(), f.Purchases.Parameters(), f.Report.Fallback)
		if f.Purchases.Kind() != test.want || f.Report.Fallback == "" {
			t.Errorf("%s with drop-out %v: %s, fallback %q", test.kind, test.dropout, f.Purchases.Kind(), f.Report.Fallback)
		}
		near(t, "P(alive)", f.Purchases.Alive(c), test.alive, .01)
		near(t, "E(13)", f.Purchases.Expected(c, 13), 13*.33, .4)
	}
}

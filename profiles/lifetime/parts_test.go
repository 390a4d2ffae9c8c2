package lifetime

import (
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// buyers draws customers of BG/NBD and Gamma-Gamma at the parameters of CDNOW. Some
// amounts are round, as prices are, so that several customers have the same.
func buyers(r *rand.Rand, n int) []Customer {
	gamma := func(shape, rate float64) float64 { return distuv.Gamma{Alpha: shape, Beta: rate, Src: r}.Rand() }
	customers := make([]Customer, n)
	for i := range customers {
		days := 182 + r.IntN(364)
		rate, stop, nu := gamma(.243, 4.414), distuv.Beta{Alpha: .793, Beta: 2.426, Src: r}.Rand(), gamma(3.74, 15.44)
		amount := func() float64 {
			if v := gamma(6.25, nu); r.IntN(3) > 0 {
				return v
			}
			return 10 + 5*float64(r.IntN(4))
		}
		c, last := Customer{Age: float64(days) / 7, First: amount()}, 0
		for at := r.ExpFloat64() / rate; at <= c.Age; at += r.ExpFloat64() / rate {
			if day := int(math.Ceil(at * 7)); day > last && day <= days {
				c.Spend += (amount() - c.Spend) / float64(c.Frequency+1)
				c.Frequency, c.Recency, last = c.Frequency+1, float64(day)/7, day
			}
			if r.Float64() < stop {
				break
			}
		}
		customers[i] = c
	}
	return customers
}

// On any number of processors a fit and its scores have the same bits: there are
// several parts, and they are added up in their order.
func TestProcessorsDoNotMatter(t *testing.T) {
	customers := buyers(random(t, 17), 60_000)
	table, _ := newTable(customers)
	if n, m := parts(len(table.groups)), len(newSpendTable(customers, SpendAll).parts()); n < 2 || m < 4 {
		t.Fatalf("%d and %d parts: too few for the test", n, m)
	}
	type outcome struct {
		model      Model
		spend      GammaGamma
		report     Report
		covariance []float64
		scores     []Score
	}
	run := func(kind Kind, spend SpendKind) outcome {
		cfg := DefaultConfig()
		cfg.Model, cfg.Spend = kind, spend
		f, err := Fit(customers, cfg)
		if err != nil {
			t.Fatal(err)
		}
		out := outcome{f.Purchases, *f.Spend, f.Report, f.covariance.RawSymmetric().Data, make([]Score, 5000)}
		if err := f.ScoreAll(t.Context(), customers[:len(out.scores)], []float64{4, 13}, DefaultTerms(), func(i int, s Score, err error) {
			out.scores[i] = s
			if err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, test := range []struct {
		kind  Kind
		spend SpendKind
	}{{BGNBD, SpendAll}, {MBGNBD, SpendRepeat}, {NBD, SpendMoments}} {
		before := runtime.GOMAXPROCS(1)
		want := run(test.kind, test.spend)
		for _, n := range []int{2, 3, 8} {
			runtime.GOMAXPROCS(n)
			if got := run(test.kind, test.spend); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s on %d processors: %+v %+v, on one %+v %+v", test.kind, test.spend, n, got.model, got.spend, want.model, want.spend)
			}
		}
		runtime.GOMAXPROCS(before)
	}
	// One value of a likelihood takes too long for a whole fit of Pareto/NBD.
	theta, sums := []float64{-.5, .2, -.4, .3}, map[[5]float64]bool{}
	for _, n := range []int{1, 2, 3, 8} {
		before := runtime.GOMAXPROCS(n)
		grad := make([]float64, 4)
		sums[[5]float64(append(grad, Pareto{}.likelihood(table)(theta, grad)))] = true
		runtime.GOMAXPROCS(before)
	}
	if len(sums) != 1 {
		t.Errorf("Pareto/NBD differs by processors: %v", sums)
	}
}

// What is summed over groups, with one logarithm for many, is the sum of the papers'
// formulas over customers.
func TestLikelihoodsAreThePapers(t *testing.T) {
	r := random(t, 19)
	customers := buyers(r, 20_000)
	table, _ := newTable(customers)
	for range 20 {
		theta := []float64{2 * r.NormFloat64(), 2 * r.NormFloat64(), 2 * r.NormFloat64(), 2 * r.NormFloat64()}
		e := make([]float64, 4)
		for i := range theta {
			e[i] = math.Exp(theta[i])
		}
		for _, m := range []BetaGeometric{{}, {Modified: true}} {
			want, shift := 0.0, m.shift()
			for _, c := range customers {
				x, tx, age := float64(c.Frequency), c.Recency*table.scale, c.Age*table.scale
				want += lgamma(e[0]+x) - lgamma(e[0]) + e[0]*theta[1] +
					lgamma(e[2]+e[3]) + lgamma(e[3]+x+shift) - lgamma(e[3]) - lgamma(e[2]+e[3]+x+shift)
				late := -(e[0] + x) * math.Log(e[1]+age)
				if x+shift > 0 {
					late = logSumExp(late, theta[2]-math.Log(e[3]+x+shift-1)-(e[0]+x)*math.Log(e[1]+tx))
				}
				want += late
			}
			got := m.likelihood(table)(theta, make([]float64, 4))
			near(t, string(m.Kind()), got, want, 1e-10*math.Abs(want))
		}
		for _, kind := range []SpendKind{SpendRepeat, SpendAll} {
			amounts := newSpendTable(customers, kind)
			want, n, mean := 0.0, 0.0, 0.0
			each := func(f func(x, m float64)) {
				for _, c := range customers {
					if days, m := kind.amounts(c); days > 0 && m > 0 {
						f(float64(days), m)
					}
				}
			}
			each(func(_, m float64) { n, mean = n+1, mean+m })
			each(func(x, m float64) {
				px, q, g := e[0]*x, e[1], e[2]
				m *= n / mean
				want += lgamma(px+q) - lgamma(px) - lgamma(q) + q*theta[2] + (px-1)*math.Log(m) + px*math.Log(x) - (px+q)*math.Log(g+x*m)
			})
			got := amounts.likelihood()(theta[:3], make([]float64, 3))
			near(t, string(kind), got, want, 1e-10*math.Abs(want))
		}
	}
}

// What a scorer keeps of one customer for the next changes no bit of a score.
func TestKeptOutlooksAreExact(t *testing.T) {
	r := random(t, 23)
	customers := buyers(r, 20_000)
	for _, spend := range []SpendKind{SpendRepeat, SpendAll} {
		cfg := DefaultConfig()
		cfg.Model, cfg.Spend = MBGNBD, spend
		f, err := Fit(customers, cfg)
		if err != nil {
			t.Fatal(err)
		}
		horizons := []float64{4, 52}
		kept, err := f.Scorer(horizons, DefaultTerms())
		if err != nil {
			t.Fatal(err)
		}
		shared := 0
		for i := range 600 {
			// Few lifespans, and of each many recencies and amounts.
			c := Customer{Frequency: r.IntN(6), Age: 30 + float64(r.IntN(4)), First: 50 * r.Float64()}
			if c.Frequency > 0 {
				c.Recency, c.Spend = c.Age*r.Float64(), 100*r.Float64()
			}
			known := len(kept.outlooks)
			got, err := kept.Score(c)
			if err != nil {
				t.Fatal(err)
			}
			if len(kept.outlooks) == known {
				shared++
			}
			if i%3 > 0 {
				continue
			}
			alone, err := f.Scorer(horizons, DefaultTerms())
			if err != nil {
				t.Fatal(err)
			}
			if want, err := alone.Score(c); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%+v: %+v, alone %+v, %v", c, got, want, err)
			}
		}
		if shared < 500 {
			t.Errorf("only %d scores used what was kept", shared)
		}
	}
}

// What is kept is bounded, whatever the customers.
func TestOutlooksAreBounded(t *testing.T) {
	f := fit(t, sample(t).summarize(calibrationEnd), MBGNBD)
	s, err := f.Scorer([]float64{52}, DefaultTerms())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4000 {
		if _, err := s.Score(Customer{Frequency: 3000, Recency: 20, Age: 30 + float64(i)/1000, Spend: 7}); err != nil {
			t.Fatal(err)
		}
		if s.kept > maxKept+outlookSize {
			t.Fatalf("%d numbers are kept", s.kept)
		}
		if len(s.outlooks) < i {
			return
		}
	}
	t.Error("nothing was ever left out")
}

// The ends of a search that are kept for the next are what they would be without.
func TestRungsAreExact(t *testing.T) {
	r := random(t, 37)
	for range 200 {
		g := geometric{r: 1 + 5*r.Float64(), alpha: 20 + 30*r.Float64(), a: .8, b: 3}
		m := newAmounts(g.counts(52, tailMass, nil), 1+6*r.Float64(), 2+8*r.Float64(), newSums(1))
		m.sums = newSums(m.p)
		for range 10 {
			alive, q := r.Float64(), .5+.49*r.Float64()
			none := 1 - alive + alive*m.counts[0]
			want := 0.0
			if none < q {
				want = solve(func(v float64) float64 { return none + alive*m.add(v) }, q, m.guess)
			}
			if got := m.quantile(alive, q); got != want {
				t.Fatalf("quantile %v at %v: %v, want %v", q, alive, got, want)
			}
		}
	}
}

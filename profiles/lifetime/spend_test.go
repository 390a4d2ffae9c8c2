package lifetime

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// Each model of spend finds the parameters from which customers were drawn, and
// their mean.
func TestSpendOfTheModelItself(t *testing.T) {
	const seed = 7
	src := rand.New(rand.NewPCG(seed, seed))
	truth := GammaGamma{P: 6, Q: 6, Gamma: 20}
	customers := make([]Customer, 40_000)
	for i := range customers {
		nu := distuv.Gamma{Alpha: truth.Q, Beta: truth.Gamma, Src: src}.Rand()
		amount := distuv.Gamma{Alpha: truth.P, Beta: nu, Src: src}
		c := Customer{Frequency: i % 4, Age: 10, First: amount.Rand()}
		for range c.Frequency {
			c.Recency = 5
			c.Spend += amount.Rand() / float64(c.Frequency)
		}
		customers[i] = c
	}
	for _, kind := range spendCandidates {
		cfg := DefaultConfig()
		cfg.Spend = kind
		g, err := fitSpend(customers, cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d: %+v", seed, *g)
		near(t, string(kind)+" mean", g.PopulationMean, 24, .5)
		near(t, string(kind)+" weight of a day", g.P/(g.P+g.Q-1), 6./11, .04)
		near(t, string(kind)+" p", g.P, 6, .6)
		if want := map[bool]int{true: 30_000, false: 40_000}[kind == SpendRepeat]; g.Customers != want {
			t.Errorf("%s of %d customers, want %d", kind, g.Customers, want)
		}
	}
}

// A customer who bought once is worth what that purchase says: the scores that
// are kept by age must be those of the customer's own amount.
func TestFirstAmountCounts(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Spend = SpendAll
	f, err := Fit(sample(t).summarize(calibrationEnd), cfg)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := f.Scorer([]float64{39}, DefaultTerms())
	if err != nil {
		t.Fatal(err)
	}
	var last Score
	for _, first := range []float64{0, 12, 500, 12} {
		c := Customer{Age: 30, First: first}
		fresh, err := f.Scorer([]float64{39}, DefaultTerms())
		if err != nil {
			t.Fatal(err)
		}
		got, err1 := kept.Score(c)
		want, err2 := fresh.Score(c)
		if err1 != nil || err2 != nil || got.Spend != want.Spend || got.Value != want.Value {
			t.Errorf("first %v: %+v, want %+v (%v, %v)", first, got, want, err1, err2)
		}
		near(t, "spend", got.Spend.Value, f.Spend.Mean(1, first), 1e-12)
		if first == 500 && !(got.Value.Upper > 2*last.Value.Upper && got.Spend.Lower > last.Spend.Upper) {
			t.Errorf("%+v beside %+v", got, last)
		}
		last = got
	}
}

// The choice of both models, made within the calibration period, ranks customers
// by money better than what they spent on repeat days does. With
// KINDRED_TEST_COUNT of 2 or more also in other tenths of CDNOW.
func TestChosenSpendRanks(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestProcessorsDoNotMatter sees its goroutines")
	}
	splits := map[string]log{"sample": sample(t)}
	if count(t, 1) > 1 {
		all := master(t)
		for _, k := range []int{0, 3, 5, 8} {
			var part log
			for i := k; i < len(all); i += 10 {
				part = append(part, all[i])
			}
			splits["tenth "+strconv.Itoa(k)] = part
		}
	}
	for name, l := range splits {
		cfg := DefaultConfig()
		choice, err := Choose(l, calibrationEnd, cfg)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Model, cfg.Spend = choice.Model, choice.Spend.Model
		customers := l.summarize(calibrationEnd)
		f, err := Fit(customers, cfg)
		if err != nil {
			t.Fatal(err)
		}
		counts, money := l.holdout(calibrationEnd, holdoutEnd)
		var expected, worth, repeat, past []float64
		for _, c := range customers {
			e := f.Purchases.Expected(c, 39)
			expected, worth = append(expected, e), append(worth, e*f.Spend.Expected(c))
			repeat, past = append(repeat, float64(c.Frequency)*c.Spend), append(past, c.First+float64(c.Frequency)*c.Spend)
		}
		a := Measure(expected, counts, worth, money)
		again, whole := Gini(repeat, money), Gini(past, money)
		t.Logf("%s: %s and %s, RMSE %.4f, MAE %.4f, bias %+.3f, Gini of money %.4f; by past spend %.4f, of repeat days %.4f; %+v",
			name, choice.Model, choice.Spend.Model, a.RMSE, a.MAE, a.TotalBias, a.GiniMoney, whole, again, choice.Spend.Candidates)
		if choice.Spend.Model == SpendRepeat || a.GiniMoney < max(again, .66) {
			t.Errorf("%s: %s ranks at %.4f, past spend at %.4f", name, choice.Spend.Model, a.GiniMoney, again)
		}
	}
	alone, err := ChooseSpend(splits["sample"], calibrationEnd, DefaultConfig())
	if err != nil || alone.Model != SpendAll || len(alone.Candidates) != 3 {
		t.Errorf("beside BG/NBD: %+v, %v", alone, err)
	}
	if c, err := ChooseSpend([][]Purchase{{{Day: 3, Amount: 1}}}, 9, DefaultConfig()); err != nil || c.Model != SpendRepeat || len(c.Candidates) != 0 {
		t.Errorf("without a past: %+v, %v", c, err)
	}
}

package lifetime

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What comes after the end of the calibration must not move the choice: it is
// the same with the holdout, without it, and with nonsense in its place.
func TestChooseCannotSeeTheHoldout(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	purchases := sample(t)
	choose := func(change func([]Purchase) []Purchase) Choice {
		t.Helper()
		histories := make([][]Purchase, len(purchases))
		for i, h := range purchases {
			histories[i] = change(slices.Clone(h))
		}
		c, err := Choose(histories, calibrationEnd, DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	whole := choose(func(h []Purchase) []Purchase { return h })
	cut := choose(func(h []Purchase) []Purchase {
		return slices.DeleteFunc(h, func(p Purchase) bool { return p.Day > calibrationEnd })
	})
	mad := choose(func(h []Purchase) []Purchase {
		for day := calibrationEnd + 1; day < calibrationEnd+50; day++ {
			h = append(h, Purchase{Day: day, Amount: 1000})
		}
		return h
	})
	if diff := cmp.Diff(cut, whole); diff != "" {
		t.Errorf("with the holdout (-without +with)\n%s", diff)
	}
	if diff := cmp.Diff(cut, mad); diff != "" {
		t.Errorf("with another holdout (-without +with)\n%s", diff)
	}
	t.Logf("%+v", whole)
	if len(whole.Folds) != 2 || len(whole.Candidates) != 3 || whole.Model == "" {
		t.Errorf("%+v", whole)
	}
}

// Too short a past chooses nothing, and says so.
func TestChooseWithoutPast(t *testing.T) {
	histories := make([][]Purchase, 50)
	for i := range histories {
		histories[i] = []Purchase{{Day: i}}
	}
	c, err := Choose(histories, 60, DefaultConfig())
	if err != nil || c.Model != MBGNBD || len(c.Folds) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := Choose(histories, 60, Config{}); err == nil {
		t.Error("a configuration without numbers was accepted")
	}
}

// Chance, certainty, and the coefficients of BG/NBD on CDNOW.
func TestGini(t *testing.T) {
	actual := []float64{0, 0, 1, 5, 0, 2}
	near(t, "own order", Gini(actual, actual), 1, 1e-12)
	near(t, "reverse order", Gini([]float64{9, 9, 3, 1, 9, 2}, actual), -1, .2)
	near(t, "no order", Gini(make([]float64, 6), actual), 0, 1e-12)
	near(t, "nothing came", Gini(actual, make([]float64, 6)), 0, 0)
	purchases := sample(t)
	customers := purchases.summarize(calibrationEnd)
	counts, money := purchases.holdout(calibrationEnd, holdoutEnd)
	f := fit(t, customers, BGNBD)
	var expected, worth, rate, past []float64
	for _, c := range customers {
		e := f.Purchases.Expected(c, 39)
		expected, worth = append(expected, e), append(worth, e*f.Spend.Mean(c.Frequency, c.Spend))
		rate, past = append(rate, float64(c.Frequency)), append(past, float64(c.Frequency)*c.Spend)
	}
	a := Measure(expected, counts, worth, money)
	near(t, "gini of transactions", a.GiniTransactions, .662, .002)
	near(t, "gini of money", a.GiniMoney, .638, .002)
	t.Logf("by frequency %.4f, by past spend %.4f, model %.4f and %.4f", Gini(rate, counts), Gini(past, money), a.GiniTransactions, a.GiniMoney)
	if a.MAE != 0 && math.Abs(a.RelativeAbsError-.984) > .001 {
		t.Errorf("relative absolute error %.4f", a.RelativeAbsError)
	}
}

package propensity

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// From noise nothing is learnt: the AUC stays at one half, and the result does
// not claim to beat the base rate.
func TestRandomLabels(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestSameBits sees its goroutines")
	}
	r := random(t, 6)
	table := mixedTable(r, 8000)
	y := answers(r, table.Rows, func(int) float64 { return -1 })
	cfg := quick()
	cfg.Holdout = .5
	for _, family := range []Family{Auto, Boosting} {
		cfg.Model = family
		v, err := Evaluate(examples(table, y), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %+v, %s", family, v.Metrics, v.Parts[0].Model)
		near(t, "AUC", v.Metrics.AUC, .5, .03)
		if len(v.Leaks) > 0 || v.Baselines["base_rate"].Beaten.Gain > .002 || v.Metrics.ECE > .03 {
			t.Errorf("leaks %v, %+v", v.Leaks, v.Baselines["base_rate"].Beaten)
		}
	}
}

// Trees are kept where a product decides, the regression where a sum does.
func TestChoiceOfFamily(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestSameBits sees its goroutines")
	}
	r := random(t, 7)
	table := numbers(r, 4000, 4)
	v := func(i, c int) float64 { return table.Columns[c].Numbers[i] }
	for want, odds := range map[Family]func(int) float64{
		Boosting: func(i int) float64 { return 2*v(i, 0)*v(i, 1) + v(i, 2) }, Logistic: func(i int) float64 { return v(i, 0) - v(i, 1) + v(i, 2)/2 - 1 },
	} {
		y := answers(r, table.Rows, odds)
		cfg := quick()
		cfg.Allow = []string{"a", "b", "c"}
		e, err := Evaluate(examples(table, y), cfg)
		if err != nil {
			t.Fatal(err)
		}
		ideal := make([]float64, 0, 1000)
		var judged []bool
		for i := range table.Rows {
			if e.Set[i] == "holdout" {
				ideal, judged = append(ideal, logistics(odds(i))), append(judged, y[i])
			}
		}
		best := Measure(ideal, judged)
		t.Logf("%s, AUC %.4f of %.4f, log loss %.4f of %.4f", e.Parts[0].Model, e.Metrics.AUC, best.AUC, e.Metrics.LogLoss, best.LogLoss)
		if e.Parts[0].Model != want || e.Metrics.LogLoss > best.LogLoss+.05 || !e.Baselines["base_rate"].Beaten.Better || len(judged) != 1000 {
			t.Errorf("%+v", e.Parts[0])
		}
	}
}

// The same examples and seed give the same bits on one processor and on many.
func TestSameBits(t *testing.T) {
	r := random(t, 8)
	rows, known, trees := 12_000, 11_000, 20
	if testing.Short() {
		rows, known, trees = 6_000, 5_000, 4 // Two chunks are shared by goroutines as three are.
	}
	table := mixedTable(r, rows)
	y := answers(r, table.Rows, func(i int) float64 { return table.Columns[0].Numbers[i] * table.Columns[2].Numbers[i] })
	run := func(processors int, seed uint64) []float64 {
		before := runtime.GOMAXPROCS(processors)
		defer runtime.GOMAXPROCS(before)
		cfg := quick()
		cfg.Boosting.Trees, cfg.Seed, cfg.Model = trees, seed, Boosting
		m, err := Train(table, all(known), y, nil, cfg)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Model = Logistic
		l, err := Train(table, all(known), y, nil, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return append(m.Predict(table, all(rows)), l.Predict(table, all(rows))...)
	}
	one := run(1, 1)
	if !slices.Equal(one, run(5, 1)) {
		t.Error("several processors give other bits")
	}
	if slices.Equal(one, run(1, 2)) {
		t.Error("the seed does not matter: the test tests nothing")
	}
}

// By time, what judges is later than what trains, and rows of one time stay on
// one side; a feature whose effect turns with time shows it.
func TestTimeSplit(t *testing.T) {
	r := random(t, 9)
	table := numbers(r, 2000, 2)
	e := examples(table, answers(r, table.Rows, func(i int) float64 { return table.Columns[0].Numbers[i] }))
	for i := range table.Rows {
		e.When = append(e.When, int64((table.Rows-i)/30)) // the file runs backwards
	}
	cfg := quick()
	cfg.Model, cfg.Allow = Logistic, []string{"a"}
	v, err := Evaluate(e, cfg)
	if err != nil {
		t.Fatal(err)
	}
	check := func(v *Result, sets []string) {
		t.Helper()
		latest := map[string]int64{}
		least := map[string]int64{}
		for i, set := range v.Set {
			latest[set] = max(latest[set], e.When[i])
			if at, ok := least[set]; !ok || e.When[i] < at {
				least[set] = e.When[i]
			}
		}
		for i := 1; i < len(sets); i++ {
			if latest[sets[i-1]] >= least[sets[i]] {
				t.Errorf("%s ends at %d, %s begins at %d", sets[i-1], latest[sets[i-1]], sets[i], least[sets[i]])
			}
		}
	}
	check(v, []string{"train", "holdout"})
	if n := v.Metrics.Rows; n < 480 || n > 530 || !strings.Contains(v.Split, "latest 25 %") || v.Drift == nil {
		t.Errorf("%d rows judge by %q", n, v.Split)
	}
	cfg.Folds = 3
	if v, err = Evaluate(e, cfg); err != nil {
		t.Fatal(err)
	}
	check(v, []string{"train", "fold1", "fold2", "fold3"})
	e.When = make([]int64, table.Rows)
	cfg.Folds = 0
	if _, err = Evaluate(e, cfg); !errors.Is(err, ErrNotEnoughData) {
		t.Errorf("one time for all: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	r := random(t, 10)
	table := numbers(r, 400, 2)
	few := make([]bool, 400)
	for i := range 49 {
		few[i] = true
	}
	if _, err := Evaluate(examples(table, few), DefaultConfig()); !errors.Is(err, ErrNotEnoughData) || !strings.Contains(err.Error(), "49 are positive") {
		t.Errorf("%v", err)
	}
	y := answers(r, 400, func(int) float64 { return 0 })
	constant := &Table{Rows: 400, Columns: []Column{{Name: "one", Kind: Numeric, Numbers: make([]float64, 400)}}}
	if _, err := Evaluate(examples(constant, y), DefaultConfig()); !errors.Is(err, ErrNotEnoughData) || !strings.Contains(err.Error(), "no feature") {
		t.Errorf("%v", err)
	}
	twice := &Table{Rows: 400, Columns: []Column{table.Columns[0], table.Columns[0]}}
	if _, err := Evaluate(examples(twice, y), DefaultConfig()); err == nil {
		t.Error("two columns of one name were accepted")
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.Model = "magic" },
		func(c *Config) { c.Holdout = 1 },
		func(c *Config) { c.Holdout = math.NaN() },
		func(c *Config) { c.Folds = 1 },
		func(c *Config) { c.MinPositives = 0 },
		func(c *Config) { c.Logistic.L2 = 0 },
		func(c *Config) { c.Boosting.Leaves = 1 },
		func(c *Config) { c.Boosting.ColumnShare = 0 },
		func(c *Config) { c.Boosting.Monotone = map[string]int{"a": 2} },
	} {
		cfg := DefaultConfig()
		change(&cfg)
		if cfg.Validate() == nil {
			t.Errorf("accepted %+v", cfg)
		}
	}
}

// Rows without an answer are scored; constant columns are named.
func TestNewRowsAndExclusions(t *testing.T) {
	r := random(t, 11)
	table := mixedTable(r, 1000)
	table.Columns = append(table.Columns, Column{Name: "same", Kind: Category, Levels: []string{"", "x"}, Codes: make([]int32, 1000)})
	e := examples(table, answers(r, 1000, func(i int) float64 { return table.Columns[0].Numbers[i] }))
	e.Labelled, e.New = e.Labelled[:900], e.Labelled[900:]
	cfg := quick()
	cfg.Model, cfg.Allow = Logistic, []string{"a"}
	v, err := Evaluate(e, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Exclusion{{Column: "same", Reason: "constant"}}, v.Exclusions); diff != "" {
		t.Error(diff)
	}
	for _, row := range e.New {
		if p := v.Predictions[row]; v.Set[row] != "new" || !(p > 0 && p < 1) {
			t.Fatalf("row %d: %s %v", row, v.Set[row], p)
		}
	}
}

// Whatever stands in a table of another day, a probability is one.
func TestForeignTable(t *testing.T) {
	r := random(t, 12)
	table := mixedTable(r, 2000)
	y := answers(r, 2000, func(i int) float64 { return table.Columns[0].Numbers[i] })
	other := &Table{Rows: 3, Columns: []Column{
		{Name: "kind", Kind: Category, Levels: []string{"", "violet", "blue"}, Codes: []int32{1, 2, 0}},
		{Name: "a", Kind: Numeric, Numbers: []float64{math.Inf(1), -1e300, math.NaN()}},
		{Name: "b", Kind: Category, Levels: []string{""}, Codes: make([]int32, 3)},
	}}
	for _, family := range []Family{Logistic, Boosting} {
		cfg := quick()
		cfg.Model = family
		m, err := Train(table, all(2000), y, nil, cfg)
		if err != nil {
			t.Fatal(err)
		}
		p := m.Predict(other, all(3))
		for _, v := range p {
			if !(v > 0 && v < 1) {
				t.Errorf("%s: %v", family, p)
			}
		}
		if !(p[0] > p[1]) {
			t.Errorf("%s: the greatest number has %v, the least %v", family, p[0], p[1])
		}
		if w := m.Weights(); w[0].Feature != "a" || w[0].Share < .3 {
			t.Errorf("%s: %v", family, w)
		}
	}
}

// Of few examples and many features that say nothing, the penalty is chosen so
// that little is learnt.
func TestFewRowsManyFeatures(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestSameBits sees its goroutines")
	}
	r := random(t, 17)
	table := numbers(r, 600, 25)
	y := answers(r, 600, func(i int) float64 { return .7 * table.Columns[0].Numbers[i] })
	loss := func(l2 float64) float64 {
		v := 0.0
		for _, f := range shuffled(all(600), y, 3, 1) {
			var answers []bool
			for _, row := range f.test {
				answers = append(answers, y[row])
			}
			m := fitLogistic(table, f.train, y, LogisticConfig{L2: l2}, 1)
			v += logLoss(calibrated(m.margins(table, f.test, 1)), answers) / 3
		}
		return v
	}
	cfg := quick()
	cfg.Model, cfg.Folds, cfg.Allow = Logistic, 3, []string{"a"}
	e, err := Evaluate(examples(table, y), cfg)
	if err != nil {
		t.Fatal(err)
	}
	base := e.Baselines["base_rate"].LogLoss
	t.Logf("log loss %.4f, at the least penalty %.4f, of the base rate %.4f", e.Metrics.LogLoss, loss(2), base)
	// With the least penalty and Platt alone it is .654.
	if e.Metrics.LogLoss > .645 || loss(2) < base+.02 {
		t.Error("the penalty is not chosen, or need not be")
	}
}

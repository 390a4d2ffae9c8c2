package propensity

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// The limits of the leak gates.
const (
	// leakAUC is above what a single feature is too good to be true.
	leakAUC = .90
	// leakShare is the share of a model's gain over the base rate beyond which
	// one feature must not carry it alone.
	leakShare = .5
	// leastGain is the gain over the base rate, as a share of its loss, below
	// which shares of it are noise.
	leastGain = .02
	// gateRows bounds the rows that the gates look at: of more, every k-th.
	gateRows = 60_000
	// laterShare is the share of values known only afterwards that is more than
	// a slip of the clock.
	laterShare = .001
)

// Reasons of leaks.
const (
	LeakSingle = "single_feature_auc"
	LeakShare  = "share_of_gain"
	LeakLater  = "known_later"
)

// Leak is a feature that gives the answer away, or looks as if it did.
type Leak struct {
	Feature string `json:"feature"`
	Reason  string `json:"reason"`
	// AUC of the feature alone; Share of the gain that is lost without it, in
	// the Model named; Values that are later than their example.
	AUC    float64 `json:"auc,omitempty"`
	Share  float64 `json:"share,omitempty"`
	Model  Family  `json:"model,omitempty"`
	Values int     `json:"values,omitempty"`
	Text   string  `json:"text"`
	// Allowed is true where a person let it pass.
	Allowed bool `json:"allowed"`
}

// LeakError is returned where leaks stop a model.
type LeakError struct{ Leaks []Leak }

// Error implements error.
func (e *LeakError) Error() string {
	var all []string
	for _, l := range e.Leaks {
		if !l.Allowed {
			all = append(all, l.Text)
		}
	}
	return "stopped by the leak gates: " + strings.Join(all, "; ")
}

// Stopping reports whether any leak was not allowed.
func Stopping(leaks []Leak) bool {
	return slices.ContainsFunc(leaks, func(l Leak) bool { return !l.Allowed })
}

// gates are the checks of one set of training rows.
type gates struct {
	t     *Table
	rows  []int32
	y     []bool
	cfg   Config
	folds []fold
	leaks []Leak
	found map[string]bool
}

// findLeaks runs every gate on training rows.
func findLeaks(t *Table, rows []int32, y []bool, when []int64, cfg Config) []Leak {
	rows = every(rows, gateRows)
	g := &gates{t: t, rows: rows, y: y, cfg: cfg, found: map[string]bool{}}
	aucs := make([]float64, len(t.Columns))
	parallel(len(aucs), workers(), func(i int) { aucs[i] = singleAUC(&t.Columns[i], rows, y) })
	for i, c := range t.Columns {
		if float64(c.KnownLater) > laterShare*float64(t.Rows) {
			g.add(Leak{Feature: c.Name, Reason: LeakLater, Values: c.KnownLater, Text: fmt.Sprintf("%s has %d values that are later than the time of their row", c.Name, c.KnownLater)})
		}
		if aucs[i] > leakAUC {
			g.add(Leak{Feature: c.Name, Reason: LeakSingle, AUC: aucs[i], Text: fmt.Sprintf("%s alone has an AUC of %.3f, above %.2f", c.Name, aucs[i], leakAUC)})
		}
	}
	if folds := inner(rows, y, when, cfg.Ordered, cfg.Seed); len(folds) > 0 && len(t.Columns) > 1 {
		g.folds = folds[len(folds)-1:]
		g.shares()
	}
	return g.leaks
}

func (g *gates) add(l Leak) {
	if g.found[l.Feature] {
		return
	}
	g.found[l.Feature] = true
	l.Allowed = slices.Contains(g.cfg.Allow, l.Feature)
	g.leaks = append(g.leaks, l)
}

// fit fits a family to the training side of the one fold, and returns how to
// predict its other side by a table.
func (g *gates) fit(t *Table, family Family) func(*Table) []float64 {
	f := g.folds[0]
	if family == Logistic {
		m := fitLogistic(t, f.train, g.y, g.cfg.Logistic, workers())
		return func(t *Table) []float64 { return calibrated(m.margins(t, f.test, workers())) }
	}
	cfg := g.cfg.Boosting
	cfg.Trees, cfg.Rate = min(cfg.Trees, 100), max(cfg.Rate, .1)
	trees, _ := crossFit(t, g.folds, g.y, cfg, g.cfg.Seed)
	m := fitBoosting(t, f.train, g.y, cfg, trees, g.cfg.Seed, workers())
	return func(t *Table) []float64 { return calibrated(m.margins(t, f.test, workers())) }
}

// better fits the family that is asked for, or both, and returns the one with
// the lower loss on the other side of the fold.
func (g *gates) better(answers []bool) (family Family, predict func(*Table) []float64, whole []float64) {
	for _, f := range []Family{Logistic, Boosting} {
		if g.cfg.Model != Auto && g.cfg.Model != f {
			continue
		}
		fitted := g.fit(g.t, f)
		p := fitted(g.t)
		if predict == nil || logLoss(p, answers) < logLoss(whole, answers) {
			family, predict, whole = f, fitted, p
		}
	}
	return family, predict, whole
}

// shares finds the features without which the model loses more than the limit of
// its gain. A feature is only left out for good where the fitted model needs
// it: mixing its values up among the rows costs at least as much as learning
// without it.
func (g *gates) shares() {
	f := g.folds[0]
	answers, base := make([]bool, len(f.test)), make([]float64, len(f.test))
	for i, r := range f.test {
		answers[i] = g.y[r]
	}
	rate := 0.0
	for _, r := range f.train {
		if g.y[r] {
			rate += 1 / float64(len(f.train))
		}
	}
	for i := range base {
		base[i] = rate
	}
	family, predict, whole := g.better(answers)
	none, least := logLoss(base, answers), logLoss(whole, answers)
	gain := none - least
	if c := Compare(base, whole, answers); gain < leastGain*none || c.Gain < 3*c.StandardError {
		return
	}
	for i := range g.t.Columns {
		name := g.t.Columns[i].Name
		if g.found[name] || logLoss(predict(g.mixed(i)), answers)-least < .6*leakShare*gain {
			continue
		}
		rest := g.t.without(name)
		lost := logLoss(g.fit(rest, family)(rest), answers) - least
		if share := lost / gain; share > leakShare {
			g.add(Leak{Feature: name, Reason: LeakShare, Share: share, Model: family, Text: fmt.Sprintf("without %s the model (%s) loses %.0f %% of its gain over the base rate, more than %.0f %%", name, family, 100*share, 100*leakShare)})
		}
	}
}

// mixed returns the table with the values of one column dealt anew among the
// rows that judge.
func (g *gates) mixed(column int) *Table {
	t := &Table{Rows: g.t.Rows, Columns: slices.Clone(g.t.Columns)}
	c := &t.Columns[column]
	test := g.folds[0].test
	order := rand.New(rand.NewPCG(g.cfg.Seed, uint64(column)+0x6d6978)).Perm(len(test))
	if c.Kind == Category {
		codes := slices.Clone(c.Codes)
		for i, r := range test {
			codes[r] = c.Codes[test[order[i]]]
		}
		c.Codes = codes
		return t
	}
	numbers := slices.Clone(c.Numbers)
	for i, r := range test {
		numbers[r] = c.Numbers[test[order[i]]]
	}
	c.Numbers = numbers
	return t
}

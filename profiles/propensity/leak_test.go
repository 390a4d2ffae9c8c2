package propensity

import (
	"errors"
	"strings"
	"testing"
)

// A feature that is the answer with some noise, one that carries more than half
// of the gain, and one that is known later stop the model by their names; a
// person can let them pass, and honest features pass by themselves.
func TestLeakGates(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	r := random(t, 15)
	table := numbers(r, 4000, 5)
	v := func(i, c int) float64 { return table.Columns[c].Numbers[i] }
	y := answers(r, table.Rows, func(i int) float64 { return .8*v(i, 0) + .8*v(i, 1) + .8*v(i, 2) + .8*v(i, 3) - 1 })
	with := func(strength float64) *Table {
		c := Column{Name: "leak", Kind: Numeric}
		for i := range table.Rows {
			x := r.NormFloat64()
			if y[i] {
				x += strength
			}
			c.Numbers = append(c.Numbers, x)
		}
		return &Table{Rows: table.Rows, Columns: append(table.Columns[:5:5], c)}
	}
	later := with(0)
	later.Columns[5].KnownLater = 20
	for _, c := range []struct {
		table  *Table
		reason string
	}{{table, ""}, {with(3), LeakSingle}, {with(1.7), LeakShare}, {later, LeakLater}} {
		cfg := quick()
		cfg.Boosting.Trees = 40
		e, err := Evaluate(examples(c.table, y), cfg)
		if c.reason == "" {
			if err != nil || len(e.Leaks) > 0 {
				t.Errorf("honest features: %v, %+v", err, e)
			}
			continue
		}
		var leak *LeakError
		if !errors.As(err, &leak) || len(leak.Leaks) != 1 || leak.Leaks[0].Feature != "leak" || leak.Leaks[0].Reason != c.reason || !strings.Contains(err.Error(), "leak") {
			t.Errorf("%s: %v", c.reason, err)
			continue
		}
		if len(e.Leaks) != 1 || len(e.Parts) > 0 || e.Metrics.Rows > 0 {
			t.Errorf("%s: there is a result beside the leaks", c.reason)
		}
		cfg.Allow, cfg.Model = []string{"leak"}, Logistic
		if e, err = Evaluate(examples(c.table, y), cfg); err != nil || len(e.Parts) == 0 {
			t.Errorf("%s allowed: %v", c.reason, err)
		}
		for _, l := range e.Leaks {
			if !l.Allowed {
				t.Errorf("%+v", l)
			}
		}
	}
}

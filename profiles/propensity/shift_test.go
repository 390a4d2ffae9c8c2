package propensity

import (
	"math"
	"math/rand/v2"
	"testing"
)

// shifting makes examples in the order of time: given the answer the features
// are always alike, and the share of positives is that of rate.
func shifting(rows int, rate func(i int) float64) *Examples {
	r := rand.New(rand.NewPCG(3, 1))
	e := &Examples{Table: &Table{Rows: rows}, Y: make([]bool, rows), When: make([]int64, rows)}
	for c := range 3 {
		e.Table.Columns = append(e.Table.Columns, Column{Name: string(rune('a' + c)), Kind: Numeric, Numbers: make([]float64, rows)})
	}
	for i := range rows {
		e.Y[i], e.When[i] = r.Float64() < rate(i), int64(i)
		e.Labelled = append(e.Labelled, int32(i))
		for c := range e.Table.Columns {
			e.Table.Columns[c].Numbers[i] = r.NormFloat64()
			if e.Y[i] {
				e.Table.Columns[c].Numbers[i] += .7
			}
		}
	}
	return e
}

// Where the base rate rises the probabilities follow it, without a look at the
// answers, and are better for it; where it stays nothing is done.
func TestProbabilitiesFollowTheBaseRate(t *testing.T) {
	const rows = 12000
	cfg := DefaultConfig()
	cfg.Model = Logistic
	for _, c := range []struct {
		name  string
		rate  func(i int) float64
		moves bool
	}{
		{"rising", func(i int) float64 { return .08 + .5*float64(i)/rows }, true},
		{"steady", func(int) float64 { return .3 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Evaluate(shifting(rows, c.rate), cfg)
			if err != nil {
				t.Fatal(err)
			}
			part := r.Parts[0]
			if part.Shift == nil || part.Shift.Applied != c.moves {
				t.Fatalf("%+v, applied should be %v", part.Shift, c.moves)
			}
			truth := float64(part.Positives) / float64(part.Rows)
			if !c.moves {
				return
			}
			if math.Abs(part.Shift.To-truth) > .04 || math.Abs(part.Shift.From-truth) < .05 {
				t.Errorf("moved from %.3f to %.3f, the truth is %.3f", part.Shift.From, part.Shift.To, truth)
			}
			var plain, moved []float64
			var y []bool
			var held []int32
			e := shifting(rows, c.rate)
			for row, set := range r.Set {
				if set == "holdout" {
					held, y, moved = append(held, int32(row)), append(y, e.Y[row]), append(moved, r.Predictions[row])
				}
			}
			if plain = r.Models[0].Predict(e.Table, held); !Compare(plain, moved, y).Better {
				t.Errorf("a log loss of %.4f is not better than %.4f", logLoss(moved, y), logLoss(plain, y))
			}
		})
	}
}

// Few rows are no new base rate.
func TestFewRowsDoNotMove(t *testing.T) {
	e := shifting(3000, func(int) float64 { return .3 })
	cfg := DefaultConfig()
	cfg.Model, cfg.Ordered = Logistic, true
	m, err := Train(e.Table, e.Labelled, e.Y, e.When, cfg)
	if err != nil {
		t.Fatal(err)
	}
	m.Shift = &PriorShift{Applied: true, From: .1}
	few := e.Labelled[:20]
	p, done := m.follow(e.Table, few)
	if want := m.Predict(e.Table, few); done.Applied || done.To != 0 || p[0] != want[0] {
		t.Errorf("%v, want %v; %+v", p[0], want[0], done)
	}
	if _, done := m.follow(e.Table, e.Labelled); !done.Applied || done.To == 0 {
		t.Errorf("many rows: %+v", done)
	}
}

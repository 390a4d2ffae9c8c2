package propensity

import (
	"math"
	"math/rand/v2"
	"testing"
)

// random returns a seeded source and prints the seed.
func random(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v ± %v", what, got, want, tolerance)
	}
}

// numbers makes a table of normal numbers with the names a, b, c …
func numbers(r *rand.Rand, rows, columns int) *Table {
	t := &Table{Rows: rows}
	for c := range columns {
		values := make([]float64, rows)
		for i := range values {
			values[i] = r.NormFloat64()
		}
		t.Columns = append(t.Columns, Column{Name: string(rune('a' + c)), Kind: Numeric, Numbers: values})
	}
	return t
}

// answers draws answers with log odds by row.
func answers(r *rand.Rand, rows int, odds func(i int) float64) []bool {
	y := make([]bool, rows)
	for i := range y {
		y[i] = r.Float64() < logistics(odds(i))
	}
	return y
}

func all(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

func examples(t *Table, y []bool) *Examples {
	return &Examples{Table: t, Y: y, Labelled: all(t.Rows)}
}

// quick is a configuration whose trees cost little.
func quick() Config {
	cfg := DefaultConfig()
	cfg.Boosting.Trees, cfg.Boosting.Rate = 60, .15
	return cfg
}

package propensity

import (
	"bytes"
	"math"
	"testing"
)

// TestFreeze thaws models of both families: they predict what they predicted, of tables
// whose columns stand in another order and have other levels.
func TestFreeze(t *testing.T) {
	r := random(t, 11)
	table := numbers(r, 4000, 3)
	levels := Column{Name: "level", Kind: Category, Levels: []string{"", "x", "y", "z"}, Codes: make([]int32, 4000)}
	for i := range levels.Codes {
		levels.Codes[i] = int32(r.IntN(4))
		if r.IntN(9) == 0 {
			table.Columns[0].Numbers[i] = math.NaN()
		}
	}
	table.Columns = append(table.Columns, levels)
	y := answers(r, 4000, func(i int) float64 {
		return table.Columns[1].Numbers[i] + float64(levels.Codes[i]) - 2
	})
	turned := &Table{Rows: 2, Columns: []Column{
		{Name: "level", Kind: Category, Levels: []string{"", "new", "y"}, Codes: []int32{1, 2}},
		{Name: "c", Kind: Numeric, Numbers: []float64{1, math.NaN()}},
		{Name: "b", Kind: Numeric, Numbers: []float64{2, -1}},
	}}
	for _, family := range []Family{Logistic, Boosting} {
		cfg := quick()
		cfg.Model = family
		m, err := Train(table, all(4000), y, nil, cfg)
		if err != nil {
			t.Fatal(err)
		}
		data, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back Model
		if err := back.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		for _, on := range []*Table{table, turned} {
			want, got := m.Predict(on, all(on.Rows)), back.Predict(on, all(on.Rows))
			for i := range want {
				if want[i] != got[i] {
					t.Fatalf("%s: row %d is %v, and %v when thawed", family, i, want[i], got[i])
				}
			}
		}
		again, err := back.MarshalBinary()
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%s: frozen again it is something else (%v)", family, err)
		}
		if len(back.Weights()) != len(m.Weights()) {
			t.Errorf("%s: weights are %v", family, back.Weights())
		}
		if err := back.UnmarshalBinary(data[:len(data)/2]); err == nil {
			t.Errorf("%s: half of it is a model", family)
		}
	}
}

func TestReasons(t *testing.T) {
	r := random(t, 12)
	table := numbers(r, 4000, 4)
	y := answers(r, 4000, func(i int) float64 { return 2*table.Columns[0].Numbers[i] - table.Columns[1].Numbers[i] })
	for _, family := range []Family{Logistic, Boosting} {
		cfg := quick()
		cfg.Model = family
		m, err := Train(table, all(4000), y, nil, cfg)
		if err != nil {
			t.Fatal(err)
		}
		some := &Table{Rows: 1, Columns: []Column{
			{Name: "a", Kind: Numeric, Numbers: []float64{1.5}},
			{Name: "b", Kind: Numeric, Numbers: []float64{1.5}},
			{Name: "c", Kind: Numeric, Numbers: []float64{1.5}},
			{Name: "d", Kind: Numeric, Numbers: []float64{0}},
		}}
		why := m.Reasons(some, all(1), Typical(table, all(4000)), 2)[0]
		if len(why) != 2 || why[0].Feature != "a" || why[1].Feature != "b" || why[0].Effect < 1 || why[1].Effect > -.5 || why[0].Value != 1.5 {
			t.Errorf("%s: reasons are %+v", family, why)
		}
	}
}

func TestReference(t *testing.T) {
	r := random(t, 13)
	draw := func(shift float64) []float64 {
		list := make([]float64, 5000)
		for i := range list {
			if list[i] = r.NormFloat64() + shift; i%10 == 0 {
				list[i] = math.NaN()
			}
		}
		return list
	}
	ref := NewReference("x", draw(0))
	psi := func(list []float64) float64 {
		counts := ref.Empty()
		for _, v := range list {
			ref.Count(counts, v)
		}
		return ref.PSI(counts)
	}
	if same, moved := psi(draw(0)), psi(draw(1)); same > .02 || moved < DriftMuch {
		t.Errorf("index is %v of the same and %v of what moved", same, moved)
	}
}

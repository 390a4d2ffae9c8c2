package propensity

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// mixedTable has numbers, some missing, and a category.
func mixedTable(r *rand.Rand, rows int) *Table {
	t := numbers(r, rows, 9)
	for i := range rows {
		if r.IntN(5) == 0 {
			t.Columns[1].Numbers[i] = math.NaN()
		}
		t.Columns[2].Numbers[i] = math.Round(t.Columns[2].Numbers[i])
	}
	c := Column{Name: "kind", Kind: Category, Levels: []string{"", "red", "green", "blue", "rare"}}
	for i := range rows {
		c.Codes = append(c.Codes, int32(r.IntN(4)))
		if i%500 == 0 {
			c.Codes[i] = 4
		}
	}
	t.Columns = append(t.Columns, c)
	return t
}

// The packed histograms hold the sums of the gradients of each bin; the leaves
// have the values of their rows, also where their histograms were had by
// subtraction; and a tree sends raw values where it sends bins.
func TestTreesAreConsistent(t *testing.T) {
	r := random(t, 3)
	table := mixedTable(r, 3000)
	y := answers(r, table.Rows, func(i int) float64 {
		v := table.Columns[0].Numbers[i]
		if math.IsNaN(table.Columns[1].Numbers[i]) {
			v += 2
		}
		if table.Columns[9].Codes[i] == 2 {
			v -= 2
		}
		return v
	})
	cfg := DefaultBoosting()
	cfg.ColumnShare = 1
	b := newBooster(table, all(2500), all(3000)[2500:], y, cfg, 1, 1)
	for range 20 {
		b.grow()
	}
	raw := b.model.margins(table, all(3000), 1)
	for i := range 2500 {
		near(t, "margin of a trained row", raw[i], b.grower.margin[i], 1e-9)
	}
	for i := range 500 {
		near(t, "margin of a watched row", raw[2500+i], b.margins[i], 1e-9)
	}
	g := b.grower
	before := slices.Clone(g.margin)
	last := g.next()
	grad, hess := make([]float64, len(last.values)), make([]float64, len(last.values))
	for i, z := range before {
		p, at := logistics(z), last.binnedLeaf(g.data, int32(i))
		hess[at] += p * (1 - p)
		if g.y[i] {
			p--
		}
		grad[at] += p
	}
	for i, v := range last.values {
		near(t, "value of a leaf", v, -cfg.Rate*grad[i]/(hess[i]+cfg.L2), 1e-6)
	}
	g.derive()
	g.choose()
	l := &growing{from: 0, to: 700, hist: g.take()}
	g.fill(l)
	for c := range g.binners {
		var grad, hess [binCount]float64
		for _, row := range g.rows[:700] {
			p := logistics(g.margin[row])
			bin := g.data.at(row, c)
			hess[bin] += p * (1 - p)
			if g.y[row] {
				p--
			}
			grad[bin] += p
		}
		for bin := range grad {
			gs, hs := g.unpack(l.hist[c*binCount+bin])
			near(t, "gradient", gs, grad[bin], 1e-4)
			near(t, "second derivative", hs, hess[bin], 1e-4)
		}
	}
}

// Bins keep the order of numbers, and equal numbers share one.
func TestBins(t *testing.T) {
	r := random(t, 4)
	for _, distinct := range []int{1, 2, 254, 255, 256, 5000} {
		c := Column{Name: "v", Kind: Numeric}
		for range 5000 {
			c.Numbers = append(c.Numbers, float64(r.IntN(distinct))*1.1)
		}
		c.Numbers[7] = math.NaN()
		b := newBinner(&c, all(5000))
		if b.count > binCount || b.number(math.NaN()) != missingBin || b.number(math.Inf(-1)) != 1 || int(b.number(math.Inf(1))) != b.count-1 {
			t.Errorf("%d values: %d bins, ends %d and %d", distinct, b.count, b.number(math.Inf(-1)), b.number(math.Inf(1)))
		}
		for range 2000 {
			v, w := c.Numbers[r.IntN(5000)], c.Numbers[r.IntN(5000)]
			if v < w && b.number(v) > b.number(w) || distinct < 200 && v < w && b.number(v) == b.number(w) {
				t.Fatalf("%d values: %v is in bin %d, %v in %d", distinct, v, b.number(v), w, b.number(w))
			}
		}
	}
}

// A probability that must not fall with a number does not, whatever the data
// say, and does where nothing forbids it.
func TestMonotone(t *testing.T) {
	r := random(t, 5)
	table := numbers(r, 4000, 3)
	y := answers(r, table.Rows, func(i int) float64 { return 2*math.Sin(3*table.Columns[0].Numbers[i]) + table.Columns[1].Numbers[i] })
	falls := func(monotone map[string]int) (n int) {
		cfg := DefaultBoosting()
		cfg.Monotone, cfg.Rate, cfg.ColumnShare = monotone, .2, 1
		m := fitBoosting(table, all(4000), y, cfg, 40, 1, 1)
		grid := numbers(r, 400, 3)
		for i := range grid.Rows {
			grid.Columns[0].Numbers[i] = float64(i%40)/10 - 2
			for c := 1; c < 3; c++ {
				grid.Columns[c].Numbers[i] = grid.Columns[c].Numbers[i-i%40]
			}
		}
		z := m.margins(grid, all(400), 1)
		for i := range z {
			if i%40 > 0 && z[i] < z[i-1]-1e-12 {
				n++
			}
		}
		return n
	}
	if n := falls(map[string]int{"a": 1}); n > 0 {
		t.Errorf("it falls %d times", n)
	}
	if falls(nil) == 0 {
		t.Error("without the constraint it never falls: the test tests nothing")
	}
}

// BenchmarkBoosting grows 100 trees of 31 leaves on a million rows of 50
// columns, and scores them.
func BenchmarkBoosting(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	table := &Table{Rows: 1_000_000}
	for c := range 50 {
		values := make([]float64, table.Rows)
		for i := range values {
			values[i] = r.NormFloat64()
		}
		table.Columns = append(table.Columns, Column{Name: string(rune('A' + c)), Kind: Numeric, Numbers: values})
	}
	y := answers(r, table.Rows, func(i int) float64 {
		v := func(c int) float64 { return table.Columns[c].Numbers[i] }
		return v(0) + v(1)*v(2) + math.Abs(v(3)) - 1.5 + .3*v(4)
	})
	cfg := DefaultBoosting()
	cfg.Leaves, cfg.Rate, cfg.ColumnShare = 31, .1, 1
	rows := all(table.Rows)
	var m *boosting
	b.Run("train/1Mx50x100", func(b *testing.B) {
		for b.Loop() {
			m = fitBoosting(table, rows, y, cfg, 100, 1, workers())
		}
	})
	b.Run("score/1M", func(b *testing.B) {
		for b.Loop() {
			if z := m.margins(table, rows, workers()); math.IsNaN(z[0]) {
				b.Fatal(z[0])
			}
		}
		b.ReportMetric(float64(table.Rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

// Rows that are followed four at a time come to the leaves that each comes to alone, by
// nodes, also those with missing values, and those left over at the end.
func TestFourRowsAtOnce(t *testing.T) {
	r := random(t, 29)
	table := mixedTable(r, 2003)
	table.Columns = table.Columns[:9] // No category.
	y := answers(r, table.Rows, func(i int) float64 {
		v := table.Columns[0].Numbers[i] * table.Columns[3].Numbers[i]
		if math.IsNaN(table.Columns[1].Numbers[i]) {
			v++
		}
		return v
	})
	m := fitBoosting(table, all(2003), y, DefaultBoosting(), 40, 1, 1)
	got, missing := m.margins(table, all(2003), 1), 0
	for row := range table.Rows {
		want := m.start
		for k := range m.trees {
			tree := &m.trees[k]
			if !tree.plain {
				t.Fatal("a tree asks for a category")
			}
			at := int32(0)
			if len(tree.nodes) == 0 {
				at = -1
			}
			for at >= 0 {
				n := &tree.nodes[at]
				v := table.Columns[n.column].Numbers[row]
				if at = n.right; v <= n.threshold || math.IsNaN(v) && n.missingLeft {
					at = n.left
				}
				if math.IsNaN(v) {
					missing++
				}
			}
			want += tree.values[-1-at]
		}
		if got[row] != want {
			t.Fatalf("row %d: %v, one by one %v", row, got[row], want)
		}
	}
	if missing < 1000 {
		t.Errorf("only %d questions met a missing value", missing)
	}
}

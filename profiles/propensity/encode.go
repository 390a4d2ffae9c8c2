package propensity

import (
	"math"
	"slices"
)

// Limits of the encoding for the regression.
const (
	// knots is the number of places where the effect of a number may bend.
	knots = 7
	// fewValues is up to how many whole numbers each has an effect of its own:
	// they are often codes.
	fewValues = 24
	// leastLevel is how many rows a level must have for an effect of its own,
	// mostLevels how many levels of a column have one.
	leastLevel = 20
	mostLevels = 60
	// tail is the share of each end of a number that is cut off, so that one
	// wild value does not rule.
	tail = .001
)

// term is one input of the regression: a function of one column.
type term struct {
	column int
	kind   termKind
	at     float64 // knot, level or value
	// mean and scale standardise it over the training rows.
	mean, scale float64
}

type termKind uint8

const (
	linear  termKind = iota // the number itself, between low and high
	hinge                   // what it exceeds a knot by
	equals                  // 1 for one value
	missing                 // 1 for none
)

// encodedColumn is how one column becomes terms.
type encodedColumn struct {
	name      string
	kind      Kind
	low, high float64
	fill      float64          // stands for a missing number
	levels    map[string]int32 // of a category, by the codes of the training table
}

// encoder turns rows of a table into inputs of the regression.
type encoder struct {
	columns []encodedColumn
	terms   []term
}

// newEncoder looks at the training rows.
func newEncoder(t *Table, rows []int32) *encoder {
	e := &encoder{}
	for i := range t.Columns {
		c := &t.Columns[i]
		col := encodedColumn{name: c.Name, kind: c.Kind}
		if c.Kind == Category {
			col.levels = levelCodes(c)
			e.columns = append(e.columns, col)
			e.levels(c, rows, i)
			continue
		}
		sorted, absent := present(c, rows)
		if len(sorted) == 0 {
			sorted = []float64{0}
		}
		n := float64(len(sorted))
		col.low, col.high = sorted[int(tail*n)], sorted[len(sorted)-1-int(tail*n)]
		col.fill = sorted[len(sorted)/2]
		e.columns = append(e.columns, col)
		e.numbers(sorted, absent, i)
	}
	e.standardise(t, rows)
	return e
}

// present returns the sorted numbers of a column, and how many rows have none.
func present(c *Column, rows []int32) ([]float64, int) {
	sorted := make([]float64, 0, len(rows))
	for _, r := range rows {
		if v := c.Numbers[r]; !math.IsNaN(v) {
			sorted = append(sorted, v)
		}
	}
	slices.Sort(sorted)
	return sorted, len(rows) - len(sorted)
}

// numbers adds the terms of a numeric column.
func (e *encoder) numbers(sorted []float64, absent, column int) {
	e.terms = append(e.terms, term{column: column, kind: linear})
	if absent > 0 && absent >= leastLevel {
		e.terms = append(e.terms, term{column: column, kind: missing})
	}
	distinct := slices.Compact(slices.Clone(sorted))
	if len(distinct) <= 2 {
		return
	}
	if len(distinct) <= fewValues && whole(distinct) {
		for _, v := range distinct {
			first, _ := slices.BinarySearch(sorted, v)
			last, _ := slices.BinarySearch(sorted, math.Nextafter(v, math.Inf(1)))
			if last-first >= leastLevel {
				e.terms = append(e.terms, term{column: column, kind: equals, at: v})
			}
		}
		return
	}
	// Knots are quantiles of the distinct numbers and of all: skewed columns
	// have most rows at one of them.
	var at []float64
	for k := 1; k <= knots; k++ {
		at = append(at, sorted[k*(len(sorted)-1)/(knots+1)])
	}
	at = append(at, distinct[len(distinct)/2])
	slices.Sort(at)
	at = slices.Compact(at)
	for _, v := range at {
		if v < sorted[len(sorted)-1] {
			e.terms = append(e.terms, term{column: column, kind: hinge, at: v})
		}
	}
}

func whole(values []float64) bool {
	for _, v := range values {
		if v != math.Trunc(v) {
			return false
		}
	}
	return true
}

// levels adds a term for every level that is frequent enough.
func (e *encoder) levels(c *Column, rows []int32, column int) {
	for _, code := range frequent(c, rows, leastLevel, mostLevels) {
		e.terms = append(e.terms, term{column: column, kind: equals, at: float64(code)})
	}
}

// frequent returns the codes with at least a number of rows, the most frequent
// ones first, at most so many.
func frequent(c *Column, rows []int32, least, most int) []int32 {
	counts := make([]int, len(c.Levels))
	for _, r := range rows {
		counts[c.Codes[r]]++
	}
	var codes []int32
	for code, n := range counts {
		if n >= least {
			codes = append(codes, int32(code))
		}
	}
	slices.SortStableFunc(codes, func(a, b int32) int { return counts[b] - counts[a] })
	return codes[:min(len(codes), most)]
}

func levelCodes(c *Column) map[string]int32 {
	codes := make(map[string]int32, len(c.Levels))
	for i, level := range c.Levels {
		codes[level] = int32(i)
	}
	return codes
}

// standardise gives every term mean 0 and deviation 1 over the rows; a term that
// is constant counts for nothing.
func (e *encoder) standardise(t *Table, rows []int32) {
	for i := range e.terms {
		e.terms[i].scale = 1
	}
	read := e.bind(t)
	row := make([]float64, len(e.terms))
	sum, square := make([]float64, len(row)), make([]float64, len(row))
	for _, r := range rows {
		read.row(r, row)
		for j, v := range row {
			sum[j] += v
		}
	}
	n := math.Max(1, float64(len(rows)))
	for j := range sum {
		e.terms[j].mean = sum[j] / n
	}
	for _, r := range rows {
		read.row(r, row)
		for j, v := range row {
			square[j] += v * v
		}
	}
	for j := range e.terms {
		if d := math.Sqrt(square[j] / n); d > 1e-12*(1+math.Abs(e.terms[j].mean)) {
			e.terms[j].scale = 1 / d
		} else {
			e.terms[j].scale = 0
		}
	}
}

// bound reads the rows of one table, whose columns may stand in another order
// and have other levels than those of the training. It is for concurrent use.
type bound struct {
	e       *encoder
	columns []*Column // nil where the table has none
	codes   [][]int32 // of a category: its code in training, or -1
}

func (e *encoder) bind(t *Table) *bound {
	b := &bound{e: e}
	for _, c := range e.columns {
		column, codes := t.bind(c.name, c.kind, c.levels)
		b.columns, b.codes = append(b.columns, column), append(b.codes, codes)
	}
	return b
}

// bind finds a column and what its codes were in training: -1 for new levels.
func (t *Table) bind(name string, kind Kind, levels map[string]int32) (*Column, []int32) {
	column := t.column(name, kind)
	if column == nil || kind != Category {
		return column, nil
	}
	codes := make([]int32, len(column.Levels))
	for i, level := range column.Levels {
		codes[i] = -1
		if code, ok := levels[level]; ok {
			codes[i] = code
		}
	}
	return column, codes
}

// row fills in the standardised terms of a row.
func (b *bound) row(r int32, out []float64) {
	last, value, none := -1, 0.0, false
	for j := range b.e.terms {
		t := &b.e.terms[j]
		if t.column != last {
			last = t.column
			value, none = b.read(last, r)
		}
		v := 0.0
		switch t.kind {
		case linear:
			v = value
		case hinge:
			v = math.Max(0, value-t.at)
		case equals:
			if value == t.at && !none {
				v = 1
			}
		case missing:
			if none {
				v = 1
			}
		}
		out[j] = (v - t.mean) * t.scale
	}
}

// read returns the value of a column, and whether a number is missing.
func (b *bound) read(column int, r int32) (float64, bool) {
	c, e := b.columns[column], &b.e.columns[column]
	if e.kind == Category {
		if c == nil {
			return 0, false
		}
		return float64(b.codes[column][c.Codes[r]]), false
	}
	if c == nil || math.IsNaN(c.Numbers[r]) {
		return e.fill, true
	}
	return math.Min(math.Max(c.Numbers[r], e.low), e.high), false
}

package propensity

import (
	"math"
	"slices"
	"sort"
)

// A value is one of 256 bins: 0 is missing, 1 to 255 are ranges of a number, or
// levels of a category, of which 1 is every rare or new one.
const (
	binCount   = 256
	missingBin = 0
	restBin    = 1
	// lanes is the number of columns whose bins share one word: they are read
	// from memory at once.
	lanes = 8
	// sampled is the number of rows from which the ranges are found.
	sampled = 200_000
)

// binner knows the bins of one column.
type binner struct {
	name   string
	kind   Kind
	edges  []float64        // bin b of a number holds (edges[b-2], edges[b-1]]
	levels map[string]int32 // of a category: codes of the training table
	bins   []uint8          // of a category: by code of the training table
	count  int              // of bins in use, the missing one included
}

// newBinner finds the bins of a column from the training rows.
func newBinner(c *Column, rows []int32) binner {
	b := binner{name: c.Name, kind: c.Kind}
	if c.Kind == Category {
		b.levels, b.bins, b.count = levelCodes(c), make([]uint8, len(c.Levels)), restBin+1
		for i := range b.bins {
			b.bins[i] = restBin
		}
		b.bins[0] = missingBin
		for _, code := range frequent(c, rows, leastLevel, binCount-2) {
			if code != 0 && b.count < binCount {
				b.bins[code] = uint8(b.count)
				b.count++
			}
		}
		return b
	}
	step := 1 + len(rows)/sampled
	values := make([]float64, 0, len(rows)/step+1)
	for i := 0; i < len(rows); i += step {
		if v := c.Numbers[rows[i]]; !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	b.edges = edges(values, binCount-2)
	b.count = len(b.edges) + 2
	return b
}

// edges returns at most so many boundaries between sorted values: half way
// between neighbours, and where there are more of those, at quantiles.
func edges(values []float64, most int) []float64 {
	distinct := slices.Compact(slices.Clone(values))
	var out []float64
	if len(distinct) <= most+1 {
		for i := 1; i < len(distinct); i++ {
			out = append(out, between(distinct[i-1], distinct[i]))
		}
		return out
	}
	for k := 1; k <= most; k++ {
		v := values[k*len(values)/(most+1)]
		i, _ := slices.BinarySearch(distinct, v)
		if i == 0 {
			i = 1
		}
		e := between(distinct[i-1], distinct[i])
		if len(out) == 0 || e > out[len(out)-1] {
			out = append(out, e)
		}
	}
	return out
}

// between is a number at least a and less than b.
func between(a, b float64) float64 {
	m := a/2 + b/2
	if m >= b || m < a {
		return a
	}
	return m
}

// number returns the bin of a number.
func (b *binner) number(v float64) uint8 {
	if math.IsNaN(v) {
		return missingBin
	}
	return uint8(1 + sort.SearchFloat64s(b.edges, v))
}

// binned holds the bins of rows twice: those of a row side by side, eight to a
// word, for histograms of all columns, and those of a column, for partitions.
type binned struct {
	rows    int
	stride  int // words of a row
	words   []uint64
	columns [][]uint8
}

// binAll bins the rows of a table.
func binAll(t *Table, binners []binner, rows []int32, workers int) *binned {
	b := &binned{rows: len(rows), stride: (len(binners) + lanes - 1) / lanes, columns: make([][]uint8, len(binners))}
	// A row is a whole number of cache lines, or half or a quarter of one.
	const line = 8
	switch {
	case b.stride > line/2:
		b.stride = (b.stride + line - 1) / line * line
	case b.stride == 3:
		b.stride = line / 2
	}
	b.words = make([]uint64, len(rows)*b.stride)
	read := make([]binReader, len(binners))
	for i := range binners {
		read[i], b.columns[i] = binners[i].bind(t), make([]uint8, len(rows))
	}
	chunks(len(rows), workers, func(_, from, to int) {
		for c := range read {
			column, word, shift := b.columns[c], c/lanes, 8*(c%lanes)
			for i := from; i < to; i++ {
				column[i] = read[c].bin(rows[i])
				b.words[i*b.stride+word] |= uint64(column[i]) << shift
			}
		}
	})
	return b
}

// at returns the bin of a row in a column.
func (b *binned) at(row int32, column int) uint8 { return b.columns[column][row] }

// binReader reads the bins of a column of one table.
type binReader struct {
	b      *binner
	column *Column
	codes  []uint8 // of a category, by the codes of this table
}

func (b *binner) bind(t *Table) binReader {
	column, codes := t.bind(b.name, b.kind, b.levels)
	r := binReader{b: b, column: column}
	for _, code := range codes {
		bin := uint8(restBin)
		if code >= 0 {
			bin = b.bins[code]
		}
		r.codes = append(r.codes, bin)
	}
	return r
}

func (r *binReader) bin(row int32) uint8 {
	switch {
	case r.column == nil:
		return missingBin
	case r.b.kind == Category:
		return r.codes[r.column.Codes[row]]
	}
	return r.b.number(r.column.Numbers[row])
}

package linkage

import (
	"cmp"
	"context"
	"slices"
)

// encodeAll reads all fields of all records. Those that share a dictionary are
// read one after the other, so that it is the same on every run.
func encodeAll(ctx context.Context, fields []field, columns []column, rows, workers int) ([][]uint32, error) {
	read := make([][]uint32, len(fields))
	var jobs [][]int
	at := map[*dictionary]int{}
	for i, f := range fields {
		if _, ok := at[f.dict]; !ok {
			at[f.dict] = len(jobs)
			jobs = append(jobs, nil)
		}
		jobs[at[f.dict]] = append(jobs[at[f.dict]], i)
	}
	// The longest first, so that no one waits for it at the end.
	work := func(job []int) (n int) {
		for _, i := range job {
			n += fields[i].work(columns, rows)
		}
		return n
	}
	slices.SortStableFunc(jobs, func(a, b []int) int { return cmp.Compare(work(b), work(a)) })
	err := divide(ctx, workers, len(jobs), func(_, job int) {
		fields[jobs[job][0]].dict.expect(fields[jobs[job][0]].distinct(columns))
		for _, i := range jobs[job] {
			read[i] = fields[i].encode(columns, rows)
		}
	})
	return read, err
}

// from are the columns that a field is read from.
func (f *field) from(columns []column) []*Column {
	from := make([]*Column, len(f.columns))
	for i, name := range f.columns {
		for _, col := range columns {
			if col.Name == name {
				from[i] = col.Column
			}
		}
	}
	return from
}

// distinct is the number of values of a field that is read from one column, a
// bound of those that it has.
func (f *field) distinct(columns []column) int {
	if from := f.from(columns); len(from) == 1 {
		return len(from[0].Values)
	}
	return 0
}

// work is the number of values that encode reads.
func (f *field) work(columns []column, rows int) int {
	return cmp.Or(f.distinct(columns), rows)
}

// encode reads a field of all records. Of a field that is read from one column
// each distinct value is read once.
func (f *field) encode(columns []column, rows int) []uint32 {
	from := f.from(columns)
	codes := make([]uint32, rows)
	if len(from) == 1 {
		recode := make([]uint32, len(from[0].Values))
		for i, raw := range from[0].Values {
			recode[i] = f.code([]string{raw})
		}
		for row, c := range from[0].Codes {
			codes[row] = recode[c]
		}
		return codes
	}
	values := make([]string, len(from))
	for row := range codes {
		for i, col := range from {
			values[i] = col.Value(row)
		}
		codes[row] = f.code(values)
	}
	return codes
}

// interleave puts the codes of each record side by side.
func (c *corpus) interleave(ctx context.Context, streams [][]uint32, workers int) error {
	const size = 1 << 12
	k := len(streams)
	c.codes = make([]uint32, c.rows*k)
	for i := range c.fields {
		c.fields[i].dict.codes = nil
	}
	return divide(ctx, workers, (c.rows+size-1)/size, func(_, piece int) {
		for i, codes := range streams {
			for row := piece * size; row < min((piece+1)*size, c.rows); row++ {
				c.codes[row*k+i] = codes[row]
			}
		}
	})
}

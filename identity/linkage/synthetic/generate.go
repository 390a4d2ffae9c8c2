package synthetic

import (
	"github.com/kindred-cdp/kindred/identity/linkage"
)

// Generate makes the records of a configuration, in random order, and says of
// each which person it is of; people are numbered from 0.
func Generate(c Config) (*linkage.Table, []int32, error) {
	if err := c.Validate(); err != nil {
		return nil, nil, err
	}
	p := newPopulation(c)
	b := newTable(c)
	l := c.Errors.level()
	for one, further := range c.further() {
		someone := p.next()
		if further > 0 {
			p.live(&someone, l)
		}
		first := someone.now
		p.faults(&first, someone.flavour, l, l.first)
		source := uint8(0)
		if further == 0 && p.percent(50) {
			source = 1
		}
		b.add(&first, someone.flavour, int32(one), source)
		for range further {
			r := p.further(&someone, l)
			b.add(&r, someone.flavour, int32(one), 1)
		}
	}
	b.mix()
	return b.table(), b.truth, nil
}

// further draws how many records each person has beside the first: most of
// those who have any have one, few have five.
func (c Config) further() []uint8 {
	d := newDice(c.Seed, 2)
	counts := make([]uint8, c.People)
	for left := c.Records - c.People; left > 0; {
		at := d.below(c.People)
		n := min(1+d.weighted([]int{62, 21, 9, 5, 3}), maxFurther-int(counts[at]), left)
		counts[at] += uint8(n)
		left -= n
	}
	return counts
}

// columns of a table that is being made.
type builder struct {
	writer
	cfg     Config
	missing int // parts of a million
	layout  []written
	columns []linkage.Column
	index   []map[string]uint32
	truth   []int32
	source  []uint8
}

func newTable(c Config) *builder {
	b := &builder{cfg: c, layout: c.Layout.columns(), missing: int(c.Missing * million), truth: make([]int32, 0, c.Records)}
	b.dice = newDice(c.Seed, 3)
	for _, w := range b.layout {
		b.columns = append(b.columns, linkage.Column{Name: w.name, Values: []string{""}, Codes: make([]uint32, 0, c.Records)})
		b.index = append(b.index, map[string]uint32{"": 0})
	}
	return b
}

// add writes a record.
func (b *builder) add(r *record, f *flavour, person int32, source uint8) {
	b.flavour, b.clerk = f, b.below(8)
	for i := range r {
		missing := b.missing
		if field(i) == given || field(i) == surname {
			missing /= 3
		}
		if b.parts(missing) {
			r[i] = ""
		}
	}
	for i, w := range b.layout {
		text := w.text(&b.writer, r)
		code, ok := b.index[i][text]
		if !ok {
			code = uint32(len(b.columns[i].Values))
			b.index[i][text] = code
			b.columns[i].Values = append(b.columns[i].Values, text)
		}
		b.columns[i].Codes = append(b.columns[i].Codes, code)
	}
	b.truth = append(b.truth, person)
	if b.cfg.TwoFiles {
		b.source = append(b.source, source)
	}
}

// mix puts the records into random order; with two files the first comes first.
func (b *builder) mix() {
	order := make([]int32, len(b.truth))
	for i := range order {
		order[i] = int32(i)
	}
	shuffle(b.dice, order)
	if b.cfg.TwoFiles {
		sorted := make([]int32, 0, len(order))
		for source := range uint8(2) {
			for _, row := range order {
				if b.source[row] == source {
					sorted = append(sorted, row)
				}
			}
		}
		order = sorted
		b.source = reordered(b.source, order)
	}
	b.truth = reordered(b.truth, order)
	for i := range b.columns {
		b.columns[i].Codes = reordered(b.columns[i].Codes, order)
	}
}

func reordered[T any](all []T, order []int32) []T {
	out := make([]T, len(all))
	for i, from := range order {
		out[i] = all[from]
	}
	return out
}

func (b *builder) table() *linkage.Table {
	return &linkage.Table{Columns: b.columns, Rows: len(b.truth), Source: b.source}
}

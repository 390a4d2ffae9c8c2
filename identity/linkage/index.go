package linkage

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Index holds records and finds for a new one those that may be the same
// person, by a frozen model: the weight of a pair is what Link gave it. It is
// used by one goroutine at a time.
type Index struct {
	model    *Model
	corpus   *corpus
	blocks   *blocks
	weigher  *weigher
	comparer *comparer
	columns  []string
	// at holds for each field the positions of its columns.
	at       [][]int
	postings []postings
	// removed marks records that were taken out; their places are not used again.
	removed []bool
	// seen marks the rows already weighed for the record at hand.
	seen  []uint32
	round uint32
	found []int32
}

// Scored is a stored record and how it compares with the one asked for.
type Scored struct {
	Row int32
	// Bits is log2 of the odds that both are of one person.
	Bits float64
}

// ErrColumns reports a record with another number of values than the index has
// columns.
var ErrColumns = errors.New("record does not have the columns of the model")

// NewIndex returns an empty index. It returns the faults of a model that was
// read from elsewhere.
func NewIndex(m *Model) (*Index, error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("linkage model: %w", err)
	}
	x := &Index{model: m, corpus: &corpus{given: -1, surname: -1}}
	names := newDictionary()
	for i := range m.Fields {
		fm := &m.Fields[i]
		f := field{spec: spec{name: fm.Name, typ: fm.Type, columns: fm.Columns, parts: fm.Parts, monthFirst: fm.MonthFirst}, dict: names}
		if fm.Type != GivenName && fm.Type != Surname {
			f.dict = newDictionary()
		}
		x.corpus.fields = append(x.corpus.fields, f)
		at := make([]int, len(fm.Columns))
		for c, name := range fm.Columns {
			if at[c] = slices.Index(x.columns, name); at[c] < 0 {
				at[c] = len(x.columns)
				x.columns = append(x.columns, name)
			}
		}
		x.at = append(x.at, at)
	}
	x.corpus.findNames()
	keys := x.corpus.keys()
	var rules []rule
	for _, r := range m.Rules {
		for _, k := range r.Keys {
			if k < 0 || k >= len(keys) {
				return nil, fmt.Errorf("linkage model: rule %q has no key %d", r.Name, k)
			}
		}
		rules = append(rules, rule{keys: r.Keys, name: r.Name, eitherName: r.AnyOrder})
	}
	x.blocks = x.corpus.newBlocks(keys, rules)
	for r := range m.Rules {
		x.blocks.further[r] = slices.Clone(m.Rules[r].Further)
		for _, h := range m.Rules[r].Hot {
			x.blocks.hot[r][h] = true
		}
	}
	x.postings = make([]postings, len(rules))
	x.weigher, x.comparer = m.weigher(x.corpus), newComparer(x.corpus)
	return x, nil
}

// Columns are the names of the values that records have, in their order.
func (x *Index) Columns() []string { return slices.Clone(x.columns) }

// Rows is the number of records that were added, removed ones included.
func (x *Index) Rows() int { return x.corpus.rows }

// Add stores a record and returns its row and the stored records that may be the
// same person, weight at least ReviewBits, the likeliest first.
func (x *Index) Add(values []string) (row int32, found []Scored, err error) {
	if len(values) != len(x.columns) {
		return 0, nil, fmt.Errorf("%w: %d values for %d columns", ErrColumns, len(values), len(x.columns))
	}
	row = int32(x.corpus.rows)
	x.append(values)
	x.gather(row)
	record := x.corpus.record(int(row))
	for _, other := range x.found {
		p := x.comparer.compare(int(row), int(other))
		if bits := x.weigher.weight(record, p); bits >= ReviewBits {
			found = append(found, Scored{other, bits})
		}
	}
	slices.SortFunc(found, func(a, b Scored) int { return cmp.Or(cmp.Compare(b.Bits, a.Bits), cmp.Compare(a.Row, b.Row)) })
	return row, found, nil
}

// Remove takes a record out, such as one that has changed and is added anew. It
// is harmless for a row that is out already.
func (x *Index) Remove(row int32) {
	if int(row) < len(x.removed) {
		x.removed[row] = true
	}
}

// Explain takes the weight of two stored records apart.
func (x *Index) Explain(a, b int32) Waterfall {
	return x.weigher.explain(x.corpus.record(int(a)), x.comparer.compare(int(a), int(b)))
}

// append reads the values of a record.
func (x *Index) append(values []string) {
	var own [4]string
	for f := range x.corpus.fields {
		from := own[:0]
		for _, c := range x.at[f] {
			from = append(from, values[c])
		}
		x.corpus.codes = append(x.corpus.codes, x.corpus.fields[f].code(from))
	}
	x.corpus.rows++
	x.removed = append(x.removed, false)
	x.seen = append(x.seen, 0)
	x.blocks.growKeys()
	x.weigher.grow()
}

// growKeys makes the keys of values that came into the dictionaries.
func (b *blocks) growKeys() {
	for i := range b.keys {
		k := &b.keys[i]
		dict := b.corpus.fields[k.field].dict
		for code := max(1, len(k.of)); code < len(dict.values); code++ {
			v := &dict.values[code]
			for len(k.of) < code {
				k.of = append(k.of, 0)
			}
			k.of = append(k.of, k.part(v, dict.letters(v)))
		}
	}
}

// gather finds the rows that share a block with a record, and puts it there.
func (x *Index) gather(row int32) {
	x.round++
	x.found = x.found[:0]
	record := x.corpus.record(int(row))
	for r := range x.postings {
		h := x.blocks.hash(r, record)
		if h == 0 {
			continue
		}
		n := x.visit(r, h)
		x.postings[r].add(h, row)
		if n >= x.most(r) {
			x.heat(r, h, record)
		}
	}
}

// most is the size up to which a block of a rule is not split. The rule of all
// pairs is for as many records as it was trained on.
func (x *Index) most(r int) int {
	if len(x.blocks.rules[r].keys) == 0 {
		return max(hotBlock, x.model.Records)
	}
	return hotBlock
}

// visit notes the rows of a block, and returns how many there are. Records that
// no field tells apart are beyond count: as many as a block has are enough.
func (x *Index) visit(r int, h uint64) int {
	n, most := 0, x.most(r)
	x.postings[r].each(h, func(other int32) bool {
		if x.removed[other] || x.blocks.hash(r, x.corpus.record(int(other))) != h {
			return true
		}
		if n++; x.seen[other] != x.round {
			x.seen[other] = x.round
			x.found = append(x.found, other)
		}
		return n < most
	})
	return n
}

// heat splits the block of a record, which has become hot, by one more field, as
// training would have. What no field splits is left as it is.
func (x *Index) heat(r int, h uint64, record []uint32) {
	if x.blocks.depth(r, record) == len(x.blocks.further[r]) {
		return
	}
	var rows []int32
	x.postings[r].each(h, func(row int32) bool {
		if !x.removed[row] && x.blocks.hash(r, x.corpus.record(int(row))) == h {
			rows = append(rows, row)
		}
		return true
	})
	x.blocks.hot[r][h] = true
	for _, row := range rows {
		x.postings[r].add(x.blocks.hash(r, x.corpus.record(int(row))), row)
	}
}

// depth is the number of further fields that the block of a record is split by.
func (b *blocks) depth(r int, record []uint32) int {
	h := blockHash(b.keys, &b.rules[r], record)
	for d, f := range b.further[r] {
		if !b.hot[r][h] {
			return d
		}
		h = max(mix(h^b.corpus.fields[f].dict.hashes[record[f]]), 1)
	}
	return len(b.further[r])
}

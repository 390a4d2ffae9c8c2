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
//
// Which pairs it finds is a function of the model and of the records that it
// holds, whatever came and went before: a block is split while it has more than
// hotBlock records, as training would have split it, and what no field splits
// finds nothing, like an identifier that is seen with too many people. Pairs of
// other records that come or go by that are told by Moved. A model of so few
// records that all pairs were compared compares all pairs for ever: each record
// then costs as many comparisons as there are records.
type Index struct {
	model   *Model
	corpus  *corpus
	blocks  *blocks
	weigher *weigher
	batch   *batch
	columns []string
	// at holds for each field the positions of its columns.
	at       [][]int
	postings []postings
	// removed marks records that were taken out; their places are not used again.
	removed []bool
	// seen marks the rows already weighed for the record at hand.
	seen  []uint32
	round uint32
	found []candidate
	// own and others are the blocks of two records.
	own, others []uint64
	room        weighing
	crowds
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
	x.addFields(m.Fields)
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
	x.postings = make([]postings, len(rules))
	x.crowds = newCrowds(len(rules))
	for r := range m.Rules {
		x.blocks.further[r] = slices.Clone(m.Rules[r].Further)
		for _, h := range m.Rules[r].Hot {
			x.blocks.hot[r][h], x.learnt[r][h] = true, true
		}
	}
	x.weigher, x.batch = m.weigher(x.corpus), newBatch(newComparer(x.corpus))
	return x, nil
}

// addFields makes the fields of a model, of no value yet.
func (x *Index) addFields(models []FieldModel) {
	names := newDictionary()
	for i := range models {
		fm := &models[i]
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
	x.corpus.layOut()
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
	x.moved = nil
	for r := range x.postings {
		x.place(r, row)
	}
	return row, x.Find(row), nil
}

// Find returns the other stored records that may be the same person as one of
// them, weight at least ReviewBits, the likeliest first.
func (x *Index) Find(row int32) []Scored {
	x.round++
	x.found = x.found[:0]
	x.seen[row] = x.round
	x.own = x.blocksOf(row, x.own[:0])
	for r, h := range x.own {
		if h != 0 {
			x.visit(r, h, row)
		}
	}
	x.batch.compare(x.found)
	var found []Scored
	x.weigher.weigh(x.found, &x.room, ReviewBits, func(i int, bits float64) {
		// Whether they share a block or half of its hash is asked of so few only.
		other := x.found[i].b
		if x.others = x.blocksOf(other, x.others[:0]); meet(x.own, x.others) {
			found = append(found, Scored{other, bits})
		}
	})
	slices.SortFunc(found, func(a, b Scored) int { return cmp.Or(cmp.Compare(b.Bits, a.Bits), cmp.Compare(a.Row, b.Row)) })
	return found
}

// Remove takes a record out, such as one that has changed and is added anew, and
// returns the pairs that it had. It is harmless for a row that is out already.
func (x *Index) Remove(row int32) (lost []Scored) {
	x.moved = nil
	if int(row) >= len(x.removed) || x.removed[row] {
		return nil
	}
	lost = x.Find(row)
	x.removed[row] = true
	for r := range x.postings {
		x.displace(r, row)
	}
	return lost
}

// Explain takes the weight of two stored records apart.
func (x *Index) Explain(a, b int32) Waterfall {
	return x.weigher.explain(x.corpus.record(int(a)), x.batch.comparer.compare(int(a), int(b)))
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
	x.corpus.gistRow()
	x.removed = append(x.removed, false)
	x.seen = append(x.seen, 0)
	for k := range x.blocks.keys {
		x.blocks.keys[k].grow(x.corpus.fields[x.blocks.keys[k].field].dict)
	}
	x.weigher.grow()
}

// visit notes the rows of a block, and possibly others, as pairs with a row.
func (x *Index) visit(r int, h uint64, row int32) {
	var one [1]int32
	for _, other := range x.postings[r].rows(h, &one) {
		if !x.removed[other] && x.seen[other] != x.round {
			x.seen[other] = x.round
			x.found = append(x.found, candidate{a: row, b: other})
		}
	}
}

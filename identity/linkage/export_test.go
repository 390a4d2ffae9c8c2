package linkage

import (
	"slices"
	"testing"
)

// Sampling returns options with another number of random pairs, for tests of
// many small tables.
func (o Options) Sampling(pairs int) Options {
	o.sampled = pairs
	return o
}

// For the tests from outside, which may use the invented records.
var (
	Tries   = tries
	Random  = random
	TableOf = tableOf
	Draw    = draw
)

// HotBlock is the size beyond which blocks are split.
const HotBlock = hotBlock

// Hash is the version that a model should have.
func (m *Model) Hash() string { return m.hash() }

// Collide puts a record among those of the blocks of another, as if half of the
// hashes of their blocks were the same.
func (x *Index) Collide(row, other int32) {
	for r, h := range x.blocksOf(row, nil) {
		if h != 0 {
			x.postings[r].add(h, other)
		}
	}
}

// OneRule is the model with one rule of blocking, by a key of one field, whose
// blocks are split by another field.
func (m *Model) OneRule(t testing.TB, by, further string) *Model {
	t.Helper()
	c := &corpus{}
	for _, f := range m.Fields {
		c.fields = append(c.fields, field{spec: plain(f.Name, f.Type, false)})
	}
	one := *m
	k := slices.IndexFunc(c.keys(), func(k key) bool { return k.name == by })
	f := slices.IndexFunc(m.Fields, func(f FieldModel) bool { return f.Name == further })
	if k < 0 || f < 0 {
		t.Fatalf("there is no key %q or no field %q", by, further)
	}
	one.Rules = []RuleModel{{Name: by, Keys: []int{k}, Further: []int{f}}}
	one.Version = one.hash()
	return &one
}

// Compare returns a function that compares two records of a table.
func Compare(t *Table) (func(a, b int) uint64, error) {
	c, err := prepare(t, nil)
	if err != nil {
		return nil, err
	}
	cmp := newComparer(c)
	return func(a, b int) uint64 { return uint64(cmp.compare(a, b)) }, nil
}

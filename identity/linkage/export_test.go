package linkage

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

// Compare returns a function that compares two records of a table.
func Compare(t *Table) (func(a, b int) uint64, error) {
	c, err := prepare(t, nil)
	if err != nil {
		return nil, err
	}
	cmp := newComparer(c)
	return func(a, b int) uint64 { return uint64(cmp.compare(a, b)) }, nil
}

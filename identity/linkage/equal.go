package linkage

import (
	"cmp"
	"slices"
)

// uncompared reports crowds of equal records that no rule has in a block: every
// rule that would find them costs more than the budget.
func (b *blocks) uncompared() []Split {
	c := b.corpus
	rows := make([]hashed, 0, c.rows)
	for row := range c.rows {
		ids := b.id[row*len(b.rules) : (row+1)*len(b.rules)]
		if slices.ContainsFunc(ids, func(id uint32) bool { return id != 0 }) {
			continue
		}
		h := uint64(0)
		for _, code := range c.record(row) {
			h = mix(h<<1 ^ uint64(code))
		}
		rows = append(rows, hashed{h, int32(row)})
	}
	var crowds []Split
	eachBlock(sortByHash(rows, make([]hashed, len(rows))), func(equal []hashed) {
		if n := int64(len(equal)); n > hotBlock {
			crowds = append(crowds, Split{Rule: "equal records", Records: len(equal), Skipped: n * (n - 1) / 2})
		}
	})
	slices.SortStableFunc(crowds, func(x, y Split) int { return cmp.Compare(y.Records, x.Records) })
	return crowds
}

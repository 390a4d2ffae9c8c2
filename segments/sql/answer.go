package sql

import (
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/segments"
)

// Bits are answers to up to 64 questions for each word.
type Bits [MaxWords]uint64

// Has reports whether bit n is set.
func (b *Bits) Has(n int) bool { return b[n/wordBits]>>(n%wordBits)&1 == 1 }

// Answer is a row of a set.
type Answer struct {
	Profile    uint64
	Mask, Held Bits
	Due        int64
}

// Scan reads a row of a set for all profiles.
func (s *Set) Scan(rows driver.Rows) (a Answer, err error) {
	return a, rows.Scan(&a.Profile, &a.Mask[0], &a.Due, &a.Held[0])
}

// scanSome reads a row of a set for some profiles, without what holds.
func (s *Set) scanSome(rows driver.Rows) (a Answer, err error) {
	into := []any{&a.Profile, &a.Mask[0], &a.Due}
	for w := 1; w < s.words; w++ {
		into = append(into, &a.Mask[w])
	}
	return a, rows.Scan(into...)
}

// hold works out by the mask which definitions hold.
func (s *Set) hold(a *Answer) {
	for i, tree := range s.trees {
		n := -1
		if holds(tree, func() bool {
			n++
			bit := s.Leaves[i][n]
			return a.Mask.Has(bit) != s.Nobody.Has(bit)
		}) {
			a.Held[i/wordBits] |= 1 << (i % wordBits)
		}
	}
}

// holds works out a tree; leaf tells of one leaf after the other, from left to right,
// whether it holds. It asks for each: also behind one that decides.
func holds(n segments.Node, leaf func() bool) bool {
	switch n := n.(type) {
	case segments.All:
		all := true
		for _, part := range n {
			all = holds(part, leaf) && all
		}
		return all
	case segments.Any:
		some := false
		for _, part := range n {
			some = holds(part, leaf) || some
		}
		return some
	case segments.Not:
		return !holds(n.Node, leaf)
	}
	return leaf()
}

// Holds returns which leaves of definition i hold by a mask: bit n for leaf n.
func (s *Set) Holds(i int, mask Bits) (leaves uint64) {
	for n, bit := range s.Leaves[i] {
		if mask.Has(bit) != s.Nobody.Has(bit) {
			leaves |= 1 << n
		}
	}
	return leaves
}

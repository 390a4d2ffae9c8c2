package linkage

import "slices"

// Moved is a pair of stored records that came or went because a record that was
// added or removed changed the size of a block: Bits is its weight, at least
// ReviewBits, and Gone says that nothing makes it a pair any more.
type Moved struct {
	A, B int32 // A < B
	Bits float64
	Gone bool
}

// crowds are the blocks of more than hotBlock records.
type crowds struct {
	// learnt are those that training has split. They stay split.
	learnt []map[uint64]bool
	// sizes counts the records of every block that is split, or full.
	sizes []map[uint64]int
	// full are blocks that no further field splits.
	full  []map[uint64]bool
	moved []Moved
	path  []uint64
}

func newCrowds(rules int) crowds {
	c := crowds{}
	for range rules {
		c.learnt = append(c.learnt, map[uint64]bool{})
		c.sizes = append(c.sizes, map[uint64]int{})
		c.full = append(c.full, map[uint64]bool{})
	}
	return c
}

// Moved returns the pairs of other records that the last Add or Remove brought or
// took away.
func (x *Index) Moved() []Moved { return x.moved }

// block is the block that a record is in by a rule, 0 for none that finds
// anything.
func (x *Index) block(r int, record []uint32) uint64 {
	if h := x.blocks.hash(r, record); !x.full[r][h] {
		return h
	}
	return 0
}

// pathOf returns the blocks of a record by a rule: the whole one, and the parts
// of those that are split. The result is good until the next call.
func (x *Index) pathOf(r int, record []uint32) []uint64 {
	b := x.blocks
	h := blockHash(b.keys, &b.rules[r], record)
	if h == 0 {
		return nil
	}
	x.path = append(x.path[:0], h)
	for _, f := range b.further[r] {
		if !b.hot[r][h] {
			break
		}
		h = max(mix(h^b.corpus.fields[f].dict.hashes[record[f]]), 1)
		x.path = append(x.path, h)
	}
	return x.path
}

// place puts a new record into its block by a rule.
func (x *Index) place(r int, row int32) {
	path := x.pathOf(r, x.corpus.record(int(row)))
	if len(path) == 0 {
		return
	}
	for _, h := range path {
		x.postings[r].add(h, row)
		if x.blocks.hot[r][h] || x.full[r][h] {
			x.sizes[r][h]++
		}
	}
	if len(x.blocks.rules[r].keys) == 0 {
		return // Every pair is a candidate: learnt from few records, it stays so.
	}
	last := len(path) - 1
	if h := path[last]; !x.full[r][h] && x.postings[r].atLeast(h, hotBlock+1) {
		if rows := x.members(r, h); len(rows) > hotBlock {
			x.fill(r, h, last, rows)
			apart := x.apart(rows)
			x.tell(slices.DeleteFunc(apart, func(p candidate) bool { return p.a == row || p.b == row }), true)
		}
	}
}

// members are the stored records of a block, in order, split or not.
func (x *Index) members(r int, h uint64) []int32 {
	var rows []int32
	var one [1]int32
	for _, row := range x.postings[r].rows(h, &one) {
		if !x.removed[row] && slices.Contains(x.pathOf(r, x.corpus.record(int(row))), h) {
			rows = append(rows, row)
		}
	}
	slices.Sort(rows)
	return slices.Compact(rows)
}

// fill splits a block at a depth that has too many records, and its parts again.
func (x *Index) fill(r int, h uint64, depth int, rows []int32) {
	x.sizes[r][h] = len(rows)
	if depth == len(x.blocks.further[r]) {
		x.full[r][h] = true
		return
	}
	x.blocks.hot[r][h] = true
	parts := map[uint64][]int32{}
	for _, row := range rows {
		path := x.pathOf(r, x.corpus.record(int(row)))
		part := path[depth+1]
		x.postings[r].add(part, row)
		parts[part] = append(parts[part], row)
	}
	for part, rows := range parts {
		if len(rows) > hotBlock {
			x.fill(r, part, depth+1, rows)
		}
	}
}

// blocksOf adds the blocks of a record by every rule.
func (x *Index) blocksOf(row int32, of []uint64) []uint64 {
	record := x.corpus.record(int(row))
	for r := range x.postings {
		of = append(of, x.block(r, record))
	}
	return of
}

// meet reports whether the blocks of two records have one in common.
func meet(a, b []uint64) bool {
	for r, h := range a {
		if h != 0 && h == b[r] {
			return true
		}
	}
	return false
}

// apart are the pairs of records that share no block.
func (x *Index) apart(rows []int32) []candidate {
	n := len(x.postings)
	of := make([]uint64, 0, len(rows)*n)
	for _, row := range rows {
		of = x.blocksOf(row, of)
	}
	var pairs []candidate
	for i, a := range rows {
		for j := i + 1; j < len(rows); j++ {
			if !meet(of[i*n:i*n+n], of[j*n:j*n+n]) {
				pairs = append(pairs, candidate{a: a, b: rows[j]})
			}
		}
	}
	return pairs
}

// tell notes pairs that came or went as far as they are worth a look.
func (x *Index) tell(pairs []candidate, gone bool) {
	x.batch.compare(pairs)
	x.weigher.weigh(pairs, &x.room, ReviewBits, func(i int, bits float64) {
		x.moved = append(x.moved, Moved{pairs[i].a, pairs[i].b, bits, gone})
	})
}

// displace takes a record that was removed out of the count of its blocks by a
// rule, and joins again what is no longer too large.
func (x *Index) displace(r int, row int32) {
	path := slices.Clone(x.pathOf(r, x.corpus.record(int(row))))
	shallowest := -1
	for depth, h := range path {
		if !x.blocks.hot[r][h] && !x.full[r][h] {
			continue
		}
		x.sizes[r][h]--
		if x.sizes[r][h] <= hotBlock && !x.learnt[r][h] && shallowest < 0 {
			shallowest = depth
		}
	}
	if shallowest < 0 {
		return
	}
	rows := x.members(r, path[shallowest])
	apart := x.apart(rows)
	for _, h := range path[shallowest:] {
		delete(x.blocks.hot[r], h)
		delete(x.full[r], h)
		delete(x.sizes[r], h)
	}
	x.tell(apart, false)
}

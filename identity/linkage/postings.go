package linkage

import "math/bits"

// postings are the rows of each block of a rule. Most blocks have one row, which
// stands in the map itself; the rows of another lie side by side in cells, their
// number before them, with room for as many again as a power of two has.
//
// The map is by half of the hash, to be small: who asks must see to it that a row
// is of the block, as they must where blocks were split. Maps of Go grow a piece
// at a time, so that no record waits for those before it.
type postings struct {
	first map[uint32]ref
	cells []int32
	// free are places that blocks have outgrown, by the logarithm of their size.
	free [32][]int32
}

// ref is a row, or the complement of the place of a block in cells.
type ref int32

// add puts a row into a block.
func (p *postings) add(h uint64, row int32) {
	if p.first == nil {
		p.first = map[uint32]ref{}
	}
	half := uint32(h >> 32)
	at, ok := p.first[half]
	switch {
	case !ok:
		p.first[half] = ref(row)
	case at >= 0:
		place := p.room(2)
		copy(p.cells[place:], []int32{2, int32(at), row})
		p.first[half] = ^ref(place)
	default:
		place := int32(^at)
		n := p.cells[place] + 1
		if n&(n-1) == 0 { // with the number of rows one more than there is room for
			place = p.room(bits.Len32(uint32(n)))
			copy(p.cells[place:], p.cells[^at:int32(^at)+n])
			size := bits.Len32(uint32(n)) - 1
			p.free[size] = append(p.free[size], int32(^at))
			p.first[half] = ^ref(place)
		}
		p.cells[place], p.cells[place+n] = n, row
	}
}

// room returns a place for a block of 2 to the power of size cells.
func (p *postings) room(size int) int32 {
	if n := len(p.free[size]); n > 0 {
		place := p.free[size][n-1]
		p.free[size] = p.free[size][:n-1]
		return place
	}
	place := int32(len(p.cells))
	p.cells = append(p.cells, make([]int32, 1<<size)...)
	return place
}

// rows are those of a block and possibly others. A row that was added twice is
// there twice. They are good until the next is added.
func (p *postings) rows(h uint64, one *[1]int32) []int32 {
	at, ok := p.first[uint32(h>>32)]
	switch {
	case !ok:
		return nil
	case at >= 0:
		one[0] = int32(at)
		return one[:]
	}
	n := p.cells[^at]
	return p.cells[int32(^at)+1 : int32(^at)+1+n]
}

// atLeast reports whether a block may have n rows or more, those counted that
// were removed.
func (p *postings) atLeast(h uint64, n int) bool {
	var one [1]int32
	return len(p.rows(h, &one)) >= n
}

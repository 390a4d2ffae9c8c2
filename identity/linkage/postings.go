package linkage

// postings are the rows of each block of a rule. Most blocks have one row, which
// stands in the map itself; those of the others are chained, the newest first.
//
// The map is by half of the hash, to be small: who asks must see to it that a row
// is of the block, as they must where blocks were split. Maps of Go grow a piece
// at a time, so that no record waits for those before it.
type postings struct {
	first map[uint32]ref
	links []link
}

// ref is a row, or the complement of the position of a link.
type ref int32

// link is a row and the ref of the next one; the last ref of a chain is a
// row.
type link struct {
	row  int32
	next ref
}

// add puts a row into a block.
func (p *postings) add(h uint64, row int32) {
	if p.first == nil {
		p.first = map[uint32]ref{}
	}
	half := uint32(h >> 32)
	next, ok := p.first[half]
	if !ok {
		p.first[half] = ref(row)
		return
	}
	p.first[half] = ^ref(len(p.links))
	p.links = append(p.links, link{row, next})
}

// each calls do for the rows of a block and possibly others, until it returns
// false. A row that was added twice comes twice.
func (p *postings) each(h uint64, do func(row int32) bool) {
	at, ok := p.first[uint32(h>>32)]
	if !ok {
		return
	}
	for at < 0 {
		l := p.links[^at]
		if !do(l.row) {
			return
		}
		at = l.next
	}
	do(int32(at))
}

// atLeast reports whether a block may have n rows or more, those counted that
// were removed.
func (p *postings) atLeast(h uint64, n int) bool {
	p.each(h, func(int32) bool { n--; return n > 0 })
	return n <= 0
}

package graph

import "unsafe"

// ref is the position of a node, an edge or a row in its pages. Zero is none.
type ref = uint32

const (
	pageBits = 12
	pageSize = 1 << pageBits
	pageMask = pageSize - 1

	// From manyPages on as many pages come at once as fill chunkSize bytes.
	manyPages = 64
	chunkSize = 16 << 20
)

// pages is an array that grows by whole pages, so that growing never copies
// and never stops the stream. Positions stay valid; position 0 is never given.
type pages[T any] struct {
	page []*[pageSize]T
	next ref
	free []ref
}

// at returns the element at i, which add must have returned.
func (p *pages[T]) at(i ref) *T { return &p.page[i>>pageBits][i&pageMask] }

// add returns the position of a zero element.
func (p *pages[T]) add() ref {
	if n := len(p.free); n > 0 {
		i := p.free[n-1]
		p.free = p.free[:n-1]
		return i
	}
	if p.next == 0 {
		p.next = 1
	}
	if int(p.next>>pageBits) == len(p.page) {
		p.grow()
	}
	i := p.next
	p.next++
	return i
}

// grow adds a page, and of many some more, which then lie together in large ones of the
// system.
func (p *pages[T]) grow() {
	n := 1
	if len(p.page) >= manyPages {
		n = max(1, int(chunkSize/unsafe.Sizeof([pageSize]T{})))
	}
	chunk := Large[[pageSize]T](n)[:n]
	for i := range chunk {
		p.page = append(p.page, &chunk[i])
	}
}

// remove gives i back; a later add may return it.
func (p *pages[T]) remove(i ref) {
	var zero T
	*p.at(i) = zero
	p.free = append(p.free, i)
}

// end is one more than the greatest position ever given.
func (p *pages[T]) end() ref { return p.next }

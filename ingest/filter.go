package ingest

import "sync/atomic"

// filter says which message hashes may have been stored before: a Bloom filter
// of fixed size (B. H. Bloom, CACM 13(7), 1970) with all k bits of a hash in one
// 512-bit block, so that a look-up touches one cache line (Putze, Sanders and
// Singler, WEA 2007). It never forgets a hash; a false hit costs one exact
// check, which is why its memory need not grow with history. Safe for
// concurrent use.
type filter struct {
	words []atomic.Uint64
	mask  uint64 // number of blocks - 1
}

const (
	blockWords = 8
	filterBits = 8 // k
)

// newFilter makes a filter of the greatest power of two up to size bytes.
func newFilter(size int) *filter {
	blocks := uint64(1)
	for blocks*2*blockWords*8 <= uint64(size) {
		blocks *= 2
	}
	return &filter{words: make([]atomic.Uint64, blocks*blockWords), mask: blocks - 1}
}

// add notes h. The hash is keyed and uniform, so its bits serve as they are:
// the low half picks the block, nine bits of the high half each bit.
func (f *filter) add(h Hash) {
	base := (h[0] & f.mask) * blockWords
	bits := h[1]
	for range filterBits - 1 {
		f.words[base+(bits>>6)&7].Or(1 << (bits & 63))
		bits >>= 9
	}
	last := h[0] >> 55
	f.words[base+(last>>6)&7].Or(1 << (last & 63))
}

// has reports whether h may have been added; false is certain.
func (f *filter) has(h Hash) bool {
	base := (h[0] & f.mask) * blockWords
	bits := h[1]
	for range filterBits - 1 {
		if f.words[base+(bits>>6)&7].Load()&(1<<(bits&63)) == 0 {
			return false
		}
		bits >>= 9
	}
	last := h[0] >> 55
	return f.words[base+(last>>6)&7].Load()&(1<<(last&63)) != 0
}

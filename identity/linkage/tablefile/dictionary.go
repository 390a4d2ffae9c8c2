package tablefile

import (
	"hash/maphash"
	"strings"
)

// arenaBytes is the size of the pieces that values are kept in: one allocation
// for thousands of values, and no more than this wasted in a column.
const arenaBytes = 32 << 10

// arena keeps values one behind the other. What a strings.Builder returned
// stays as it is while it grows within its capacity.
type arena struct{ b strings.Builder }

func (a *arena) keep(value []byte) string {
	if len(value) > arenaBytes/4 {
		return string(value)
	}
	if a.b.Len()+len(value) > a.b.Cap() {
		a.b = strings.Builder{}
		a.b.Grow(arenaBytes)
	}
	start := a.b.Len()
	a.b.Write(value)
	return a.b.String()[start:]
}

// dictionary numbers distinct values in the order in which they come. It is an
// open hash table of 8 bytes a slot, half of what a map of strings takes beside
// the values, and misses the cache once where a map does twice.
type dictionary struct {
	seed   maphash.Seed
	slots  []uint64 // upper half of the hash, then code + 1; 0 is free
	values []string
	arena  arena
}

func newDictionary() *dictionary {
	return &dictionary{seed: maphash.MakeSeed(), slots: make([]uint64, 64)}
}

// code returns the number of a value, and whether it is new.
func (d *dictionary) code(value []byte) (code uint32, fresh bool) {
	hash := maphash.Bytes(d.seed, value)
	mask := uint64(len(d.slots) - 1)
	at := hash & mask
	for ; d.slots[at] != 0; at = (at + 1) & mask {
		if slot := d.slots[at]; (slot^hash)>>32 == 0 && d.values[uint32(slot)-1] == string(value) {
			return uint32(slot) - 1, false
		}
	}
	code = uint32(len(d.values))
	d.values = append(d.values, d.arena.keep(value))
	d.slots[at] = hash>>32<<32 | uint64(code+1)
	if len(d.values)*4 > len(d.slots)*3 {
		d.grow()
	}
	return code, true
}

func (d *dictionary) grow() {
	d.slots = make([]uint64, 2*len(d.slots))
	mask := uint64(len(d.slots) - 1)
	for code, value := range d.values {
		hash := maphash.String(d.seed, value)
		at := hash & mask
		for d.slots[at] != 0 {
			at = (at + 1) & mask
		}
		d.slots[at] = hash>>32<<32 | uint64(code+1)
	}
}

// has reports whether a value was met.
func (d *dictionary) has(value string) bool {
	hash := maphash.String(d.seed, value)
	mask := uint64(len(d.slots) - 1)
	for at := hash & mask; d.slots[at] != 0; at = (at + 1) & mask {
		if d.values[uint32(d.slots[at])-1] == value {
			return true
		}
	}
	return false
}

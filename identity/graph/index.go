package graph

// shardBits sets the number of tables an index is split into. Each table grows
// on its own, so that growing an index of millions is thousands of short steps
// rather than one long stop.
const shardBits = 10

// index is an open-addressing hash index of positions. It stores no keys: the
// caller compares, and a tag of eight hash bits spares it nearly all that are
// not equal. Hashes must be well mixed.
type index struct {
	shard [1 << shardBits]table
	hash  func(ref) uint64 // the hash of a stored position, for moving it
}

// table is one shard, with linear probing; 0 is an empty slot.
type table struct {
	slot []ref
	tag  []uint8
	used int
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable
// pseudorandom number generators", OOPSLA 2014).
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

func (x *index) table(h uint64) *table { return &x.shard[h>>(64-shardBits)] }

func tagOf(h uint64) uint8 { return uint8(h >> 40) }

// find returns the stored position of hash h for which equal holds, or 0.
func (x *index) find(h uint64, equal func(ref) bool) ref {
	t := x.table(h)
	if t.used == 0 {
		return 0
	}
	mask, tag := uint64(len(t.slot)-1), tagOf(h)
	for at := h & mask; ; at = (at + 1) & mask {
		i := t.slot[at]
		if i == 0 || t.tag[at] == tag && equal(i) {
			return i
		}
	}
}

// add stores i under hash h; i must not be stored.
func (x *index) add(h uint64, i ref) {
	t := x.table(h)
	if (t.used+1)*4 > len(t.slot)*3 {
		x.grow(t)
	}
	t.put(h, i)
	t.used++
}

func (t *table) put(h uint64, i ref) {
	mask := uint64(len(t.slot) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		if t.slot[at] == 0 {
			t.slot[at], t.tag[at] = i, tagOf(h)
			return
		}
	}
}

func (x *index) grow(t *table) {
	old := t.slot
	size := max(8, 2*len(old))
	t.slot, t.tag = make([]ref, size), make([]uint8, size)
	for _, i := range old {
		if i != 0 {
			t.put(x.hash(i), i)
		}
	}
}

// remove takes i out and closes the gap, so that no probe ends too early.
func (x *index) remove(h uint64, i ref) {
	t := x.table(h)
	mask := uint64(len(t.slot) - 1)
	at := h & mask
	for t.slot[at] != i {
		at = (at + 1) & mask
	}
	t.used--
	for gap := at; ; {
		at = (at + 1) & mask
		j := t.slot[at]
		if j == 0 {
			t.slot[gap] = 0
			return
		}
		// j may fill the gap unless its home lies after the gap.
		if home := x.hash(j) & mask; (at-home)&mask >= (at-gap)&mask {
			t.slot[gap], t.tag[gap] = j, t.tag[at]
			gap = at
		}
	}
}

// bytes is the size of the slots and tags.
func (x *index) bytes() int {
	n := 0
	for i := range x.shard {
		n += 5 * len(x.shard[i].slot)
	}
	return n
}

package graph

// shardBits sets the number of tables an index is split into. Each table grows
// on its own, so that growing an index of millions is thousands of short steps
// rather than one long stop.
const shardBits = 10

// index is an open-addressing hash index of positions. It stores no keys: the
// caller compares. Hashes must be well mixed.
type index struct {
	shard [1 << shardBits]table
	hash  func(ref) uint64 // the hash of a stored position, for growing
}

// table is one shard, with linear probing; 0 is an empty slot.
type table struct {
	slot []ref
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
			t.slot[at] = i
			return
		}
	}
}

func (x *index) grow(t *table) {
	old := t.slot
	t.slot = make([]ref, max(8, 2*len(old)))
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
			t.slot[gap] = j
			gap = at
		}
	}
}

// bytes is the size of the slots.
func (x *index) bytes() int {
	n := 0
	for i := range x.shard {
		n += 4 * len(x.shard[i].slot)
	}
	return n
}

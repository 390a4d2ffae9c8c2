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

// build stores the positions from 1 to before end in an empty index, by parts of its
// shards side by side.
func (x *index) build(end ref, sideBySide func(n int, f func(part int))) {
	const parts = 2
	sideBySide(parts, func(i int) { x.buildShards(end, i*len(x.shard)/parts, (i+1)*len(x.shard)/parts) })
}

// buildShards stores what belongs to some shards, some positions at a time and of
// these one shard after the other, so that what is written to lies in the
// processor's cache.
func (x *index) buildShards(end ref, first, after int) {
	const some = 1 << 20
	size := 8
	for size*3 < int(end>>shardBits)*4+256 {
		size *= 2
	}
	for i := first; i < after; i++ {
		x.shard[i] = table{slot: make([]ref, size), tag: make([]uint8, size)}
	}
	hashes, places := make([]uint64, min(some, end)), make([]ref, min(some, end))
	var starts [1<<shardBits + 1]int
	for from := ref(1); from < end; from += some {
		n := int(min(some, end-from))
		clear(starts[:])
		for i := range n {
			hashes[i] = x.hash(from + ref(i))
			starts[hashes[i]>>(64-shardBits)+1]++
		}
		starts[first] = 0
		for s := first; s < after; s++ {
			starts[s+1] += starts[s]
		}
		for i := range n {
			if s := int(hashes[i] >> (64 - shardBits)); s >= first && s < after {
				places[starts[s]] = ref(i)
				starts[s]++
			}
		}
		for _, i := range places[:starts[after-1]] {
			x.add(hashes[i], from+i)
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

package live

import "container/heap"

// dues is the index of due times: when the passing of time may change what holds for
// a profile. It is memory only, because every evaluation over all profiles makes it
// anew.
type dues struct {
	of    map[uint64]int64 // the time of each profile that has one, in milliseconds
	queue dueQueue         // with entries of the past, which of no longer has
}

type dueAt struct {
	at      int64
	profile uint64
}

// set replaces the time of a profile; never removes it.
func (d *dues) set(profile uint64, at int64) {
	if before, ok := d.of[profile]; ok && before == at {
		return
	}
	if at == never {
		delete(d.of, profile)
		return
	}
	if d.of == nil {
		d.of = map[uint64]int64{}
	}
	d.of[profile] = at
	heap.Push(&d.queue, dueAt{at, profile})
	if len(d.queue) > 2*len(d.of)+1024 {
		d.rebuild()
	}
}

// sooner sets the time of a profile unless it has an earlier one.
func (d *dues) sooner(profile uint64, at int64) {
	if before, ok := d.of[profile]; !ok || at < before {
		d.set(profile, at)
	}
}

func (d *dues) rebuild() {
	d.queue = d.queue[:0]
	for profile, at := range d.of {
		d.queue = append(d.queue, dueAt{at, profile})
	}
	heap.Init(&d.queue)
}

// next returns the earliest time, never when there is none.
func (d *dues) next() int64 {
	for len(d.queue) > 0 {
		first := d.queue[0]
		if at, ok := d.of[first.profile]; ok && at == first.at {
			return first.at
		}
		heap.Pop(&d.queue)
	}
	return never
}

// take removes and returns at most limit profiles whose time has come by then, the
// earliest first, and the time of the last of them.
func (d *dues) take(then int64, limit int) (profiles []uint64, last int64) {
	for len(profiles) < limit && d.next() <= then {
		first := heap.Pop(&d.queue).(dueAt)
		delete(d.of, first.profile)
		profiles, last = append(profiles, first.profile), first.at
	}
	return profiles, last
}

type dueQueue []dueAt

func (q dueQueue) Len() int           { return len(q) }
func (q dueQueue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q dueQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *dueQueue) Push(x any)        { *q = append(*q, x.(dueAt)) }
func (q *dueQueue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

package main

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// latency is of one read: when it was due after the start, and how long after that it
// was answered.
type latency struct{ due, took time.Duration }

// slowWindow is within which slow reads count as held up together.
const slowWindow = 50 * time.Millisecond

// slow tells pauses from queues: in how many windows the slowest hundredth of the reads
// was due, of how many, and how many of these in the ten worst, which come first.
func (l *readLoad) slow() (in, of, worst, n int, which []time.Duration) {
	_ = l.quantile(1) // Sorts.
	slowest := l.latencies[len(l.latencies)*99/100:]
	byWindow := map[time.Duration]int{}
	var last time.Duration
	for _, one := range l.latencies {
		last = max(last, one.due/slowWindow)
	}
	for _, one := range slowest {
		byWindow[one.due/slowWindow]++
	}
	which = slices.SortedFunc(maps.Keys(byWindow), func(a, b time.Duration) int {
		return cmp.Or(cmp.Compare(byWindow[b], byWindow[a]), cmp.Compare(a, b))
	})
	which = which[:min(10, len(which))]
	for _, w := range which {
		worst += byWindow[w]
	}
	return len(byWindow), int(last) + 1, worst, len(slowest), which
}

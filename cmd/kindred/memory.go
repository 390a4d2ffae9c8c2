package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// memoryGoal is the size that the process is kept under while what it must hold
// allows it: the collector then works more often instead of letting garbage
// double the memory.
const memoryGoal = 800 << 20

// The collector takes a good part of two processors while it marks what lives, and
// whoever reads meanwhile waits: with a collection every few seconds these are more
// than one in a hundred. A process that answers many reads therefore lets garbage
// lie for collectEvery, as far as the machine has room.
const (
	collectEvery = 30 * time.Second
	manyReads    = 100 // a second
	roomShare    = 16  // part of the machine's memory that garbage may take
	mostGarbage  = 2 << 30
	whileReading = 1000     // GOGC, so that the limit comes first
	slowly       = 32 << 20 // bytes that the limit falls by from one look to the next
)

// collector sets the limits of Go's garbage collector by what the process does.
type collector struct {
	reads  atomic.Pointer[func() uint64] // answered so far; nil where nobody reads
	memory uint64                        // of the machine, in bytes, 0 where not known

	last  heapNow
	limit int64      // the last one
	rates [6]float64 // bytes a second allocated while many read, of the last looks
	look  int
}

// heapNow is what the runtime says of the heap at a time.
type heapNow struct {
	at        time.Time
	live      uint64 // bytes, at the last collection
	allocated uint64 // bytes since the start
	reads     uint64 // answered since the start
}

// serving says that the process answers reads, and how many so far.
func (c *collector) serving(reads func() uint64) { c.reads.Store(&reads) }

// limits returns the soft limit of the memory in bytes and the percentage of garbage
// before a collection: memoryGoal, and a sixth more than what is in use where that is
// more, so that a large identity graph never makes the collector run without end; and
// where many read, what is allocated until the next collection is due. A limit falls
// slowly: to get under a much lower one, the runtime collects and gives memory back
// while others wait.
func (c *collector) limits(h heapNow) (limit int64, percent int) {
	seconds := h.at.Sub(c.last.at).Seconds()
	c.look = (c.look + 1) % len(c.rates)
	c.rates[c.look] = 0
	if !c.last.at.IsZero() && seconds > 0 && float64(h.reads-c.last.reads) >= manyReads*seconds {
		c.rates[c.look] = float64(h.allocated-c.last.allocated) / seconds
	}
	c.last = h
	rate := 0.0
	for _, r := range c.rates {
		rate = max(rate, r)
	}
	garbage := min(int64(rate*collectEvery.Seconds()), int64(c.memory/roomShare), mostGarbage)
	live := int64(h.live)
	c.limit = max(memoryGoal, live+live/6, live+garbage, c.limit-slowly)
	if garbage == 0 {
		return c.limit, 100
	}
	return c.limit, whileReading
}

// run sets the limits until ctx ends. GOMEMLIMIT in the environment takes their place.
func (c *collector) run(ctx context.Context) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	before, percentBefore := int64(0), 100
	for {
		metrics.Read(sample)
		h := heapNow{at: now(), live: number(sample[0]), allocated: number(sample[1])}
		if reads := c.reads.Load(); reads != nil {
			h.reads = (*reads)()
		}
		limit, percent := c.limits(h)
		// Each of the two stops the world for a moment.
		if limit < before-before/100 || limit > before+before/50 {
			before = limit
			debug.SetMemoryLimit(limit)
		}
		if percent != percentBefore && os.Getenv("GOGC") == "" {
			percentBefore = percent
			debug.SetGCPercent(percent)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func number(s metrics.Sample) uint64 {
	if s.Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return s.Value.Uint64()
}

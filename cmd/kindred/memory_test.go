package main

import (
	"testing"
	"time"
)

// A process keeps little garbage until many read from it, then what half a minute of
// that allocates, within its share of the machine, and again little soon after them.
func TestCollector(t *testing.T) {
	const mib = 1 << 20
	c := &collector{memory: 24 << 30}
	h := heapNow{at: time.Unix(1000, 0)}
	step := func(live, allocated, reads uint64) (int64, int) {
		h.at = h.at.Add(2 * time.Second)
		h.live, h.allocated, h.reads = live*mib, h.allocated+allocated*mib, h.reads+reads
		limit, percent := c.limits(h)
		return limit / mib, percent
	}
	for _, s := range []struct {
		what                   string
		live, allocated, reads uint64
		limit                  int64
		percent                int
	}{
		{"at the start", 100, 500, 1 << 20, 800, 100},
		{"without reads", 300, 2000, 0, 800, 100},
		{"a large graph", 1200, 2000, 0, 1400, 100},
		{"few reads", 1200, 2000, 190, 1400, 100},
		{"many reads of a small heap", 100, 20, 30_000, 1368, whileReading}, // It falls slowly.
		{"many reads", 600, 60, 30_000, 1500, whileReading},
		{"more than its share", 600, 2000, 30_000, 600 + 24<<10/roomShare, whileReading},
	} {
		limit, percent := step(s.live, s.allocated, s.reads)
		if limit != s.limit || percent != s.percent {
			t.Errorf("%s: %d MiB and %d %%, not %d and %d", s.what, limit, percent, s.limit, s.percent)
		}
	}
	for range len(c.rates) - 1 {
		if limit, percent := step(600, 2000, 0); limit < 2000 || percent != whileReading {
			t.Error("a pause between reads takes the room away at once")
		}
	}
	before := int64(600 + 24<<10/roomShare)
	for range 200 {
		limit, percent := step(600, 2000, 0)
		if percent != 100 || limit < before-slowly/mib {
			t.Fatalf("when nobody reads any more: %d MiB after %d, and %d %%", limit, before, percent)
		}
		before = limit
	}
	if before != 800 {
		t.Errorf("long after the last read: %d MiB", before)
	}
}

package api

import (
	"fmt"
	"testing"
	"time"
)

// Buckets of keys that have not been used for a while are forgotten.
func TestBucketsAreBounded(t *testing.T) {
	l := limiter{rate: 10}
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	most := 0
	for n := range 20 * leastSweep {
		l.take(Key{Name: fmt.Sprint(n)}, now)
		now = now.Add(time.Second)
		most = max(most, len(l.buckets))
	}
	if most > leastSweep {
		t.Errorf("%d buckets are held at a time", most)
	}
	// In use, they stand however many there are.
	for n := range 3 * leastSweep {
		l.take(Key{Name: fmt.Sprint(n)}, now)
	}
	if wait := l.take(Key{Name: "0"}, now); wait != 0 || len(l.buckets) < 3*leastSweep {
		t.Errorf("%d buckets, wait %s", len(l.buckets), wait)
	}
}

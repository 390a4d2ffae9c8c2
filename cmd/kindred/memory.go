package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// memoryGoal is the size that the process is kept under while what it must hold
// allows it: the collector then works more often instead of letting garbage
// double the memory.
const memoryGoal = 800 << 20

// boundMemory sets the collector's soft limit until ctx ends: memoryGoal, and a
// sixth more than what is in use where that is more, so that a large identity
// graph never makes the collector run without end. GOMEMLIMIT in the
// environment takes its place.
func boundMemory(ctx context.Context) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for {
		metrics.Read(sample)
		live := int64(0)
		if sample[0].Value.Kind() == metrics.KindUint64 {
			live = int64(sample[0].Value.Uint64())
		}
		debug.SetMemoryLimit(max(memoryGoal, live+live/6))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

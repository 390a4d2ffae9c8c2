package views

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// mostStrain bounds how much longer a projector rests because others work.
const mostStrain = 9

// strain tells from the threads of the engine how much others need its processors: how
// long they waited for one, for each moment that they had one. An engine that does not
// count it has none. Its methods are safe for concurrent use.
type strain struct {
	ran, waited atomic.Int64 // microseconds
}

// watch has the queries of a context counted.
func (s *strain) watch(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithProfileEvents(func(events []clickhouse.ProfileEvent) {
		for _, e := range events {
			switch e.Name {
			case "OSCPUVirtualTimeMicroseconds":
				s.ran.Add(e.Value)
			case "OSCPUWaitMicroseconds":
				s.waited.Add(e.Value)
			}
		}
	}))
}

// take is the strain of the queries since it was taken last: 0 where none waited, 1 where
// they waited as long as they ran.
func (s *strain) take() float64 {
	ran, waited := s.ran.Swap(0), s.waited.Swap(0)
	if ran <= 0 || waited <= 0 {
		return 0
	}
	return min(mostStrain, float64(waited)/float64(ran))
}

// rest is how long to rest after work, so that it takes a share of the time, and the less
// the more others need the processors: views are never urgent, and what live segments
// and readers wait for is.
func rest(worked time.Duration, share, strain float64) time.Duration {
	return time.Duration(float64(worked) * ((1+strain)/share - 1))
}

package ingest

import (
	"testing"
	"time"
)

// TestPause: the store is asked seldom where it is quick, less often the longer a batch
// took and the more it held, and never less often than the configuration allows.
func TestPause(t *testing.T) {
	const ms = time.Millisecond
	c := DefaultConfig()
	for _, test := range []struct {
		took    time.Duration
		records int
		want    time.Duration
	}{
		{0, 1, 150 * ms},
		{50 * ms, 1, 150 * ms},
		{100 * ms, 300, 300 * ms},
		{100 * ms, 3000, 450 * ms},
		{200 * ms, 3000, 600 * ms},
		{time.Second, 1, c.MaxPace},
		{time.Second, 49_999, c.MaxPace},
	} {
		if got := c.pause(test.took, test.records); got != test.want {
			t.Errorf("%d records stored in %v: pause %v, want %v", test.records, test.took, got, test.want)
		}
	}
	c.Pace = 0
	if got := c.pause(time.Minute, 10_000); got != 0 {
		t.Errorf("without a pace: pause %v", got)
	}
}

package valuation

import (
	"testing"
	"time"
)

// Refreshes that take long come less often: a tenth of the time is theirs at most.
func TestPause(t *testing.T) {
	cfg := DefaultConfig()
	for seconds, want := range map[float64]time.Duration{0: 10 * time.Minute, 30: 10 * time.Minute, 100: 15 * time.Minute} {
		if got := cfg.pause(seconds); got != want {
			t.Errorf("after %g s: %v, want %v", seconds, got, want)
		}
	}
}

package views

import (
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func TestRest(t *testing.T) {
	for _, c := range []struct {
		share, strain float64
		want          time.Duration
	}{
		{1, 0, 0},
		{.8, 0, 250 * time.Millisecond},
		{.5, 0, time.Second},
		{.8, 1, 1500 * time.Millisecond}, // Two fifths of the time.
		{1, mostStrain, 9 * time.Second},
	} {
		if got := rest(time.Second, c.share, c.strain); got.Round(time.Microsecond) != c.want {
			t.Errorf("after a second with a share of %v and a strain of %v the rest is %v, want %v", c.share, c.strain, got, c.want)
		}
	}
}

// TestStrain: what the engine says of its threads arrives, and is taken once.
func TestStrain(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	var s strain
	if got := s.take(); got != 0 {
		t.Errorf("the strain of no query is %v", got)
	}
	var sum uint64
	if err := conn.QueryRow(s.watch(t.Context()), "SELECT sum(sipHash64(number)) FROM numbers(3000000)").Scan(&sum); err != nil {
		t.Fatal(err)
	}
	if s.ran.Load() <= 0 {
		t.Error("a query has not run")
	}
	s.waited.Store(s.ran.Load() * 2)
	if got := s.take(); got != 2 {
		t.Errorf("threads that waited twice as long as they ran make a strain of %v", got)
	}
	if got := s.take(); got != 0 {
		t.Errorf("a strain is taken twice: %v", got)
	}
	s.ran.Store(1)
	s.waited.Store(1000)
	if got := s.take(); got != mostStrain {
		t.Errorf("the most is %v, want %v", got, float64(mostStrain))
	}
}

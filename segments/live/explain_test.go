package live_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments"
)

// TestLeavesOfAChange says by which leaves people enter and leave: the one that a segment
// has, also where it holds for nobody else, and of several those that turned since the
// change before.
func TestLeavesOfAChange(t *testing.T) {
	ctx := context.Background()
	s := newStage(t)
	s.define("quiet", 0, `{"not":{"event":"View","within":"1d"}}`)
	s.define("named", 0, `{"all":[{"segment":"quiet"}]}`)
	s.define("both", 0, `{"all":[{"event":"View","within":"1d"},{"event":"Buy","within":"3d"}]}`)
	s.define("other", 0, `{"any":[{"event":"View","within":"1d"},{"event":"Buy","within":"3d"}]}`)
	w := s.worker()
	happens := func(name string) {
		s.world.Add(clickhousetest.Event{MessageID: fmt.Sprint(name, s.now), Name: name, Time: s.now, Identifiers: []string{"user_id:ana"}})
		s.world.Flush(ctx)
		w.Changed("main", s.world.Key("user_id:ana"))
		s.step(w)
	}
	happens("View") // Other is entered.
	happens("Buy")  // Both is.
	s.now = s.now.Add(36 * time.Hour)
	s.step(w) // The view has passed: both is left, quiet entered for the first time.
	happens("View")
	s.now = s.now.Add(40 * time.Hour)
	s.step(w) // Both have passed; of the purchase other knew nothing when it was entered.
	for id, want := range map[segments.ID][]string{
		"quiet": {"true [/not]", "false [/not]", "true [/not]"},
		"named": {"true [/all/0]", "false [/all/0]", "true [/all/0]"},
		"both":  {"true [/all/0 /all/1]", "false [/all/0]", "true [/all/0]", "false [/all/0 /all/1]"},
		"other": {"true [/any/0]", "false [/any/0]"},
	} {
		changes, err := s.store.Changes(ctx, "main", id, 0, 0, 1000)
		s.check(err)
		var got []string
		for _, c := range changes {
			got = append(got, fmt.Sprint(c.Entered, " ", c.Leaves))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

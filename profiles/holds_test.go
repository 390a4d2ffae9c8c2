package profiles_test

import (
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles"
)

func TestHolds(t *testing.T) {
	read := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	count := func(within time.Duration) profiles.ComputedTrait {
		return profiles.ComputedTrait{Name: "n", Compute: profiles.ComputeCount, Within: within}
	}
	since := profiles.ComputedTrait{Name: "n", Compute: profiles.ComputeTimeSince}
	far := read.Add(1000 * day)
	for name, test := range map[string]struct {
		declared []profiles.ComputedTrait
		first    time.Duration // before read
		last     time.Duration
		value    string
		of       time.Duration // the last event that counts, before read; 0: none
		want     time.Duration // after read; far: -1
	}{
		"nothing is computed":           {nil, 90 * day, day, "", 0, -1},
		"over all time":                 {[]profiles.ComputedTrait{count(0)}, 90 * day, day, "3", day, -1},
		"a window with events":          {[]profiles.ComputedTrait{count(30 * day)}, 90 * day, day, "3", day, 0},
		"a window since the first":      {[]profiles.ComputedTrait{count(30 * day)}, 20 * day, day, "3", day, 10 * day},
		"a window without events":       {[]profiles.ComputedTrait{count(30 * day)}, 90 * day, 40 * day, "0", 0, -1},
		"an event is to come":           {[]profiles.ComputedTrait{count(0)}, 90 * day, -day, "3", day, 0},
		"an event has just come":        {[]profiles.ComputedTrait{count(0)}, 90 * day, time.Minute, "3", day, 0},
		"days since":                    {[]profiles.ComputedTrait{since}, 90 * day, day, "2", 60 * time.Hour, 12 * time.Hour},
		"no days since":                 {[]profiles.ComputedTrait{since}, 90 * day, day, "", 0, -1},
		"the earlier of two traits":     {[]profiles.ComputedTrait{since, {Name: "n", Compute: profiles.ComputeCount, Within: 30 * day}}, 90 * day, day, "2", 60 * time.Hour, 0},
		"days since within a window":    {[]profiles.ComputedTrait{{Name: "n", Compute: profiles.ComputeTimeSince, Within: 3 * day}}, 70 * time.Hour, day, "2", 70 * time.Hour, 2 * time.Hour},
		"days since, no window empties": {[]profiles.ComputedTrait{{Name: "n", Compute: profiles.ComputeTimeSince, Within: 30 * day}}, 70 * time.Hour, day, "2", 70 * time.Hour, 2 * time.Hour},
	} {
		p := &profiles.Profile{Activity: profiles.Activity{FirstSeen: read.Add(-test.first), LastSeen: read.Add(-test.last)}}
		if test.value != "" {
			trait := profiles.Trait{Name: "n", Value: []byte(test.value), Rule: profiles.Computed}
			if test.of > 0 {
				trait.Time = read.Add(-test.of)
			}
			p.Traits = []profiles.Trait{trait}
		}
		got := profiles.Holds(test.declared, p, read)
		if want := read.Add(test.want); test.want < 0 && got.Before(far) || test.want >= 0 && !got.Equal(want) {
			t.Errorf("%s: until %v", name, got)
		}
	}
	stated := &profiles.Profile{Traits: []profiles.Trait{{Name: "n", Value: []byte("3"), Rule: profiles.Newest, Time: read.Add(-day)}}}
	if got := profiles.Holds([]profiles.ComputedTrait{count(day)}, stated, read); got.Before(far) {
		t.Errorf("what was stated moves at %v", got)
	}
}

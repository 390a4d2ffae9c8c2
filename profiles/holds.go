package profiles

import (
	"cmp"
	"strconv"
	"time"
)

// forever is a time that does not come.
var forever = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// early is how much earlier than it was read a view may have been computed, at most.
const early = 2 * time.Minute

// Holds returns until when the passing of time alone changes nothing of p, which was
// read at a time with such computed traits: windows move over its events, and units of
// time since an event pass. It is the time of reading where only the events could tell.
func Holds(declared []ComputedTrait, p *Profile, read time.Time) time.Time {
	if len(declared) == 0 {
		return forever
	}
	if p.Activity.LastSeen.After(read.Add(-early)) {
		return read // An event that was to come counts when its time does.
	}
	computed := make(map[string]Trait, len(declared))
	for _, t := range p.Traits {
		if t.Rule == Computed {
			computed[t.Name] = t
		}
	}
	until := forever
	for i := range declared {
		d := &declared[i]
		t, ok := computed[d.Name]
		if !ok || t.Time.IsZero() {
			continue // No event is in it, and none comes in by itself.
		}
		if at := d.holds(t, p.Activity.FirstSeen, read); at.Before(until) {
			until = at
		}
	}
	return until
}

// holds is Holds of one trait that has events, of a profile whose first event was at a
// time.
func (t *ComputedTrait) holds(is Trait, first, read time.Time) time.Time {
	until := forever
	if t.Compute == ComputeTimeSince {
		units, err := strconv.ParseInt(string(is.Value), 10, 64)
		if err != nil {
			return read // Impossible: it was computed.
		}
		until = is.Time.Add(time.Duration(units+1) * cmp.Or(t.Unit, 24*time.Hour))
	}
	if t.Within == 0 {
		return until
	}
	// Which events are in the window is not known, but none leaves it before the first
	// of all does.
	leaves := first.Add(t.Within)
	if leaves.Before(read) {
		leaves = read
	}
	if leaves.Before(until) {
		return leaves
	}
	return until
}

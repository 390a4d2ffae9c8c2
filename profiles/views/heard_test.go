package views

import (
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// TestBacklogIsReadOnce: notes that were written before their profiles were read last
// say nothing new; later ones do, as do those whose clock may be ahead.
func TestBacklogIsReadOnce(t *testing.T) {
	const most = 3 * heardFrom
	keys := make([]identity.Key, heardFrom)
	for i := range keys {
		keys[i] = identity.Key(i + 1)
	}
	var h heard
	h.begin("main", keys[:10], day, most)
	note := func(workspace string, at time.Time, keys ...identity.Key) int {
		return len(h.fresh(Note{Workspace: workspace, Keys: keys, At: at}))
	}
	old := day.Add(-time.Minute)
	if n := note("main", old, keys[:10]...); n != 10 {
		t.Errorf("%d of the 10 keys of a small round are read again", n)
	}
	h.begin("main", keys, day, most)
	for _, c := range []struct {
		what      string
		workspace string
		at        time.Time
		keys      []identity.Key
		wanted    int
	}{
		{"old", "main", old, keys[:3], 0},
		{"old, with one that was not read", "main", old, []identity.Key{1, heardFrom + 1}, 1},
		{"old, of another workspace", "other", old, keys[:3], 3},
		{"of unknown time", "main", time.Time{}, keys[:3], 3},
	} {
		if n := note(c.workspace, c.at, c.keys...); n != c.wanted {
			t.Errorf("a note that is %s: %d keys are read, want %d", c.what, n, c.wanted)
		}
	}
	more := make([]identity.Key, 2*heardFrom+1)
	for i := range more {
		more[i] = identity.Key(2*heardFrom + i)
	}
	h.begin("main", more, day.Add(time.Hour), most)
	if n := note("main", old, keys[:3]...); n != 0 {
		t.Errorf("%d of 3 keys are read again though there was room to remember them", n)
	}
	h.begin("main", more[:heardFrom], day.Add(time.Hour), most/2)
	if n := note("main", old, keys[:3]...); n != 3 {
		t.Errorf("%d of 3 keys are read, of those that there was no room for", n)
	}
	if n := note("main", day.Add(time.Hour-lapse/2), more[0]); n != 1 {
		t.Error("a note of a clock that may be ahead is passed over")
	}
	if h.began != nil {
		t.Error("what is older than every note is remembered")
	}
}

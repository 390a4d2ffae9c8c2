package views

import (
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// TestBacklogIsReadOnce: notes that were written before their profiles were read last
// say nothing new; later ones do.
func TestBacklogIsReadOnce(t *testing.T) {
	const most = 3 * heardFrom
	keys := make([]identity.Key, heardFrom)
	for i := range keys {
		keys[i] = identity.Key(i + 1)
	}
	var h heard
	h.begin("main", keys[:10], 50, most)
	note := func(workspace string, place int64, keys ...identity.Key) int {
		return len(h.fresh(Note{Workspace: workspace, Keys: keys, Place: place}))
	}
	if n := note("main", 7, keys[:10]...); n != 10 {
		t.Errorf("%d of the 10 keys of a small round are read again", n)
	}
	h.begin("main", keys, 50, most)
	for _, c := range []struct {
		what      string
		workspace string
		place     int64
		keys      []identity.Key
		wanted    int
	}{
		{"old", "main", 49, keys[:3], 0},
		{"old, with one that was not read", "main", 49, []identity.Key{1, heardFrom + 1}, 1},
		{"old, of another workspace", "other", 49, keys[:3], 3},
	} {
		if n := note(c.workspace, c.place, c.keys...); n != c.wanted {
			t.Errorf("a note that is %s: %d keys are read, want %d", c.what, n, c.wanted)
		}
	}
	more := make([]identity.Key, 2*heardFrom+1)
	for i := range more {
		more[i] = identity.Key(2*heardFrom + i)
	}
	h.begin("main", more, 90, most)
	if n := note("main", 49, keys[:3]...); n != 0 {
		t.Errorf("%d of 3 keys are read again though there was room to remember them", n)
	}
	if n := note("main", 50, keys[:3]...); n != 3 {
		t.Errorf("%d of 3 keys of a later note are read", n)
	}
	h.begin("main", more[:heardFrom], 90, most/2)
	if n := note("main", 49, keys[:3]...); n != 3 {
		t.Errorf("%d of 3 keys are read, of those that there was no room for", n)
	}
	if n := note("main", 90, more[0]); n != 1 || h.until != nil {
		t.Error("what is older than a note is remembered")
	}
}

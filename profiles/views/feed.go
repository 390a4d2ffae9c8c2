package views

import (
	"sync"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Feed is what a process that reads rows knows of the events that were stored and that
// the projector may not have seen: the notes from the projector's place on. A row of a
// profile that no such note names is what its events are, and needs not be compared with
// them. While the feed is behind, or too much waits, or notes were lost, every row is.
//
// Notes are written before the offsets of their events are committed, so that a crash
// repeats them; they come from one partition, in order. It is safe for concurrent use.
type Feed struct {
	maxAge time.Duration
	most   int

	mu        sync.Mutex // Protects the fields below.
	reached   time.Time  // all notes written until then are known
	due       int64      // once next is there, all written until dueAt are
	dueAt     time.Time
	projected int64 // rows hold what the notes before this place name
	next      int64 // place after the last note
	waiting   map[string]map[identity.Key]int64
	count     int
	// coming counts the notes that this process has still to write, by key.
	coming map[string]map[identity.Key]int
	// blind is the place up to which notes are not known one by one: they were lost, or
	// too many.
	blind int64
	// stopped says that nobody gives notes any more.
	stopped bool
}

// NewFeed returns a feed that knows nothing yet. Its knowledge is believed for maxAge,
// and it keeps so many keys at most.
func NewFeed(maxAge time.Duration, most int) *Feed {
	return &Feed{maxAge: maxAge, most: most, waiting: map[string]map[identity.Key]int64{}, coming: map[string]map[identity.Key]int{}}
}

// Start says from which place on notes will be given: where the projector is.
func (f *Feed) Start(place int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next, f.projected = place, place
}

// Stop says that no notes will be given: from now on every row is compared.
func (f *Feed) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped, f.reached, f.count = true, time.Time{}, 0
	clear(f.waiting)
	clear(f.coming)
}

// Announce takes keys of events that this process has stored, before it writes a note.
func (f *Feed) Announce(workspace string, keys []identity.Key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return
	}
	of := f.coming[workspace]
	if of == nil {
		of = map[identity.Key]int{}
		f.coming[workspace] = of
	}
	for _, k := range keys {
		of[k]++
	}
}

// Note takes the note at a place, which this process may have written itself; no keys
// mean that some were lost. It reports whether all notes before it had come: where some
// are missing, all workspaces have lost some.
func (f *Feed) Note(workspace string, keys []identity.Key, place int64, own bool) (whole bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	whole = place <= f.next
	f.next = max(f.next, place+1)
	if f.stopped {
		return whole
	}
	if len(keys) == 0 || !whole {
		f.blind = max(f.blind, place+1)
	}
	if f.dueAt.After(f.reached) && f.next >= f.due {
		f.reached = f.dueAt
	}
	if place >= f.projected {
		f.add(workspace, keys, place)
	}
	if own {
		f.came(workspace, keys)
	}
	return whole
}

func (f *Feed) add(workspace string, keys []identity.Key, place int64) {
	of := f.waiting[workspace]
	if of == nil {
		of = map[identity.Key]int64{}
		f.waiting[workspace] = of
	}
	for _, k := range keys {
		if _, ok := of[k]; !ok {
			f.count++
		}
		of[k] = place
	}
	if f.count > f.most { // Rows are compared until the projector has passed all that.
		f.blind = max(f.blind, place+1)
		clear(f.waiting)
		f.count = 0
	}
}

// came takes back what was announced. Keys that were lost do not come: those of their
// workspace that are on the way beside them are blind with it until they are here.
func (f *Feed) came(workspace string, keys []identity.Key) {
	if len(keys) == 0 {
		delete(f.coming, workspace)
	}
	of := f.coming[workspace]
	for _, k := range keys {
		if of[k] > 1 {
			of[k]--
		} else {
			delete(of, k)
		}
	}
}

// Reached says that the notes before a place are all that was written until a time.
func (f *Feed) Reached(place int64, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next >= place {
		f.reached = at
	} else if !f.dueAt.After(f.reached) || f.next >= f.due {
		f.due, f.dueAt = place, at
	}
}

// Until is the time until which all that was written is known; zero for none.
func (f *Feed) Until() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reached
}

// Projected says that rows hold what the notes before a place name.
func (f *Feed) Projected(place int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if place <= f.projected {
		return
	}
	f.projected = place
	for workspace, of := range f.waiting {
		for k, at := range of {
			if at < place {
				delete(of, k)
				f.count--
			}
		}
		if len(of) == 0 {
			delete(f.waiting, workspace)
		}
	}
}

// Place is how far the projector is known to be.
func (f *Feed) Place() int64 {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.projected
}

// Trusts reports whether no note names any of keys, to who read their row when the
// projector was at a place, and the mark at another or the same. When the projector has
// gone on since, what was forgotten of it might have named them; and only a mark that
// was read behind lost notes tells whether a sweep has mended what they would have said.
func (f *Feed) Trusts(workspace string, read, marked int64, keys []uint64, now time.Time) bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reached.IsZero() || now.Sub(f.reached) > f.maxAge || f.projected != read || f.blind > marked {
		return false
	}
	waiting, coming := f.waiting[workspace], f.coming[workspace]
	if len(waiting) == 0 && len(coming) == 0 {
		return true
	}
	for _, k := range keys {
		if _, ok := waiting[identity.Key(k)]; ok || coming[identity.Key(k)] > 0 {
			return false
		}
	}
	return true
}

package main

import (
	"context"
	"sync"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/cache"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// vouchEvery is how often it is asked what has changed that no note named.
const vouchEvery = 5 * time.Second

// maxRenamed bounds the changes of identity that are named one by one in that time.
const maxRenamed = 50_000

// sources is cache.Sources on the warehouse and the topic of stored events.
type sources struct {
	store *profilestore.Store
	heard *heardNotes
}

var _ cache.Sources = sources{}

// Computed implements cache.Sources.
func (s sources) Computed(ctx context.Context, workspace string) (uint64, error) {
	return s.store.Computed(ctx, workspace)
}

// Renamed implements cache.Sources. A new owner of the ledger may have taken back what
// the one before had published at last.
func (s sources) Renamed(ctx context.Context, workspace string, after cache.Change) (at cache.Change, keys []identity.Key, whole bool, err error) {
	s.store.Refresh(workspace) // What is published before this call counts.
	v, err := s.store.Version(ctx, workspace)
	if err != nil {
		return after, nil, false, err
	}
	at = cache.Change(v.Latest())
	if at == after {
		return at, nil, true, nil
	}
	if at.Epoch != after.Epoch {
		return at, nil, false, nil
	}
	n := 0
	err = s.store.Changes(ctx, workspace, v, profilestore.Place(after), maxRenamed, func(c profilestore.Change) {
		n++
		for _, name := range c.Names {
			if name != 0 {
				keys = append(keys, identity.Key(name))
			}
		}
	})
	return at, keys, n < maxRenamed, err
}

// Stored implements cache.Sources.
func (s sources) Stored() time.Time { return s.heard.until() }

// heardNotes knows how far a process has heard the notes of stored events.
type heardNotes struct {
	mu      sync.Mutex // Protects the fields below.
	next    int64      // place after the last note
	due     int64      // once next is there, all written until dueAt are heard
	dueAt   time.Time
	reached time.Time // all written until then are heard; zero for none
}

// start says at which place the first note will be heard.
func (h *heardNotes) start(place int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next = place
}

// note takes the place of a note, and reports whether all before it were heard.
func (h *heardNotes) note(place int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	whole := place <= h.next
	h.next = max(h.next, place+1)
	if h.dueAt.After(h.reached) && h.next >= h.due {
		h.reached = h.dueAt
	}
	return whole
}

// end says that the notes before a place are all that was written until a time.
func (h *heardNotes) end(place int64, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.next >= place {
		h.reached = at
	} else if !h.dueAt.After(h.reached) {
		h.due, h.dueAt = place, at
	}
}

func (h *heardNotes) until() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reached
}

package views

import (
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// lapse is by how much the clocks of two processes may differ. Where they differ by
// more, a row is late until the next event or sweep.
const lapse = 10 * time.Second

// heardFrom is how many keys of a round make it worth while to remember them.
const heardFrom = 4000

// heard remembers the keys whose profiles were read lately, with the time at which the
// reading began. While there is a backlog, most notes are of events that were stored
// long before that, and so are in the rows already: ten million events of a million
// people would make eight million views.
type heard struct {
	began map[string]map[identity.Key]int64 // milliseconds, by workspace
	last  time.Time
}

// begin remembers that a reading of the profiles of keys begins.
func (h *heard) begin(workspace string, keys []identity.Key, now time.Time, most int) {
	if len(keys) < heardFrom {
		return
	}
	if h.began == nil {
		h.began = map[string]map[identity.Key]int64{}
	}
	of := h.began[workspace]
	if of == nil || len(of)+len(keys) > 2*most {
		of = make(map[identity.Key]int64, len(keys))
		h.began[workspace] = of
	}
	for _, k := range keys {
		of[k] = now.UnixMilli()
	}
	h.last = now
}

// fresh returns the keys of a note that were not read since it was written. Where
// nothing that is remembered is later than the note, all is forgotten.
func (h *heard) fresh(n Note) []identity.Key {
	at := n.At.Add(lapse)
	if h.began == nil || n.At.IsZero() {
		return n.Keys
	}
	if at.After(h.last) {
		h.began = nil
		return n.Keys
	}
	var keys []identity.Key
	of := h.began[n.Workspace]
	for _, k := range n.Keys {
		if of[k] <= at.UnixMilli() {
			keys = append(keys, k)
		}
	}
	return keys
}

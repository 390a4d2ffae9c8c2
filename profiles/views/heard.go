package views

import "github.com/kindred-cdp/kindred/identity"

// heardFrom is how many keys of a round make it worth while to remember them.
const heardFrom = 4000

// heard remembers the keys whose profiles were read lately, with the place before which
// all notes had been written when the reading began. While there is a backlog, most notes
// are of events that were stored long before that, and so are in the rows already: ten
// million events of a million people would make eight million views.
type heard struct {
	until map[string]map[identity.Key]int64 // by workspace
	last  int64
}

// begin remembers that a reading of the profiles of keys begins, after the notes before
// a place were written.
func (h *heard) begin(workspace string, keys []identity.Key, place int64, most int) {
	if len(keys) < heardFrom {
		return
	}
	if h.until == nil {
		h.until = map[string]map[identity.Key]int64{}
	}
	of := h.until[workspace]
	if of == nil || len(of)+len(keys) > 2*most {
		of = make(map[identity.Key]int64, len(keys))
		h.until[workspace] = of
	}
	for _, k := range keys {
		of[k] = place
	}
	h.last = max(h.last, place)
}

// fresh returns the keys of a note that were not read since it was written. Where all
// that is remembered is before the note, it is forgotten.
func (h *heard) fresh(n Note) []identity.Key {
	if h.until == nil {
		return n.Keys
	}
	if n.Place >= h.last {
		h.until = nil
		return n.Keys
	}
	var keys []identity.Key
	of := h.until[n.Workspace]
	for _, k := range n.Keys {
		if of[k] <= n.Place {
			keys = append(keys, k)
		}
	}
	return keys
}

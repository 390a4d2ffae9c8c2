package cache

import (
	"sync"

	"github.com/kindred-cdp/kindred/identity"
)

// maxNamed bounds the memory of invalidations during reads. Beyond it every
// read under way counts as named.
const maxNamed = 100_000

// ledger orders reads and invalidations, so that what was read before an
// invalidation is neither kept nor given to who comes after it. It remembers
// named keys only while reads are under way.
type ledger struct {
	mu     sync.RWMutex // Protects the fields below.
	clock  uint64       // number of invalidations so far
	active int          // reads under way
	named  map[identity.Key]uint64
	floor  uint64 // every key was named at this clock
}

// begin notes that a read starts, and returns its place in the order.
func (l *ledger) begin() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active++
	return l.clock
}

// end notes that a read that began is over.
func (l *ledger) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.active--; l.active == 0 {
		clear(l.named)
	}
}

// name notes an invalidation. mu is held.
func (l *ledger) name(keys []identity.Key) {
	l.clock++
	if l.active == 0 {
		return
	}
	if len(l.named)+len(keys) > maxNamed {
		clear(l.named)
		l.floor = l.clock
		return
	}
	if l.named == nil {
		l.named = map[identity.Key]uint64{}
	}
	for _, k := range keys {
		l.named[k] = l.clock
	}
}

// namedSince reports whether one of keys was named after the place start. mu
// is held.
func (l *ledger) namedSince(start uint64, keys []identity.Key) bool {
	if l.floor > start {
		return true
	}
	if l.clock == start {
		return false
	}
	for _, k := range keys {
		if l.named[k] > start {
			return true
		}
	}
	return false
}

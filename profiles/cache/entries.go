package cache

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/dgraph-io/ristretto/v2"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// entry is a cached answer: of Resolve (id, or err for none), or of Load.
type entry struct {
	name    string // in the cache
	profile *profiles.Profile
	id      identity.ProfileID
	err     error // profiles.ErrNotFound or nil
	// keys name the entry: any of them, invalidated, forgets it. The first held of
	// a profile's keys are its own; the others name other profiles as well.
	keys []identity.Key
	held int
	// dead is set at once by an invalidation: ristretto applies a write some
	// time after Set returns, even after the Del that follows it.
	dead atomic.Bool
}

// What is asked, the first byte of a name.
const (
	resolving = 'r'
	loading   = 'p'
)

// nameOf makes the name of an answer. Workspaces have answers of their own.
func nameOf(what byte, workspace string, key uint64) string {
	b := make([]byte, 0, 9+len(workspace))
	b = append(b, what)
	b = binary.BigEndian.AppendUint64(b, key)
	return string(append(b, workspace...))
}

// cost estimates the bytes of an entry, its place in the indexes included.
func (e *entry) cost() int64 {
	n := int64(192 + len(e.name) + 56*len(e.keys))
	if e.profile != nil {
		n += e.profile.Size()
	}
	return n
}

// store is the memory of a cache.
type store struct {
	*ristretto.Cache[string, *entry]
}

// keep puts an answer into the cache, unless one of its keys was named since
// the read began: the read may have seen the state of before.
//
// ristretto is never called with ledger.mu held: it calls left in turn, and
// its writes wait for a goroutine of its own that does.
func (c *Cache) keep(s *store, e *entry, start uint64) {
	ttl := c.cfg.TTL
	if e.err != nil {
		ttl = c.cfg.NegativeTTL
	}
	superseded, ok := c.admit(e, start)
	for _, old := range superseded {
		s.Del(old.name)
	}
	switch {
	case !ok:
		c.metrics.discarded.Inc()
	case !s.SetWithTTL(e.name, e, e.cost(), ttl):
		c.left(e)
	case e.dead.Load():
		s.Del(e.name) // Named meanwhile. Get would not have returned it.
	}
}

// admit indexes e under its keys, and returns the profiles that it supersedes:
// one that holds the same identifier contradicts e, so it is out of date.
func (c *Cache) admit(e *entry, start uint64) (superseded []*entry, ok bool) {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	if c.ledger.namedSince(start, e.keys) {
		return nil, false
	}
	if e.profile == nil {
		c.resolved[e.name] = e
		return nil, true
	}
	for _, k := range e.keys[:e.held] {
		if old := c.holders[k]; old != nil && old != e {
			c.forget(old)
			superseded = append(superseded, old)
		}
		c.holders[k] = e
	}
	for _, k := range e.keys[e.held:] {
		if c.sharers[k] == nil {
			c.sharers[k] = map[*entry]struct{}{}
		}
		c.sharers[k][e] = struct{}{}
	}
	return superseded, true
}

// forget makes e unreachable at once. ledger.mu is held; the caller removes it
// from ristretto afterwards.
func (c *Cache) forget(e *entry) {
	e.dead.Store(true)
	c.unindex(e)
}

// unindex takes e out of the indexes. ledger.mu is held.
func (c *Cache) unindex(e *entry) {
	if c.resolved[e.name] == e {
		delete(c.resolved, e.name)
	}
	if e.profile == nil {
		return
	}
	for _, k := range e.keys[:e.held] {
		if c.holders[k] == e {
			delete(c.holders, k)
		}
	}
	for _, k := range e.keys[e.held:] {
		delete(c.sharers[k], e)
		if len(c.sharers[k]) == 0 {
			delete(c.sharers, k)
		}
	}
}

// left is called by ristretto when an entry leaves it for whatever reason.
func (c *Cache) left(e *entry) {
	if e == nil {
		return
	}
	if e.profile != nil {
		e.profile.Drop()
	}
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	c.unindex(e)
}

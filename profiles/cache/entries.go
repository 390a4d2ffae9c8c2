package cache

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/ristretto/v2"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// entry is a cached answer: of Resolve (id, or err for none), or of Load.
type entry struct {
	place
	id  identity.ProfileID
	err error // profiles.ErrNotFound or nil
	// The profile of Load, packed where the cache has a form for it.
	profile *profiles.Profile
	packed  []byte
	kept    profiles.Kept // what was made of it
	// keys name the entry: any of them, invalidated, forgets it. The first held of
	// a profile's keys are its own; the others name other profiles as well. Few are within
	// the entry: the collector looks for every object of a cache by itself.
	keys []identity.Key
	few  [6]identity.Key
	held int
	// read is when reading began, and holds until when the passing of time changes
	// nothing of it, on the clock of the cache.
	read, holds int64
	// indexed says that the indexes have it. ledger.mu protects it.
	indexed bool
	// dead is set at once by an invalidation: ristretto applies a write some
	// time after Set returns, even after the Del that follows it.
	dead atomic.Bool
}

// newEntry is what is kept of a read of Load.
func (c *Cache) newEntry(id identity.ProfileID, p *profiles.Profile, err error) *entry {
	e := &entry{id: id, err: err}
	e.keys = append(e.few[:0], identity.Key(id))
	if p == nil {
		return e
	}
	if most := 1 + len(p.Keys) + len(p.Former) + 1; most > len(e.few) {
		e.keys = append(make([]identity.Key, 0, most), e.keys...)
	}
	e.keys = append(e.keys, p.Keys...)
	e.held = len(e.keys)
	e.keys = append(e.keys, p.Former...)
	if p.Household != nil {
		e.keys = append(e.keys, identity.Key(p.Household.ID))
	}
	if c.deps.Form == nil {
		e.profile = p
	} else {
		e.packed = c.deps.Form.Pack(p)
	}
	c.answers.Place(&e.kept)
	e.kept.At(p)
	return e
}

// open returns the profile of an entry of Load.
func (c *Cache) open(e *entry) (*profiles.Profile, error) {
	if e.packed == nil {
		return e.profile, e.err
	}
	p, err := c.deps.Form.Unpack(e.packed)
	if err == nil {
		e.kept.At(p)
	}
	return p, err
}

// What is asked.
const (
	resolving = iota
	loading
)

// place is what an answer answers. Workspaces have answers of their own.
type place struct {
	realm *realm
	what  uint8
	key   uint64
}

// slot is where ristretto keeps the answer: its shards and counters take the bits as
// they come. Within a workspace no two places share one; where two of different
// workspaces do, each costs the other its place.
func (p place) slot() uint64 {
	x := p.key ^ p.realm.seed
	if p.what == resolving {
		x = ^x
	}
	// The finaliser of SplitMix64, which no two numbers leave as the same.
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// name is what reads of the place that run at once are joined by.
func (p place) name() string {
	b := append(make([]byte, 0, 9+len(p.realm.workspace)), p.what)
	b = binary.BigEndian.AppendUint64(b, p.key)
	return string(append(b, p.realm.workspace...))
}

// cost estimates the bytes of an entry, its place in the indexes included.
func (e *entry) cost() int64 {
	n := int64(256 + 56*len(e.keys) + len(e.packed))
	if e.what == loading {
		n += 64 // the place of an answer
	}
	if e.profile != nil {
		n += e.profile.Size()
	}
	return n
}

// store is the memory of a cache.
type store struct {
	*ristretto.Cache[uint64, *entry]
}

// find returns the answer of a place, nil for none that still stands.
func (s *store) find(p place, now int64, fresh time.Duration) *entry {
	if e, ok := s.Get(p.slot()); ok && e.place == p && !e.dead.Load() && e.fresh(now, fresh) {
		return e
	}
	return nil
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
		s.Del(old.slot())
	}
	switch {
	case !ok:
		c.metrics.discarded.Inc()
	case !s.SetWithTTL(e.slot(), e, e.cost(), ttl):
		c.left(e)
	case e.dead.Load():
		s.Del(e.slot()) // Named meanwhile. Get would not have returned it.
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
	if e.what == resolving {
		c.resolved[e.place] = e
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
	e.indexed = true
	c.profiles++
	return superseded, true
}

// holder returns the cached profile that an identifier belongs to, nil for none.
func (c *Cache) holder(r *realm, key identity.Key) *entry {
	if c.store.Load() == nil {
		return nil
	}
	c.ledger.mu.RLock()
	defer c.ledger.mu.RUnlock()
	if e := c.holders[key]; e != nil && e.realm == r {
		return e
	}
	return nil
}

// held is how many profiles are cached.
func (c *Cache) held() int {
	c.ledger.mu.RLock()
	defer c.ledger.mu.RUnlock()
	return c.profiles
}

// forget makes e unreachable at once. ledger.mu is held; the caller removes it
// from ristretto afterwards.
func (c *Cache) forget(e *entry) {
	e.dead.Store(true)
	c.unindex(e)
}

// unindex takes e out of the indexes. ledger.mu is held.
func (c *Cache) unindex(e *entry) {
	if c.resolved[e.place] == e {
		delete(c.resolved, e.place)
	}
	if !e.indexed {
		return
	}
	e.indexed = false
	c.profiles--
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
	e.kept.Drop()
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	c.unindex(e)
}

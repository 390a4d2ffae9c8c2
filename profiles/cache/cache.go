package cache

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// Cache is a profiles.Store that remembers the answers of another. It is safe
// for concurrent use. Before Run starts and after it ended it only joins equal
// reads and remembers nothing.
type Cache struct {
	cfg     Config
	next    profiles.Store
	metrics *metrics
	flights singleflight.Group
	store   atomic.Pointer[store]
	answers *profiles.Answers // that are kept at profiles

	ledger ledger
	// The indexes are protected by ledger.mu.
	holders map[identity.Key]*entry // the cached profile that holds an identifier
	// sharers are the cached profiles that what happens to an identifier of
	// another, or to their household, changes too.
	sharers  map[identity.Key]map[*entry]struct{}
	resolved map[string]*entry // cached answers of Resolve, by name
}

var _ profiles.Store = (*Cache)(nil)

// New returns a cache in front of next.
func New(cfg Config, next profiles.Store, r prometheus.Registerer) (*Cache, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Cache{cfg: cfg, next: next, holders: map[identity.Key]*entry{}, sharers: map[identity.Key]map[*entry]struct{}{}, resolved: map[string]*entry{}, answers: profiles.NewAnswers(cfg.MaxBytes / answersShare)}
	var err error
	c.metrics, err = newMetrics(r, c)
	return c, err
}

// answersShare is the part of the memory that answers made of cached profiles may
// take: one of so many.
const answersShare = 4

// Run holds the memory of the cache until ctx ends. It calls ready, when it is
// not nil, once answers are remembered.
func (c *Cache) Run(ctx context.Context, ready func()) error {
	memory, err := ristretto.NewCache(&ristretto.Config[string, *entry]{
		// Ten counters per entry, as ristretto advises, for entries of 2.5 KiB.
		NumCounters: max(10_000, c.cfg.MaxBytes/256),
		MaxCost:     c.cfg.MaxBytes - c.cfg.MaxBytes/answersShare,
		BufferItems: 64,
		OnEvict:     func(*ristretto.Item[*entry]) { c.metrics.evicted.Inc() },
		OnExit:      c.left,
	})
	if err != nil {
		return fmt.Errorf("make profile cache: %w", err)
	}
	c.store.Store(&store{memory})
	if ready != nil {
		ready()
	}
	<-ctx.Done()
	c.store.Store(nil)
	memory.Close()
	return nil
}

// Resolve implements profiles.Store.
func (c *Cache) Resolve(ctx context.Context, workspace string, key identity.Key) (identity.ProfileID, error) {
	e, err := c.answer(ctx, nameOf(resolving, workspace, uint64(key)), "resolve", func(ctx context.Context) *entry {
		id, err := c.next.Resolve(ctx, workspace, key)
		return &entry{id: id, err: err, keys: []identity.Key{key}}
	})
	if err != nil {
		return 0, err
	}
	return e.id, e.err
}

// Load implements profiles.Store.
func (c *Cache) Load(ctx context.Context, workspace string, id identity.ProfileID) (*profiles.Profile, error) {
	e, err := c.answer(ctx, nameOf(loading, workspace, uint64(id)), "load", func(ctx context.Context) *entry {
		p, err := c.next.Load(ctx, workspace, id)
		e := &entry{profile: p, err: err, keys: []identity.Key{identity.Key(id)}}
		if p != nil {
			c.answers.Open(p)
			e.keys = append(e.keys, p.Keys...)
			e.held = len(e.keys)
			e.keys = append(e.keys, p.Former...)
			if p.Household != nil {
				e.keys = append(e.keys, identity.Key(p.Household.ID))
			}
		}
		return e
	})
	if err != nil {
		return nil, err
	}
	return e.profile, e.err
}

// flight is what one read brought, and its place among the invalidations.
type flight struct {
	entry *entry
	start uint64
}

// answer returns the cached answer, or that of a read which began after every
// invalidation that this caller can know of.
func (c *Cache) answer(ctx context.Context, name, what string, read func(context.Context) *entry) (*entry, error) {
	store := c.store.Load()
	if store != nil {
		if e, ok := store.Get(name); ok && e.name == name && !e.dead.Load() {
			c.metrics.hit(what, e.err)
			return e, nil
		}
	}
	called := c.ledger.begin()
	defer c.ledger.end()
	for {
		arrived := c.flights.DoChan(name, func() (any, error) {
			c.metrics.requests.WithLabelValues(what, "miss").Inc()
			return c.fly(ctx, store, name, read), nil
		})
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case result := <-arrived:
			if result.Err != nil {
				return nil, result.Err // Only a panic of the store comes here.
			}
			f := result.Val.(flight)
			// A read under way before this call may have seen the state before
			// an invalidation that the caller knows of. The next read of the
			// same name begins after this call, so once more is enough.
			if f.start >= called || !c.wasNamed(f.start, f.entry.keys) {
				return f.entry, nil
			}
		}
	}
}

// fly reads once for all who wait. It does not end with the caller that
// happened to come first.
func (c *Cache) fly(ctx context.Context, s *store, name string, read func(context.Context) *entry) flight {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.LoadTimeout)
	defer cancel()
	start := c.ledger.begin()
	defer c.ledger.end()
	e := read(ctx)
	e.name = name
	// That a profile does not exist is not kept: Resolve never leads there.
	if s != nil && (e.err == nil || errors.Is(e.err, profiles.ErrNotFound) && name[0] == resolving) {
		c.keep(s, e, start)
	}
	return flight{entry: e, start: start}
}

func (c *Cache) wasNamed(start uint64, keys []identity.Key) bool {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	return c.ledger.namedSince(start, keys)
}

// Invalidate forgets every answer that one of keys names: of an identifier or
// of a profile (whose id is a key). When it returns, no caller gets an answer
// that was read before. It is cheap enough for every notice.
func (c *Cache) Invalidate(workspace string, keys ...identity.Key) {
	c.metrics.named.Add(float64(len(keys)))
	// First, so that a read which the naming below does not catch is fresh.
	if r, ok := c.next.(profiles.Refresher); ok {
		r.Refresh(workspace)
	}
	forgotten := c.name(workspace, keys)
	c.metrics.forgotten.Add(float64(len(forgotten)))
	if s := c.store.Load(); s != nil {
		for _, e := range forgotten {
			s.Del(e.name)
		}
	}
}

// name makes every answer that keys name unreachable and returns them.
func (c *Cache) name(workspace string, keys []identity.Key) []*entry {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	c.ledger.name(keys)
	var forgotten []*entry
	for _, k := range keys {
		if e := c.holders[k]; e != nil {
			c.forget(e)
			forgotten = append(forgotten, e)
		}
		for e := range c.sharers[k] {
			c.forget(e)
			forgotten = append(forgotten, e)
		}
		if e := c.resolved[nameOf(resolving, workspace, uint64(k))]; e != nil {
			c.forget(e)
			forgotten = append(forgotten, e)
		}
	}
	return forgotten
}

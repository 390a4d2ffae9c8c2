package cache

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"sync/atomic"
	"time"

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
	deps    Deps
	next    profiles.Store
	made    time.Time // the beginning of its clock
	metrics *metrics
	flights singleflight.Group
	store   atomic.Pointer[store]
	answers *profiles.Answers // that are kept at profiles
	realms  realms

	ledger ledger
	// The indexes are protected by ledger.mu.
	profiles int                     // held
	holders  map[identity.Key]*entry // the cached profile that holds an identifier
	// sharers are the cached profiles that what happens to an identifier of
	// another, or to their household, changes too.
	sharers  map[identity.Key]map[*entry]struct{}
	resolved map[place]*entry // cached answers of Resolve
}

// Deps are what a Cache needs from outside.
type Deps struct {
	Store profiles.Store // whose answers it remembers
	Now   func() time.Time
	// Holds returns until when the passing of time alone changes nothing of what was read
	// of a profile at a time. Nil where it never does.
	Holds func(p *profiles.Profile, read time.Time) time.Time
	// Form is how profiles are held; nil for as they are.
	Form       *Form
	Registerer prometheus.Registerer
}

var (
	_ profiles.Store     = (*Cache)(nil)
	_ profiles.Answering = (*Cache)(nil)
)

// Form is one of profiles that takes less memory.
type Form struct {
	Pack   func(p *profiles.Profile) []byte
	Unpack func(b []byte) (*profiles.Profile, error)
}

// New returns a cache in front of a store.
func New(cfg Config, deps Deps) (*Cache, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Store == nil || deps.Now == nil || deps.Registerer == nil {
		return nil, errors.New("profile cache: a required dependency is missing")
	}
	c := &Cache{
		cfg: cfg, deps: deps, next: deps.Store, made: deps.Now(), answers: profiles.NewAnswers(cfg.MaxBytes / answersShare),
		realms:  realms{seed: maphash.MakeSeed(), all: map[string]*realm{}},
		holders: map[identity.Key]*entry{}, sharers: map[identity.Key]map[*entry]struct{}{}, resolved: map[place]*entry{},
	}
	var err error
	c.metrics, err = newMetrics(deps.Registerer, c)
	return c, err
}

// answersShare is the part of the memory that answers made of cached profiles may
// take: one of so many.
const answersShare = 4

// Run holds the memory of the cache until ctx ends. It calls ready, when it is
// not nil, once answers are remembered.
func (c *Cache) Run(ctx context.Context, ready func()) error {
	memory, err := ristretto.NewCache(&ristretto.Config[uint64, *entry]{
		// Forty counters of three bytes for each profile of 2.5 KiB. Ristretto advises ten,
		// and halves all counts when as many reads came: of a profile that is just worth
		// its place, one in every three of these. See TestHitRate.
		NumCounters: max(10_000, c.cfg.MaxBytes/64),
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

// Resolve implements profiles.Store: by the cached profile that has the identifier, or
// what is remembered of who does not exist. That an identifier is of a profile which is
// not cached is not remembered: the profile would be read next, and its row is what tells.
func (c *Cache) Resolve(ctx context.Context, workspace string, key identity.Key) (identity.ProfileID, error) {
	r := c.realms.of(workspace)
	if e := c.holder(r, key); e != nil && e.fresh(c.clock(), c.cfg.Fresh) {
		c.metrics.hit(resolving, nil)
		return e.id, nil
	}
	at := place{r, resolving, uint64(key)}
	if e := c.known(at); e != nil {
		return e.id, e.err
	}
	f, err := c.ask(ctx, at, func(ctx context.Context) flight {
		id, err := c.next.Resolve(ctx, workspace, key)
		return flight{entry: &entry{id: id, err: err, keys: []identity.Key{key}}}
	})
	if err != nil {
		return 0, err
	}
	return f.entry.id, f.entry.err
}

// Load implements profiles.Store.
func (c *Cache) Load(ctx context.Context, workspace string, id identity.ProfileID) (*profiles.Profile, error) {
	at := place{c.realms.of(workspace), loading, uint64(id)}
	if e := c.known(at); e != nil {
		if p, err := c.open(e); err == nil {
			return p, nil
		}
	}
	f, err := c.ask(ctx, at, func(ctx context.Context) flight {
		p, err := c.next.Load(ctx, workspace, id)
		return flight{entry: c.newEntry(id, p, err), profile: p}
	})
	if err != nil {
		return nil, err
	}
	return f.profile, f.entry.err
}

// Answer implements profiles.Answering.
func (c *Cache) Answer(workspace string, key identity.Key) (identity.ProfileID, any) {
	e := c.holder(c.realms.of(workspace), key)
	if e == nil || !e.fresh(c.clock(), c.cfg.Fresh) {
		return 0, nil
	}
	v := e.kept.Answer()
	if v == nil {
		return 0, nil
	}
	if s := c.store.Load(); s != nil {
		s.Get(e.slot()) // Counts as a read of it.
	}
	c.metrics.hit(resolving, nil)
	c.metrics.hit(loading, nil)
	return e.id, v
}

// flight is what one read brought, and its place among the invalidations.
type flight struct {
	entry   *entry
	profile *profiles.Profile // of Load
	start   uint64
}

// known returns the cached answer, nil for none.
func (c *Cache) known(at place) *entry {
	store := c.store.Load()
	if store == nil {
		return nil
	}
	e := store.find(at, c.clock(), c.cfg.Fresh)
	if e == nil && at.what == loading {
		// Ristretto takes it in some time after Set. Without this, who is asked for most
		// would be read a few times at first.
		if e = c.holder(at.realm, identity.Key(at.key)); e == nil || e.place != at || !e.fresh(c.clock(), c.cfg.Fresh) {
			return nil
		}
	}
	if e != nil {
		c.metrics.hit(at.what, e.err)
	}
	return e
}

// ask returns the answer of a read which began after every invalidation that this
// caller can know of.
func (c *Cache) ask(ctx context.Context, at place, read func(context.Context) flight) (flight, error) {
	store := c.store.Load()
	called := c.ledger.begin()
	defer c.ledger.end()
	name := at.name()
	for {
		arrived := c.flights.DoChan(name, func() (any, error) {
			c.metrics.outcomes[at.what].miss.Inc()
			return c.fly(ctx, store, at, read), nil
		})
		select {
		case <-ctx.Done():
			return flight{}, ctx.Err()
		case result := <-arrived:
			if result.Err != nil {
				return flight{}, result.Err // Only a panic of the store comes here.
			}
			f := result.Val.(flight)
			// A read under way before this call may have seen the state before
			// an invalidation that the caller knows of. The next read of the
			// same name begins after this call, so once more is enough.
			if f.start >= called || !c.wasNamed(f.start, f.entry.keys) {
				return f, nil
			}
		}
	}
}

// fly reads once for all who wait. It does not end with the caller that
// happened to come first.
func (c *Cache) fly(ctx context.Context, s *store, at place, read func(context.Context) flight) flight {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.LoadTimeout)
	defer cancel()
	start := c.ledger.begin()
	defer c.ledger.end()
	began := c.deps.Now()
	f := read(ctx)
	e := f.entry
	f.start, e.place, e.read, e.holds = start, at, int64(began.Sub(c.made)), math.MaxInt64
	if f.profile != nil && c.deps.Holds != nil {
		e.holds = int64(c.deps.Holds(f.profile, began).Sub(c.made))
	}
	// That a profile does not exist is not kept: Resolve never leads there.
	if s != nil && (f.profile != nil || at.what == resolving && errors.Is(e.err, profiles.ErrNotFound)) {
		c.keep(s, e, start)
	}
	return f
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
	realm, s := c.realms.of(workspace), c.store.Load()
	for part := range slices.Chunk(keys, maxNamedAtOnce) {
		forgotten := c.name(realm, part)
		c.metrics.forgotten.Add(float64(len(forgotten)))
		for _, e := range forgotten {
			if s != nil {
				s.Del(e.slot())
			}
		}
	}
}

// maxNamedAtOnce is how many keys are named while readers wait: some tenth of a
// millisecond, where a note of stored events may hold fifty thousand.
const maxNamedAtOnce = 1000

// name makes every answer that keys name unreachable and returns them.
func (c *Cache) name(r *realm, keys []identity.Key) []*entry {
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
		if e := c.resolved[place{r, resolving, uint64(k)}]; e != nil {
			c.forget(e)
			forgotten = append(forgotten, e)
		}
	}
	return forgotten
}

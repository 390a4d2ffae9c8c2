// Package gather lets reads of profiles that come at the same time share their
// queries: while some batches are being read, the reads that come meanwhile form
// the next ones. A read that comes alone starts at once; under load a batch grows
// to what came during the one before, so that the store answers as many reads a
// second as it takes. No timer makes anybody wait, unless batches are to begin some time
// apart (Config.Apart).
package gather

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// Config bounds the batches.
type Config struct {
	// Running is how many batches are read at a time, of each of the two kinds of
	// reads. Default 2.
	Running int
	// Most is how many reads a batch holds at most. Default 64.
	Most int
	// Apart bounds the time by which batches that find profiles begin apart, for a store
	// to which a batch costs about the same whatever it holds: they begin twice as far
	// apart as one takes, so that a store with time to spare answers sooner and a busy one
	// is asked less often. Who comes alone does not wait. Default 0.
	Apart time.Duration
	// Timeout bounds the reading of a batch, which does not end when one of those
	// who wait for it goes away. Default 10 s.
	Timeout time.Duration
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config { return Config{Running: 2, Most: 64, Timeout: 10 * time.Second} }

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	if c.Running < 1 || c.Most < 1 || c.Timeout <= 0 || c.Apart < 0 {
		return errors.New("gathered reads: at least one batch of one read, within some time")
	}
	return nil
}

// Gatherer is a profiles.Store. It is safe for concurrent use.
type Gatherer struct {
	next    profiles.Batcher
	resolve *Queue[identity.Key, identity.ProfileID]
	load    *Queue[identity.ProfileID, *profiles.Profile]
}

var (
	_ profiles.Store     = (*Gatherer)(nil)
	_ profiles.Refresher = (*Gatherer)(nil)
)

// New returns a store that gathers the reads of next.
func New(cfg Config, next profiles.Batcher) (*Gatherer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	g := &Gatherer{next: next}
	g.resolve = NewQueue(cfg, next.ResolveMany)
	cfg.Apart = 0
	g.load = NewQueue(cfg, next.LoadMany)
	return g, nil
}

// Resolve implements profiles.Store.
func (g *Gatherer) Resolve(ctx context.Context, workspace string, key identity.Key) (identity.ProfileID, error) {
	id, err := g.resolve.Get(ctx, workspace, key)
	if err == nil && id == 0 {
		err = profiles.ErrNotFound
	}
	return id, err
}

// Load implements profiles.Store.
func (g *Gatherer) Load(ctx context.Context, workspace string, id identity.ProfileID) (*profiles.Profile, error) {
	p, err := g.load.Get(ctx, workspace, id)
	if err == nil && p == nil {
		err = profiles.ErrNotFound
	}
	return p, err
}

// Refresh implements profiles.Refresher: what is gathered after it is read anew.
func (g *Gatherer) Refresh(workspace string) {
	if r, ok := g.next.(profiles.Refresher); ok {
		r.Refresh(workspace)
	}
}

// Queue gathers reads of one kind. It is safe for concurrent use.
type Queue[K comparable, V any] struct {
	cfg  Config
	read func(ctx context.Context, workspace string, keys []K) ([]V, error)

	mu      sync.Mutex // Protects the fields below.
	running int
	waiting map[string][]call[K, V] // by workspace
	turn    []string                // workspaces with somebody waiting, in order
	begun   time.Time               // when the last batch began, or is to begin
	takes   time.Duration           // what a batch takes, of late
}

// call is a read that waits.
type call[K comparable, V any] struct {
	key   K
	place int            // among the keys of the caller
	done  chan result[V] // has room for all of the caller
}

type result[V any] struct {
	place int
	value V
	err   error
}

// NewQueue returns a queue in front of read, which is given each key of a batch once and
// returns their values in the same order. Who asked for the same key gets the same value.
func NewQueue[K comparable, V any](cfg Config, read func(ctx context.Context, workspace string, keys []K) ([]V, error)) *Queue[K, V] {
	return &Queue[K, V]{cfg: cfg, read: read, waiting: map[string][]call[K, V]{}}
}

// Get reads one value, with whatever else waits. What is read is as of a time
// after the call.
func (q *Queue[K, V]) Get(ctx context.Context, workspace string, key K) (V, error) {
	values, err := q.GetMany(ctx, workspace, key)
	return values[0], err
}

// GetMany reads several values in the order of their keys, like Get. They may come in
// more than one batch. With an error the values are none.
func (q *Queue[K, V]) GetMany(ctx context.Context, workspace string, keys ...K) ([]V, error) {
	values := make([]V, len(keys))
	done := make(chan result[V], len(keys))
	q.mu.Lock()
	if len(q.waiting[workspace]) == 0 && len(keys) > 0 {
		q.turn = append(q.turn, workspace)
	}
	for i, k := range keys {
		q.waiting[workspace] = append(q.waiting[workspace], call[K, V]{key: k, place: i, done: done})
	}
	start := q.running < q.cfg.Running && len(keys) > 0
	if start {
		q.running++
	}
	q.mu.Unlock()
	if start {
		go q.work(context.WithoutCancel(ctx))
	}
	for range keys {
		select {
		case r := <-done:
			if r.err != nil {
				clear(values)
				return values, r.err
			}
			values[r.place] = r.value
		case <-ctx.Done():
			clear(values)
			return values, ctx.Err()
		}
	}
	return values, nil
}

// work reads batches until nobody waits.
func (q *Queue[K, V]) work(ctx context.Context) {
	for {
		q.wait()
		workspace, batch := q.next()
		if len(batch) == 0 {
			return
		}
		q.answer(ctx, workspace, batch)
	}
}

// wait keeps the batch that is to come from the last one.
func (q *Queue[K, V]) wait() {
	if q.cfg.Apart == 0 {
		return
	}
	q.mu.Lock()
	now := time.Now()
	begin := q.begun.Add(min(q.cfg.Apart, 2*q.takes))
	if len(q.turn) == 0 || begin.Before(now) {
		begin = now
	}
	if len(q.turn) > 0 {
		q.begun = begin
	}
	q.mu.Unlock()
	if pause := begin.Sub(now); pause > 0 {
		<-time.After(pause)
	}
}

// next takes the reads that wait longest, of one workspace; none when the worker
// is to end.
func (q *Queue[K, V]) next() (string, []call[K, V]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.turn) == 0 {
		q.running--
		return "", nil
	}
	workspace := q.turn[0]
	q.turn = q.turn[1:]
	all := q.waiting[workspace]
	n := min(len(all), q.cfg.Most)
	if batch := all[:n:n]; n == len(all) {
		delete(q.waiting, workspace)
		return workspace, batch
	}
	q.waiting[workspace] = all[n:]
	q.turn = append(q.turn, workspace)
	return workspace, all[:n:n]
}

// answer reads a batch, each key once.
func (q *Queue[K, V]) answer(ctx context.Context, workspace string, batch []call[K, V]) {
	ctx, cancel := context.WithTimeout(ctx, q.cfg.Timeout)
	defer cancel()
	place := map[K]int{}
	var keys []K
	for _, c := range batch {
		if _, ok := place[c.key]; !ok {
			place[c.key] = len(keys)
			keys = append(keys, c.key)
		}
	}
	start := time.Now()
	values, err := q.try(ctx, workspace, keys)
	q.took(time.Since(start))
	for _, c := range batch {
		r := result[V]{place: c.place, err: err}
		if err == nil {
			r.value = values[place[c.key]]
		}
		c.done <- r
	}
}

// took notes how long a batch took.
func (q *Queue[K, V]) took(d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.takes == 0 {
		q.takes = d
	}
	q.takes += (d - q.takes) / 4
}

// errPanic is the answer where reading panicked: those who wait must not wait for
// ever.
var errPanic = errors.New("reading a batch of profiles panicked")

func (q *Queue[K, V]) try(ctx context.Context, workspace string, keys []K) (values []V, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return q.read(ctx, workspace, keys)
}

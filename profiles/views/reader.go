package views

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/gather"
)

// Reader is a profiles.Store that answers from rows where they agree with what they
// were made of, and by another store where not. It is safe for concurrent use.
type Reader struct {
	fast    *gather.Gatherer
	slow    profiles.Store
	metrics *readerMetrics
}

var (
	_ profiles.Store     = (*Reader)(nil)
	_ profiles.Refresher = (*Reader)(nil)
)

// ReaderDeps are what a Reader needs from outside.
type ReaderDeps struct {
	Conn driver.Conn
	// Form is the configuration of what rows are made of, that of Store.
	Form clickhouse.Config
	// Store counts what rows are made of.
	Store *clickhouse.Store
	// Feed is what is known of events that were stored since; nil for nothing, and then
	// every row is compared with the events.
	Feed *Feed
	// Slow answers where there is no row that agrees. It reads Store.
	Slow       profiles.Store
	Now        func() time.Time
	Registerer prometheus.Registerer
}

// NewReader returns a Reader. It asks nothing yet.
func NewReader(cfg Config, deps ReaderDeps) (*Reader, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	r, err := newRows(cfg, deps)
	if err != nil {
		return nil, err
	}
	fast, err := gather.New(cfg.Gather, r)
	return &Reader{fast: fast, slow: deps.Slow, metrics: r.metrics}, err
}

// Resolve implements profiles.Store.
func (r *Reader) Resolve(ctx context.Context, workspace string, key identity.Key) (identity.ProfileID, error) {
	id, err := r.fast.Resolve(ctx, workspace, key)
	if err == nil || ctx.Err() != nil {
		return id, err
	}
	return r.slow.Resolve(ctx, workspace, key)
}

// Load implements profiles.Store.
func (r *Reader) Load(ctx context.Context, workspace string, id identity.ProfileID) (*profiles.Profile, error) {
	p, err := r.fast.Load(ctx, workspace, id)
	if err == nil || ctx.Err() != nil {
		return p, err
	}
	return r.slow.Load(ctx, workspace, id)
}

// Refresh implements profiles.Refresher.
func (r *Reader) Refresh(workspace string) {
	if s, ok := r.slow.(profiles.Refresher); ok {
		s.Refresh(workspace)
	}
}

// rows is a profiles.Batcher that finds only what rows that agree tell.
type rows struct {
	cfg     Config
	table   table
	store   *clickhouse.Store
	feed    *Feed
	now     func() time.Time
	metrics *readerMetrics

	mu    sync.Mutex // Protects the fields below.
	tails map[string]*tail
	// handed are rows that Resolve has read, for the Load that follows. They are
	// checked there like any other.
	handed map[handle]*row
}

type handle struct {
	workspace string
	id        uint64
}

// maxHanded bounds the rows that wait for their Load.
const maxHanded = 4096

var _ profiles.Batcher = (*rows)(nil)

func newRows(cfg Config, deps ReaderDeps) (*rows, error) {
	form, err := formOf(deps.Form)
	if err != nil {
		return nil, err
	}
	m, err := newReaderMetrics(deps.Registerer)
	return &rows{
		cfg: cfg, table: table{deps.Conn, form}, store: deps.Store, feed: deps.Feed, now: deps.Now, metrics: m,
		tails: map[string]*tail{}, handed: map[handle]*row{},
	}, err
}

func (r *rows) tail(workspace string) *tail {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tails[workspace]
	if t == nil {
		t = &tail{named: map[uint64]clickhouse.Place{}}
		r.tails[workspace] = t
	}
	return t
}

// Resolve implements profiles.Store for gather, which reads many.
func (r *rows) Resolve(context.Context, string, identity.Key) (identity.ProfileID, error) {
	return 0, profiles.ErrNotFound
}

// Load implements profiles.Store for gather, which reads many.
func (r *rows) Load(context.Context, string, identity.ProfileID) (*profiles.Profile, error) {
	return nil, profiles.ErrNotFound
}

// ResolveMany implements profiles.Batcher: by the row of the profile that a key founded,
// as most do, or else by that of the profile to which it belongs. The row is the one that
// is loaded next.
func (r *rows) ResolveMany(ctx context.Context, workspace string, keys []identity.Key) ([]identity.ProfileID, error) {
	found := make([]identity.ProfileID, len(keys))
	t := r.tail(workspace)
	m, err := t.advance(ctx, r, workspace)
	if err != nil || !m.usable {
		return found, err
	}
	owner := make([]uint64, len(keys))
	for i, k := range keys {
		owner[i] = uint64(k)
	}
	if err := r.resolve(ctx, workspace, t, m, keys, owner, found); err != nil {
		return found, err
	}
	var others []uint64
	for i, id := range found {
		if id == 0 {
			others = append(others, owner[i])
		}
	}
	if len(others) == 0 {
		return found, nil
	}
	owners, err := r.store.Owners(ctx, workspace, m.version, others)
	if err != nil || len(owners) == 0 {
		return found, err
	}
	for i, id := range found {
		if owner[i] = owners[owner[i]]; id != 0 {
			owner[i] = 0
		}
	}
	return found, r.resolve(ctx, workspace, t, m, keys, owner, found)
}

// resolve reads the rows of the profiles that may own keys, 0 for none, and puts those
// that do into found.
func (r *rows) resolve(ctx context.Context, workspace string, t *tail, m moment, keys []identity.Key, owner []uint64, found []identity.ProfileID) error {
	ask := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(owner))), func(id uint64) bool { return id == 0 })
	all, err := r.table.read(ctx, workspace, ask)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.handed)+len(all) > maxHanded {
		clear(r.handed)
	}
	for i, id := range owner {
		if one := all[id]; one != nil && one.readable() && !t.touched(one, m) && one.sighted(keys[i]) {
			one.seen = m.feed
			found[i] = identity.ProfileID(id)
			r.handed[handle{workspace, id}] = one
		}
	}
	return nil
}

// LoadMany implements profiles.Batcher; nil for an id without a row that agrees.
func (r *rows) LoadMany(ctx context.Context, workspace string, ids []identity.ProfileID) ([]*profiles.Profile, error) {
	found := make([]*profiles.Profile, len(ids))
	t := r.tail(workspace)
	m, err := t.advance(ctx, r, workspace)
	if err != nil || !m.usable {
		r.metrics.loads.WithLabelValues("unusable").Add(float64(len(ids)))
		return found, err
	}
	all, err := r.rowsOf(ctx, workspace, ids, m)
	if err != nil {
		return found, err
	}
	standing := r.untouched(t, m, ids, all)
	views := make([]*profiles.Profile, len(standing))
	if err := r.agree(ctx, workspace, standing, m, views); err != nil {
		return found, err
	}
	place := make(map[identity.ProfileID]*profiles.Profile, len(views))
	for _, p := range views {
		if p != nil {
			place[p.ID] = p
		}
	}
	for i, id := range ids {
		found[i] = place[id]
	}
	return found, nil
}

// agreeing reports which of ids have a row that agrees with the events. It opens none,
// and trusts none.
func (r *rows) agreeing(ctx context.Context, workspace string, ids []identity.ProfileID) (map[identity.ProfileID]bool, error) {
	found := map[identity.ProfileID]bool{}
	t := r.tail(workspace)
	m, err := t.advance(ctx, r, workspace)
	if err != nil || !m.usable {
		return found, err
	}
	m.whole = false
	all, err := r.rowsOf(ctx, workspace, ids, m)
	if err != nil {
		return found, err
	}
	var standing []*row
	now := r.now()
	for _, one := range all {
		if len(one.body) > 0 && !t.touched(one, m) && now.Before(one.freshUntil) {
			standing = append(standing, one)
		}
	}
	agrees, err := r.counted(ctx, workspace, standing, m)
	for i, one := range standing {
		found[one.id] = agrees[i]
	}
	return found, err
}

// rowsOf returns the rows of ids: those that were handed on, and the others.
func (r *rows) rowsOf(ctx context.Context, workspace string, ids []identity.ProfileID, m moment) (map[uint64]*row, error) {
	var ask []uint64
	handed := map[uint64]*row{}
	r.mu.Lock()
	for _, id := range ids {
		h := handle{workspace, uint64(id)}
		if one := r.handed[h]; one != nil {
			handed[h.id] = one
			delete(r.handed, h)
		} else {
			ask = append(ask, h.id)
		}
	}
	r.mu.Unlock()
	if len(ask) == 0 {
		return handed, nil
	}
	all, err := r.table.read(ctx, workspace, ask)
	for _, one := range all {
		one.seen = m.feed
	}
	for id, one := range handed {
		if err == nil {
			all[id] = one
		}
	}
	return all, err
}

// untouched returns the rows that identity and the time have left as they are.
func (r *rows) untouched(t *tail, m moment, ids []identity.ProfileID, all map[uint64]*row) (standing []*row) {
	now := r.now()
	for _, id := range ids {
		one := all[uint64(id)]
		switch {
		case one == nil || !one.readable():
			r.metrics.loads.WithLabelValues("none").Inc()
		case t.touched(one, m):
			r.metrics.loads.WithLabelValues("identity").Inc()
		case !now.Before(one.freshUntil):
			r.metrics.loads.WithLabelValues("time").Inc()
		default:
			standing = append(standing, one)
		}
	}
	return standing
}

// agree puts into views those of rows that no note speaks against, or whose tallies are
// what is stored now, with their present scores.
func (r *rows) agree(ctx context.Context, workspace string, standing []*row, m moment, views []*profiles.Profile) error {
	if len(standing) == 0 {
		return nil
	}
	decoded, members := make([]*profiles.Profile, len(standing)), make([][]uint64, len(standing))
	for i, one := range standing {
		decoded[i], members[i] = one.view, one.keys
	}
	var trusted []bool
	g, asking := errgroup.WithContext(ctx)
	g.Go(func() error { return r.store.Scores(asking, workspace, decoded, members) })
	g.Go(func() (err error) {
		trusted, err = r.counted(asking, workspace, standing, m)
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range standing {
		if !trusted[i] {
			r.metrics.loads.WithLabelValues("facts").Inc()
			continue
		}
		r.metrics.loads.WithLabelValues("row").Inc()
		views[i] = decoded[i]
	}
	return nil
}

// counted reports for each row whether it tells what is stored.
func (r *rows) counted(ctx context.Context, workspace string, standing []*row, m moment) ([]bool, error) {
	agrees := make([]bool, len(standing))
	var anchors, keys []uint64
	owner := map[uint64]int{} // No anchor of two identifiers is a key.
	now := r.now()
	for i, one := range standing {
		if agrees[i] = m.whole && r.feed.Trusts(workspace, one.seen, m.marked, one.keys, now); agrees[i] {
			r.metrics.trusted.Inc()
			continue
		}
		for _, id := range one.anchors {
			owner[id] = i
		}
		for _, id := range one.keys {
			owner[id] = i
		}
		anchors, keys = append(anchors, one.anchors...), append(keys, one.keys...)
	}
	if len(keys) == 0 {
		return agrees, nil
	}
	tallies := make([]clickhouse.Tally, len(standing))
	err := r.store.Tally(ctx, workspace, anchors, keys, func(id uint64, t clickhouse.Tally) {
		if i, ok := owner[id]; ok {
			tallies[i].Add(t)
		}
	})
	for i, one := range standing {
		agrees[i] = agrees[i] || tallies[i] == one.tally
	}
	return agrees, err
}

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
	resolves *gather.Queue[identity.Key, identity.ProfileID]
	loads    *gather.Gatherer
	slow     profiles.Store
	metrics  *readerMetrics
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
	// Each goes its own way: what they ask for is gathered.
	each := cfg.Gather
	each.Running, each.Apart = resolving, 0
	loads, err := gather.New(cfg.Gather, r)
	return &Reader{resolves: gather.NewQueue(each, r.ResolveMany), loads: loads, slow: deps.Slow, metrics: r.metrics}, err
}

// resolving is how many identifiers are resolved at a time; more of them share their way.
const resolving = 256

// Resolve implements profiles.Store.
func (r *Reader) Resolve(ctx context.Context, workspace string, key identity.Key) (identity.ProfileID, error) {
	id, err := r.resolves.Get(ctx, workspace, key)
	if err == nil && id != 0 {
		return id, nil
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return r.slow.Resolve(ctx, workspace, key)
}

// Load implements profiles.Store.
func (r *Reader) Load(ctx context.Context, workspace string, id identity.ProfileID) (*profiles.Profile, error) {
	p, err := r.loads.Load(ctx, workspace, id)
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
	// What reads that run at once ask for is gathered question by question, and not read
	// by read: who needs two answers does not hold up those who need one, and asks for
	// the second together with others' first.
	looks  *gather.Queue[uint64, *entry] // what stands under an id, nil for nothing
	owners *gather.Queue[uint64, uint64] // whose an identifier is now, 0 for nobody's

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
	r := &rows{
		cfg: cfg, table: table{deps.Conn, form}, store: deps.Store, feed: deps.Feed, now: deps.Now, metrics: m,
		tails: map[string]*tail{}, handed: map[handle]*row{},
	}
	r.looks = gather.NewQueue(cfg.Gather, r.lookMany)
	r.owners = gather.NewQueue(cfg.Gather, r.ownersMany)
	return r, err
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

// ResolveMany implements profiles.Batcher: by what stands under a key, which is the row
// of the profile that it founded, as most do, or an alias of the one to which it belongs.
// The row is the one that is loaded next, and comes with its scores.
func (r *rows) ResolveMany(ctx context.Context, workspace string, keys []identity.Key) ([]identity.ProfileID, error) {
	found := make([]identity.ProfileID, len(keys))
	t := r.tail(workspace)
	m, err := t.advance(ctx, r, workspace)
	if err != nil || !m.usable {
		return found, err
	}
	l := &looking{rows: r, workspace: workspace, entries: map[uint64]*entry{}}
	asked := make([]uint64, len(keys))
	for i, k := range keys {
		asked[i] = uint64(k)
	}
	if err := l.look(ctx, asked); err != nil {
		return found, err
	}
	owner, owners := slices.Clone(asked), []uint64{}
	for i, key := range asked {
		if e := l.entries[key]; e != nil && e.owner != 0 {
			owner[i] = e.owner
			owners = append(owners, e.owner)
		}
	}
	if err := l.look(ctx, append(owners, l.others(asked)...)); err != nil {
		return found, err
	}
	if err := l.complete(ctx, owner); err != nil {
		return found, err
	}
	r.resolve(t, m, l, keys, owner, found)
	var others []uint64
	for i, id := range found {
		if id == 0 {
			others = append(others, asked[i])
		}
	}
	if len(others) == 0 {
		return found, nil
	}
	others = slices.Compact(slices.Sorted(slices.Values(others)))
	owners, err = r.owners.GetMany(ctx, workspace, others...)
	if err != nil || !slices.ContainsFunc(owners, func(id uint64) bool { return id != 0 }) {
		return found, err
	}
	for i, id := range found {
		owner[i] = 0
		if n, unfound := slices.BinarySearch(others, asked[i]); unfound && id == 0 {
			owner[i] = owners[n]
		}
	}
	if err := l.look(ctx, owner); err != nil {
		return found, err
	}
	r.resolve(t, m, l, keys, owner, found)
	return found, nil
}

// resolve puts the profiles that may own keys, 0 for none, into found where their rows
// say that they do.
func (r *rows) resolve(t *tail, m moment, l *looking, keys []identity.Key, owner []uint64, found []identity.ProfileID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.handed)+len(keys) > maxHanded {
		clear(r.handed)
	}
	for i, id := range owner {
		if one := l.row(id); one != nil && one.readable() && !t.touched(one, m) && one.sighted(keys[i]) {
			one.seen = m.feed
			found[i] = identity.ProfileID(id)
			r.handed[handle{l.workspace, id}] = one
		}
	}
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
	asked := make([]uint64, len(ids))
	for i, id := range ids {
		asked[i] = uint64(id)
	}
	all, err := r.table.read(ctx, workspace, asked) // Rows alone: a sweep needs no scores.
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
	l := &looking{rows: r, workspace: workspace, entries: map[uint64]*entry{}}
	err := l.look(ctx, ask)
	for _, id := range ask {
		if one := l.row(id); one != nil {
			one.seen = m.feed
			handed[id] = one
		}
	}
	return handed, err
}

// untouched returns the rows that identity and the time have left as they are.
func (r *rows) untouched(t *tail, m moment, ids []identity.ProfileID, all map[uint64]*row) (standing []*row) {
	now := r.now()
	once := map[identity.ProfileID]bool{}
	for _, id := range ids {
		one := all[uint64(id)]
		switch {
		case once[id]:
			continue
		case one == nil || !one.readable():
			r.metrics.loads.WithLabelValues("none").Inc()
		case t.touched(one, m):
			r.metrics.loads.WithLabelValues("identity").Inc()
		case !now.Before(one.freshUntil):
			r.metrics.loads.WithLabelValues("time").Inc()
		default:
			standing = append(standing, one)
		}
		once[id] = true
	}
	return standing
}

// agree puts into views those of rows that no note speaks against, or whose tallies are
// what is stored now, with their present scores.
func (r *rows) agree(ctx context.Context, workspace string, standing []*row, m moment, views []*profiles.Profile) error {
	if len(standing) == 0 {
		return nil
	}
	var trusted []bool
	g, asking := errgroup.WithContext(ctx)
	g.Go(func() error { return r.scores(asking, workspace, standing) })
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
		views[i] = standing[i].view
	}
	return nil
}

// scores fills in those of views, and their groups. What stands under the id by which a
// row was found is there already.
func (r *rows) scores(ctx context.Context, workspace string, standing []*row) error {
	var missing []uint64
	ofKey := map[uint64]*row{}
	names, err := r.names(ctx, workspace)
	if err != nil {
		return err
	}
	for _, one := range standing {
		for _, k := range one.keys {
			if !slices.Contains(one.looked, k) {
				missing = append(missing, k)
				ofKey[k] = one
			}
		}
	}
	if len(names) == 0 || len(missing)*len(names) > maxLook {
		all, keys := make([]*profiles.Profile, len(standing)), make([][]uint64, len(standing))
		for i, one := range standing {
			all[i], keys[i] = one.view, one.keys
		}
		return r.store.Scores(ctx, workspace, all, keys)
	}
	l := &looking{rows: r, workspace: workspace, entries: map[uint64]*entry{}}
	if err := l.look(ctx, missing); err != nil {
		return err
	}
	for k, one := range ofKey {
		if e := l.entries[k]; e != nil {
			one.scores = append(one.scores, e.scores...)
		}
	}
	which, err := r.store.ScoresOf(ctx, workspace)
	if err != nil {
		return err
	}
	for _, one := range standing {
		clickhouse.Choose(one.view, slices.DeleteFunc(one.scores, func(s clickhouse.Standing) bool { return !which.Stands(s) }))
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

package ledger

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
)

// Deps are what a Ledger works with. All are required, but for Stakes, Owns, Log
// and Metrics.
type Deps struct {
	// DB is a connection to the database that holds the ledger's tables.
	DB driver.Conn
	// NewGraph returns an empty graph under rules; see NewGraph.
	NewGraph func(rules *identity.Rules) Graph
	// Rules returns the rules of a workspace that has declared none. Its
	// untrusted sources, which are so by their kind, are untrusted under declared
	// rules as well, but where those trust them by name. It must return equal
	// rules for the life of the process. Rules that differ from those of the last
	// process change profiles when the ledger is loaded; sets decided before keep
	// their deciding identifiers until one of their members flips. Declare rules
	// by a command to have all of it evaluated anew.
	Rules func(workspace string) *identity.Rules
	// Normalizer is that of the values in evidence; declared blocked values are
	// compared with them.
	Normalizer normalize.Normalizer
	// Keyer returns the keyer of a workspace: commands name identifiers.
	Keyer     func(workspace string) identity.Keyer
	Publisher Publisher
	Notifier  Notifier
	Rejecter  Rejecter
	// Stakes tells the review queue what hangs on profiles; nil means that it goes
	// by their identifiers alone.
	Stakes Stakes
	// Owns reports whether the evidence of a workspace belongs to a partition:
	// it must agree with the partitioner of whoever writes evidence. Nil means
	// that there is one partition.
	Owns    func(workspace string, partition int) bool
	Now     func() time.Time
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

func (d Deps) validate() error {
	var errs []error
	need := func(ok bool, name string) {
		if !ok {
			errs = append(errs, errors.New("ledger needs "+name))
		}
	}
	need(d.DB != nil, "a database")
	need(d.NewGraph != nil, "a graph")
	need(d.Rules != nil, "rules")
	need(d.Keyer != nil, "a keyer")
	need(d.Publisher != nil, "a publisher")
	need(d.Notifier != nil, "a notifier")
	need(d.Rejecter != nil, "a rejecter")
	need(d.Now != nil, "a clock")
	return errors.Join(errs...)
}

// Ledger is the identity role of one process. Own is called once for each
// partition that the process is given, concurrently for different partitions;
// the other methods are safe at any time.
type Ledger struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	metrics *metrics
	store   *store

	mu      sync.Mutex
	loading int
	owned   int
	spaces  map[string]*space // of all owners
	beside  chan struct{}     // holds one while a ledger is loaded beside those in use
	trials  map[string]*trial // that run, by workspace

	figures figures
	reviews reviews

	// step, when set, is called before each step of an owner. Tests stop owners
	// there, or hold them.
	step func(name string) error
}

// New returns a Ledger. It does not touch the database.
func New(cfg Config, deps Deps) (*Ledger, error) {
	if err := errors.Join(cfg.Validate(), deps.validate()); err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Metrics)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	if deps.Owns == nil {
		deps.Owns = func(string, int) bool { return true }
	}
	log := deps.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	l := &Ledger{
		cfg: cfg, deps: deps, log: log, metrics: m,
		store:  &store{db: deps.DB, cfg: cfg, metrics: m, seed: maphash.MakeSeed(), keyer: deps.Keyer, rangeRows: rangeRows},
		spaces: map[string]*space{}, beside: make(chan struct{}, 1), trials: map[string]*trial{},
	}
	if deps.Metrics != nil {
		if err := deps.Metrics.Register(graphCollector{l}); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return l, nil
}

// Own owns p until ctx ends, which is no error, or until ownership is lost or a
// dependency fails. It first loads every workspace of the partition and
// publishes what its evidence says beyond what is published. On any error the
// partition can be owned again, by this process or another: nothing is lost.
func (l *Ledger) Own(ctx context.Context, p Partition) error {
	o := newOwner(l, p)
	l.note(+1, +1)
	loaded := func() { l.note(0, -1) }
	if err := o.start(ctx); err != nil {
		loaded()
		l.release(o)
		return ended(ctx, fmt.Errorf("start identity partition %d: %w", p.ID(), err))
	}
	loaded()
	defer l.release(o)
	return ended(ctx, o.run(ctx))
}

// ended drops the error of an owner that was told to stop.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (l *Ledger) note(owned, loading int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owned += owned
	l.loading += loading
	l.metrics.owned.Set(float64(l.owned))
}

// release forgets what o owned.
func (l *Ledger) release(o *owner) {
	l.note(-1, 0)
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, sp := range o.spaces {
		if l.spaces[name] == sp {
			delete(l.spaces, name)
		}
	}
}

// adopt makes sp the space of its workspace; it has the owner of the one before
// where it names none.
func (l *Ledger) adopt(sp *space) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if before := l.spaces[sp.name]; sp.owner == nil && before != nil {
		sp.owner = before.owner
	}
	l.spaces[sp.name] = sp
}

// Ready reports whether this process owns a partition and has loaded every
// partition that it owns. A standby is not ready.
func (l *Ledger) Ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.owned > 0 && l.loading == 0
}

// Stats returns the figures of a workspace, or identity.ErrNotOwner. It walks all
// identifiers, in slices between flushes, as graph.Survey does.
func (l *Ledger) Stats(ctx context.Context, workspace string) (Stats, error) {
	l.mu.Lock()
	sp, ok := l.spaces[workspace]
	l.mu.Unlock()
	if !ok {
		return Stats{}, identity.ErrNotOwner
	}
	return sp.stats(ctx)
}

// at marks the boundary before a step.
func (l *Ledger) at(name string) error {
	if l.step == nil {
		return nil
	}
	return l.step(name)
}

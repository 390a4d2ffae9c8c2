package plans

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/control"
)

// Config bounds a Reader.
type Config struct {
	// Poll is how often the latest revision is asked for. Default 1 s.
	Poll time.Duration
	// Sets is the number of revisions whose plans stay in memory. Default 8.
	Sets int
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config { return Config{Poll: time.Second, Sets: 8} }

// Validate reports every fault of c.
func (c Config) Validate() error {
	if c.Poll <= 0 || c.Sets < 1 {
		return errors.New("plans: poll must be positive and at least one set kept")
	}
	return nil
}

// Reader follows the tracking plans of all workspaces. It is safe for
// concurrent use.
type Reader struct {
	cfg   Config
	conn  driver.Conn
	log   *slog.Logger
	ready chan struct{} // closed when the plans have been read once

	mu     sync.Mutex // Protects the fields below.
	latest *Set
	sets   []*Set // the latest and others that were asked for, newest use last
	plans  map[planKey]*plan
}

type planKey struct {
	workspace, name string
	revision        uint64
}

var _ ingest.Plans = (*Reader)(nil)

// NewReader returns a reader of conn that has read nothing yet.
func NewReader(cfg Config, conn driver.Conn, log *slog.Logger) (*Reader, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Reader{cfg: cfg, conn: conn, log: log, ready: make(chan struct{}), plans: map[planKey]*plan{}}, nil
}

// Run follows the plans until ctx ends. What cannot be read is logged and tried
// again; the plans known before stand meanwhile.
func (r *Reader) Run(ctx context.Context) error {
	return control.Follow(ctx, r.cfg.Poll, r.log, "tracking plans", r.Refresh)
}

// Ready waits until the plans have been read once. Ingest waits for it, because
// events that came in before would be held against nothing.
func (r *Reader) Ready(ctx context.Context) error {
	select {
	case <-r.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Refresh reads the plans if they have changed.
func (r *Reader) Refresh(ctx context.Context) error {
	var revision uint64
	if err := r.conn.QueryRow(ctx, "SELECT max(revision) FROM tracking_plans").Scan(&revision); err != nil {
		return fmt.Errorf("read the revision of tracking plans: %w", err)
	}
	r.mu.Lock()
	known := r.latest != nil && r.latest.Revision >= revision
	r.mu.Unlock()
	if known {
		return nil
	}
	set, err := r.load(ctx, revision)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.latest == nil {
		close(r.ready)
	}
	if r.latest == nil || r.latest.Revision < revision {
		r.latest = set
		r.keep(set)
	}
	return nil
}

// Revision implements ingest.Plans.
func (r *Reader) Revision() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.latest == nil {
		return 0
	}
	return r.latest.Revision
}

// At implements ingest.Plans.
func (r *Reader) At(ctx context.Context, revision uint64) (ingest.PlanSet, error) {
	return r.SetAt(ctx, revision)
}

// SetAt is At with the type of this package.
func (r *Reader) SetAt(ctx context.Context, revision uint64) (*Set, error) {
	for {
		if set := r.find(revision); set != nil {
			return set, nil
		}
		if err := r.Refresh(ctx); err != nil {
			return nil, err
		}
		if r.Revision() >= revision {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(r.cfg.Poll):
		}
	}
	if set := r.find(revision); set != nil {
		return set, nil
	}
	set, err := r.load(ctx, revision)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(set)
	return set, nil
}

func (r *Reader) find(revision uint64) *Set {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sets {
		if s.Revision == revision {
			return s
		}
	}
	return nil
}

// keep remembers a set; the caller holds mu. Compiled plans that no remembered
// set can use are forgotten with the sets.
func (r *Reader) keep(set *Set) {
	r.sets = append(r.sets, set)
	for len(r.sets) > r.cfg.Sets {
		i := 0
		if r.sets[i] == r.latest {
			i = 1
		}
		r.sets = append(r.sets[:i], r.sets[i+1:]...)
	}
	if len(r.plans) > MaxPlans*r.cfg.Sets {
		r.plans = map[planKey]*plan{}
	}
}

// load reads the plans as of a revision: of each the last state until then.
func (r *Reader) load(ctx context.Context, revision uint64) (*Set, error) {
	rows, err := r.conn.Query(ctx, `
		SELECT workspace, plan, max(tracking_plans.revision), argMax(archived, tracking_plans.revision), argMax(definition, tracking_plans.revision)
		FROM tracking_plans WHERE revision <= ? GROUP BY workspace, plan ORDER BY workspace, plan`, revision)
	if err != nil {
		return nil, fmt.Errorf("read tracking plans: %w", err)
	}
	defer func() { _ = rows.Close() }()
	set := newSet(revision)
	for rows.Next() {
		var key planKey
		var archived bool
		var definition string
		if err := rows.Scan(&key.workspace, &key.name, &key.revision, &archived, &definition); err != nil {
			return nil, fmt.Errorf("read tracking plans: %w", err)
		}
		if archived {
			continue
		}
		p, err := r.compiled(key, definition)
		if err != nil {
			// It was sound when it was stored. One plan that this release does not
			// understand must not stop ingest for all.
			r.log.Error("tracking plan is not understood and not applied", "workspace", key.workspace, "plan", key.name, "revision", key.revision, "error", err)
			continue
		}
		set.add(key.workspace, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read tracking plans: %w", err)
	}
	return set, nil
}

func (r *Reader) compiled(key planKey, definition string) (*plan, error) {
	r.mu.Lock()
	p := r.plans[key]
	r.mu.Unlock()
	if p != nil {
		return p, nil
	}
	d, err := Parse([]byte(definition))
	if err != nil {
		return nil, err
	}
	if p, err = newPlan(key.name, key.revision, d); err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.plans[key] = p
	r.mu.Unlock()
	return p, nil
}

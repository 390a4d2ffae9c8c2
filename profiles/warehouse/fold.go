package warehouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// FoldConfig bounds the layer of recent changes of the reading.
type FoldConfig struct {
	// MaxRecent is the number of rows in reading_recent above which Run folds
	// them into the base, unless they are less than a hundredth of it, or a two
	// thousandth when none came since the last look: every query that resolves
	// profiles reads them, about 1 µs a row, and a fold loads the base again,
	// about 0.6 µs a row. Default 1 000.
	MaxRecent uint64
	// Interval is the time between two looks at that number. Default 10 s.
	Interval time.Duration
	// Patience bounds the wait for queries that started before the fold;
	// queries that run longer may see identifiers move under them. Default 10 min.
	Patience time.Duration
	// Poll is the time between two looks at the running queries. Default 200 ms.
	Poll time.Duration
	// Cluster is Config.Cluster.
	Cluster string
}

// DefaultFoldConfig returns the defaults that the fields name.
func DefaultFoldConfig() FoldConfig {
	return FoldConfig{MaxRecent: 1000, Interval: 10 * time.Second, Patience: 10 * time.Minute, Poll: 200 * time.Millisecond}
}

// Validate reports every fault of the configuration at once.
func (c FoldConfig) Validate() error {
	var errs []error
	if c.MaxRecent == 0 {
		errs = append(errs, errors.New("fold: max recent must be positive"))
	}
	if c.Interval <= 0 || c.Patience <= 0 || c.Poll <= 0 {
		errs = append(errs, errors.New("fold: interval, patience and poll must be positive"))
	}
	if c.Cluster != "" && !isName(c.Cluster) {
		errs = append(errs, errors.New("fold: cluster name must be letters, digits and _"))
	}
	return errors.Join(errs...)
}

// Folder keeps the layer of recent changes small. The identity role runs one;
// several at once do no harm.
type Folder struct {
	cfg  FoldConfig
	conn driver.Conn
	now  func() time.Time
	log  *slog.Logger
}

// NewFolder returns a Folder that does nothing until Run or Fold.
func NewFolder(cfg FoldConfig, conn driver.Conn, now func() time.Time, log *slog.Logger) (*Folder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Folder{cfg: cfg, conn: conn, now: now, log: log}, nil
}

// Run folds whenever there are too many recent changes, until ctx ends. A fold
// that fails is logged and tried again: queries stay right without it, and
// become slower.
func (f *Folder) Run(ctx context.Context) error {
	tick := time.NewTicker(f.cfg.Interval)
	defer tick.Stop()
	var before uint64
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var recent, base uint64
		err := f.conn.QueryRow(ctx, sizes).Scan(&recent, &base)
		share := uint64(baseShare)
		if recent == before {
			share = quietShare
		}
		if before = recent; err == nil && recent > max(f.cfg.MaxRecent, base/share) {
			err = f.Fold(ctx)
		}
		if err != nil && ctx.Err() == nil {
			f.log.ErrorContext(ctx, "fold reading", "error", err)
		}
	}
}

// baseShare is the part of the base, one in so many rows, that recent changes
// may amount to before they are folded: it bounds the cost of folding by a
// constant per change, however large the base is.
const baseShare = 100

// quietShare is the same when nothing changes any more: what a load of data left in
// the recent layer would else cost every query until much more has changed.
const quietShare = 2000

const sizes = "SELECT (SELECT count() FROM reading_recent), (SELECT count() FROM anchor_owner) + (SELECT count() FROM identifier_profile)"

// Fold moves the published changes into the base: it notes the published
// versions, waits until no query runs that may have started before them, loads
// the dictionaries up to those versions, says so, waits again, and removes the
// folded rows from the recent layer. A crash at any point leaves a right
// reading: rows are removed only after every query finds them in the base.
func (f *Folder) Fold(ctx context.Context) error {
	versions, err := f.published(ctx)
	if err != nil || len(versions) == 0 {
		return err
	}
	if err := f.waitForQueries(ctx); err != nil {
		return err
	}
	if err := f.record(ctx, versions, false); err != nil {
		return err
	}
	if err := reloadBase(ctx, f.conn, f.cfg.Cluster); err != nil {
		return err
	}
	if err := f.record(ctx, versions, true); err != nil {
		return err
	}
	if err := f.waitForQueries(ctx); err != nil {
		return err
	}
	return f.remove(ctx, versions)
}

func (f *Folder) published(ctx context.Context) (map[string]Version, error) {
	const query = `SELECT workspace, max((epoch, last_sequence)).1, max((epoch, last_sequence)).2
FROM identity_counted WHERE last_sequence > 0 GROUP BY workspace`
	rows, err := f.conn.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("fold reading: published versions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]Version{}
	for rows.Next() {
		var workspace string
		var v Version
		if err := rows.Scan(&workspace, &v.Epoch, &v.Sequence); err != nil {
			return nil, fmt.Errorf("fold reading: published versions: %w", err)
		}
		out[workspace] = v
	}
	return out, rows.Err()
}

func (f *Folder) record(ctx context.Context, versions map[string]Version, loaded bool) error {
	batch, err := f.conn.PrepareBatch(ctx, "INSERT INTO reading_folds (workspace, loaded, epoch, sequence, folded_at)")
	if err != nil {
		return fmt.Errorf("fold reading: record: %w", err)
	}
	at := f.now()
	for workspace, v := range versions {
		if err := batch.Append(workspace, loaded, v.Epoch, v.Sequence, at); err != nil {
			_ = batch.Abort()
			return fmt.Errorf("fold reading: record: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("fold reading: record: %w", err)
	}
	return nil
}

// baseDictionaries hold the base of the reading, one for each hop and one for
// past tenures.
var baseDictionaries = []string{"reading_owners", "reading_profiles", "reading_tenures"}

// reloadBase loads the dictionaries and returns when they are loaded.
func reloadBase(ctx context.Context, conn driver.Conn, cluster string) error {
	on := form{cluster: cluster}.onCluster()
	for _, name := range baseDictionaries {
		if err := conn.Exec(ctx, "SYSTEM RELOAD DICTIONARY "+name+" "+on); err != nil {
			return fmt.Errorf("load dictionary %s: %w", name, err)
		}
	}
	return nil
}

// waitForQueries returns when every client query that runs now has ended, or
// after Patience. Queries that start meanwhile are not waited for.
func (f *Folder) waitForQueries(ctx context.Context) error {
	processes := "system.processes"
	if f.cfg.Cluster != "" {
		processes = "clusterAllReplicas(" + f.cfg.Cluster + ", system.processes)"
	}
	// Interfaces 1 and 2 are the native and HTTP protocols. The embedded engine
	// holds itself open with an endless query of another interface. A query from
	// another database can only read this one by naming it.
	running := "SELECT groupArray(initial_query_id) FROM " + processes +
		" WHERE query_kind = 'Select' AND interface IN (1, 2) AND initial_query_id != queryID()" +
		" AND (current_database = currentDatabase() OR position(query, currentDatabase()) > 0)"
	var before, now []string
	if err := f.conn.QueryRow(ctx, running).Scan(&before); err != nil {
		return fmt.Errorf("fold reading: running queries: %w", err)
	}
	deadline, cancel := context.WithTimeout(ctx, f.cfg.Patience)
	defer cancel()
	tick := time.NewTicker(f.cfg.Poll)
	defer tick.Stop()
	for len(before) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.Done():
			f.log.WarnContext(ctx, "fold reading: queries run longer than the patience", "queries", len(before))
			return nil
		case <-tick.C:
		}
		if err := f.conn.QueryRow(ctx, running).Scan(&now); err != nil {
			return fmt.Errorf("fold reading: running queries: %w", err)
		}
		before = intersection(before, now)
	}
	return nil
}

func intersection(a, b []string) []string {
	in := make(map[string]bool, len(b))
	for _, s := range b {
		in[s] = true
	}
	var both []string
	for _, s := range a {
		if in[s] {
			both = append(both, s)
		}
	}
	return both
}

// remove deletes what the base holds now from the recent layer.
func (f *Folder) remove(ctx context.Context, versions map[string]Version) error {
	var conditions []string
	var args []any
	for workspace, v := range versions {
		conditions = append(conditions, "(workspace = ? AND (epoch, sequence) <= (?, ?))")
		args = append(args, workspace, v.Epoch, v.Sequence)
	}
	on := form{cluster: f.cfg.Cluster}.onCluster()
	statement := "ALTER TABLE reading_recent " + on + " DELETE WHERE " + strings.Join(conditions, " OR ") + " SETTINGS mutations_sync = 2"
	if err := f.conn.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("fold reading: remove folded rows: %w", err)
	}
	return nil
}

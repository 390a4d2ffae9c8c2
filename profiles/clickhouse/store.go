package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// Config bounds what one profile may hold.
type Config struct {
	// Rules reduce trait observations to values.
	Rules profiles.Rules
	// Computed are computed from events, and stand among the traits.
	Computed []profiles.ComputedTrait
	// MaxIdentifiers is how many identifiers a profile shows, the earliest
	// first; the rest are counted. Default 100.
	MaxIdentifiers int
	// Recent is how many of the newest events a profile shows. Default 20.
	Recent int
	// Products is how many of the products bought last a profile shows. Default 20.
	Products int
	// VersionAge is how long a published version is read at without asking for
	// a newer one, when no Refresh tells of it. Default 200 ms.
	VersionAge time.Duration
	// MaxSearchRows bounds what a search for a prefix may read. Default 2 000 000 rows.
	MaxSearchRows int
	// MaxExecution bounds each query on the server. Default 5 s.
	MaxExecution time.Duration
	// Patient lets queries pause while the engine has such of live segments to run.
	// Default false.
	Patient bool
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{
		Rules:          profiles.DefaultRules(),
		MaxIdentifiers: 100,
		Recent:         20,
		Products:       20,
		VersionAge:     200 * time.Millisecond,
		MaxSearchRows:  2_000_000,
		MaxExecution:   5 * time.Second,
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	errs := []error{c.Rules.Validate(), profiles.ValidateComputed(c.Computed)}
	if c.MaxIdentifiers < 1 || c.Recent < 0 || c.Products < 0 {
		errs = append(errs, errors.New("profiles: at least one identifier and no negative number of events or products"))
	}
	if c.MaxSearchRows < 1 {
		errs = append(errs, errors.New("profiles: a search must be allowed to read rows"))
	}
	if c.MaxExecution < time.Second || c.VersionAge < 0 {
		errs = append(errs, errors.New("profiles: max execution must be a second or more, and the age of a version not negative"))
	}
	return errors.Join(errs...)
}

// Store reads profiles from ClickHouse. It is safe for concurrent use.
type Store struct {
	cfg      Config
	conn     driver.Conn
	now      func() time.Time
	versions versions

	withdrawals withdrawals
	computation *computation
}

var (
	_ profiles.Store    = (*Store)(nil)
	_ profiles.History  = (*Store)(nil)
	_ profiles.Accounts = (*Store)(nil)
	_ profiles.Searcher = (*Store)(nil)
)

// New returns a Store on conn, whose default database is Kindred's. now is the
// clock by which versions age.
func New(cfg Config, conn driver.Conn, now func() time.Time) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Store{cfg: cfg, conn: conn, now: now, computation: newComputation(cfg.Computed), withdrawals: withdrawals{known: map[string]withdrawn{}}, versions: versions{known: map[string]version{}, generation: map[string]uint64{}}}, nil
}

// query runs a query within its limits and calls scan for each row. Its errors
// hold no values. A point read on many threads costs more to start than to run.
func (s *Store) query(ctx context.Context, query string, scan func(driver.Rows) error, args ...any) error {
	settings := clickhouse.Settings{
		"max_execution_time": int(s.cfg.MaxExecution / time.Second),
		"max_threads":        1,
	}
	if s.cfg.Patient {
		settings["priority"] = warehouse.PriorityPatient
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(settings))
	return s.run(ctx, query, scan, args...)
}

// run is query within the limits of ctx.
func (s *Store) run(ctx context.Context, query string, scan func(driver.Rows) error, args ...any) error {
	rows, err := s.conn.Query(ctx, query, args...)
	if err != nil {
		return Concise(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return Concise(rows.Err())
}

// resolveSQL asks at once whether an event carried the identifier, whether its
// anchor has a deciding identifier of its own (a household value has none: 0),
// and to which profile it belongs.
const resolveSQL = `SELECT toUInt8(0) AS what, identifier_id AS id
FROM identifiers
WHERE workspace = {workspace:String} AND identifier_id = {key:UInt64} AND first_received > (
    SELECT max(erased_at) FROM identity_erasures
    WHERE workspace = {workspace:String} AND id = {key:UInt64} AND what = 'identifier'
)
LIMIT 1
UNION ALL
SELECT toUInt8(1), argMax(owner_id, (epoch, sequence))
FROM anchor_owner
WHERE workspace = {workspace:String} AND anchor_id = {key:UInt64} AND ` + countedSQL + `
HAVING count() > 0
UNION ALL
SELECT toUInt8(2), argMax(profile_id, (epoch, sequence))
FROM identifier_profile
WHERE workspace = {workspace:String} AND identifier_id = {key:UInt64} AND ` + countedSQL + `
HAVING count() > 0`

// Resolve implements profiles.Store.
func (s *Store) Resolve(ctx context.Context, workspace string, key identity.Key) (identity.ProfileID, error) {
	v, err := s.version(ctx, workspace)
	if err != nil {
		return 0, fmt.Errorf("resolve identifier: %w", err)
	}
	seen, owned, id := false, true, uint64(key)
	err = s.query(ctx, resolveSQL, func(rows driver.Rows) error {
		var what uint8
		var found uint64
		if err := rows.Scan(&what, &found); err != nil {
			return err
		}
		switch what {
		case 0:
			seen = true
		case 1:
			owned = found != 0
		case 2:
			id = found
		}
		return nil
	}, append(v.bind(), clickhouse.Named("workspace", workspace), clickhouse.Named("key", uint64(key)))...)
	switch {
	case err != nil:
		return 0, fmt.Errorf("resolve identifier: %w", err)
	case !seen || !owned:
		return 0, profiles.ErrNotFound
	}
	return identity.ProfileID(id), nil
}

// Load implements profiles.Store.
func (s *Store) Load(ctx context.Context, workspace string, id identity.ProfileID) (*profiles.Profile, error) {
	r, err := s.open(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	p := &profiles.Profile{ID: id}
	if err := r.all(ctx, p, r.identifiers, r.findAnchors, r.scores, r.household); err != nil {
		return nil, err
	}
	if len(p.Identifiers) == 0 {
		return nil, profiles.ErrNotFound
	}
	if err := r.maskErased(ctx); err != nil {
		return nil, fmt.Errorf("load profile %s: %w", id, err)
	}
	if err := r.all(ctx, p, r.activityAndParts, r.recent, r.traits, r.computed); err != nil {
		return nil, err
	}
	p.Traits = profiles.WithComputed(p.Traits, r.fromEvents)
	return p, nil
}

// open returns a reader of a profile at the present version, which knows the keys
// of its identifiers.
func (s *Store) open(ctx context.Context, workspace string, id identity.ProfileID) (*reader, error) {
	r := &reader{Store: s, workspace: workspace, id: id}
	var err error
	if r.version, err = s.version(ctx, workspace); err != nil {
		return nil, fmt.Errorf("load profile %s: %w", id, err)
	}
	if r.keys, err = r.members(ctx); err != nil {
		return nil, fmt.Errorf("load profile %s: members: %w", id, err)
	}
	if len(r.keys) == 0 {
		return nil, profiles.ErrNotFound
	}
	return r, nil
}

// openEvents is open with the anchors of the profile's events. A profile that no
// event ever named has none.
func (s *Store) openEvents(ctx context.Context, workspace string, id identity.ProfileID) (*reader, error) {
	r, err := s.open(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	if err := r.all(ctx, &profiles.Profile{}, r.findAnchors); err != nil {
		return nil, err
	}
	r.reborn = true // It may be: identifiers have not been read.
	if err := r.maskErased(ctx); err != nil {
		return nil, fmt.Errorf("load profile %s: %w", id, err)
	}
	return r, nil
}

// reader reads the parts of one profile. Its parts fill different fields, so
// they may run at once.
type reader struct {
	*Store
	workspace string
	id        identity.ProfileID
	version   version
	keys      []uint64 // of its identifiers
	anchors   []uint64 // of its events
	times     times    // of those that are not always its

	everyIdentifier bool // instead of Config.MaxIdentifiers
	fromEvents      []profiles.Trait
	groups          uint64 // events that name accounts
	reborn          bool   // some of its identifiers were erased once
	erased          erased // anchors of which a part is erased
}

// all reads several parts at once.
func (r *reader) all(ctx context.Context, p *profiles.Profile, parts ...func(context.Context, *profiles.Profile) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range parts {
		group.Go(func() error { return part(ctx, p) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("load profile %s: %w", r.id, err)
	}
	return nil
}

// read runs a query with the workspace and the profile bound.
func (r *reader) read(ctx context.Context, what, query string, scan func(driver.Rows) error, args ...any) error {
	args = append(args, clickhouse.Named("workspace", r.workspace), clickhouse.Named("profile", uint64(r.id)))
	if err := r.query(ctx, query, scan, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

package features

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// Knowledge says which events were known at a moment.
type Knowledge string

// The kinds of knowledge; see the package documentation.
const (
	Received  Knowledge = "received"
	EventTime Knowledge = "event_time"
)

// Deps are what a Reader needs of its surroundings.
type Deps struct {
	// Conn is a connection to Kindred's database. Required.
	Conn driver.Conn
	// Then returns the profile of every identifier by the evidence of up to a moment.
	// Nil: EventTime goes by identity as it is today.
	Then func(ctx context.Context, workspace string, at time.Time) (iter.Seq2[identity.Key, identity.ProfileID], error)
}

// Reader reads features and answers. It is safe for concurrent use.
type Reader struct{ deps Deps }

// New returns a reader.
func New(deps Deps) (*Reader, error) {
	if deps.Conn == nil {
		return nil, errors.New("features: a connection is required")
	}
	return &Reader{deps}, nil
}

// IdentityThen reports whether EventTime goes by identity as it was.
func (r *Reader) IdentityThen() bool { return r.deps.Then != nil }

// Request says which rows are wanted.
type Request struct {
	Workspace string
	// AsOf is the moment, in whole milliseconds.
	AsOf      time.Time
	Knowledge Knowledge
	Catalogue Catalogue
	// Every takes one in so many profiles, by their ids; 0 and 1 all.
	Every uint64
	// Profiles, where it is not nil, restricts the rows to these present ids.
	Profiles []identity.ProfileID
}

// Row is what was known of a profile. Numbers are in the order of Catalogue.Names, NaN
// where there is none; they are valid until the next row.
type Row struct {
	// Profile is the id at the moment, Present the one that it has now.
	Profile, Present identity.ProfileID
	Numbers          []float32
}

// Each calls take with every row, in no order. An error of take ends it.
func (r *Reader) Each(ctx context.Context, q Request, take func(Row) error) error {
	reading, err := warehouse.ReadingNow(ctx, r.deps.Conn, q.Workspace)
	if err != nil {
		return fmt.Errorf("read features: %w", profilestore.Concise(err))
	}
	past, err := warehouse.PastOf(ctx, r.deps.Conn, q.Workspace, q.AsOf)
	if err != nil {
		return fmt.Errorf("read features: %w", profilestore.Concise(err))
	}
	past.Changes = past.Changes && q.Knowledge == Received
	t := template{reading: reading, history: past.Changes, erasures: past.Erasures, some: q.Profiles != nil}
	if ctx, t.external, err = r.then(ctx, q); err != nil {
		return fmt.Errorf("identity as of then: %w", err)
	}
	rows, err := r.deps.Conn.Query(bound(ctx), t.query(), past.Args(reading.Args(q.arguments()...)...)...)
	if err != nil {
		return fmt.Errorf("read features: %w", profilestore.Concise(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var row Row
		var profile, present uint64
		if err := rows.Scan(&profile, &present, &row.Numbers); err != nil {
			return fmt.Errorf("read features: %w", profilestore.Concise(err))
		}
		row.Profile, row.Present = identity.ProfileID(profile), identity.ProfileID(present)
		if err := take(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read features: %w", profilestore.Concise(err))
	}
	return nil
}

// spill is how much memory a grouping may take before it goes on on disk.
const spill = 1 << 30

func bound(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"max_bytes_before_external_group_by": spill, "max_execution_time": 600,
	}))
}

func (q Request) arguments() []any {
	args := []any{
		clickhouse.Named("workspace", q.Workspace), clickhouse.Named("as_of", q.AsOf.UnixMilli()),
		clickhouse.Named("received", q.Knowledge == Received), clickhouse.Named("every", max(uint64(1), q.Every)), clickhouse.Named("currency", q.Catalogue.Currency),
	}
	for i := range Slots {
		name := "\x00" // Of no event.
		if i < len(q.Catalogue.Events) {
			name = q.Catalogue.Events[i]
		}
		args = append(args, clickhouse.Named(fmt.Sprintf("name_%d", i), name))
	}
	if q.Profiles != nil {
		ids := make([]uint64, len(q.Profiles))
		for i, id := range q.Profiles {
			ids[i] = uint64(id)
		}
		args = append(args, clickhouse.Named("profiles", ids))
	}
	return args
}

// then puts into ctx what the evidence of then says of identifiers, where a request
// asks for what had happened by then: those whose profile is another one today.
func (r *Reader) then(ctx context.Context, q Request) (context.Context, bool, error) {
	if q.Knowledge != EventTime || r.deps.Then == nil || q.Profiles != nil {
		return ctx, false, nil
	}
	table, err := ext.NewTable(thenTable, ext.Column("subject", "UInt64"), ext.Column("was", "UInt64"))
	if err != nil {
		return ctx, false, err
	}
	then, err := r.deps.Then(ctx, q.Workspace, q.AsOf.Add(-time.Millisecond))
	if err != nil {
		return ctx, false, err
	}
	today, err := r.today(ctx, q.Workspace)
	if err != nil {
		return ctx, false, err
	}
	rows := 0
	for key, profile := range then {
		if old, now := identity.ProfileID(key), profile; today[key] != now && (today[key] != 0 || old != now) {
			rows++
			if err := table.Append(uint64(key), uint64(profile)); err != nil {
				return ctx, false, err
			}
		}
		delete(today, key)
	}
	// Identifiers that were not known then have nobody.
	for key, profile := range today {
		if uint64(profile) != uint64(key) {
			rows++
			if err := table.Append(uint64(key), uint64(key)); err != nil {
				return ctx, false, err
			}
		}
	}
	if rows == 0 {
		return ctx, false, nil
	}
	return clickhouse.Context(ctx, clickhouse.WithExternalTable(table)), true, nil
}

const todaySQL = `SELECT identifier_id, %s AS profile FROM identifier_profile WHERE workspace = {workspace:String} GROUP BY identifier_id`

// today are the identifiers that have, or had, another profile than their own.
func (r *Reader) today(ctx context.Context, workspace string) (map[identity.Key]identity.ProfileID, error) {
	rows, err := r.deps.Conn.Query(ctx, fmt.Sprintf(todaySQL, warehouse.IdentifierProfile("identifier_id")), clickhouse.Named("workspace", workspace))
	if err != nil {
		return nil, profilestore.Concise(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[identity.Key]identity.ProfileID{}
	for rows.Next() {
		var key, profile uint64
		if err := rows.Scan(&key, &profile); err != nil {
			return nil, profilestore.Concise(err)
		}
		all[identity.Key(key)] = identity.ProfileID(profile)
	}
	return all, rows.Err()
}

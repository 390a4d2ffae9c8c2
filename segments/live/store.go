package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/segments"
)

// Store answers from the tables of segments. It is safe for concurrent use.
type Store struct{ conn driver.Conn }

var _ segments.Memberships = (*Store)(nil)

// NewStore returns a store that reads through conn.
func NewStore(conn driver.Conn) *Store { return &Store{conn: conn} }

// query runs a query and hands each row to scan.
func (s *Store) query(ctx context.Context, what, query string, scan func(driver.Rows) error, args ...any) error {
	rows, err := s.conn.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", what, profilestore.Concise(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("read %s: %w", what, profilestore.Concise(err))
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", what, profilestore.Concise(err))
	}
	return nil
}

const listSQL = `
SELECT d.segment, d.last, d.changed, d.actor, d.description, d.definition,
	s.evaluated, s.good, s.revision, s.members, s.error
FROM
(
	SELECT segment, max(segment_definitions.revision) AS last, argMax(changed_at, segment_definitions.revision) AS changed,
		argMax(segment_definitions.actor, segment_definitions.revision) AS actor, argMax(segment_definitions.description, segment_definitions.revision) AS description,
		argMax(segment_definitions.definition, segment_definitions.revision) AS definition
	FROM segment_definitions
	WHERE workspace = {workspace:String} AND ({segment:String} = '' OR segment = {segment:String})
	GROUP BY segment
	HAVING NOT argMax(archived, segment_definitions.revision)
) AS d
LEFT JOIN
(
	SELECT segment, max(evaluated_at) AS evaluated, argMax(good_at, evaluated_at) AS good, argMax(segment_states.revision, evaluated_at) AS revision,
		argMax(segment_states.members, evaluated_at) AS members, argMax(segment_states.error, evaluated_at) AS error
	FROM segment_states
	WHERE workspace = {workspace:String}
	GROUP BY segment
) AS s ON d.segment = s.segment
ORDER BY d.segment`

func (s *Store) list(ctx context.Context, workspace string, id segments.ID) ([]segments.Segment, error) {
	list := []segments.Segment{}
	err := s.query(ctx, "segments", listSQL, func(rows driver.Rows) error {
		var one segments.Segment
		var name, definition string
		t := &one.State
		if err := rows.Scan(&name, &one.Revision, &one.ChangedAt, &one.Actor, &one.Description, &definition,
			&t.EvaluatedAt, &t.GoodAt, &t.Revision, &t.Members, &t.Error); err != nil {
			return err
		}
		one.ID, one.Definition = segments.ID(name), json.RawMessage(definition)
		t.EvaluatedAt, t.GoodAt = zeroed(t.EvaluatedAt), zeroed(t.GoodAt)
		list = append(list, one)
		return nil
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("segment", string(id)))
	return list, err
}

// zeroed turns the zero of the server into that of Go.
func zeroed(t time.Time) time.Time {
	if t.Unix() == 0 {
		return time.Time{}
	}
	return t
}

// List implements segments.Memberships.
func (s *Store) List(ctx context.Context, workspace string) ([]segments.Segment, error) {
	return s.list(ctx, workspace, "")
}

// Get implements segments.Memberships.
func (s *Store) Get(ctx context.Context, workspace string, id segments.ID) (*segments.Segment, error) {
	if !id.Valid() {
		return nil, segments.ErrNoSegment
	}
	list, err := s.list(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, segments.ErrNoSegment
	}
	return &list[0], nil
}

var _ segments.Library = (*Store)(nil)

// Definition implements segments.Library.
func (s *Store) Definition(ctx context.Context, workspace, id string) (segments.Definition, bool, error) {
	one, err := s.Get(ctx, workspace, segments.ID(id))
	if errors.Is(err, segments.ErrNoSegment) {
		return segments.Definition{}, false, nil
	}
	if err != nil {
		return segments.Definition{}, false, err
	}
	d, err := segments.Parse(one.Definition)
	return d, err == nil, nil // One that this release cannot read is none to it.
}

const versionsSQL = `
SELECT revision, changed_at, actor, archived, description, definition
FROM segment_definitions
WHERE workspace = {workspace:String} AND segment = {segment:String}
ORDER BY revision DESC`

// Versions implements segments.Memberships.
func (s *Store) Versions(ctx context.Context, workspace string, id segments.ID) ([]segments.Segment, error) {
	var list []segments.Segment
	err := s.query(ctx, "versions of a segment", versionsSQL, func(rows driver.Rows) error {
		one := segments.Segment{ID: id}
		var definition string
		err := rows.Scan(&one.Revision, &one.ChangedAt, &one.Actor, &one.Archived, &one.Description, &definition)
		if definition != "" {
			one.Definition = json.RawMessage(definition)
		}
		list = append(list, one)
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("segment", string(id)))
	if err == nil && len(list) == 0 {
		err = segments.ErrNoSegment
	}
	return list, err
}

const membersSQL = `
SELECT profile_id, argMax(time, block) AS since
FROM segment_changes
WHERE workspace = {workspace:String} AND segment = {segment:String} AND profile_id > {after:UInt64}
	AND toUnixTimestamp64Milli(time) <= {at:Int64}
GROUP BY profile_id
HAVING argMax(entered, block)
ORDER BY profile_id
LIMIT {limit:UInt64}`

// Members implements segments.Memberships.
func (s *Store) Members(ctx context.Context, workspace string, id segments.ID, at time.Time, after identity.ProfileID, limit int) ([]segments.Member, error) {
	until := int64(math.MaxInt64)
	if !at.IsZero() {
		until = at.UnixMilli()
	}
	list := []segments.Member{}
	err := s.query(ctx, "members of a segment", membersSQL, func(rows driver.Rows) error {
		var m segments.Member
		var profile uint64
		err := rows.Scan(&profile, &m.Since)
		m.Profile = identity.ProfileID(profile)
		list = append(list, m)
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("segment", string(id)), clickhouse.Named("after", uint64(after)),
		clickhouse.Named("at", until), clickhouse.Named("limit", uint64(limit)))
	return list, err
}

const changesSQL = `
SELECT segment, profile_id, block, entered, time, cause, revision, turned
FROM segment_changes
WHERE workspace = {workspace:String} AND segment = {segment:String} AND (block, profile_id) > ({block:UInt64}, {after:UInt64})
ORDER BY block, profile_id
LIMIT {limit:UInt64}`

// Changes implements segments.Memberships.
func (s *Store) Changes(ctx context.Context, workspace string, id segments.ID, block uint64, after identity.ProfileID, limit int) ([]segments.Change, error) {
	return s.changes(ctx, changesSQL, clickhouse.Named("workspace", workspace), clickhouse.Named("segment", string(id)), clickhouse.Named("block", block),
		clickhouse.Named("after", uint64(after)), clickhouse.Named("limit", uint64(limit)))
}

// blocksSQL takes what is behind a place up to a block; the first condition is what
// the server finds the rows by.
const blocksSQL = `
SELECT segment, profile_id, block, entered, time, cause, revision, turned
FROM segment_changes
WHERE workspace = {workspace:String} AND block >= {block:UInt64} AND block <= {until:UInt64}
	AND (block, segment, profile_id) > ({block:UInt64}, {segment:String}, {after:UInt64})
ORDER BY block, segment, profile_id
LIMIT {limit:UInt64}`

// blocks returns at most limit changes of all segments behind a place, up to a block.
func (s *Store) blocks(ctx context.Context, workspace string, behind position, until uint64, limit int) ([]segments.Change, error) {
	return s.changes(ctx, blocksSQL, clickhouse.Named("workspace", workspace), clickhouse.Named("block", behind.block), clickhouse.Named("segment", behind.segment),
		clickhouse.Named("after", behind.profile), clickhouse.Named("until", until), clickhouse.Named("limit", uint64(limit)))
}

func (s *Store) changes(ctx context.Context, query string, args ...any) ([]segments.Change, error) {
	list := []segments.Change{}
	err := s.query(ctx, "changes of a segment", query, func(rows driver.Rows) error {
		var c segments.Change
		var profile uint64
		var name, cause string
		err := rows.Scan(&name, &profile, &c.Block, &c.Entered, &c.Time, &cause, &c.Revision, &c.Leaves)
		c.Segment, c.Profile, c.Cause = segments.ID(name), identity.ProfileID(profile), segments.Cause(cause)
		list = append(list, c)
		return err
	}, args...)
	return list, err
}

const ofSQL = `
SELECT segment, argMax(time, block) AS since
FROM segment_changes
WHERE workspace = {workspace:String} AND profile_id = {profile:UInt64} AND segment IN (
	SELECT segment FROM segment_definitions WHERE workspace = {workspace:String} GROUP BY segment HAVING NOT argMax(archived, revision)
)
GROUP BY segment
HAVING argMax(entered, block)
ORDER BY segment`

// Of implements segments.Memberships.
func (s *Store) Of(ctx context.Context, workspace string, profile identity.ProfileID) ([]segments.Membership, error) {
	list := []segments.Membership{}
	err := s.query(ctx, "segments of a profile", ofSQL, func(rows driver.Rows) error {
		var m segments.Membership
		var name string
		err := rows.Scan(&name, &m.Since)
		m.Segment = segments.ID(name)
		list = append(list, m)
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("profile", uint64(profile)))
	return list, err
}

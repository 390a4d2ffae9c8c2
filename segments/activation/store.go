package activation

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/segments"
)

// Store answers from the tables of destinations. It is safe for concurrent use.
type Store struct{ conn driver.Conn }

// NewStore returns a store that reads through conn.
func NewStore(conn driver.Conn) *Store { return &Store{conn: conn} }

const destinationsSQL = `
SELECT d.workspace, d.destination, d.last, d.changed, d.by, d.text, d.sealed,
	p.sequence, p.place.1, p.place.2, p.place.3, p.at, p.synced.1, p.synced.2, p.counts.1, p.counts.2, p.counts.3, p.counts.4, p.failing, p.error
FROM
(
	SELECT workspace, destination, max(destinations.revision) AS last, argMax(changed_at, destinations.revision) AS changed, argMax(destinations.actor, destinations.revision) AS by,
		argMax(destinations.definition, destinations.revision) AS text, argMax(destinations.secrets, destinations.revision) AS sealed
	FROM destinations
	WHERE ({workspace:String} = '' OR workspace = {workspace:String}) AND ({destination:String} = '' OR destination = {destination:String})
	GROUP BY workspace, destination
	HAVING NOT argMax(archived, destinations.revision)
) AS d
LEFT JOIN
(
	SELECT workspace, destination, max(destination_places.sequence) AS sequence,
		argMax((block, toString(segment), behind), destination_places.sequence) AS place, argMax(written_at, destination_places.sequence) AS at,
		argMax((destination_places.synced, synced_at), destination_places.sequence) AS synced,
		argMax((delivered, withheld, passed, letters), destination_places.sequence) AS counts,
		argMax(destination_places.failing, destination_places.sequence) AS failing, argMax(toString(destination_places.error), destination_places.sequence) AS error
	FROM destination_places
	GROUP BY workspace, destination
) AS p ON d.workspace = p.workspace AND d.destination = p.destination
ORDER BY d.workspace, d.destination`

// stored is a destination with its place.
type stored struct {
	Destination
	invalid  error // this release does not understand the definition
	sequence uint64
	place    position
	synced   uint64
}

// read returns the live destinations of a workspace, or of all where it is empty.
func (s *Store) read(ctx context.Context, workspace string, id ID) (list []stored, err error) {
	err = query(ctx, s.conn, "destinations", destinationsSQL, func(rows driver.Rows) error {
		var one stored
		var name, text string
		t := &one.State
		if err := rows.Scan(&one.Workspace, &name, &one.Revision, &one.ChangedAt, &one.Actor, &text, &one.sealed,
			&one.sequence, &one.place.block, &one.place.segment, &one.place.profile, &t.At, &one.synced, &t.SyncedAt,
			&t.Delivered, &t.Withheld, &t.Passed, &t.Letters, &t.Failing, &t.Error); err != nil {
			return err
		}
		one.ID, one.ChangedAt, t.At, t.SyncedAt, t.Block = ID(name), one.ChangedAt.UTC(), zeroed(t.At), zeroed(t.SyncedAt), one.place.block
		d, invalid := Parse([]byte(text))
		if one.invalid = invalid; invalid == nil {
			one.Definition = *d
		}
		list = append(list, one)
		return nil
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("destination", string(id)))
	return list, err
}

// revisions returns how many rows of definitions are stored, which only grow: the server
// knows it without reading any.
func (s *Store) revisions(ctx context.Context) (rows uint64, err error) {
	if err := s.conn.QueryRow(ctx, "SELECT count() FROM destinations").Scan(&rows); err != nil {
		return 0, fmt.Errorf("count destinations: %w", profilestore.Concise(err))
	}
	return rows, nil
}

// zeroed turns the zero of the server into that of Go.
func zeroed(t time.Time) time.Time {
	if t.Unix() == 0 {
		return time.Time{}
	}
	return t.UTC()
}

// List returns the live destinations of a workspace by name.
func (s *Store) List(ctx context.Context, workspace string) ([]Destination, error) {
	found, err := s.read(ctx, workspace, "")
	list := make([]Destination, 0, len(found))
	for _, one := range found {
		list = append(list, one.Destination)
	}
	return list, err
}

// Get returns one live destination, or ErrNoDestination.
func (s *Store) Get(ctx context.Context, workspace string, id ID) (*Destination, error) {
	if !id.Valid() {
		return nil, ErrNoDestination
	}
	found, err := s.read(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNoDestination
	}
	return &found[0].Destination, nil
}

// position is a place in the order of all changes of a workspace.
type position struct {
	block   uint64
	segment string
	profile uint64
}

// behind is the place behind a change.
func behind(c segments.Change) position {
	return position{c.Block, string(c.Segment), uint64(c.Profile)}
}

const headSQL = `SELECT max(block) FROM segment_changes WHERE workspace = {workspace:String} AND block >= {block:UInt64}`

// head returns the last block that is stored, from one on; 0 for none.
func (s *Store) head(ctx context.Context, workspace string, from uint64) (block uint64, err error) {
	if err := s.conn.QueryRow(ctx, headSQL, clickhouse.Named("workspace", workspace), clickhouse.Named("block", from)).Scan(&block); err != nil {
		return 0, fmt.Errorf("read the last change of segments: %w", profilestore.Concise(err))
	}
	return block, nil
}

// changesSQL takes what is behind a place up to a block; the first condition is what
// the server finds the rows by.
const changesSQL = `
SELECT segment, profile_id, block, entered, time, cause, revision, turned
FROM segment_changes
WHERE workspace = {workspace:String} AND block >= {block:UInt64} AND block <= {until:UInt64}
	AND (block, segment, profile_id) > ({block:UInt64}, {segment:String}, {after:UInt64}) AND segment IN {segments:Array(String)}
ORDER BY block, segment, profile_id
LIMIT {limit:UInt64}`

// changes returns at most limit changes of some segments behind a place, up to a block.
func (s *Store) changes(ctx context.Context, workspace string, of []segments.ID, from position, until uint64, limit int) ([]segments.Change, error) {
	var list []segments.Change
	err := query(ctx, s.conn, "changes of segments", changesSQL, func(rows driver.Rows) error {
		c, err := scanChange(rows)
		list = append(list, c)
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("segments", texts(of)), clickhouse.Named("block", from.block), clickhouse.Named("segment", from.segment),
		clickhouse.Named("after", from.profile), clickhouse.Named("until", until), clickhouse.Named("limit", uint64(limit)))
	return list, err
}

func scanChange(rows driver.Rows) (c segments.Change, err error) {
	var profile uint64
	var name, cause string
	err = rows.Scan(&name, &profile, &c.Block, &c.Entered, &c.Time, &cause, &c.Revision, &c.Leaves)
	c.Segment, c.Profile, c.Cause = segments.ID(name), identity.ProfileID(profile), segments.Cause(cause)
	return c, err
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = string(x)
	}
	return out
}

const toldSQL = `SELECT argMax(entered, block) FROM destination_told
WHERE workspace = {workspace:String} AND destination = {destination:String} AND segment = {segment:String} AND profile_id = {profile:UInt64}`

// told reports whether a destination was told last that a profile is in a segment.
func (s *Store) told(ctx context.Context, workspace string, id ID, segment segments.ID, profile identity.ProfileID) (entered bool, err error) {
	row := s.conn.QueryRow(ctx, toldSQL, clickhouse.Named("workspace", workspace), clickhouse.Named("destination", string(id)),
		clickhouse.Named("segment", string(segment)), clickhouse.Named("profile", uint64(profile)))
	if err := row.Scan(&entered); err != nil {
		return false, fmt.Errorf("read what was told: %w", profilestore.Concise(err))
	}
	return entered, nil
}

const memberSQL = `SELECT argMax(entered, block), max(block) FROM segment_changes
WHERE workspace = {workspace:String} AND segment = {segment:String} AND profile_id = {profile:UInt64}`

// member reports whether a profile is in a segment, and by which block.
func (s *Store) member(ctx context.Context, workspace string, segment segments.ID, profile identity.ProfileID) (in bool, block uint64, err error) {
	row := s.conn.QueryRow(ctx, memberSQL, clickhouse.Named("workspace", workspace), clickhouse.Named("segment", string(segment)), clickhouse.Named("profile", uint64(profile)))
	if err := row.Scan(&in, &block); err != nil {
		return false, 0, fmt.Errorf("read a member: %w", profilestore.Concise(err))
	}
	return in, block, nil
}

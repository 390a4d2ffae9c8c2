package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/segments"
)

// Bounds of what a workspace may define.
const (
	MaxSegments    = 500
	MaxDescription = 1000 // bytes
)

// ErrConflict and ErrRefused are wrapped by the errors of changes that were not made.
var (
	ErrConflict = errors.New("conflict")
	ErrRefused  = errors.New("refused")
)

// Change asks for a new state of a segment.
type Change struct {
	// Expected is the revision that the author has seen, 0 for a new segment.
	Expected    uint64          `json:"expected_revision"`
	Archive     bool            `json:"archive,omitempty"`
	Description string          `json:"description,omitempty"`
	Definition  json.RawMessage `json:"definition,omitempty"`
}

// Check returns nil when the change may be asked for, a *segments.Invalid, or an
// error that wraps ErrRefused.
func (c *Change) Check(id segments.ID) error {
	switch {
	case !id.Valid():
		return fmt.Errorf("%w: the name of a segment must be 1 to 64 of a-z, 0-9, _ and -, and not \"preview\" or \"parse\"", ErrRefused)
	case len(c.Description) > MaxDescription:
		return fmt.Errorf("%w: the description has more than %d bytes", ErrRefused, MaxDescription)
	case c.Archive:
		return nil
	}
	_, err := segments.Parse(c.Definition)
	return err
}

// Place is where a change stands in the order of all decisions.
type Place struct {
	Workspace string
	Segment   segments.ID
	Revision  uint64
	Actor     string
	Time      time.Time
}

// Definitions writes the definitions of segments.
type Definitions struct{ conn driver.Conn }

// NewDefinitions returns a writer through conn.
func NewDefinitions(conn driver.Conn) *Definitions { return &Definitions{conn: conn} }

// Apply makes a change. It looks only at lower revisions than that of the place, and
// writes one row under a token of the revision, so that a change applied again comes
// to the same. It returns what Check does, or an error that wraps ErrConflict.
func (d *Definitions) Apply(ctx context.Context, at Place, c Change) error {
	if err := c.Check(at.Segment); err != nil {
		return err
	}
	current, live, err := d.current(ctx, at)
	switch {
	case err != nil:
		return err
	case current == 0 && (c.Archive || c.Expected != 0):
		return fmt.Errorf("%w: there is no such segment", ErrConflict)
	case current != c.Expected:
		return fmt.Errorf("%w: the segment is at revision %d", ErrConflict, current)
	case current == 0 && live >= MaxSegments:
		return fmt.Errorf("%w: the workspace has %d segments, which is the limit", ErrRefused, live)
	}
	if err := d.references(ctx, at, c); err != nil {
		return err
	}
	return insert(ctx, d.conn, "segments/"+strconv.FormatUint(at.Revision, 10), "segment_definitions",
		"workspace, segment, revision, changed_at, actor, archived, description, definition",
		[][]any{{at.Workspace, string(at.Segment), at.Revision, at.Time, at.Actor, c.Archive, c.Description, string(c.Definition)}})
}

const othersSQL = `
	SELECT segment, argMax(segment_definitions.definition, revision) FROM segment_definitions
	WHERE workspace = {workspace:String} AND revision < {revision:UInt64} GROUP BY segment HAVING NOT argMax(archived, revision)`

// references refuses a change after which some segment named one that is not there,
// or led back to itself, or was too large with those that it names.
func (d *Definitions) references(ctx context.Context, at Place, c Change) error {
	all := library{}
	err := NewStore(d.conn).query(ctx, "segment definitions", othersSQL, func(rows driver.Rows) error {
		var name, text string
		err := rows.Scan(&name, &text)
		if one, invalid := segments.Parse([]byte(text)); invalid == nil {
			all[name] = one
		}
		return err
	}, clickhouse.Named("workspace", at.Workspace), clickhouse.Named("revision", at.Revision))
	if err != nil {
		return err
	}
	self, before := string(at.Segment), maps.Clone(all)
	delete(all, self)
	if !c.Archive {
		changed, err := segments.Parse(c.Definition)
		if err != nil {
			return err
		}
		all[self] = changed
		if _, err := segments.Resolve(ctx, all, at.Workspace, self, changed); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		_, was := segments.Resolve(ctx, before, at.Workspace, name, all[name])
		_, is := segments.Resolve(ctx, all, at.Workspace, name, all[name])
		if name != self && was == nil && is != nil {
			return fmt.Errorf("%w: segment %q names this one, and could no longer be evaluated", ErrRefused, name)
		}
	}
	return nil
}

const currentSQL = `
	SELECT maxIf(last, name = {segment:String} AND NOT ended), countIf(NOT ended) FROM
	(
		SELECT segment AS name, max(revision) AS last, argMax(archived, revision) AS ended
		FROM segment_definitions WHERE workspace = {workspace:String} AND revision < {revision:UInt64} GROUP BY segment
	)`

func (d *Definitions) current(ctx context.Context, at Place) (revision, live uint64, err error) {
	row := d.conn.QueryRow(ctx, currentSQL, clickhouse.Named("segment", string(at.Segment)),
		clickhouse.Named("workspace", at.Workspace), clickhouse.Named("revision", at.Revision))
	if err := row.Scan(&revision, &live); err != nil {
		return 0, 0, fmt.Errorf("read segment definitions: %w", profilestore.Concise(err))
	}
	return revision, live, nil
}

// insert stores rows as one block under a token: a second insert with the token is
// ignored, from any process at any time within the window of the table.
func insert(ctx context.Context, conn driver.Conn, token, table, columns string, rows [][]any) error {
	return insertBy(ctx, conn, token, table, columns, func(batch driver.Batch) error {
		for _, row := range rows {
			if err := batch.Append(row...); err != nil {
				return err
			}
		}
		return nil
	})
}

// insertColumns is insert of values that are there column by column.
func insertColumns(ctx context.Context, conn driver.Conn, token, table, columns string, values []any) error {
	return insertBy(ctx, conn, token, table, columns, func(batch driver.Batch) error {
		for i, column := range values {
			if err := batch.Column(i).Append(column); err != nil {
				return err
			}
		}
		return nil
	})
}

func insertBy(ctx context.Context, conn driver.Conn, token, table, columns string, fill func(driver.Batch) error) error {
	if token != "" {
		ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
			"insert_deduplicate": 1, "insert_deduplication_token": token, "async_insert": 0,
		}))
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+columns+")")
	if err != nil {
		return fmt.Errorf("insert %s: %w", table, profilestore.Concise(err))
	}
	defer func() { _ = batch.Close() }()
	if err := fill(batch); err != nil {
		return fmt.Errorf("insert %s: %w", table, profilestore.Concise(err))
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert %s: %w", table, profilestore.Concise(err))
	}
	return nil
}

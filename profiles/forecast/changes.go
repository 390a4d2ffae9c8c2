package forecast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// MaxModels is the greatest number of models of a workspace.
const MaxModels = 50

// Errors of changes. Their texts name the rule and no value.
var (
	ErrConflict = errors.New("conflict")
	ErrRefused  = errors.New("refused")
	ErrNoModel  = errors.New("there is no such model of propensity")
)

// What can be decided of a model.
const (
	Put     = "put"
	Archive = "archive"
	Train   = "train"
	Promote = "promote"
)

// Change is a decision about a model.
type Change struct {
	// Kind is put, archive, train or promote.
	Kind string `json:"kind"`
	// Expected is the revision that a put or archive has seen, 0 for a new model.
	Expected   uint64          `json:"expected,omitempty"`
	Definition json.RawMessage `json:"definition,omitempty"`
	Version    string          `json:"version,omitempty"` // of promote
}

// Place is a decision's place in the order of all.
type Place struct {
	Workspace string
	Model     string
	Revision  uint64
	Actor     string
	Time      time.Time
}

// Check refuses what is wrong whatever stands: an *Invalid, or ErrRefused.
func (c Change) Check(name string) error {
	if !ValidName(name) {
		return fmt.Errorf("%w: the name of a model begins with a letter and has 64 letters, digits, _ and - at most, and is none of the scores of lifetime value", ErrRefused)
	}
	switch c.Kind {
	case Put:
		_, err := Parse(c.Definition)
		return err
	case Archive, Train:
		return nil
	case Promote:
		if c.Version == "" {
			return fmt.Errorf("%w: the version is missing", ErrRefused)
		}
		return nil
	}
	return fmt.Errorf("%w: the change is not known", ErrRefused)
}

// Definitions writes decisions about models.
type Definitions struct{ conn driver.Conn }

// NewDefinitions returns a writer through conn.
func NewDefinitions(conn driver.Conn) *Definitions { return &Definitions{conn} }

// Apply stores a decision at its place: all that it looks at came before, so that it
// can be applied again. It returns ErrConflict, ErrRefused or an *Invalid for what
// stands against it.
func (d *Definitions) Apply(ctx context.Context, at Place, c Change) error {
	if err := c.Check(at.Model); err != nil {
		return err
	}
	current, live, err := d.current(ctx, at)
	switch {
	case err != nil:
		return err
	case c.Kind != Put && current == 0:
		return fmt.Errorf("%w: there is no such model", ErrConflict)
	case (c.Kind == Put || c.Kind == Archive) && current != c.Expected:
		return fmt.Errorf("%w: the model is at revision %d", ErrConflict, current)
	case current == 0 && live >= MaxModels:
		return fmt.Errorf("%w: the workspace has %d models, which is the limit", ErrRefused, live)
	}
	if c.Kind == Promote {
		if err := d.exists(ctx, at, c.Version); err != nil {
			return err
		}
	}
	return insert(ctx, d.conn, "models/"+strconv.FormatUint(at.Revision, 10), "model_changes (workspace, model, revision, changed_at, actor, change, definition, version)",
		at.Workspace, at.Model, at.Revision, at.Time, at.Actor, c.Kind, string(c.Definition), c.Version)
}

const currentSQL = `SELECT maxIf(last, name = {model:String} AND NOT ended), countIf(NOT ended) FROM
(
    SELECT model AS name, max(revision) AS last, argMax(change, revision) = 'archive' AS ended
    FROM model_changes WHERE workspace = {workspace:String} AND revision < {revision:UInt64} AND change IN ('put', 'archive') GROUP BY model
)`

func (d *Definitions) current(ctx context.Context, at Place) (revision, live uint64, err error) {
	row := d.conn.QueryRow(ctx, currentSQL, clickhouse.Named("model", at.Model), clickhouse.Named("workspace", at.Workspace), clickhouse.Named("revision", at.Revision))
	if err := row.Scan(&revision, &live); err != nil {
		return 0, 0, fmt.Errorf("read decisions about models: %w", profilestore.Concise(err))
	}
	return revision, live, nil
}

func (d *Definitions) exists(ctx context.Context, at Place, version string) error {
	var n uint64
	err := d.conn.QueryRow(ctx, "SELECT count() FROM model_versions WHERE workspace = {workspace:String} AND model = {model:String} AND version = {version:String}",
		clickhouse.Named("workspace", at.Workspace), clickhouse.Named("model", at.Model), clickhouse.Named("version", version)).Scan(&n)
	if err != nil {
		return fmt.Errorf("read versions of models: %w", profilestore.Concise(err))
	}
	if n == 0 {
		return fmt.Errorf("%w: the model has no such version", ErrRefused)
	}
	return nil
}

// insert stores a row; a second insert with the same token, unless it is empty, is
// ignored.
func insert(ctx context.Context, conn driver.Conn, token, into string, row ...any) error {
	if token != "" {
		ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
			"insert_deduplicate": 1, "insert_deduplication_token": token, "async_insert": 0,
		}))
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+into)
	if err == nil {
		defer func() { _ = batch.Abort() }() // An error after Send, which says nothing.
		err = batch.Append(row...)
	}
	if err == nil {
		err = batch.Send()
	}
	if err != nil {
		return fmt.Errorf("store what became of a model: %w", profilestore.Concise(err))
	}
	return nil
}

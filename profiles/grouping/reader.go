package grouping

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/lifecycle"
	"github.com/kindred-cdp/kindred/profiles/personas"
)

// Reader tells what the worker has written. It is safe for concurrent use.
type Reader struct{ conn driver.Conn }

// NewReader returns a Reader on Kindred's database.
func NewReader(conn driver.Conn) *Reader { return &Reader{conn} }

// Personas are those of a workspace, with the model that they are of.
type Personas struct {
	// Version, ComputedAt and AsOf are those of the model; empty before the first.
	Version          string
	ComputedAt, AsOf time.Time
	// Refused says why there are no personas.
	Refused string
	Cards   []Card
	// Candidates are all numbers of personas that were tried.
	Candidates []personas.Candidate
}

// Card is a persona and the number of profiles that are of it now.
type Card struct {
	personas.Persona
	Profiles uint64
}

// cardsSQL is the newest model.
const cardsSQL = `SELECT computed_at, as_of, model FROM persona_models WHERE workspace = {workspace:String} ORDER BY computed_at DESC LIMIT 1`

// Personas returns the personas of the model that stands, the most frequent first when
// it was fitted. A workspace without a model has none, and says so in Refused.
func (r *Reader) Personas(ctx context.Context, workspace string) (*Personas, error) {
	found := &Personas{Refused: "no model has been fitted yet"}
	err := r.query(ctx, cardsSQL, func(rows driver.Rows) error {
		var text string
		if err := rows.Scan(&found.ComputedAt, &found.AsOf, &text); err != nil {
			return err
		}
		var m personas.Model
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return err
		}
		found.ComputedAt, found.AsOf = found.ComputedAt.UTC(), found.AsOf.UTC()
		found.Version, found.Refused, found.Candidates = m.Version, m.Refused, m.Candidates
		for _, p := range m.Personas {
			found.Cards = append(found.Cards, Card{Persona: p})
		}
		return nil
	}, clickhouse.Named("workspace", workspace))
	if err != nil {
		return nil, fmt.Errorf("read personas: %w", err)
	}
	sizes, err := r.count(ctx, workspace, "persona")
	if err != nil {
		return nil, fmt.Errorf("count personas: %w", err)
	}
	for i := range found.Cards {
		found.Cards[i].Profiles = sizes[found.Cards[i].ID]
	}
	return found, nil
}

// count counts the profiles by a column of Current.
func (r *Reader) count(ctx context.Context, workspace, column string) (map[string]uint64, error) {
	sizes := map[string]uint64{}
	err := r.query(ctx, "SELECT "+column+", count() FROM ("+Current()+") GROUP BY "+column, func(rows driver.Rows) error {
		var name string
		var n uint64
		err := rows.Scan(&name, &n)
		sizes[name] = n
		return err
	}, clickhouse.Named("workspace", workspace))
	return sizes, err
}

// StageSize is a stage and the number of profiles that are in it now.
type StageSize struct {
	Stage    lifecycle.Stage
	Profiles uint64
}

// Transition is how many profiles went from a stage to another in a month; both may be
// the same. From is empty for who had none before, To for who has none after it.
type Transition struct {
	Month    time.Time // its first day
	From, To string
	Profiles uint64
	// Share of those who were in From when the month began; NaN where From is empty.
	Share float64
}

// Stages counts the profiles in each stage, in the order of a life.
func (r *Reader) Stages(ctx context.Context, workspace string) ([]StageSize, error) {
	sizes, err := r.count(ctx, workspace, "stage")
	if err != nil {
		return nil, fmt.Errorf("count stages: %w", err)
	}
	var list []StageSize
	for _, s := range lifecycle.Stages() {
		list = append(list, StageSize{s, sizes[string(s)]})
	}
	return list, nil
}

// Transitions returns the transitions of the months from one date to another, theirs
// included. The month of to may not be over.
func (r *Reader) Transitions(ctx context.Context, workspace string, from, to time.Time) ([]Transition, error) {
	var list []Transition
	err := r.query(ctx, Transitions(), func(rows driver.Rows) error {
		var t Transition
		err := rows.Scan(&t.Month, &t.From, &t.To, &t.Profiles, &t.Share)
		list = append(list, t)
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("from", from.Format(time.DateOnly)), clickhouse.Named("to", to.Format(time.DateOnly)))
	if err != nil {
		return nil, fmt.Errorf("read transitions of stages: %w", err)
	}
	return list, nil
}

// maxExecution bounds a query of a Reader, in seconds.
const maxExecution = 30

// query calls scan for each row.
func (r *Reader) query(ctx context.Context, sql string, scan func(driver.Rows) error, args ...any) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_execution_time": maxExecution}))
	rows, err := r.conn.Query(ctx, sql, args...)
	if err != nil {
		return profilestore.Concise(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return profilestore.Concise(rows.Err())
}

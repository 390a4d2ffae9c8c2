package plans

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/ingest/control"
)

// Kinds of commands. Their subject is the name of the plan.
const (
	KindPut     = "plan.put"     // body Change
	KindArchive = "plan.archive" // body Change without a definition
)

// Change asks for a new state of a plan.
type Change struct {
	// Expected is the revision that the author has seen, 0 for a new plan.
	Expected   uint64          `json:"expected_revision"`
	Definition json.RawMessage `json:"definition,omitempty"`
}

// Handler applies changes of plans. It is the only writer of tracking_plans.
type Handler struct{ conn driver.Conn }

var _ control.Handler = (*Handler)(nil)

// NewHandler returns a handler that writes through conn.
func NewHandler(conn driver.Conn) *Handler { return &Handler{conn: conn} }

// Apply implements control.Handler.
func (h *Handler) Apply(ctx context.Context, c *control.Placed) (control.Result, error) {
	if !ValidName(c.Subject) {
		return control.Refuse(control.Refused, "the name of a plan must be 1 to 64 of a-z, 0-9, _ and -, and not \"check\""), nil
	}
	var change Change
	if err := json.Unmarshal(c.Body, &change); err != nil {
		return control.Refuse(control.Refused, "the body is no change of a plan"), nil
	}
	d := &Definition{}
	if c.Kind == KindPut {
		var err error
		if d, err = Parse(change.Definition); err != nil {
			var invalid *Invalid
			if errors.As(err, &invalid) {
				return control.Refuse(control.Refused, "%s", invalid.Error()), nil
			}
			return control.Result{}, err
		}
	}
	current, live, err := h.current(ctx, c)
	if err != nil {
		return control.Result{}, err
	}
	switch {
	case current != change.Expected && current == 0:
		return control.Refuse(control.Conflict, "there is no such plan"), nil
	case current != change.Expected:
		return control.Refuse(control.Conflict, "the plan is at revision %d", current), nil
	case c.Kind == KindArchive && current == 0:
		return control.Refuse(control.Conflict, "there is no such plan"), nil
	case current == 0 && live >= MaxPlans:
		return control.Refuse(control.Refused, "the workspace has %d plans, which is the limit", live), nil
	}
	if err := h.write(ctx, c, d, change.Definition); err != nil {
		return control.Result{}, err
	}
	return control.Result{Verdict: control.OK, Body: map[string]uint64{"revision": c.Revision}}, nil
}

// current returns the revision of the plan before the command, 0 when it does
// not exist or was archived, and the number of live plans of the workspace.
func (h *Handler) current(ctx context.Context, c *control.Placed) (revision, live uint64, err error) {
	err = h.conn.QueryRow(ctx, `
		SELECT maxIf(last, name = ? AND NOT ended), countIf(NOT ended) FROM
		(
			SELECT plan AS name, max(revision) AS last, argMax(archived, revision) AS ended
			FROM tracking_plans WHERE workspace = ? AND revision < ? GROUP BY plan
		)`, c.Subject, c.Workspace, c.Revision).Scan(&revision, &live)
	if err != nil {
		return 0, 0, fmt.Errorf("read tracking plans: %w", err)
	}
	return revision, live, nil
}

func (h *Handler) write(ctx context.Context, c *control.Placed, d *Definition, text []byte) error {
	names, versions, modes, kinds := []string{}, []string{}, []string{}, []string{}
	for _, e := range d.Events {
		names, versions, modes = append(names, e.Name), append(versions, e.Version), append(modes, string(e.Mode))
	}
	for _, k := range d.Kinds {
		kinds = append(kinds, string(k))
	}
	return control.Insert(ctx, h.conn, c.Token(), "tracking_plans",
		`workspace, plan, revision, changed_at, actor, archived, sources, kinds, unplanned_events, unplanned_properties,
		events.name, events.version, events.mode, definition`,
		[]any{
			c.Workspace, c.Subject, c.Revision, c.Time, c.Actor, c.Kind == KindArchive, append([]string{}, d.Sources...), kinds,
			string(d.UnplannedEvents), string(d.UnplannedProperties), names, versions, modes, string(text),
		})
}

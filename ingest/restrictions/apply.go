package restrictions

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/control"
)

// Kinds of commands. Their subject is the id of the restriction.
const (
	KindRestrict = "privacy.restrict" // body Change
	KindRelease  = "privacy.release"  // body Change
)

// Change names the identifiers that are restricted or released.
type Change struct {
	Keys   []identity.Key `json:"keys"`
	Ground string         `json:"ground,omitempty"`
}

// MaxKeys bounds the identifiers of one command.
const MaxKeys = 20_000

// Handler applies restrictions and releases. It is the only writer of restrictions.
type Handler struct{ conn driver.Conn }

var _ control.Handler = (*Handler)(nil)

// NewHandler returns a handler that writes through conn.
func NewHandler(conn driver.Conn) *Handler { return &Handler{conn: conn} }

// Apply implements control.Handler. What is so already stays as it is, with the time
// since when it is so.
func (h *Handler) Apply(ctx context.Context, c *control.Placed) (control.Result, error) {
	var ask Change
	switch {
	case json.Unmarshal(c.Body, &ask) != nil:
		return control.Refuse(control.Refused, "the body is no restriction"), nil
	case !idForm.MatchString(c.Subject):
		return control.Refuse(control.Refused, "the id of a restriction must have 16 hexadecimal digits"), nil
	case len(ask.Keys) == 0 || len(ask.Keys) > MaxKeys:
		return control.Refuse(control.Refused, "there must be 1 to %d identifiers", MaxKeys), nil
	case !knownGround(ask.Ground):
		return control.Refuse(control.Refused, "the ground must be accuracy, unlawful, claims or objection"), nil
	}
	restrict := c.Kind == KindRestrict
	standing, err := h.standing(ctx, c, ask.Keys)
	if err != nil {
		return control.Result{}, err
	}
	var rows [][]any
	for _, k := range ask.Keys {
		if standing[k] == restrict {
			continue
		}
		standing[k] = restrict // It may be named twice.
		rows = append(rows, []any{c.Workspace, uint64(k), c.Revision, restrict, c.Time, c.Subject, ask.Ground, c.Actor})
	}
	err = control.Insert(ctx, h.conn, c.Token(), "restrictions",
		"workspace, identifier_id, revision, restricted, changed_at, restriction_id, ground, actor", rows...)
	return control.Result{Verdict: control.OK, Body: map[string]int{"identifiers": len(rows)}}, err
}

// standing returns which of keys are restricted before the command.
func (h *Handler) standing(ctx context.Context, c *control.Placed, keys []identity.Key) (map[identity.Key]bool, error) {
	ids := make([]uint64, len(keys))
	for i, k := range keys {
		ids[i] = uint64(k)
	}
	rows, err := h.conn.Query(ctx, `
		SELECT r.identifier_id, argMax(r.restricted AND r.changed_at > e.erased_at, r.revision)
		FROM restrictions AS r LEFT JOIN
		(
			SELECT id, max(erased_at) AS erased_at FROM identity_erasures WHERE workspace = ? AND what = 'identifier' AND id IN (?) GROUP BY id
		) AS e ON e.id = r.identifier_id
		WHERE r.workspace = ? AND r.revision < ? AND r.identifier_id IN (?) GROUP BY r.identifier_id`, c.Workspace, ids, c.Workspace, c.Revision, ids)
	if err != nil {
		return nil, fmt.Errorf("read restrictions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	found := make(map[identity.Key]bool, len(keys))
	for rows.Next() {
		var id uint64
		var restricted bool
		if err := rows.Scan(&id, &restricted); err != nil {
			return nil, fmt.Errorf("read restrictions: %w", err)
		}
		found[identity.Key(id)] = restricted
	}
	return found, rows.Err()
}

package plans

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// ErrNotFound reports a plan that does not exist or was archived.
var ErrNotFound = errors.New("there is no such plan")

// ErrConflict reports that something changed since the caller looked; the
// wrapping error says what.
var ErrConflict = errors.New("conflict")

// ErrRefused reports a change that breaks a rule; the wrapping error says which.
var ErrRefused = errors.New("refused")

// Plan is one plan as it stands.
type Plan struct {
	Name       string
	Revision   uint64
	ChangedAt  time.Time
	Actor      string
	Definition json.RawMessage
	Events     int
}

// Broken counts one rule that events broke, with examples.
type Broken struct {
	Event, Version, Source, Rule, Pointer, Detail, Mode string
	Count                                               uint64
	First, Last                                         time.Time
	Examples                                            []string // message ids, the newest first
}

// Service answers questions about plans and sends changes. It is safe for
// concurrent use.
type Service struct {
	conn   driver.Conn
	client *control.Client
	reader *Reader
}

// NewService returns a service; reader may serve ingest as well.
func NewService(conn driver.Conn, client *control.Client, reader *Reader) *Service {
	return &Service{conn: conn, client: client, reader: reader}
}

const planSQL = `
	SELECT plan, max(tracking_plans.revision) AS last, argMax(changed_at, tracking_plans.revision), argMax(actor, tracking_plans.revision),
		argMax(definition, tracking_plans.revision), argMax(length(events.name), tracking_plans.revision), argMax(archived, tracking_plans.revision) AS ended
	FROM tracking_plans WHERE workspace = ? AND (? = '' OR plan = ?) GROUP BY plan HAVING NOT ended ORDER BY plan`

// List returns the live plans of a workspace by name.
func (s *Service) List(ctx context.Context, workspace string) ([]Plan, error) {
	return s.plans(ctx, workspace, "")
}

// Get returns one live plan, or ErrNotFound.
func (s *Service) Get(ctx context.Context, workspace, name string) (*Plan, error) {
	found, err := s.plans(ctx, workspace, name)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return &found[0], nil
}

func (s *Service) plans(ctx context.Context, workspace, name string) ([]Plan, error) {
	rows, err := s.conn.Query(ctx, planSQL, workspace, name, name)
	if err != nil {
		return nil, fmt.Errorf("read tracking plans: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []Plan{}
	for rows.Next() {
		var p Plan
		var definition string
		var events uint64
		var ended bool
		if err := rows.Scan(&p.Name, &p.Revision, &p.ChangedAt, &p.Actor, &definition, &events, &ended); err != nil {
			return nil, fmt.Errorf("read tracking plans: %w", err)
		}
		p.Definition, p.Events = json.RawMessage(definition), int(events)
		list = append(list, p)
	}
	return list, rows.Err()
}

// Put makes or changes a plan and waits until the change stands. expected is the
// revision that the author has seen, 0 for a new plan. It returns the new
// revision, an *Invalid, or an error that wraps ErrConflict or ErrRefused.
func (s *Service) Put(ctx context.Context, workspace, actor, name string, expected uint64, definition json.RawMessage) (uint64, error) {
	if _, err := Parse(definition); err != nil {
		return 0, err
	}
	return s.change(ctx, KindPut, workspace, actor, name, Change{Expected: expected, Definition: definition})
}

// Archive ends a plan. Events are no longer held against it; its history stays.
func (s *Service) Archive(ctx context.Context, workspace, actor, name string, expected uint64) (uint64, error) {
	return s.change(ctx, KindArchive, workspace, actor, name, Change{Expected: expected})
}

func (s *Service) change(ctx context.Context, kind, workspace, actor, name string, change Change) (uint64, error) {
	body, err := json.Marshal(change)
	if err != nil {
		return 0, fmt.Errorf("encode change: %w", err)
	}
	o, err := s.client.Do(ctx, control.Command{Workspace: workspace, Kind: kind, Subject: name, Actor: actor, Body: body})
	if err != nil {
		return 0, err
	}
	switch o.Verdict {
	case control.OK:
		return o.Revision, nil
	case control.Conflict:
		return 0, fmt.Errorf("%w: %s", ErrConflict, o.Detail)
	}
	return 0, fmt.Errorf("%w: %s", ErrRefused, o.Detail)
}

// Try holds the text of a message against the live plans of the workspace, or
// against a definition alone. Nothing is stored.
func (s *Service) Try(ctx context.Context, workspace string, kind wire.Kind, message, definition json.RawMessage) ([]ingest.Violation, error) {
	var head struct{ Source, Name string }
	if err := json.Unmarshal(message, &head); err != nil {
		return nil, &Invalid{[]Fault{{"", "the event must be a JSON object with a source and a name"}}}
	}
	var set *Set
	if len(definition) > 0 {
		d, err := Parse(definition)
		if err != nil {
			return nil, err
		}
		if set, err = Single(workspace, "draft", d); err != nil {
			return nil, err
		}
	} else {
		if err := s.reader.Refresh(ctx); err != nil {
			return nil, err
		}
		var err error
		if set, err = s.reader.SetAt(ctx, s.reader.Revision()); err != nil {
			return nil, err
		}
	}
	return set.Hold(workspace, kind, head.Source, head.Name, message), nil
}

const violationSQL = `
	SELECT name, any(version), any(source), rule, pointer, any(detail), mode, count() AS n, min(received_time), max(received_time) AS newest,
		arrayMap(x -> x.2, groupArraySorted(5)((-toUnixTimestamp64Milli(received_time), message_id))) AS examples
	FROM plan_violations
	WHERE workspace = ? AND plan = ? AND received_time >= ?
	GROUP BY name, rule, pointer, mode
	ORDER BY n DESC, newest DESC, name, rule, pointer
	LIMIT ?`

// Violations sums up which rules of a plan were broken since a time, the most
// frequent first.
func (s *Service) Violations(ctx context.Context, workspace, plan string, since time.Time, limit int) ([]Broken, error) {
	rows, err := s.conn.Query(ctx, violationSQL, workspace, plan, since, limit)
	if err != nil {
		return nil, fmt.Errorf("read plan violations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []Broken{}
	for rows.Next() {
		var b Broken
		if err := rows.Scan(&b.Event, &b.Version, &b.Source, &b.Rule, &b.Pointer, &b.Detail, &b.Mode, &b.Count, &b.First, &b.Last, &b.Examples); err != nil {
			return nil, fmt.Errorf("read plan violations: %w", err)
		}
		list = append(list, b)
	}
	return list, rows.Err()
}

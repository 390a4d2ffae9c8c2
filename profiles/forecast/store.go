package forecast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// What became of models, as events tell.
const (
	eventTrained   = "trained"
	eventRefused   = "refused"
	eventStopped   = "stopped"
	eventFailed    = "failed"
	eventPromoted  = "promoted"
	eventKept      = "kept" // trained and not better than the champion
	eventScored    = "scored"
	eventWithdrawn = "withdrawn"
	eventChecked   = "checked"
)

// States of a model.
const (
	StateWaiting = "waiting"         // to be trained
	StateReady   = "ready"           // there is a champion
	StateRefused = "not_enough_data" // to train, or to tell more than the base rate
	StateStopped = "stopped"         // by the leak gates
	StateFailed  = "failed"
)

// Model is a model as it stands.
type Model struct {
	Workspace  string
	Name       string
	Revision   uint64 // of the definition
	ChangedAt  time.Time
	Actor      string
	Definition Definition
	State      string
	// Reason says why it is not ready, or how the last training ended.
	Reason string
	// Champion is the version that scores; Latest the one trained last.
	Champion, Latest     string
	TrainedAt, ScoredAt  time.Time
	Scored               uint64 // profiles of the last whole run
	Versions             []Version
	Text                 json.RawMessage // the definition as it was written
	archived             bool
	trainOrder, promoted uint64 // revisions of the last orders
	promoteTo            string
	events               map[string]happened // the latest of each kind
	checked              map[time.Time]bool  // runs whose answers were looked at last
}

// Version is one that was learnt.
type Version struct {
	Version   string
	CreatedAt time.Time
	question  string
}

// happened is an event of a model.
type happened struct {
	time              time.Time
	version, question string
	revision          uint64
	detail            string
}

// Store reads models. It is safe for concurrent use.
type Store struct{ conn driver.Conn }

// NewStore returns a store that reads through conn.
func NewStore(conn driver.Conn) *Store { return &Store{conn} }

func (s *Store) each(ctx context.Context, what, query string, scan func(driver.Rows) error, args ...any) error {
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

// of restricts a table to a workspace, and to a model; both where they are not empty.
const of = ` WHERE ({workspace:String} = '' OR workspace = {workspace:String}) AND ({model:String} = '' OR model = {model:String})`

const (
	changesSQL  = `SELECT workspace, model, revision, changed_at, actor, change, definition, version FROM model_changes` + of + ` ORDER BY workspace, model, revision`
	eventsSQL   = `SELECT workspace, model, time, event, version, revision, question, detail FROM model_events` + of + ` ORDER BY workspace, model, event, time DESC LIMIT 1 BY workspace, model, event`
	versionsSQL = `SELECT workspace, model, version, min(created_at) AS created, any(question) FROM model_versions` + of + ` GROUP BY workspace, model, version ORDER BY workspace, model, created DESC`
)

// models returns the models of a workspace, or of all, archived ones as well.
func (s *Store) models(ctx context.Context, workspace, name string) ([]*Model, error) {
	var list []*Model
	byName := map[[2]string]*Model{}
	args := []any{clickhouse.Named("workspace", workspace), clickhouse.Named("model", name)}
	err := s.each(ctx, "decisions about models", changesSQL, func(rows driver.Rows) error {
		var c Change
		var at Place
		var definition string
		if err := rows.Scan(&at.Workspace, &at.Model, &at.Revision, &at.Time, &at.Actor, &c.Kind, &definition, &c.Version); err != nil {
			return err
		}
		c.Definition = json.RawMessage(definition)
		m := byName[[2]string{at.Workspace, at.Model}]
		if m == nil {
			m = &Model{Workspace: at.Workspace, Name: at.Model, events: map[string]happened{}, checked: map[time.Time]bool{}}
			byName[[2]string{at.Workspace, at.Model}] = m
			list = append(list, m)
		}
		m.decided(at, c)
		return nil
	}, args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	err = s.each(ctx, "events of models", eventsSQL, func(rows driver.Rows) error {
		var h happened
		var workspace, model, event string
		err := rows.Scan(&workspace, &model, &h.time, &event, &h.version, &h.revision, &h.question, &h.detail)
		if m := byName[[2]string{workspace, model}]; m != nil {
			m.happened(event, h)
		}
		return err
	}, args...)
	if err != nil {
		return nil, err
	}
	err = s.each(ctx, "versions of models", versionsSQL, func(rows driver.Rows) error {
		var v Version
		var workspace, model string
		err := rows.Scan(&workspace, &model, &v.Version, &v.CreatedAt, &v.question)
		if m := byName[[2]string{workspace, model}]; m != nil {
			m.Versions = append(m.Versions, v)
		}
		return err
	}, args...)
	for _, m := range list {
		m.settle()
	}
	return list, err
}

// decided takes a decision over; they come in their order.
func (m *Model) decided(at Place, c Change) {
	switch c.Kind {
	case Put:
		d, err := Parse(c.Definition)
		if err != nil {
			return // Of a later release.
		}
		m.Definition, m.Text, m.archived = d, c.Definition, false
		m.Revision, m.ChangedAt, m.Actor = at.Revision, at.Time.UTC(), at.Actor
	case Archive:
		m.archived, m.Revision = true, at.Revision
	case Train:
		m.trainOrder = at.Revision
	case Promote:
		m.promoted, m.promoteTo = at.Revision, c.Version
	}
}

// happened takes over the latest event of a kind.
func (m *Model) happened(event string, h happened) {
	m.events[event] = h
	if event == eventChecked {
		var c Check
		if json.Unmarshal([]byte(h.detail), &c) == nil && c.Realised != nil {
			m.checked[c.Realised.AsOf.UTC()] = true
		}
	}
}

// settle works out how the model stands.
func (m *Model) settle() {
	question := m.Definition.question()
	if p, ok := m.events[eventPromoted]; ok && p.question == question {
		m.Champion = p.version
	}
	if t, ok := m.events[eventTrained]; ok && t.question == question {
		m.Latest, m.TrainedAt = t.version, t.time.UTC()
	}
	if s, ok := m.events[eventScored]; ok && s.version == m.Champion && m.Champion != "" {
		var d scoredDetail
		_ = json.Unmarshal([]byte(s.detail), &d) // A detail that cannot be read tells nothing.
		m.ScoredAt, m.Scored = s.time.UTC(), d.Profiles
	}
	m.State = StateWaiting
	last := time.Time{}
	for event, state := range map[string]string{eventRefused: StateRefused, eventStopped: StateStopped, eventFailed: StateFailed, eventKept: StateReady} {
		if h, ok := m.events[event]; ok && h.question == question && h.time.After(last) && !h.time.Before(m.TrainedAt) {
			var why reason
			_ = json.Unmarshal([]byte(h.detail), &why)
			last, m.State, m.Reason = h.time, state, why.Reason
		}
	}
	if m.Champion != "" {
		m.State = StateReady
	}
}

// reason is the detail of an event that says why.
type reason struct {
	Reason string `json:"reason"`
}

// List returns the models of a workspace.
func (s *Store) List(ctx context.Context, workspace string) ([]Model, error) {
	list, err := s.models(ctx, workspace, "")
	all := []Model{}
	for _, m := range list {
		if !m.archived && m.Text != nil {
			all = append(all, *m)
		}
	}
	return all, err
}

// Get returns a model, or ErrNoModel.
func (s *Store) Get(ctx context.Context, workspace, name string) (*Model, error) {
	list, err := s.models(ctx, workspace, name)
	if err == nil && (name == "" || len(list) == 0 || list[0].archived || list[0].Text == nil) {
		err = ErrNoModel
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

const versionSQL = `SELECT card, frozen FROM model_versions WHERE workspace = {workspace:String} AND model = {model:String} AND version = {version:String} LIMIT 1`

// version reads the card of a version and the version itself.
func (s *Store) version(ctx context.Context, workspace, name, version string) (card, frozen string, err error) {
	found := false
	err = s.each(ctx, "version of a model", versionSQL, func(rows driver.Rows) error {
		found = true
		return rows.Scan(&card, &frozen)
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("model", name), clickhouse.Named("version", version))
	if err == nil && !found {
		err = ErrNoModel
	}
	return card, frozen, err
}

// Card returns the card of a version of a model, of the champion, or the latest, where
// none is named, with what was seen of it since; or ErrNoModel.
func (s *Store) Card(ctx context.Context, workspace, name, version string) (*Card, error) {
	m, err := s.Get(ctx, workspace, name)
	if err != nil {
		return nil, err
	}
	for _, v := range []string{m.Champion, m.Latest} {
		if version == "" {
			version = v
		}
	}
	text, _, err := s.version(ctx, workspace, name, version)
	if err != nil {
		return nil, err
	}
	var c Card
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, fmt.Errorf("read the card of a model: %w", err)
	}
	c.Champion = version == m.Champion
	if h, ok := m.events[eventChecked]; ok && h.version == version {
		c.Check = &Check{}
		if err := json.Unmarshal([]byte(h.detail), c.Check); err != nil {
			return nil, fmt.Errorf("read the check of a model: %w", err)
		}
	}
	return &c, nil
}

// load reads a version to predict with.
func (s *Store) load(ctx context.Context, workspace, name, version string) (*learnt, error) {
	_, text, err := s.version(ctx, workspace, name, version)
	if errors.Is(err, ErrNoModel) {
		return nil, fmt.Errorf("version %s: %w", version, err)
	}
	if err != nil {
		return nil, err
	}
	return thaw([]byte(text))
}

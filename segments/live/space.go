package live

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
)

// never is the due time of what time does not change.
const never = math.MaxInt64

// space is what the worker knows of a workspace.
type space struct {
	reading warehouse.Reading // that of the evaluation that runs
	name    string
	targets []*target
	// block is the last block of changes that is stored, time its time, told the last
	// one that others know of.
	block, told uint64
	time        time.Time

	roster roster
	dues   dues
	// sweepAt is when all is to be evaluated over all profiles; due times are known
	// until horizon.
	sweepAt, horizon time.Time
	// postponed says that something is to be evaluated over all after the rest.
	postponed bool
	// recordAt is when the numbers of members are to be stored, zero where they are.
	recordAt time.Time
	// changed are identifiers and profiles to evaluate all segments for, stated those of
	// them of which something was stored, and happened others of which events of a name
	// were and nothing else.
	changed, stated map[uint64]struct{}
	happened        map[string]map[uint64]struct{}
	// moves are the segments that events of a name may move, as far as it was asked.
	moves map[string][]*target
	// sweptAt is when the last evaluation over all began; crowded says that behind the
	// next there is to be another one, when identity has stored who is new.
	sweptAt time.Time
	crowded bool
	// scored is when the newest scores were computed that evaluations know, grouped when
	// profiles got the newest personas and stages.
	scored, grouped time.Time
}

// target is a segment to evaluate, with what is known of its last evaluation.
type target struct {
	id         segments.ID
	revision   uint64
	archived   bool
	definition segments.Definition // as it was written; without a root where it cannot be read
	// resolved has the segments that definition names in it, meaning is its text. An
	// error says why there is none.
	resolved segments.Definition
	meaning  string
	invalid  error
	state    segments.State
	meant    string         // the meaning that the members are of
	in       bits           // the members, by the roster of the workspace
	members  uint64         // how many they are
	recorded segments.State // as it stands in the table
}

// behind reports whether the members are not of the definition that stands, or not
// of what it means since a segment that it names has changed.
func (t *target) behind() bool {
	return t.state.GoodAt.IsZero() || t.state.Revision != t.revision || t.meant != t.meaning
}

// redefined reports whether the members are of another meaning.
func (t *target) redefined() bool {
	return t.state.GoodAt.IsZero() || t.state.Revision != t.revision || t.meant != "" && t.meant != t.meaning
}

// asks reports whether a segment has a leaf of a type.
func asks[Leaf segments.Node](t *target) bool {
	return t.resolved.Root != nil && slices.ContainsFunc(t.resolved.Leaves(), func(n segments.Node) bool {
		_, ok := n.(Leaf)
		return ok
	})
}

const targetsSQL = `
SELECT d.workspace, d.segment, d.last, d.ended, d.definition, s.evaluated, s.good, s.revision, s.members, s.error
FROM
(
	SELECT workspace, segment, max(segment_definitions.revision) AS last, argMax(archived, segment_definitions.revision) AS ended,
		argMax(segment_definitions.definition, segment_definitions.revision) AS definition
	FROM segment_definitions
	GROUP BY workspace, segment
) AS d
LEFT JOIN
(
	SELECT workspace, segment, max(evaluated_at) AS evaluated, argMax(good_at, evaluated_at) AS good, argMax(segment_states.revision, evaluated_at) AS revision,
		argMax(segment_states.members, evaluated_at) AS members, argMax(segment_states.error, evaluated_at) AS error
	FROM segment_states
	GROUP BY workspace, segment
) AS s ON d.workspace = s.workspace AND d.segment = s.segment
WHERE NOT d.ended OR s.revision != d.last OR s.error != ''
ORDER BY d.workspace, d.segment`

// define reads the definitions that stand, and keeps what is known of those that it
// knew.
func (w *Worker) define(ctx context.Context, spaces map[string]*space) error {
	known := map[string]map[segments.ID]*target{}
	for name, s := range spaces {
		known[name] = map[segments.ID]*target{}
		for _, t := range s.targets {
			known[name][t.id] = t
		}
		s.targets, s.moves = nil, nil
	}
	err := w.store.query(ctx, "segments", targetsSQL, func(rows driver.Rows) error {
		t, workspace, id, text := &target{}, "", "", ""
		r := &t.recorded
		if err := rows.Scan(&workspace, &id, &t.revision, &t.archived, &text,
			&r.EvaluatedAt, &r.GoodAt, &r.Revision, &r.Members, &r.Error); err != nil {
			return err
		}
		t.id, r.EvaluatedAt, r.GoodAt = segments.ID(id), zeroed(r.EvaluatedAt), zeroed(r.GoodAt)
		t.state = t.recorded
		t.definition, _ = segments.Parse([]byte(text)) // The error may name values.
		if before := known[workspace][t.id]; before != nil {
			t.state, t.in, t.members, t.recorded, t.meant = before.state, before.in, before.members, before.recorded, before.meant
			if before.revision != t.revision { // It may have been mended.
				t.state.Error = ""
			}
		}
		if spaces[workspace] == nil {
			spaces[workspace] = &space{name: workspace, changed: map[uint64]struct{}{}}
		}
		spaces[workspace].targets = append(spaces[workspace].targets, t)
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range spaces {
		if err := s.resolve(ctx); err != nil {
			return err
		}
	}
	return nil
}

// resolve works out what the definitions mean.
func (s *space) resolve(ctx context.Context) error {
	all := library{}
	for _, t := range s.targets {
		if !t.archived && t.definition.Root != nil {
			all[string(t.id)] = t.definition
		}
	}
	for _, t := range s.targets {
		if t.archived {
			continue
		}
		if t.definition.Root == nil {
			t.invalid = errors.New("this release does not understand the definition")
			continue
		}
		t.resolved, t.invalid = segments.Resolve(ctx, all, s.name, string(t.id), t.definition)
		if t.invalid == nil {
			text, err := t.resolved.MarshalJSON()
			if err != nil {
				return fmt.Errorf("resolve segments: %w", err)
			}
			t.meaning = string(text)
		}
	}
	return nil
}

// library are the definitions of one workspace by name.
type library map[string]segments.Definition

var _ segments.Library = library{}

// Definition implements segments.Library.
func (l library) Definition(_ context.Context, _, id string) (segments.Definition, bool, error) {
	d, ok := l[id]
	return d, ok, nil
}

const headSQL = "SELECT max(block), max(time) FROM segment_changes WHERE workspace = {workspace:String}"

// toldTopic is the reader of changes that the worker tells itself.
const toldTopic = "kindred.segments"

const toldSQL = "SELECT max(block) FROM segment_told WHERE workspace = {workspace:String} AND reader = '" + toldTopic + "'"

// load reads everything that is stored of segments.
func (w *Worker) load(ctx context.Context) (map[string]*space, error) {
	spaces := map[string]*space{}
	if err := w.define(ctx, spaces); err != nil {
		return nil, err
	}
	for _, s := range spaces {
		if err := w.deps.Conn.QueryRow(ctx, headSQL, clickhouse.Named("workspace", s.name)).Scan(&s.block, &s.time); err != nil {
			return nil, fmt.Errorf("read the last changes of segments: %w", err)
		}
		s.time = zeroed(s.time)
		if err := w.enlist(ctx, s); err != nil {
			return nil, err
		}
		if err := w.deps.Conn.QueryRow(ctx, toldSQL, clickhouse.Named("workspace", s.name)).Scan(&s.told); err != nil {
			return nil, fmt.Errorf("read what was told of segments: %w", err)
		}
	}
	return spaces, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

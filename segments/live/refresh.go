package live

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// target is a segment to evaluate, with what is known of its last evaluation.
type target struct {
	workspace  string
	id         segments.ID
	revision   uint64
	archived   bool
	definition string
	state      segments.State
	published  uint64
}

const targetsSQL = `
SELECT d.workspace, d.segment, d.last, d.ended, d.definition,
	s.evaluated, s.good, s.revision, s.members, s.error, s.published
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
		argMax(segment_states.members, evaluated_at) AS members, argMax(segment_states.error, evaluated_at) AS error, argMax(segment_states.published, evaluated_at) AS published
	FROM segment_states
	GROUP BY workspace, segment
) AS s ON d.workspace = s.workspace AND d.segment = s.segment
WHERE NOT d.ended OR s.revision != d.last OR s.error != ''
ORDER BY d.workspace, d.segment`

func (w *Worker) targets(ctx context.Context) ([]target, error) {
	var list []target
	err := w.store.query(ctx, "segments", targetsSQL, func(rows driver.Rows) error {
		var t target
		var id string
		s := &t.state
		err := rows.Scan(&t.workspace, &id, &t.revision, &t.archived, &t.definition,
			&s.EvaluatedAt, &s.GoodAt, &s.Revision, &s.Members, &s.Error, &t.published)
		t.id, s.EvaluatedAt, s.GoodAt = segments.ID(id), known(s.EvaluatedAt), known(s.GoodAt)
		list = append(list, t)
		return err
	})
	return list, err
}

// Refresh evaluates every segment once and stores who entered and who left. A segment
// that cannot be evaluated is marked so and keeps its members; the error is of what
// concerns all.
func (w *Worker) Refresh(ctx context.Context) error {
	targets, err := w.targets(ctx)
	if err != nil {
		return err
	}
	failed := 0
	for i := range targets {
		t := &targets[i]
		state, err := w.evaluate(ctx, t)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed++
			w.deps.Logger.Error("segment cannot be evaluated and keeps its members", "workspace", t.workspace, "segment", t.id, "error", err)
		}
		if err := w.record(ctx, t, state); err != nil {
			return err
		}
	}
	w.failed.Set(float64(failed))
	return nil
}

// stateAge is how old the row of a state may become while nothing of it changes.
const stateAge = 5 * time.Minute

// record stores the state of a segment, when it says something new.
func (w *Worker) record(ctx context.Context, t *target, s segments.State) error {
	before := t.state
	told := before.Revision == s.Revision && before.Members == s.Members && before.Error == s.Error && s.EvaluatedAt.Sub(before.EvaluatedAt) < stateAge
	from, err := w.publish(ctx, t)
	if err != nil {
		w.deps.Logger.Warn("tell changes of a segment", "workspace", t.workspace, "segment", t.id, "error", err)
	}
	if told && from == t.published {
		return nil
	}
	return insert(ctx, w.deps.Conn, "", "segment_states", "workspace, segment, evaluated_at, good_at, revision, members, published, error",
		[][]any{{t.workspace, string(t.id), s.EvaluatedAt, s.GoodAt, s.Revision, s.Members, from, s.Error}})
}

// publish tells the changes that were not told yet, and returns up to which block
// they are. What was told before a crash that forgot it is told again.
func (w *Worker) publish(ctx context.Context, t *target) (uint64, error) {
	block, profile := t.published, identity.ProfileID(math.MaxUint64)
	whole := block
	for {
		changes, err := w.store.Changes(ctx, t.workspace, t.id, block, profile, w.cfg.Block)
		if err != nil {
			return whole, err
		}
		if len(changes) == 0 {
			return block, nil
		}
		if err := w.deps.Publisher.Publish(ctx, t.workspace, changes); err != nil {
			return whole, err
		}
		last := changes[len(changes)-1]
		block, profile = last.Block, last.Profile
		whole = block - 1 // The rest of the block may be still to come.
	}
}

// evaluate compares the definition of a segment with its members and stores the
// difference. The state that it returns is that before, with the error, when it fails.
func (w *Worker) evaluate(ctx context.Context, t *target) (segments.State, error) {
	at := later(w.deps.Clock().UTC().Truncate(time.Millisecond), t.state.EvaluatedAt.Add(time.Millisecond))
	var members uint64
	for {
		n, err := w.append(ctx, t, at)
		if err == nil {
			members = n
			break
		}
		if !errors.Is(err, errOvertaken) {
			failed := t.state
			failed.EvaluatedAt, failed.Error = at, err.Error()
			return failed, err
		}
	}
	return segments.State{EvaluatedAt: at, GoodAt: at, Revision: t.revision, Members: members}, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// errOvertaken says that another worker has stored the block that this one made.
var errOvertaken = errors.New("another worker has stored this block")

// head is what is stored of a segment: its last block, and the members after it.
type head struct {
	block, members uint64
	time           time.Time
}

const headSQL = `
SELECT max(last), max(newest), countIf(member) FROM
(
	SELECT max(block) AS last, max(time) AS newest, argMax(entered, block) AS member
	FROM segment_changes
	WHERE workspace = {workspace:String} AND segment = {segment:String}
	GROUP BY profile_id
)`

// append stores the difference between the definition and the members as blocks, and
// returns how many members there are then.
func (w *Worker) append(ctx context.Context, t *target, at time.Time) (uint64, error) {
	var h head
	err := w.store.query(ctx, "members of a segment", headSQL, func(rows driver.Rows) error {
		return rows.Scan(&h.block, &h.time, &h.members)
	}, clickhouse.Named("workspace", t.workspace), clickhouse.Named("segment", string(t.id)))
	if err != nil {
		return 0, err
	}
	changes, err := w.difference(ctx, t, h, at)
	if err != nil {
		return 0, err
	}
	at = later(at, h.time) // Blocks are in the order of time, or no date had its members.
	for len(changes) > 0 {
		h.block++
		part := changes[:min(len(changes), w.cfg.Block)]
		changes = changes[len(part):]
		if err := w.appendBlock(ctx, t, h.block, at, part); err != nil {
			return 0, err
		}
		for _, c := range part {
			if c.Entered {
				h.members++
				w.changes.WithLabelValues("entered").Inc()
			} else {
				h.members--
				w.changes.WithLabelValues("exited").Inc()
			}
		}
	}
	return h.members, nil
}

// appendBlock stores one block, or returns errOvertaken where its number is taken.
func (w *Worker) appendBlock(ctx context.Context, t *target, block uint64, at time.Time, changes []segments.Change) error {
	var b [8]byte
	_, _ = rand.Read(b[:]) // Never fails: crypto/rand ends the process instead.
	writer := binary.LittleEndian.Uint64(b[:])
	rows := make([][]any, len(changes))
	for i, c := range changes {
		rows[i] = []any{t.workspace, string(t.id), uint64(c.Profile), block, c.Entered, at, string(c.Cause), t.revision, writer}
	}
	token := "segments/" + t.workspace + "/" + string(t.id) + "/" + strconv.FormatUint(block, 10)
	err := insert(ctx, w.deps.Conn, token, "segment_changes", "workspace, segment, profile_id, block, entered, time, cause, revision, writer", rows)
	if err != nil {
		return err
	}
	var stored uint64
	row := w.deps.Conn.QueryRow(ctx, "SELECT any(writer) FROM segment_changes WHERE workspace = {workspace:String} AND segment = {segment:String} AND block = {block:UInt64}",
		clickhouse.Named("workspace", t.workspace), clickhouse.Named("segment", string(t.id)), clickhouse.Named("block", block))
	if err := row.Scan(&stored); err != nil {
		return fmt.Errorf("read block of changes: %w", profilestore.Concise(err))
	}
	if stored != writer {
		return errOvertaken
	}
	return nil
}

// differenceSQL compares %s, the profiles for which the definition holds, with the
// members. The server does it, so that only what differs travels.
const differenceSQL = `SELECT profile_id, sides = 1 AS entered, %s AS present
FROM (
    SELECT profile_id, groupBitOr(side) AS sides
    FROM (
        SELECT profile_id, toUInt8(1) AS side FROM (%s)
        UNION ALL
        SELECT profile_id, toUInt8(2) AS side
        FROM segment_changes
        WHERE workspace = {workspace:String} AND segment = {segment:String} AND block <= {block:UInt64}
        GROUP BY profile_id
        HAVING argMax(segment_changes.entered, block)
    )
    GROUP BY profile_id
    HAVING sides != 3
)
ORDER BY profile_id`

func (w *Worker) difference(ctx context.Context, t *target, h head, at time.Time) ([]segments.Change, error) {
	q := sql.Query{SQL: "SELECT toUInt64(0) AS profile_id WHERE 0", Parameters: map[string]string{}}
	if !t.archived { // Nobody is in a segment that has ended.
		d, err := segments.Parse([]byte(t.definition))
		if err != nil {
			return nil, errors.New("this release does not understand the definition") // The error may name values.
		}
		if q, err = sql.Compile(d, w.cfg.Rules, t.workspace, at); err != nil {
			return nil, err
		}
	}
	// Both names are of an alphabet without escapes, or were escaped by Compile.
	q.Parameters["segment"], q.Parameters["block"] = string(t.id), strconv.FormatUint(h.block, 10)
	if t.archived {
		q.Parameters["workspace"] = t.workspace
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters(q.Parameters)), clickhouse.WithSettings(clickhouse.Settings{
		"max_execution_time": int(w.cfg.MaxExecution / time.Second), "max_memory_usage": w.cfg.MaxMemory, "readonly": 2,
	}))
	var changes []segments.Change
	err := w.store.query(ctx, "members of a segment", fmt.Sprintf(differenceSQL, warehouse.IdentifierProfile("profile_id"), q.SQL), func(rows driver.Rows) error {
		var profile, present uint64
		var entered bool
		if err := rows.Scan(&profile, &entered, &present); err != nil {
			return err
		}
		c := segments.Change{Segment: t.id, Profile: identity.ProfileID(profile), Entered: entered, Cause: segments.ByData}
		switch {
		case t.state.Revision != t.revision || t.state.GoodAt.IsZero():
			c.Cause = segments.ByDefinition
		case !entered && present != profile:
			c.Cause = segments.ByProfile
		}
		changes = append(changes, c)
		return nil
	})
	return changes, err
}

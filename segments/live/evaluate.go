package live

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// change is a change with what the table keeps beside it.
type change struct {
	segments.Change
	target *target
	leaves uint64 // that hold now
}

// found is what an evaluation has found.
type found struct {
	changes []change
	dues    []dueAt
	broken  error // what kept changes from being stored, so that nothing is to be asked again
}

// evaluate compares definitions with the members, over all profiles. A segment that
// cannot be evaluated is marked and left out; the error is of what concerns all.
func (w *Worker) evaluate(ctx context.Context, s *space, targets []*target, now time.Time) (found, error) {
	var all found
	var ended, standing []*target
	for _, t := range targets {
		if t.archived {
			ended = append(ended, t)
			continue
		}
		if t.invalid != nil {
			w.fail(s, t, now, t.invalid)
			continue
		}
		standing = append(standing, t)
	}
	groups, err := grouped(standing, 1)
	if err != nil {
		return all, err
	}
	for part := range slices.Chunk(ended, 64) {
		groups = append(groups, part)
	}
	for _, group := range groups {
		if err := w.evaluateGroup(ctx, s, group, now, &all); err != nil {
			return all, err
		}
	}
	return all, w.explain(ctx, s, all.changes)
}

// spill stores what was found so far where it is a whole block: a segment that is new
// may let in everybody, and no memory is to hold that. The evaluation goes on; whoever
// is left of it after an error is found by the next one.
func (w *Worker) spill(ctx context.Context, s *space, f *found, now time.Time) error {
	if len(f.changes) < w.cfg.Block {
		return nil
	}
	if f.broken = w.explain(ctx, s, f.changes); f.broken == nil {
		f.broken = w.append(ctx, s, f.changes, now)
	}
	f.changes = f.changes[:0]
	return f.broken
}

// evaluateGroup evaluates segments by one query, or each by its own when that fails.
func (w *Worker) evaluateGroup(ctx context.Context, s *space, group []*target, now time.Time, all *found) error {
	f, err := w.difference(ctx, s, group, now)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case f.broken != nil:
		return f.broken
	case err == nil:
		all.changes, all.dues = append(all.changes, f.changes...), append(all.dues, f.dues...)
		succeeded(group, now)
		return nil
	case len(group) == 1:
		w.fail(s, group[0], now, err)
		return nil
	}
	for _, t := range group {
		if err := w.evaluateGroup(ctx, s, []*target{t}, now, all); err != nil {
			return err
		}
	}
	return nil
}

// succeeded marks segments that were evaluated.
func succeeded(group []*target, now time.Time) {
	for _, t := range group {
		t.state.EvaluatedAt, t.state.GoodAt, t.state.Revision, t.state.Error = now, now, t.revision, ""
		t.meant = t.meaning
	}
}

func (w *Worker) fail(s *space, t *target, now time.Time, err error) {
	t.state.EvaluatedAt, t.state.Error = now, err.Error()
	w.deps.Logger.Error("segment cannot be evaluated and keeps its members", "workspace", s.name, "segment", t.id, "error", err)
}

// differenceSQL compares %s, the query of a set of definitions, with the members. The
// server does it, so that only what differs travels, and what is due by a time.
const differenceSQL = `SELECT profile_id, groupBitOr(holding) AS now, groupBitOr(member) AS before, groupBitOr(bits) AS bits, min(until) AS until
FROM (
    SELECT profile_id, held AS holding, toUInt64(0) AS member, mask AS bits, due AS until FROM (%s)
    UNION ALL
    SELECT profile_id, toUInt64(0), groupBitOr(bitShiftLeft(toUInt64(1), place)), toUInt64(0), toInt64(9223372036854775807)
    FROM (
        SELECT profile_id, transform(segment, {segments:Array(String)}, {places:Array(UInt8)}, toUInt8(0)) AS place
        FROM segment_changes
        WHERE workspace = {workspace:String} AND segment IN {segments:Array(String)} AND block <= {block:UInt64}
        GROUP BY segment, profile_id
        HAVING argMax(entered, block)
    )
    GROUP BY profile_id
)
GROUP BY profile_id
HAVING now != before OR until <= {horizon:Int64}`

// presentSQL tells of each id whether it is a profile of its own, by the expression of
// its profile.
const presentSQL = "SELECT profile_id, now, before, bits, until, %s = profile_id FROM (" + differenceSQL + ") ORDER BY profile_id"

// nobodySQL is the query of segments that have ended.
const nobodySQL = "SELECT toUInt64(0) AS profile_id, toUInt64(0) AS mask, toInt64(9223372036854775807) AS due, toUInt64(0) AS held WHERE 0"

// difference finds who is to enter or leave the segments of a group, and when what
// holds may change by itself.
func (w *Worker) difference(ctx context.Context, s *space, group []*target, now time.Time) (found, error) {
	set := sql.Set{Query: sql.Query{SQL: nobodySQL, Parameters: map[string]string{}}, Leaves: make([][]int, len(group))}
	if !group[0].archived {
		definitions := make([]segments.Definition, len(group))
		for i, t := range group {
			definitions[i] = t.resolved
		}
		var err error
		if set, err = sql.CompileSet(definitions, w.cfg.Rules, s.name, now, sql.Extent{}, s.reading); err != nil {
			return found{}, err
		}
	}
	names, places := make([]string, len(group)), make([]string, len(group))
	for i, t := range group { // Names of segments are of an alphabet without escapes.
		names[i], places[i] = "'"+string(t.id)+"'", strconv.Itoa(i)
	}
	p := set.Parameters
	s.reading.Bind(p)
	p["workspace"], p["segments"], p["places"] = workspaceText(s.name), "["+strings.Join(names, ",")+"]", "["+strings.Join(places, ",")+"]"
	p["block"], p["horizon"] = strconv.FormatUint(s.block, 10), strconv.FormatInt(s.horizon.UnixMilli(), 10)
	var f found
	err := w.store.query(w.bound(ctx, false, p), "members of segments", fmt.Sprintf(presentSQL, s.reading.IdentifierProfile("profile_id"), set.SQL), func(rows driver.Rows) error {
		var profile, holding, member, mask uint64
		var due int64
		var present bool
		if err := rows.Scan(&profile, &holding, &member, &mask, &due, &present); err != nil {
			return err
		}
		if due <= s.horizon.UnixMilli() {
			f.dues = append(f.dues, dueAt{due, profile})
		}
		for i, t := range group {
			if (holding^member)>>i&1 == 0 {
				continue
			}
			c := segments.Change{Segment: t.id, Profile: identity.ProfileID(profile), Entered: holding>>i&1 == 1, Cause: segments.ByData, Revision: t.revision}
			switch {
			case t.redefined():
				c.Cause = segments.ByDefinition
			case !c.Entered && !present:
				c.Cause = segments.ByProfile
			}
			f.changes = append(f.changes, change{c, t, set.Holds(i, sql.Bits{mask})})
		}
		return w.spill(ctx, s, &f, now)
	})
	return f, err
}

// bound limits a query over all profiles or for some and binds its parameters.
func (w *Worker) bound(ctx context.Context, some bool, parameters map[string]string) context.Context {
	longest := w.cfg.MaxSweep
	settings := clickhouse.Settings{"max_memory_usage": w.cfg.MaxMemory, "readonly": 2}
	options := []clickhouse.QueryOption{clickhouse.WithParameters(parameters), clickhouse.WithSettings(settings)}
	if some {
		longest = w.cfg.MaxExecution
		maps.Copy(settings, fewRows)
		settings["priority"] = warehouse.PriorityUrgent
		options = append(options, clickhouse.WithProgress(func(p *clickhouse.Progress) { w.metrics.rows.Add(float64(p.Rows)) }))
	} else {
		settings["optimize_aggregation_in_order"] = 1
	}
	settings["max_execution_time"] = int(longest / time.Second)
	return clickhouse.Context(ctx, options...)
}

// fewRows are settings of queries that keep few of the rows that they read. Sixty
// columns are worked out for each block of what is kept, so that blocks are better
// large before; to have the keys of numbers in a column of their own means to read them
// twice; and code that is compiled for one query is of no use to the next. Of a query of
// 64 leaves for 2 000 of 300 000 people with ten events, processor milliseconds: 605, with
// the anchor looked at first 530, and so 410. Conditions stay where the query has them:
// what the server moves to before the reading of columns, the profile of each row among
// it, is asked of every row of a granule. Of 99 segments for 2 000 of 1 M people with
// eleven events: 1 150 ms with, and 700 without.
var fewRows = clickhouse.Settings{
	"preferred_block_size_bytes": 0, "optimize_functions_to_subcolumns": 0, "compile_expressions": 0, "compile_aggregate_expressions": 0,
	"optimize_move_to_prewhere": 0,
}

// workspaceText is the name of a workspace as the server reads a bound text.
func workspaceText(name string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\0`).Replace(name)
}

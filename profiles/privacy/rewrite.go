package privacy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// errLeft reports rows that came while the tables were rewritten.
var errLeft = errors.New("rows came while the tables were rewritten; they are rewritten again")

// rewrite takes a batch through its steps. Each can be done again: what is gone is not
// found any more.
func (w *Worker) rewrite(ctx context.Context, b *batch) error {
	err := w.keepStep(ctx, b, "begun", make([]uint64, len(b.erasures)))
	if err != nil {
		return err
	}
	var touched []string
	for _, step := range []func(context.Context, *batch) ([]string, error){w.linked, w.happened, w.named} {
		tables, err := step(ctx, b)
		if err == nil {
			err = w.awaitMutations(ctx, tables)
		}
		if err != nil {
			return err
		}
		touched = append(touched, tables...)
	}
	for _, r := range append(otherRows(), identifierRows) {
		if _, n, err := w.count(ctx, b, r); err != nil || n > 0 {
			return errors.Join(err, left(n, r.table))
		}
	}
	b.filesGone, err = w.awaitFiles(ctx, touched)
	return err
}

func left(n uint64, table string) error {
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d in %s", errLeft, n, table)
}

// linked rewrites what is found by the hashes of the events, or by the values of the
// identifiers, and so goes before them.
func (w *Worker) linked(ctx context.Context, b *batch) (tables []string, err error) {
	letters, err := w.letters(ctx, b)
	if err != nil {
		return nil, err
	}
	if len(letters) > 0 {
		for _, table := range []string{"dead_letter_actions", "dead_letter_outcomes", "dead_letters"} {
			const these = `letter_id IN (SELECT reinterpretAsUInt128(reverse(unhex(arrayJoin({letters:Array(String)})))))`
			if err := w.alter(ctx, table, `DELETE WHERE workspace = {workspace:String} AND `+these, append(b.bind(), clickhouse.Named("letters", letters))); err != nil {
				return nil, err
			}
			tables = append(tables, table)
		}
	}
	for _, table := range hashedTables {
		n, err := w.countAll(ctx, b, table, ownEvents())
		if err != nil {
			return nil, err
		}
		if n > 0 {
			if err := w.alter(ctx, table, `DELETE WHERE workspace = {workspace:String} AND `+ownEvents(), b.bind()); err != nil {
				return nil, err
			}
			tables = append(tables, table)
		}
	}
	n, err := w.countAll(ctx, b, "events", foreignEvents())
	if err != nil || n == 0 {
		return tables, err
	}
	return append(tables, "events"), w.alter(ctx, "events", `UPDATE `+dropsGone+` WHERE workspace = {workspace:String} AND `+foreignEvents(), b.bind())
}

// happened rewrites the events and what was made of them.
func (w *Worker) happened(ctx context.Context, b *batch) (tables []string, err error) {
	for _, r := range otherRows() {
		done, err := w.remove(ctx, b, r)
		if err != nil {
			return nil, err
		}
		if done {
			tables = append(tables, r.table)
		}
	}
	return tables, nil
}

// named rewrites the identifiers.
func (w *Worker) named(ctx context.Context, b *batch) ([]string, error) {
	done, err := w.remove(ctx, b, identifierRows)
	if !done {
		return nil, err
	}
	return []string{identifierRows.table}, err
}

// remove deletes the rows of a batch from one table, if there are any, and keeps how
// many there were of each person.
func (w *Worker) remove(ctx context.Context, b *batch, r rowsOf) (bool, error) {
	counts, n, err := w.count(ctx, b, r)
	if err != nil || n == 0 {
		return false, err
	}
	if err := w.keepStep(ctx, b, r.table, counts); err != nil {
		return false, err
	}
	return true, w.alter(ctx, r.table, `DELETE WHERE `+r.condition(), b.bind())
}

// alter starts to rewrite a table. What it binds becomes part of the statement that
// the engine keeps with the table: keyed hashes, never a value.
func (w *Worker) alter(ctx context.Context, table, change string, args []any) error {
	name, on := table, ""
	if w.cfg.Cluster != "" {
		on = " ON CLUSTER " + w.cfg.Cluster
		if spread[table] {
			name += "_local"
		}
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"mutations_sync": 0, "allow_nondeterministic_mutations": 1, "validate_mutation_query": 0,
	}))
	if err := w.deps.Conn.Exec(ctx, `ALTER TABLE `+name+on+` `+change, args...); err != nil {
		return fmt.Errorf("rewrite %s: %w", table, profilestore.Concise(err))
	}
	w.metrics.rewrites.Inc()
	return w.compact(ctx, name, on)
}

// compact takes what was deleted from a table of RocksDB off the disk: such a table
// deletes at once, and its files keep what was there until they are merged.
func (w *Worker) compact(ctx context.Context, name, on string) error {
	var n uint64
	err := query(ctx, w.deps.Conn, "look for the engine of a table", `SELECT count() FROM system.tables
		WHERE database = currentDatabase() AND name = {table:String} AND engine = 'EmbeddedRocksDB'`,
		func(rows driver.Rows) error { return rows.Scan(&n) }, clickhouse.Named("table", name))
	if err != nil || n == 0 {
		return err
	}
	if err := w.deps.Conn.Exec(ctx, `OPTIMIZE TABLE `+name+on); err != nil {
		return fmt.Errorf("compact %s: %w", name, profilestore.Concise(err))
	}
	return nil
}

// local returns a name of tables for a query of system tables.
func (w *Worker) local(table string) string {
	if w.cfg.Cluster != "" && spread[table] {
		return table + "_local"
	}
	return table
}

func (w *Worker) system(table string) string {
	if w.cfg.Cluster != "" {
		return "clusterAllReplicas('" + w.cfg.Cluster + "', system." + table + ")"
	}
	return "system." + table
}

func (w *Worker) locals(tables []string) []string {
	out := []string{}
	for _, t := range tables {
		out = append(out, w.local(t))
	}
	return out
}

// awaitMutations waits until every rewriting of tables has ended.
func (w *Worker) awaitMutations(ctx context.Context, tables []string) error {
	if len(tables) == 0 {
		return nil
	}
	return w.await(ctx, func() (bool, error) {
		var open uint64
		var reason string
		err := query(ctx, w.deps.Conn, "look for rewritings", `SELECT count(), any(latest_fail_reason) FROM `+w.system("mutations")+`
			WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND NOT is_done`,
			func(rows driver.Rows) error { return rows.Scan(&open, &reason) }, clickhouse.Named("tables", w.locals(tables)))
		if err == nil && reason != "" {
			err = errors.New("a rewriting fails: " + firstLine(reason))
		}
		return open == 0, err
	})
}

// firstLine keeps the code of an exception of the engine, and none of its values.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, ":")
	return s
}

// awaitFiles waits until the parts that were rewritten are off the disk: the engine
// keeps them for some minutes (old_parts_lifetime). It reports whether they are.
func (w *Worker) awaitFiles(ctx context.Context, tables []string) (bool, error) {
	before, err := w.oldParts(ctx, tables)
	if err != nil || len(before) == 0 {
		return err == nil, err
	}
	waiting, stop := context.WithTimeout(ctx, w.cfg.FileWait)
	defer stop()
	err = w.await(waiting, func() (bool, error) {
		now, err := w.oldParts(waiting, tables)
		return err == nil && !slices.ContainsFunc(now, func(name string) bool { return slices.Contains(before, name) }), err
	})
	if waiting.Err() != nil && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// oldParts are the parts of tables that were merged or rewritten and are still on disk.
func (w *Worker) oldParts(ctx context.Context, tables []string) (names []string, err error) {
	if len(tables) == 0 {
		return nil, nil
	}
	err = query(ctx, w.deps.Conn, "look for old parts", `SELECT concat(table, '/', name) FROM `+w.system("parts")+`
		WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND NOT active`,
		func(rows driver.Rows) error {
			var name string
			err := rows.Scan(&name)
			names = append(names, name)
			return err
		}, clickhouse.Named("tables", w.locals(tables)))
	return names, err
}

// await calls done until it says so.
func (w *Worker) await(ctx context.Context, done func() (bool, error)) error {
	pause := 20 * time.Millisecond
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		pause = min(2*pause, 2*time.Second)
	}
}

// keepStep notes what a step did to each erasure.
func (w *Worker) keepStep(ctx context.Context, b *batch, step string, counts []uint64) error {
	rows, err := w.deps.Conn.PrepareBatch(ctx, "INSERT INTO erasure_steps (workspace, erasure_id, step, rows, done_at)")
	if err != nil {
		return fmt.Errorf("keep a step: %w", profilestore.Concise(err))
	}
	defer func() { _ = rows.Close() }()
	for i, e := range b.erasures {
		if counts[i] == 0 && step != "begun" && step != "done" {
			continue
		}
		if err := rows.Append(b.workspace, e.ID, step, counts[i], w.deps.Clock().UTC()); err != nil {
			return fmt.Errorf("keep a step: %w", err)
		}
	}
	if err := rows.Send(); err != nil {
		return fmt.Errorf("keep a step: %w", profilestore.Concise(err))
	}
	return nil
}

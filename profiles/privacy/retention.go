package privacy

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
)

// Retention is for how long the events of each kind are kept, from when they were
// received; a kind without an entry is kept for ever. It may have an entry for the record
// of what was read and changed.
type Retention map[string]time.Duration

// kindTables are the tables of the typed parts of each kind.
// The record of what people read and changed is no kind of event; see auditKind.
var kindTables = map[string]string{
	"behaviour": "", "transaction": "transaction_facts", "social": "social_facts", "location": "location_facts", "support": "support_facts",
	"feedback": "feedback_facts", "sensor": "sensor_facts", "contact": "contact_facts",
}

// auditKind stands in a Retention for audit_log, from when the requests came.
const auditKind = "audit"

// ParseRetention reads "location=90,behaviour=395,audit=730": days by kind of event, and of the
// record of what was read and changed.
func ParseRetention(text string) (Retention, error) {
	r := Retention{}
	for _, item := range strings.Split(text, ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		kind, days, ok := strings.Cut(strings.TrimSpace(item), "=")
		n, err := strconv.Atoi(days)
		if _, known := kindTables[kind]; !ok || !known && kind != auditKind || err != nil || n < 1 || n > 36_500 {
			return nil, fmt.Errorf("retention must be kind=days, separated by commas, with days from 1, and kinds of %s",
				strings.Join(append(slices.Sorted(maps.Keys(kindTables)), auditKind), ", "))
		}
		r[kind] = time.Duration(n) * 24 * time.Hour
	}
	return r, nil
}

// retentionEvery is how often what is too old is looked for.
const retentionEvery = 24 * time.Hour

// oldOf returns the tables that hold something of a kind, with the condition on a row
// that it is too old. It binds {before:Int64} and {kind:String}.
func oldOf(kind string) map[string]string {
	const before = ` < fromUnixTimestamp64Milli({before:Int64}, 'UTC')`
	if kind == auditKind {
		return map[string]string{"audit_log": `time` + before}
	}
	const ofKind = `kind = {kind:String} AND received_time` + before
	tables := map[string]string{"events": ofKind, "dead_letters": ofKind}
	if typed := kindTables[kind]; typed != "" {
		tables[typed] = `received_time` + before
	}
	return tables
}

// expire deletes what is older than the retention of its kind: events, their typed
// parts, and dead letters; and entries of audit_log. Traits, consents and identifiers stay: they say who somebody
// is, not what they did.
func (w *Worker) expire(ctx context.Context, now time.Time) error {
	if len(w.cfg.Retention) == 0 || !w.expired.IsZero() && now.Sub(w.expired) < retentionEvery {
		return nil
	}
	for _, kind := range slices.Sorted(maps.Keys(w.cfg.Retention)) {
		before := clickhouse.Named("before", now.Add(-w.cfg.Retention[kind]).UnixMilli())
		tables := oldOf(kind)
		for _, table := range slices.Sorted(maps.Keys(tables)) {
			args := []any{before, clickhouse.Named("kind", kind)}
			var n uint64
			err := query(ctx, w.deps.Conn, "count what is too old", `SELECT count() FROM `+table+` WHERE `+tables[table],
				func(rows driver.Rows) error { return rows.Scan(&n) }, args...)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if err := w.alter(ctx, table, `DELETE WHERE `+tables[table], args); err != nil {
				return err
			}
			w.changed("")
			w.deps.Logger.Info("expired", "kind", kind, "table", table, "rows", n)
		}
	}
	w.expired = now
	return nil
}

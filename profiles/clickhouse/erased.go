package clickhouse

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// erased are anchors of which what was received until some time is erased, in
// milliseconds.
type erased struct {
	anchors []uint64
	at      []int64
}

// scan takes a row of erasedSQL.
func (e *erased) scan(rows driver.Rows) error {
	var id uint64
	var at int64
	err := rows.Scan(&id, &at)
	e.anchors, e.at = append(e.anchors, id), append(e.at, at)
	return err
}

const erasedSQL = `SELECT id, toUnixTimestamp64Milli(max(erased_at))
FROM identity_erasures
WHERE workspace = {workspace:String} AND id IN {anchors:Array(UInt64)} AND what IN ('identifier', 'set')
GROUP BY id`

// afterErasure restricts a table further, where somebody comes again under an
// identifier that was erased: their past may be there until the tables are rewritten.
const afterErasure = `
    AND toUnixTimestamp64Milli(received_time) > transform(anchor_id, {erased:Array(UInt64)}, {erased_at:Array(Int64)}, toInt64(-1))`

// maskErased finds the anchors of the profile of which a part is erased. Hardly any
// profile has one, and the others are not asked.
func (r *reader) maskErased(ctx context.Context) error {
	if !r.reborn {
		return nil
	}
	return r.read(ctx, "erasures", erasedSQL, r.erased.scan, clickhouse.Named("anchors", r.anchors))
}

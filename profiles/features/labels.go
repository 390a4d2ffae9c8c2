package features

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// Window is a span of time, From included and To not.
type Window struct{ From, To time.Time }

// didSQL is who has done an event in a window, by what is known today.
var didSQL = `SELECT DISTINCT ` + warehouse.EventProfile("anchor_id", "time") + ` AS profile_id
FROM events
WHERE workspace = {workspace:String} AND anchor_id != 0 AND name = {name:String}
    AND toUnixTimestamp64Milli(time) >= {from:Int64} AND toUnixTimestamp64Milli(time) < {to:Int64}`

// boughtSQL is who has placed an order in a window that was not cancelled.
var boughtSQL = `SELECT DISTINCT profile_id FROM (
    SELECT ` + warehouse.EventProfile("anchor_id", "time") + ` AS profile_id, toUnixTimestamp64Milli(min(time)) AS placed, argMax(transaction_facts.status, (time, message_hash)) AS status
    FROM transaction_facts
    WHERE workspace = {workspace:String} AND anchor_id != 0 AND type = 'order'
    GROUP BY profile_id, ` + profilestore.TransactionIdentity + `
)
WHERE {name:String} = '' AND placed >= {from:Int64} AND placed < {to:Int64} AND ` + profilestore.TransactionStands

// Did returns the present ids of who has done an event of a name within a window, or
// has bought, where the name is empty.
func (r *Reader) Did(ctx context.Context, workspace, name string, w Window) (map[identity.ProfileID]bool, error) {
	query := didSQL
	if name == "" {
		query = boughtSQL
	}
	rows, err := r.deps.Conn.Query(bound(ctx), query, clickhouse.Named("workspace", workspace), clickhouse.Named("name", name),
		clickhouse.Named("from", w.From.UnixMilli()), clickhouse.Named("to", w.To.UnixMilli()))
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", profilestore.Concise(err))
	}
	defer func() { _ = rows.Close() }()
	all := map[identity.ProfileID]bool{}
	for rows.Next() {
		var id uint64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read answers: %w", profilestore.Concise(err))
		}
		all[identity.ProfileID(id)] = true
	}
	delete(all, 0)
	return all, rows.Err()
}

// respondedSQL is who was sent something on a channel in a window, and whether they have
// clicked or replied on it after that, within the window.
var respondedSQL = `SELECT profile_id, maxIf(at, action IN ('clicked', 'replied')) >= minIf(at, action = 'sent') AS responded
FROM (
    SELECT ` + warehouse.EventProfile("anchor_id", "time") + ` AS profile_id, action, toUnixTimestamp64Milli(time) AS at
    FROM contact_facts
    WHERE workspace = {workspace:String} AND anchor_id != 0 AND channel = {channel:String} AND action IN ('sent', 'clicked', 'replied') AND at >= {from:Int64} AND at < {to:Int64}
)
WHERE profile_id != 0
GROUP BY profile_id
HAVING countIf(action = 'sent') > 0`

// Responded returns the present ids of who was contacted on a channel within a window,
// and whether they responded within it: a click or a reply after the first message.
func (r *Reader) Responded(ctx context.Context, workspace, channel string, w Window) (map[identity.ProfileID]bool, error) {
	all := map[identity.ProfileID]bool{}
	err := r.each(ctx, respondedSQL, func(rows driver.Rows) error {
		var id uint64
		var responded bool
		err := rows.Scan(&id, &responded)
		all[identity.ProfileID(id)] = responded
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("channel", channel),
		clickhouse.Named("from", w.From.UnixMilli()), clickhouse.Named("to", w.To.UnixMilli()))
	if err != nil {
		return nil, fmt.Errorf("read responses: %w", err)
	}
	return all, nil
}

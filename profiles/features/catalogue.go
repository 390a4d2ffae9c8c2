package features

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// Catalogue is what features depend on beside the events: a model keeps it, so that it
// scores what it was trained on.
type Catalogue struct {
	// Events are the frequent names that have features of their own, at most Slots.
	Events []string `json:"events"`
	// Currency is that of the amounts, ISO 4217.
	Currency string `json:"currency"`
}

// frequentSQL counts names of events and, under another kind, currencies of orders that
// were known at a moment.
const frequentSQL = `SELECT 1 AS what, toString(name) AS text, toString(any(kind)) AS kind, count() AS n FROM events
WHERE workspace = {workspace:String} AND anchor_id != 0 AND time < ` + asOf + ` AND (NOT {received:Bool} OR received_time < ` + asOf + `) AND name != ''
GROUP BY text
UNION ALL
SELECT 2 AS what, toString(currency) AS text, '' AS kind, count() AS n FROM transaction_facts
WHERE workspace = {workspace:String} AND anchor_id != 0 AND time < ` + asOf + ` AND (NOT {received:Bool} OR received_time < ` + asOf + `) AND type = 'order'
GROUP BY text
ORDER BY n DESC, text`

// Catalogue finds the frequent event names and the currency of a workspace by what was
// known at a moment. exclude tells names, with their kind, that must have no feature.
func (r *Reader) Catalogue(ctx context.Context, workspace string, at time.Time, k Knowledge, exclude func(name, kind string) bool) (Catalogue, error) {
	c := Catalogue{Events: []string{}}
	err := r.each(ctx, frequentSQL, func(rows driver.Rows) error {
		var what uint8
		var text, kind string
		var n uint64
		err := rows.Scan(&what, &text, &kind, &n)
		switch {
		case what == 2 && c.Currency == "":
			c.Currency = text
		case what == 1 && len(c.Events) < Slots && !exclude(text, kind):
			c.Events = append(c.Events, text)
		}
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("as_of", at.UnixMilli()), clickhouse.Named("received", k == Received))
	if err != nil {
		return c, fmt.Errorf("read event names: %w", err)
	}
	slices.Sort(c.Events) // Places depend on nothing that changes with every event.
	return c, nil
}

// startSQL is the day before which hardly anything happened, or came: dates that clients
// claim can be anything.
const startSQL = `SELECT toInt64(toUnixTimestamp(day)), n FROM (
    SELECT toStartOfDay(if({received:Bool}, received_time, time)) AS day, count() AS n FROM events WHERE workspace = {workspace:String} AND anchor_id != 0 GROUP BY day
) ORDER BY day`

// earlyShare is the share of events that may lie before the start of a history.
const earlyShare = .01

// Start returns the day on which the history of a workspace begins; zero where there is
// none.
func (r *Reader) Start(ctx context.Context, workspace string, k Knowledge) (time.Time, error) {
	var days []int64
	var counts []uint64
	total := uint64(0)
	err := r.each(ctx, startSQL, func(rows driver.Rows) error {
		var at int64
		var n uint64
		err := rows.Scan(&at, &n)
		days, counts, total = append(days, at), append(counts, n), total+n
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("received", k == Received))
	if err != nil {
		return time.Time{}, fmt.Errorf("read days of events: %w", err)
	}
	before := uint64(0)
	for i, n := range counts {
		if before += n; float64(before) > earlyShare*float64(total) {
			return time.Unix(days[i], 0).UTC(), nil
		}
	}
	return time.Time{}, nil
}

// Profiles counts the profiles of a workspace, roughly.
func (r *Reader) Profiles(ctx context.Context, workspace string) (uint64, error) {
	var n uint64
	err := r.deps.Conn.QueryRow(ctx, "SELECT uniq("+warehouse.IdentifierProfile("identifier_id")+") FROM identifiers WHERE workspace = {workspace:String}",
		clickhouse.Named("workspace", workspace)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count profiles: %w", profilestore.Concise(err))
	}
	return n, nil
}

// Present returns the present profiles of identifiers.
func (r *Reader) Present(ctx context.Context, keys []identity.Key) ([]identity.ProfileID, error) {
	ids := make([]uint64, len(keys))
	for i, k := range keys {
		ids[i] = uint64(k)
	}
	list := []identity.ProfileID{}
	err := r.each(ctx, "SELECT DISTINCT "+warehouse.AnchorProfile("id")+" AS profile FROM (SELECT arrayJoin({ids:Array(UInt64)}) AS id) WHERE profile != 0", func(rows driver.Rows) error {
		var id uint64
		err := rows.Scan(&id)
		list = append(list, identity.ProfileID(id))
		return err
	}, clickhouse.Named("ids", ids))
	if err != nil {
		return nil, fmt.Errorf("read profiles of identifiers: %w", err)
	}
	return list, nil
}

// PresentOf returns the id that each profile has now.
func (r *Reader) PresentOf(ctx context.Context, ids []identity.ProfileID) (map[identity.ProfileID]identity.ProfileID, error) {
	all := make(map[identity.ProfileID]identity.ProfileID, len(ids))
	const chunk = 50_000
	for part := range slices.Chunk(ids, chunk) {
		texts := make([]uint64, len(part))
		for i, id := range part {
			texts[i] = uint64(id)
		}
		err := r.each(ctx, "SELECT id, "+warehouse.IdentifierProfile("id")+" AS profile FROM (SELECT arrayJoin({ids:Array(UInt64)}) AS id)", func(rows driver.Rows) error {
			var id, present uint64
			err := rows.Scan(&id, &present)
			all[identity.ProfileID(id)] = identity.ProfileID(present)
			return err
		}, clickhouse.Named("ids", texts))
		if err != nil {
			return nil, fmt.Errorf("read present profiles: %w", err)
		}
	}
	return all, nil
}

func (r *Reader) each(ctx context.Context, query string, scan func(driver.Rows) error, args ...any) error {
	rows, err := r.deps.Conn.Query(bound(ctx), query, args...)
	if err != nil {
		return profilestore.Concise(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return profilestore.Concise(err)
		}
	}
	return profilestore.Concise(rows.Err())
}

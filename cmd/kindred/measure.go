package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"
)

// orderCounts are orders by whether a customer is known.
type orderCounts struct {
	Known uint64 `json:"known"`
	Guest uint64 `json:"guest"`
}

// stored is what ClickHouse holds of the demo, counted there and not by those
// who sent it.
type stored struct {
	Events      uint64      `json:"events_stored"`
	DeadLetters uint64      `json:"dead_letters"`
	Lines       uint64      `json:"lines"`
	Orders      orderCounts `json:"orders"`
	Refunds     uint64      `json:"refunds"`
	Adjustments uint64      `json:"adjustments"`
	Revenue     json.Number `json:"revenue"` // of known customers' lines of positive quantity and price
}

// measureStored counts the events of a workspace and the transactions of one
// source in it. A line that could not be read counts as a line: it is kept too.
func measureStored(ctx context.Context, conn driver.Conn, workspace, source string) (s stored, err error) {
	var revenue decimal.Decimal
	err = conn.QueryRow(ctx, `
		SELECT (SELECT count() FROM events WHERE workspace = $1), (SELECT count() FROM dead_letters WHERE workspace = $1),
			sum(length(items.quantity)) + (SELECT count() FROM dead_letters WHERE workspace = $1 AND source = $2),
			countIf(type = 'order' AND anchor_id != 0), countIf(type = 'order' AND anchor_id = 0),
			countIf(type = 'refund'), countIf(type = 'adjustment'),
			sumIf(arraySum((q, p) -> if(q > 0 AND p > 0, toDecimal128(q, 4) * toDecimal128(p, 4), toDecimal128(0, 8)), items.quantity, items.price),
				type = 'order' AND anchor_id != 0)
		FROM transaction_facts WHERE workspace = $1 AND source = $2`, workspace, source).
		Scan(&s.Events, &s.DeadLetters, &s.Lines, &s.Orders.Known, &s.Orders.Guest, &s.Refunds, &s.Adjustments, &revenue)
	if err != nil {
		return s, fmt.Errorf("count what is stored: %w", err)
	}
	s.Revenue = json.Number(revenue.String())
	return s, nil
}

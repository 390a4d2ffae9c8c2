package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// byHand are definitions of which the same question is written as SQL by somebody who
// knows the tables, the expression of a profile for %[1]s; "" for none.
var byHand = []struct{ text, sql string }{
	{`did "Product Viewed" >= 12 times`, `SELECT count() FROM (SELECT %[1]s AS p FROM events
		WHERE workspace = {workspace:String} AND anchor_id != 0 AND name = 'Product Viewed' GROUP BY p HAVING p != 0 AND count() >= 12)`},
	{`did "Product Viewed" in 30d where (price > 60)`, `SELECT uniqExact(%[1]s) FROM events
		WHERE workspace = {workspace:String} AND anchor_id != 0 AND name = 'Product Viewed' AND time > {now:DateTime64(3)} - INTERVAL 30 DAY AND time <= {now:DateTime64(3)}
			AND JSONExtractFloat(properties, 'price') > 60`},
	{`did "Product Viewed" sum(quantity) >= 20 in 30d`, `SELECT count() FROM (SELECT %[1]s AS p FROM events
		WHERE workspace = {workspace:String} AND anchor_id != 0 AND name = 'Product Viewed' AND time > {now:DateTime64(3)} - INTERVAL 30 DAY AND time <= {now:DateTime64(3)}
		GROUP BY p HAVING p != 0 AND sum(JSONExtractFloat(properties, 'quantity')) >= 20)`},
	{`not did "Product Viewed" in 1d`, ""},
	{`has user_id and did "Product Viewed" >= 8 times in 2d where (position < 12)`, ""},
	{
		`sequence("Product Viewed" where (price > 80) then "Product Viewed" where (price < 10) after <= 1h then "Product Viewed" where (price > 80)) in 30d`,
		`SELECT countIf(level = 3) FROM (SELECT %[1]s AS p, windowFunnel(2592000000)(toUInt64(toUnixTimestamp64Milli(time)),
			JSONExtractFloat(properties, 'price') > 80, JSONExtractFloat(properties, 'price') < 10, JSONExtractFloat(properties, 'price') > 80) AS level FROM events
		WHERE workspace = {workspace:String} AND anchor_id != 0 AND name = 'Product Viewed' AND time > {now:DateTime64(3)} - INTERVAL 30 DAY AND time <= {now:DateTime64(3)}
		GROUP BY p HAVING p != 0)`,
	},
}

// previews counts typical definitions ten times each, and what is written by hand between.
func (b *bench) previews(ctx context.Context) error {
	profile := warehouse.EventProfile("anchor_id", "time")
	for _, q := range byHand {
		body, err := json.Marshal(map[string]any{"text": q.text})
		if err != nil {
			return err
		}
		var waits, hands []time.Duration
		var p struct{ Count, Profiles uint64 }
		var found uint64
		for range 10 {
			start := now()
			if q.sql != "" {
				row := b.p.conn.QueryRow(ctx, fmt.Sprintf(q.sql, profile), clickhouse.Named("workspace", b.p.settings.workspace), clickhouse.DateNamed("now", start, clickhouse.MilliSeconds))
				if err := row.Scan(&found); err != nil {
					return fmt.Errorf("%s by hand: %w", q.text, err)
				}
				hands = append(hands, now().Sub(start))
				start = now()
			}
			answer, err := b.call(ctx, http.MethodPost, "/v1/segments/preview", "read-dev", string(body))
			if err != nil {
				return fmt.Errorf("preview of %s: %w", q.text, err)
			}
			waits = append(waits, now().Sub(start))
			if err := json.Unmarshal(answer, &p); err != nil {
				return err
			}
		}
		slices.Sort(waits)
		b.out("segments, preview of %s: %d of %d profiles, p50 %.2f s, p95 %.2f s", q.text, p.Count, p.Profiles, waits[len(waits)/2].Seconds(), waits[len(waits)-1].Seconds())
		if slices.Sort(hands); len(hands) > 0 {
			b.out("  written by hand: %d profiles, p50 %.2f s, p95 %.2f s; the preview takes %.2f times as long", found, hands[len(hands)/2].Seconds(), hands[len(hands)-1].Seconds(),
				waits[len(waits)/2].Seconds()/hands[len(hands)/2].Seconds())
		}
	}
	return nil
}

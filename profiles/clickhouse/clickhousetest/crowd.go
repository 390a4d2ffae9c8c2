package clickhousetest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// CrowdFounder is the SQL expression of the profile of person number.
const CrowdFounder = "bitAnd(sipHash64(number, 0), 0x7fffffffffffffff)"

// crowdSQL makes a crowd on the server. Person i has three identifiers, of
// which all but the founder have a row in identifier_profile, and two sets: of
// the first two identifiers and of all three. Events fall on the three anchors
// in turn; every fifth is an order.
var crowdSQL = []string{
	`INSERT INTO identifiers (workspace, identifier_id, source, period, namespace, value, first_event, first_received, last_event, last_received)
SELECT 'crowd', bitAnd(sipHash64(i, j), 0x7fffffffffffffff), 'web', 8100, ['anonymous_id', 'email', 'user_id'][j + 1],
    concat('v', toString(i), '-', toString(j)), toDateTime64('2025-01-01 00:00:00', 3, 'UTC'), toDateTime64('2025-01-01 00:00:00', 3, 'UTC'), toDate32('2025-05-01'), toDate32('2025-05-01')
FROM (SELECT number AS i, arrayJoin([0, 1, 2]) AS j FROM numbers({people:UInt64}))`,
	`INSERT INTO identifier_profile (workspace, identifier_id, epoch, sequence, profile_id, previous_id)
SELECT 'crowd', bitAnd(sipHash64(i, j), 0x7fffffffffffffff), 1, i + 1, bitAnd(sipHash64(i, 0), 0x7fffffffffffffff), 0
FROM (SELECT number AS i, arrayJoin([1, 2]) AS j FROM numbers({people:UInt64}))`,
	`INSERT INTO anchor_owner (workspace, anchor_id, epoch, sequence, owner_id, previous_id)
SELECT 'crowd', bitOr(sipHash64(i, j, 'set'), 0x8000000000000000), 1, i + 1, bitAnd(sipHash64(i, j), 0x7fffffffffffffff), 0
FROM (SELECT number AS i, arrayJoin([1, 2]) AS j FROM numbers({people:UInt64}))`,
	`INSERT INTO anchor_members (workspace, identifier_id, anchor_id)
SELECT 'crowd', bitAnd(sipHash64(i, m), 0x7fffffffffffffff), bitOr(sipHash64(i, j, 'set'), 0x8000000000000000)
FROM (SELECT number AS i, arrayJoin([1, 2]) AS j, toUInt8(arrayJoin(range(j + 1))) AS m FROM numbers({people:UInt64}))`,
	`INSERT INTO events (workspace, anchor_id, time, message_hash, message_id, kind, name, type, source, received_time, identifiers, properties)
SELECT 'crowd', if(n % 3 = 0, bitAnd(sipHash64(i, 0), 0x7fffffffffffffff), bitOr(sipHash64(i, n % 3, 'set'), 0x8000000000000000)),
    toDateTime64('2025-01-01 00:00:00', 3, 'UTC') + toIntervalMinute(sipHash64(i, n) % 200000), sipHash64(i, n), toString(i * 1000 + n),
    if(n % 5 = 0, 'transaction', 'behaviour'), ['Order Completed', 'Product Viewed', 'Cart Viewed', 'Searched', 'Page'][n % 5 + 1], 'track', 'web',
    toDateTime64('2025-06-01 00:00:00', 3, 'UTC'), [], concat('{"revenue":', toString(sipHash64(n, i) % 1000 / 10), ',"category":"c', toString(sipHash64(i, n) % 50), '","sku":"sku-', toString(sipHash64(n) % 5000), '"}')
FROM (SELECT number AS i, arrayJoin(range({events:UInt64})) AS n FROM numbers({people:UInt64}))`,
	`INSERT INTO transaction_facts (workspace, anchor_id, time, message_hash, received_time, source, name, type, order_id, status, currency, amount)
SELECT workspace, anchor_id, time, message_hash, received_time, source, name, 'order', message_id, 'completed', 'EUR', JSONExtractFloat(properties, 'revenue')
FROM events WHERE workspace = 'crowd' AND kind = 'transaction'`,
	`INSERT INTO trait_observations (workspace, anchor_id, trait, time, message_hash, received_time, source, value)
SELECT 'crowd', bitAnd(sipHash64(i, 0), 0x7fffffffffffffff), ['country', 'plan'][j + 1], toDateTime64('2025-01-01 00:00:00', 3, 'UTC'), sipHash64(i, j), toDateTime64('2025-01-01 00:00:00', 3, 'UTC'), 'web',
    [concat('"', ['PT', 'BR', 'ES', 'FR', 'DE'][i % 5 + 1], '"'), if(i % 7 = 0, '"gold"', '"free"')][j + 1]
FROM (SELECT number AS i, arrayJoin([0, 1]) AS j FROM numbers({people:UInt64}))`,
	`INSERT INTO scores (workspace, profile_id, score, model_version, as_of, computed_at, value, lower, upper, detail)
SELECT 'crowd', bitAnd(sipHash64(number, 0), 0x7fffffffffffffff), 'churn', 'm1', toDateTime64('2025-06-01 00:00:00', 3, 'UTC'), toDateTime64('2025-06-01 00:00:00', 3, 'UTC'), number % 100 / 100, 0, 1, ''
FROM numbers({people:UInt64})`,
}

// Crowd fills workspace "crowd" with people who have events each, for
// measurements, and loads the base of the reading.
func Crowd(ctx context.Context, t testing.TB, conn driver.Conn, people, events int) {
	t.Helper()
	for _, statement := range crowdSQL {
		err := conn.Exec(ctx, statement, clickhouse.Named("people", people), clickhouse.Named("events", events))
		if err != nil {
			t.Fatalf("make crowd: %v", err)
		}
	}
	at := time.Now()
	version := warehouse.Version{Epoch: 1, Sequence: uint64(people)}
	if err := warehouse.PublishReading(ctx, conn, "crowd", version, at); err != nil {
		t.Fatal(err)
	}
	folder, err := warehouse.NewFolder(warehouse.DefaultFoldConfig(), conn, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Fold(ctx); err != nil {
		t.Fatal(err)
	}
}

package clickhouse_test

import (
	"context"
	"slices"
	"testing"
	"time"

	chdriver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// busySQL gives person 0 of a crowd the events of years: received over twelve
// months on his three anchors, one in ten an order of two lines, one in ten a
// message that was sent or opened, a trait said with one in five, and a group call
// now and then.
var busySQL = []string{
	`INSERT INTO events (workspace, anchor_id, time, message_hash, message_id, kind, name, type, source, received_time, identifiers, properties)
SELECT 'crowd', if(n % 3 = 0, bitAnd(sipHash64(toUInt64(0), 0), 0x7fffffffffffffff), bitOr(sipHash64(toUInt64(0), n % 3, 'set'), 0x8000000000000000)),
    toDateTime64('2025-01-01 00:00:00', 3, 'UTC') + toIntervalMinute(n * 50), sipHash64('busy', n), concat('busy', toString(n)),
    if(n % 10 = 0, 'transaction', if(n % 10 = 1, 'contact', 'behaviour')), ['Order Completed', 'Email Sent', 'Product Viewed', 'Cart Viewed', 'Searched', 'Page'][least(n % 10, 5) + 1], if(n % 500 = 2, 'group', 'track'), 'web',
    toDateTime64('2025-01-01 00:00:00', 3, 'UTC') + toIntervalMinute(n * 50), [], concat('{"groupId":"acme","revenue":', toString(sipHash64(n) % 1000 / 10), ',"category":"c', toString(sipHash64(n) % 50), '","sku":"sku-', toString(sipHash64(n) % 5000), '","text":"', repeat('x', 100), '"}')
FROM (SELECT toUInt32(number) AS n FROM numbers({events:UInt64}))`,
	`INSERT INTO transaction_facts (workspace, anchor_id, time, message_hash, received_time, source, name, type, order_id, status, currency, amount, items.product_id, items.name, items.category, items.quantity, items.price, items.cost)
SELECT workspace, anchor_id, time, message_hash, received_time, source, name, 'order', message_id, 'completed', 'EUR', 12,
    [concat('p', toString(message_hash % 300)), concat('p', toString(message_hash % 7))], ['a', 'b'], ['c', 'd'], [1, 2], [4, 4], [1, 1]
FROM events WHERE workspace = 'crowd' AND startsWith(message_id, 'busy') AND kind = 'transaction'`,
	`INSERT INTO contact_facts (workspace, anchor_id, time, message_hash, received_time, source, name, action, channel, sent_message_id)
SELECT workspace, anchor_id, time, message_hash, received_time, source, name, ['sent', 'opened'][message_hash % 2 + 1], ['email', 'sms'][message_hash % 2 + 1], message_id
FROM events WHERE workspace = 'crowd' AND startsWith(message_id, 'busy') AND kind = 'contact'`,
	`INSERT INTO trait_observations (workspace, anchor_id, trait, time, message_hash, received_time, source, value)
SELECT workspace, anchor_id, ['city', 'plan', 'size', 'tags'][message_hash % 4 + 1], time, message_hash, received_time, source, concat('"', toString(message_hash % 20), '"')
FROM events WHERE workspace = 'crowd' AND startsWith(message_id, 'busy') AND message_hash % 5 = 0`,
}

// busy fills a database with a crowd, one of whom has events events, and returns
// who.
func busy(ctx context.Context, t testing.TB, conn driver.Conn, events int) identity.ProfileID {
	t.Helper()
	clickhousetest.Crowd(ctx, t, conn, 5_000, 10)
	for _, statement := range busySQL {
		if err := conn.Exec(ctx, statement, chdriver.Named("events", events)); err != nil {
			t.Fatal(err)
		}
	}
	var id uint64
	if err := conn.QueryRow(ctx, "SELECT "+clickhousetest.CrowdFounder+" FROM numbers(1)").Scan(&id); err != nil {
		t.Fatal(err)
	}
	return identity.ProfileID(id)
}

// BenchmarkBusy reads the whole view of a profile of 10 000 events, with four
// computed traits, past the cache, and pages of its timeline.
func BenchmarkBusy(b *testing.B) {
	const events = 10_000
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(b)
	id := busy(ctx, b, conn, events)
	cfg := clickhouse.DefaultConfig()
	cfg.Computed = []profiles.ComputedTrait{
		{Name: "orders", Compute: profiles.ComputeCount, Event: "Order Completed", Within: 90 * 24 * time.Hour},
		{Name: "spent", Compute: profiles.ComputeSum, Event: "Order Completed", Property: "revenue"},
		{Name: "favourite", Compute: profiles.ComputeMostFrequent, Event: "Product Viewed", Property: "category"},
		{Name: "quiet", Compute: profiles.ComputeTimeSince, Kind: "behaviour"},
	}
	store, err := clickhouse.New(cfg, conn, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	f := func(name string, read func() error) {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				if err := read(); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[0].Microseconds())/1000, "least-ms")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
	f("view", func() error {
		p, err := profiles.Find(ctx, store, "crowd", identity.Key(id))
		if err == nil && (p.Activity.Total() != events+10 || len(p.Products) != 20 || len(p.Channels) != 2 || len(p.Accounts) != 1) {
			b.Fatalf("%+v", p)
		}
		return err
	})
	timeline := func(q profiles.TimelineQuery) func() error {
		q.Limit = 50
		return func() error {
			page, err := store.Timeline(ctx, "crowd", id, q)
			if len(page) != 50 {
				b.Fatalf("%d events", len(page))
			}
			return err
		}
	}
	f("timeline", timeline(profiles.TimelineQuery{}))
	f("timeline deep", timeline(profiles.TimelineQuery{PageQuery: profiles.PageQuery{After: profiles.Position{Time: time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC), Key: "1"}}}))
	f("timeline of a name", timeline(profiles.TimelineQuery{Names: []string{"Order Completed"}}))
	f("products", func() error { _, err := store.Products(ctx, "crowd", id, profiles.PageQuery{Limit: 50}); return err })
	f("contacts", func() error { _, err := store.Contacts(ctx, "crowd", id, profiles.PageQuery{Limit: 50}); return err })
}

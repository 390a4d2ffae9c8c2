package sql_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// BenchmarkPreview previews typical definitions over KINDRED_BENCH_PEOPLE
// (default 20 000) people with ten events each.
func BenchmarkPreview(b *testing.B) {
	people, err := strconv.Atoi(os.Getenv("KINDRED_BENCH_PEOPLE"))
	if err != nil {
		people = 20_000
	}
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(b)
	clickhousetest.Crowd(ctx, b, conn, people, 10)
	at := time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC)
	p, err := sql.New(sql.DefaultConfig(), conn, func() time.Time { return at })
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ name, definition string }{
		{"event", `{"event":"Product Viewed","count":{"gte":2}}`},
		{"event_where", `{"event":"Product Viewed","where":[{"property":"category","op":"eq","value":"c7"}],"within":"30d"}`},
		{"orders", `{"orders":{"gte":2},"within":"90d"}`},
		{"trait", `{"trait":"country","op":"in","value":["PT","BR"]}`},
		{"absent", `{"not":{"event":"Order Completed","within":"7d"}}`},
		{"sum", `{"event":"Order Completed","sum":"revenue","is":{"gte":50},"from":"2025-02-01"}`},
		{"sequence", `{"sequence":[{"event":"Product Viewed"},{"event":"Cart Viewed","after":{"lte":"30d"}},{"event":"Order Completed","without":{"event":"Searched"}}]}`},
		{"mixed", `{"all":[{"trait":"country","op":"in","value":["PT","BR"]},{"event":"Product Viewed","count":{"gte":2}},{"any":[{"score":"churn","op":"gte","value":0.7},{"identifier":"email"}]},{"not":{"orders":{"gte":1},"within":"7d"}}]}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			d, err := segments.Parse([]byte(c.definition))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				preview, err := p.Preview(ctx, "crowd", d, 10)
				if err != nil || preview.Profiles != uint64(people) || preview.Count == 0 {
					b.Fatalf("%+v, %v", preview, err)
				}
			}
		})
	}
}

// BenchmarkSequence previews sequences over few people who did very much.
func BenchmarkSequence(b *testing.B) {
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(b)
	const events = 20_000
	err := conn.Exec(ctx, `INSERT INTO events (workspace, anchor_id, time, message_hash, kind, name, received_time, identifiers, properties)
SELECT 'main', 1 + number % 2, toDateTime64('2025-01-01 00:00:00', 3, 'UTC') + toIntervalMinute(number), sipHash64(number), 'behaviour',
    ['View', 'Cart', 'Buy', 'Leave'][sipHash64(number, 'name') % 4 + 1], toDateTime64('2025-06-01 00:00:00', 3, 'UTC'), [], ''
FROM numbers({events:UInt64})`, clickhouse.Named("events", events))
	if err != nil {
		b.Fatal(err)
	}
	at := time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC)
	q := sql.DefaultConfig()
	q.MaxExecution = time.Minute
	p, err := sql.New(q, conn, func() time.Time { return at })
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ name, definition string }{
		{"plain", `{"sequence":[{"event":"View"},{"event":"Cart"},{"event":"Buy"}]}`},
		{"gaps", `{"sequence":[{"event":"View"},{"event":"Cart","after":{"gte":"5m","lte":"1h"}},{"event":"Buy","without":{"event":"Leave"}}],"span":"1d"}`},
		{"optional", `{"sequence":[{"event":"View"},{"event":"Cart","optional":true},{"event":"Buy"}],"span":"1d"}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			d, err := segments.Parse([]byte(c.definition))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if preview, err := p.Preview(ctx, "main", d, 10); err != nil || preview.Count != 2 {
					b.Fatalf("%+v, %v", preview, err)
				}
			}
		})
	}
}

package sql_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

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

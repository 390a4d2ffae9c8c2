package clickhouse_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// BenchmarkFind reads whole profiles out of KINDRED_BENCH_PEOPLE (default
// 20 000) with ten events each, one after the other, and reports percentiles.
func BenchmarkFind(b *testing.B) {
	people, err := strconv.Atoi(os.Getenv("KINDRED_BENCH_PEOPLE"))
	if err != nil {
		people = 20_000
	}
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(b)
	clickhousetest.Crowd(ctx, b, conn, people, 10)
	store, err := clickhouse.New(clickhouse.DefaultConfig(), conn, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	var ids []uint64
	if err := conn.QueryRow(ctx, "SELECT groupArray("+clickhousetest.CrowdFounder+") FROM numbers(1000)").Scan(&ids); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		start := time.Now()
		p, err := profiles.Find(ctx, store, "crowd", identity.Key(ids[n%len(ids)]))
		if err != nil || p.IdentifierCount != 3 || p.Activity.Total() != 10 {
			b.Fatalf("%+v, %v", p, err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[0].Microseconds())/1000, "least-ms")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

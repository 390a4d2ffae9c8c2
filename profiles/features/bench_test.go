package features

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// BenchmarkSnapshot reads the features of a million profiles with ten events each, or
// of KINDRED_BENCH_ROWS events:
//
//	go test -run xxx -bench Snapshot -benchtime 1x ./profiles/features
func BenchmarkSnapshot(b *testing.B) {
	events := 10_000_000
	if n, err := strconv.Atoi(os.Getenv("KINDRED_BENCH_ROWS")); err == nil {
		events = n
	}
	conn := warehousetest.NewTestDatabase(b)
	clickhousetest.Crowd(b.Context(), b, conn, events/10, 10)
	r, err := New(Deps{Conn: conn})
	if err != nil {
		b.Fatal(err)
	}
	q := Request{
		Workspace: "crowd", AsOf: time.Date(2025, 6, 2, 0, 0, 0, 0, time.UTC), Knowledge: Received,
		Catalogue: Catalogue{Events: []string{"Product Viewed", "Cart Viewed", "Searched", "Page"}, Currency: "EUR"},
	}
	for b.Loop() {
		rows := 0
		if err := r.Each(b.Context(), q, func(Row) error { rows++; return nil }); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(rows), "profiles")
	}
	var peak uint64
	const memory = "SELECT max(memory_usage) FROM system.query_log WHERE type = 'QueryFinish' AND has(databases, currentDatabase())"
	if conn.Exec(b.Context(), "SYSTEM FLUSH LOGS") == nil && conn.QueryRow(b.Context(), memory).Scan(&peak) == nil {
		fmt.Printf("peak memory of a query: %d MB\n", peak>>20)
	}
}

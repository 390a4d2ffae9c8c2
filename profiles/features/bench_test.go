package features

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// BenchmarkSnapshot reads the features of a million profiles with ten events each, or
// of KINDRED_BENCH_ROWS events; a tenth of the people was merged since:
//
//	go test -run xxx -bench Snapshot -benchtime 1x ./profiles/features
func BenchmarkSnapshot(b *testing.B) {
	events := 10_000_000
	if n, err := strconv.Atoi(os.Getenv("KINDRED_BENCH_ROWS")); err == nil {
		events = n
	}
	conn := warehousetest.NewTestDatabase(b)
	clickhousetest.Crowd(b.Context(), b, conn, events/10, 10)
	const merged = `INSERT INTO identity_changes (workspace, epoch, sequence, subject_kind, subject_id, changed_at, old_id, new_id, cause)
SELECT workspace, epoch, sequence, 'identifier', identifier_id, toDateTime64('2025-07-01 00:00:00', 3, 'UTC'), identifier_id, profile_id, 'evidence'
FROM identifier_profile WHERE workspace = 'crowd' AND profile_id % 10 = 0`
	if err := conn.Exec(b.Context(), merged); err != nil {
		b.Fatal(err)
	}
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
}

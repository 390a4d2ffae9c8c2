package warehouse_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// BenchmarkTenures weighs what past tenures cost a scan of as many events as
// there are rows in each hop, beside the two hops alone: where no set is decided
// by a moving identifier, where all are and none has tenures, and where one of a
// hundred has; and what a query of one row costs.
func BenchmarkTenures(b *testing.B) {
	rows := benchRows(1_000_000)
	conn := warehousetest.NewTestDatabase(b)
	fillReading(b, conn, rows)
	fold(b, conn)
	for b.Loop() {
		alternate(b, conn, rows, "")
		changes(b, conn, rows+1, 20_000)
		alternate(b, conn, rows, "-recent-20k")
		fold(b, conn)
		execute(b, conn, "ALTER TABLE anchor_owner UPDATE has_tenures = true WHERE 1 SETTINGS mutations_sync = 2")
		execute(b, conn, "SYSTEM RELOAD DICTIONARY reading_owners")
		alternate(b, conn, rows, "-all-moving")
		execute(b, conn, fmt.Sprintf(`INSERT INTO identifier_tenures (workspace, identifier_id, epoch, sequence, untils, owners)
			SELECT 'main', intHash64(number) %% 9000000000000000000, 1, %d, [toDateTime64('2025-01-01 00:00:00', 3, 'UTC')], [number] FROM numbers(%d)`, 2*rows, rows/100))
		if err := warehouse.PublishReading(b.Context(), conn, "main", warehouse.Version{Epoch: 1, Sequence: uint64(2 * rows)}, epochZero); err != nil {
			b.Fatal(err)
		}
		fold(b, conn)
		alternate(b, conn, rows, "-with-tenures")
	}
}

// alternate reports the least processor time of the two hops and of the whole
// expression, taken in turn because a machine is not equally busy for long.
func alternate(b *testing.B, conn driver.Conn, rows int, label string) {
	b.Helper()
	const scanned, single = " AS p FROM e) SETTINGS max_threads = 1", " AS p FROM (SELECT toUInt64(number) AS anchor_id, toDateTime64(number, 3, 'UTC') AS time FROM numbers(1)))"
	hops, event := warehouse.AnchorProfile("anchor_id"), warehouse.EventProfile("anchor_id", "time")
	queries := []struct{ name, text string }{
		{"plain", "SELECT sum(p), sum(amount), max(time) FROM (SELECT amount, time, anchor_id" + scanned},
		{"hops", "SELECT sum(p), sum(amount), max(time) FROM (SELECT amount, time, " + hops + scanned},
		{"event", "SELECT sum(p), sum(amount), max(time) FROM (SELECT amount, time, " + event + scanned},
		{"one-hops", "SELECT sum(p) FROM (SELECT " + hops + single},
		{"one-event", "SELECT sum(p) FROM (SELECT " + event + single},
	}
	least := map[string]float64{}
	for range 9 {
		for _, q := range queries {
			before := cpu(b, conn)
			execute(b, conn, q.text)
			took := (cpu(b, conn) - before).Seconds()
			if old, ok := least[q.name]; !ok || took < old {
				least[q.name] = took
			}
		}
	}
	perRow := func(name string) float64 { return math.Round(least[name]*1e10/float64(rows)) / 10 }
	for _, name := range []string{"plain", "hops", "event"} {
		b.ReportMetric(perRow(name), "cpu-ns/row:"+name+label)
	}
	b.ReportMetric(least["one-hops"]*1e3, "cpu-ms:one-hops"+label)
	b.ReportMetric(least["one-event"]*1e3, "cpu-ms:one-event"+label)
}

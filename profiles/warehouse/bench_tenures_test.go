package warehouse_test

import (
	"fmt"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// BenchmarkTenures weighs what past tenures cost a scan of as many events as
// there are rows in each hop: beside the two hops alone, where no set is decided
// by a moving identifier, where all are and none has tenures, and where one of
// a hundred has; and a query for nothing.
func BenchmarkTenures(b *testing.B) {
	rows := benchRows(1_000_000)
	conn := warehousetest.NewTestDatabase(b)
	fillReading(b, conn, rows)
	fold(b, conn)
	hops, event := warehouse.AnchorProfile("anchor_id"), warehouse.EventProfile("anchor_id", "time")
	for b.Loop() {
		scan(b, conn, "hops", hops, "e")
		scan(b, conn, "event", event, "e")
		one(b, conn, "one-hops")
		m := measure(b, conn, "SELECT "+warehouse.EventProfile("number", "toDateTime64(number, 3, 'UTC')")+" FROM numbers(1)")
		b.ReportMetric(m.cpu*1e3, "cpu-ms:one-event")
		flag(b, conn)
		scan(b, conn, "event-all-moving", event, "e")
		execute(b, conn, fmt.Sprintf(`INSERT INTO identifier_tenures (workspace, identifier_id, epoch, sequence, untils, owners)
			SELECT 'main', intHash64(number) %% 9000000000000000000, 1, %d, [toDateTime64('2025-01-01 00:00:00', 3, 'UTC')], [number] FROM numbers(%d)`, 2*rows, rows/100))
		if err := warehouse.PublishReading(b.Context(), conn, "main", warehouse.Version{Epoch: 1, Sequence: uint64(2 * rows)}, epochZero); err != nil {
			b.Fatal(err)
		}
		scan(b, conn, "event-tenures-recent", event, "e")
		fold(b, conn)
		scan(b, conn, "event-tenures", event, "e")
	}
}

// flag makes every set one that a moving identifier decides.
func flag(b *testing.B, conn driver.Conn) {
	b.Helper()
	execute(b, conn, "ALTER TABLE anchor_owner UPDATE has_tenures = true WHERE 1 SETTINGS mutations_sync = 2")
	execute(b, conn, "SYSTEM RELOAD DICTIONARY reading_owners")
}

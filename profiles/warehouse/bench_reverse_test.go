package warehouse_test

import (
	"fmt"
	"testing"

	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// BenchmarkReverse weighs the ways from a profile to its identifiers, in a
// table of three identifiers to a profile: rows and time of one look-up, disk,
// and the cost of loading.
func BenchmarkReverse(b *testing.B) {
	rows := benchRows(1_000_000)
	const columns = "workspace LowCardinality(String), identifier_id UInt64, epoch UInt64, sequence UInt64, profile_id UInt64, previous_id UInt64"
	for _, v := range []struct{ name, extra, second string }{
		{"none", "", ""},
		{"projection", ", PROJECTION by_profile (SELECT workspace, profile_id, identifier_id ORDER BY workspace, profile_id)", ""},
		{"projection-of-offsets", ", PROJECTION by_profile (SELECT _part_offset ORDER BY workspace, profile_id)", ""},
		{"bloom-filter", ", INDEX by_profile profile_id TYPE bloom_filter(0.01) GRANULARITY 1", ""},
		{"second-table", "", "CREATE TABLE q (workspace LowCardinality(String), profile_id UInt64, identifier_id UInt64) ENGINE = MergeTree ORDER BY (workspace, profile_id, identifier_id) SETTINGS index_granularity = 1024"},
	} {
		b.Run(v.name, func(b *testing.B) {
			conn := warehousetest.NewTestDatabase(b)
			execute(b, conn, "CREATE TABLE p ("+columns+v.extra+") ENGINE = MergeTree ORDER BY (workspace, identifier_id, epoch, sequence) SETTINGS index_granularity = 1024")
			read := "p"
			if v.second != "" {
				execute(b, conn, v.second)
				execute(b, conn, "CREATE MATERIALIZED VIEW m TO q AS SELECT workspace, profile_id, identifier_id FROM p")
				read = "q"
			}
			for b.Loop() {
				execute(b, conn, "TRUNCATE TABLE p")
				before := cpu(b, conn)
				execute(b, conn, fmt.Sprintf("INSERT INTO p SELECT 'main', intHash64(number) %% 9000000000000000000, 1, number + 1, intHash64(intDiv(number, 3) * 3) %% 9000000000000000000, 0 FROM numbers(%d)", rows))
				execute(b, conn, "OPTIMIZE TABLE p FINAL")
				execute(b, conn, "OPTIMIZE TABLE "+read+" FINAL")
				b.ReportMetric((cpu(b, conn)-before).Seconds()*1e6/float64(rows), "cpu-µs/row-loaded")
				var disk uint64
				if err := conn.QueryRow(b.Context(), "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table IN ('p', 'q')").Scan(&disk); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(disk)/float64(rows), "B/row")
				m := measure(b, conn, "SELECT identifier_id FROM "+read+" WHERE workspace = 'main' AND profile_id = (SELECT intHash64(300) % 9000000000000000000)")
				b.ReportMetric(float64(m.rows), "rows")
				b.ReportMetric(m.seconds*1e3, "ms")
			}
		})
	}
}

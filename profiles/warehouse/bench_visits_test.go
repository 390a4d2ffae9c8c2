package warehouse_test

import (
	"fmt"
	"testing"

	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// BenchmarkVisits folds readings, one every four seconds of a thousand visits of
// a store per tag and day, for all tags and for one.
func BenchmarkVisits(b *testing.B) {
	rows := benchRows(1_000_000)
	conn := warehousetest.NewTestDatabase(b)
	execute(b, conn, fmt.Sprintf(`INSERT INTO sensor_facts (workspace, anchor_id, time, message_hash, received_time, technology, device, zone, reading, unit)
		SELECT 'main', 1 + intHash32(intDiv(number, 500)), toDateTime64('2026-01-01', 3, 'UTC') + number %% 500 * 4 + intDiv(number, 500) %% 1000, number,
			'2026-02-01', 'rfid', 'r', concat('zone-', toString(intDiv(number, 25) %% 6 + (intHash32(number) %% 8 = 0))), -60 + toFloat64(intHash32(number) %% 10) - 10 * (intHash32(number) %% 8 = 0), 'dBm'
		FROM numbers(%d)`, rows))
	for b.Loop() {
		for name, where := range map[string]string{
			"all": "workspace = 'main'", "anchor": "workspace = 'main' AND anchor_id = 1 + intHash32(0)",
		} {
			m := measure(b, conn, "SELECT count(), sum(dwell_seconds) FROM visits WHERE "+where)
			b.ReportMetric(m.seconds*1e3, "ms-"+name)
			b.ReportMetric(m.cpu*1e3, "cpu-ms-"+name)
			b.ReportMetric(float64(m.rows), "rows-"+name)
		}
		b.ReportMetric(float64(rows), "readings")
	}
}

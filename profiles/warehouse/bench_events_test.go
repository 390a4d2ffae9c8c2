package warehouse_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// eventOrders are the sort keys and granularities of events that were weighed.
var eventOrders = []struct {
	name, order, extra string
	granularity        int
}{
	{"anchor/8192", "(workspace, anchor_id, time, message_hash)", "", 8192},
	{"anchor/1024", "(workspace, anchor_id, time, message_hash)", "", 1024},
	{"anchor/512", "(workspace, anchor_id, time, message_hash)", "", 512},
	{"anchor/256", "(workspace, anchor_id, time, message_hash)", "", 256},
	{"kind_anchor/1024", "(workspace, kind, anchor_id, time, message_hash)", "", 1024},
	{"time_bloom/1024", "(workspace, time, anchor_id, message_hash)", "ALTER TABLE %s ADD INDEX by_anchor anchor_id TYPE bloom_filter(0.01) GRANULARITY 1", 1024},
	{"time_projection/1024", "(workspace, time, anchor_id, message_hash)", "ALTER TABLE %s ADD PROJECTION by_anchor (SELECT * ORDER BY workspace, anchor_id, time)", 1024},
}

// generate fills table with slim events in three months of receipt, ten for
// each person, who has three anchors; 100 and 2 000 anchors of one person, and
// of 2 000 people, are then the anchors of sequential people: keys are hashes,
// so any choice of people is a random choice of anchors.
const generate = `INSERT INTO %s (workspace, anchor_id, time, message_hash, kind, name, type, source, received_time, properties, url)
SELECT 'main', sipHash64(person, h %% 3), at, bitOr(bitShiftLeft(toUInt128(h), 64), number),
    ['behaviour', 'behaviour', 'behaviour', 'transaction'][1 + h %% 4], ['Product Viewed', 'Product Added', 'Cart Viewed', 'Order Completed', 'Page', 'Page', 'Page', 'Page', 'Search', 'Login'][1 + h %% 10], 'track', 'web',
    at, concat('{"product_id":"P1","revenue":', toString(h %% 40000), '}'), 'https://shop.example.com/'
FROM (SELECT number, sipHash64(number, 7) AS h, intDiv(number, 10) AS person, toDateTime64('2025-01-01 00:00:00', 3, 'UTC') + toIntervalMillisecond(sipHash64(number, 9) %% 7776000000) AS at FROM numbers(%d, %d))
SETTINGS max_insert_block_size = 500000, min_insert_block_size_rows = 500000, min_insert_block_size_bytes = 0, max_insert_threads = 1`

// anchorsOf is the anchors of n people, one or three each.
func anchorsOf(people, each int) string {
	return fmt.Sprintf("(SELECT sipHash64(intDiv(number, %d) * 7, number %% %d) FROM numbers(%d))", each, each, people*each)
}

// BenchmarkEventOrder measures what the sort key and granularity of events
// cost and give: loading, size, the timeline of one person with 1, 100 and
// 2 000 anchors, the events of 2 000 changed people, and full scans.
func BenchmarkEventOrder(b *testing.B) {
	rows := benchRows(1_000_000)
	for _, o := range eventOrders {
		b.Run(o.name, func(b *testing.B) {
			conn := warehousetest.NewTestDatabase(b)
			execute(b, conn, fmt.Sprintf("CREATE TABLE e AS events ENGINE = MergeTree PARTITION BY toYYYYMM(received_time) ORDER BY %s SETTINGS index_granularity = %d, deduplicate_merge_projection_mode = 'rebuild'", o.order, o.granularity))
			if o.extra != "" {
				execute(b, conn, fmt.Sprintf(o.extra, "e"))
			}
			for b.Loop() {
				execute(b, conn, "TRUNCATE TABLE e")
				before := cpu(b, conn)
				execute(b, conn, fmt.Sprintf(generate, "e", 0, rows))
				execute(b, conn, "OPTIMIZE TABLE e FINAL")
				b.ReportMetric((cpu(b, conn)-before).Seconds()*1e6/float64(rows), "cpu-µs/row-loaded")
				var disk, marks uint64
				if err := conn.QueryRow(b.Context(), "SELECT sum(bytes_on_disk), sum(primary_key_bytes_in_memory) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'e'").Scan(&disk, &marks); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(disk)/float64(rows), "B/row")
				b.ReportMetric(float64(marks)/1e6, "MB-key")
				for _, q := range []struct{ name, query string }{
					{"1-anchor", timeline(anchorsOf(1, 1))},
					{"100-anchors", timeline(anchorsOf(100, 1))},
					{"2000-anchors", timeline(anchorsOf(2000, 1))},
					{"2000-people", "SELECT anchor_id, countIf(name = 'Page'), max(time) FROM e WHERE workspace = 'main' AND anchor_id IN " + anchorsOf(2000, 3) + " GROUP BY anchor_id"},
					{"scan", "SELECT name, count(), max(time) FROM e WHERE workspace = 'main' GROUP BY name"},
					{"week", "SELECT name, count() FROM e WHERE workspace = 'main' AND time >= toDateTime64('2025-03-20 00:00:00', 3, 'UTC') AND time < toDateTime64('2025-03-27 00:00:00', 3, 'UTC') GROUP BY name"},
				} {
					m := measure(b, conn, q.query)
					b.ReportMetric(float64(m.rows), "rows:"+q.name)
					b.ReportMetric(float64(m.bytes)/1e6, "MB:"+q.name)
					b.ReportMetric(m.seconds*1e3, "ms:"+q.name)
				}
			}
		})
	}
}

func timeline(anchors string) string {
	return "SELECT time, name, properties, url FROM e WHERE workspace = 'main' AND anchor_id IN " + anchors + " ORDER BY time DESC LIMIT 100"
}

// BenchmarkEventInsert loads events of full width in native batches of 20 000
// through one connection, each with a token, as ingest does: what granularity
// and the memory of tokens cost there.
func BenchmarkEventInsert(b *testing.B) {
	for _, v := range []struct{ name, settings string }{
		{"granularity-8192", "index_granularity = 8192, non_replicated_deduplication_window = 100000"},
		{"granularity-1024", "index_granularity = 1024, non_replicated_deduplication_window = 100000"},
		{"granularity-512", "index_granularity = 512, non_replicated_deduplication_window = 100000"},
		{"granularity-256", "index_granularity = 256, non_replicated_deduplication_window = 100000"},
		{"granularity-256-no-window", "index_granularity = 256, non_replicated_deduplication_window = 0"},
	} {
		b.Run(v.name, func(b *testing.B) {
			conn := warehousetest.NewTestDatabase(b)
			execute(b, conn, "CREATE TABLE e AS events ENGINE = MergeTree PARTITION BY toYYYYMM(received_time) ORDER BY (workspace, anchor_id, time, message_hash) SETTINGS "+v.settings)
			r := rand.New(rand.NewPCG(1, 2))
			const size = 20_000
			rows := max(benchRows(300_000)/size, 1) * size
			var blocks []*block
			for range rows / size {
				blocks = append(blocks, makeBlock(r, size, rows/10))
			}
			for b.Loop() {
				execute(b, conn, "TRUNCATE TABLE e")
				before, start := cpu(b, conn), time.Now()
				for i, block := range blocks {
					ctx := clickhouse.Context(b.Context(), clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": fmt.Sprint(i, start)}))
					if err := block.insert(ctx, conn, "e", texts(block)); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(rows)/time.Since(start).Seconds(), "rows/s")
				b.ReportMetric((cpu(b, conn)-before).Seconds()*1e6/float64(rows), "cpu-µs/row-inserted")
				before = cpu(b, conn)
				execute(b, conn, "OPTIMIZE TABLE e FINAL")
				b.ReportMetric((cpu(b, conn)-before).Seconds()*1e6/float64(rows), "cpu-µs/row-merged")
				var disk uint64
				if err := conn.QueryRow(b.Context(), "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'e'").Scan(&disk); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(disk)/float64(rows), "B/row")
			}
		})
	}
}

// BenchmarkSeenMessages measures the look-up of messages that the filter in
// memory cannot rule out.
func BenchmarkSeenMessages(b *testing.B) {
	rows := benchRows(3_000_000)
	for _, granularity := range []int{8192, 1024, 256} {
		b.Run(fmt.Sprint(granularity), func(b *testing.B) {
			conn := warehousetest.NewTestDatabase(b)
			execute(b, conn, fmt.Sprintf("CREATE TABLE s AS seen_messages ENGINE = MergeTree ORDER BY (workspace, message_hash) SETTINGS index_granularity = %d", granularity))
			for b.Loop() {
				execute(b, conn, fmt.Sprintf("INSERT INTO s SELECT 'main', reinterpretAsUInt128(sipHash128(number)), number, 'kindred.behaviour', number %% 12, number FROM numbers(%d)", rows))
				execute(b, conn, "OPTIMIZE TABLE s FINAL")
				b.ReportMetric(bytesOnDisk(b, conn, "s", ".")/float64(rows), "B/row")
				for _, n := range []int{1, 100} {
					m := measure(b, conn, fmt.Sprintf("SELECT * FROM s WHERE workspace = 'main' AND message_hash IN (SELECT reinterpretAsUInt128(sipHash128(number * 7)) FROM numbers(%d))", n))
					b.ReportMetric(float64(m.rows), fmt.Sprintf("rows:%d", n))
					b.ReportMetric(m.seconds*1e3, fmt.Sprintf("ms:%d", n))
				}
			}
		})
	}
}

package warehouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// BenchmarkReading weighs the ways in which a query can get from anchor to
// profile, each with as many rows in both hops: the time of a query that
// resolves as many anchors, the memory of the mechanism, and what it takes to
// make 1 000 changes visible.
func BenchmarkReading(b *testing.B) {
	rows := benchRows(1_000_000)
	for _, m := range []struct {
		name string
		run  func(b *testing.B, conn driver.Conn, rows int)
	}{
		{"layered", benchLayered},
		{"recent-dictionary", benchRecentDictionary},
		{"flat-dictionary", benchFlat},
		{"update-field", benchUpdateField},
		{"join-engine", benchJoinEngine},
		{"tables", benchTables},
	} {
		b.Run(m.name, func(b *testing.B) {
			conn := warehousetest.NewTestDatabase(b)
			fillReading(b, conn, rows)
			for b.Loop() {
				m.run(b, conn, rows)
			}
		})
	}
}

// fillReading writes rows sets, each decided by its own identifier, and as many
// identifiers, three to a profile, all published. The copies to the recent
// layer are left out: they are measured by benchLayered.
func fillReading(b *testing.B, conn driver.Conn, rows int) {
	b.Helper()
	execute(b, conn, "RENAME TABLE reading_recent_owners TO x_owners, reading_recent_profiles TO x_profiles")
	execute(b, conn, "DETACH TABLE x_owners")
	execute(b, conn, "DETACH TABLE x_profiles")
	execute(b, conn, fmt.Sprintf("INSERT INTO anchor_owner (workspace, anchor_id, epoch, sequence, owner_id) SELECT 'main', bitOr(sipHash64(number), bitShiftLeft(toUInt64(1), 63)), 1, number + 1, intHash64(number) %% 9000000000000000000 FROM numbers(%d)", rows))
	execute(b, conn, fmt.Sprintf("INSERT INTO identifier_profile (workspace, identifier_id, epoch, sequence, profile_id) SELECT 'main', intHash64(number) %% 9000000000000000000, 1, number + 1, intHash64(intDiv(number, 3) * 3) %% 9000000000000000000 FROM numbers(%d)", rows))
	execute(b, conn, "ATTACH TABLE x_owners")
	execute(b, conn, "ATTACH TABLE x_profiles")
	execute(b, conn, "RENAME TABLE x_owners TO reading_recent_owners, x_profiles TO reading_recent_profiles")
	execute(b, conn, "CREATE TABLE e (anchor_id UInt64, amount UInt32, time DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY anchor_id")
	execute(b, conn, fmt.Sprintf("INSERT INTO e SELECT bitOr(sipHash64(number), bitShiftLeft(toUInt64(1), 63)), number, toDateTime64('2025-01-01 00:00:00', 3, 'UTC') + number FROM numbers(%d)", rows))
	execute(b, conn, "OPTIMIZE TABLE e FINAL")
	if err := warehouse.PublishReading(b.Context(), conn, "main", warehouse.Version{Epoch: 1, Sequence: uint64(rows)}, epochZero); err != nil {
		b.Fatal(err)
	}
}

// scan resolves every row of e by expression and reports its cost beside that
// of the same query without resolution.
func scan(b *testing.B, conn driver.Conn, label, expression, from string) {
	b.Helper()
	plain := measure(b, conn, "SELECT sum(anchor_id), sum(amount), max(time) FROM e")
	m := measure(b, conn, "SELECT sum("+expression+"), sum(amount), max(time) FROM "+from)
	b.ReportMetric(m.seconds*1e3, "ms:"+label)
	b.ReportMetric((m.cpu-plain.cpu)*1e9/float64(benchRows(1_000_000)), "cpu-ns/row:"+label)
}

// changes appends n changes of the second hop after from and publishes them.
func changes(b *testing.B, conn driver.Conn, from, n int) {
	b.Helper()
	execute(b, conn, fmt.Sprintf("INSERT INTO identifier_profile (workspace, identifier_id, epoch, sequence, profile_id) SELECT 'main', intHash64(number * 7) %% 9000000000000000000, 1, %d + number, 1 FROM numbers(%d)", from, n))
	if err := warehouse.PublishReading(b.Context(), conn, "main", warehouse.Version{Epoch: 1, Sequence: uint64(from + n)}, epochZero); err != nil {
		b.Fatal(err)
	}
}

// timed reports the time of f and its processor time.
func timed(b *testing.B, conn driver.Conn, label string, f func()) {
	b.Helper()
	before, start := cpu(b, conn), time.Now()
	f()
	b.ReportMetric(float64(time.Since(start).Microseconds())/1e3, "ms:"+label)
	b.ReportMetric((cpu(b, conn)-before).Seconds()*1e3, "cpu-ms:"+label)
}

// one reports the cost of resolving a single identifier: what every query pays.
func one(b *testing.B, conn driver.Conn, label string) {
	b.Helper()
	m := measure(b, conn, "SELECT "+warehouse.IdentifierProfile("number")+" FROM numbers(1)")
	b.ReportMetric(m.seconds*1e3, "ms:"+label)
	b.ReportMetric(m.cpu*1e3, "cpu-ms:"+label)
}

func dictionaryMemory(b *testing.B, conn driver.Conn) {
	b.Helper()
	var bytes uint64
	if err := conn.QueryRow(b.Context(), "SELECT sum(bytes_allocated) FROM system.dictionaries WHERE database = currentDatabase()").Scan(&bytes); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(bytes)/1e6, "MB-memory")
}

func benchLayered(b *testing.B, conn driver.Conn, rows int) {
	expression := warehouse.AnchorProfile("anchor_id")
	timed(b, conn, "fold", func() { fold(b, conn) })
	dictionaryMemory(b, conn)
	scan(b, conn, "recent-0", expression, "e")
	one(b, conn, "one-at-0")
	timed(b, conn, "publish-1000", func() { changes(b, conn, rows+1, 1000) })
	scan(b, conn, "recent-1k", expression, "e")
	one(b, conn, "one-at-1k")
	changes(b, conn, rows+2000, 20_000)
	scan(b, conn, "recent-20k", expression, "e")
	one(b, conn, "one-at-20k")
	changes(b, conn, rows+30_000, 100_000)
	scan(b, conn, "recent-100k", expression, "e")
	one(b, conn, "one-at-100k")
}

const (
	ownersSource   = "SELECT anchor_id, argMax(owner_id, (epoch, sequence)) AS v FROM %s.anchor_owner GROUP BY anchor_id"
	profilesSource = "SELECT identifier_id, argMax(profile_id, (epoch, sequence)) AS v FROM %s.identifier_profile GROUP BY identifier_id"
)

// dictionary makes a dictionary d(name) over query.
func dictionary(b *testing.B, conn driver.Conn, name, key, query, extra, layout string) {
	b.Helper()
	var db string
	if err := conn.QueryRow(b.Context(), "SELECT currentDatabase()").Scan(&db); err != nil {
		b.Fatal(err)
	}
	execute(b, conn, fmt.Sprintf("CREATE OR REPLACE DICTIONARY %s (%s UInt64, v UInt64) PRIMARY KEY %s SOURCE(CLICKHOUSE(USER 'default' QUERY '%s' %s)) LAYOUT(%s) LIFETIME(0)", name, key, key, fmt.Sprintf(query, db), extra, layout))
}

func twoHops(owners, profiles string) string {
	return "dictGetOrDefault('" + profiles + "', 'v', dictGetOrDefault('" + owners + "', 'v', anchor_id, toUInt64(0)) AS o, o)"
}

func benchFlat(b *testing.B, conn driver.Conn, rows int) {
	for layout, definition := range map[string]string{"hashed": "HASHED()", "sparse": "SPARSE_HASHED()", "array": "HASHED_ARRAY()", "shards-2": "HASHED(SHARDS 2)"} {
		dictionary(b, conn, "fo", "anchor_id", ownersSource, "", definition)
		dictionary(b, conn, "fp", "identifier_id", profilesSource, "", definition)
		timed(b, conn, "reload-"+layout, func() {
			execute(b, conn, "SYSTEM RELOAD DICTIONARY fo")
			execute(b, conn, "SYSTEM RELOAD DICTIONARY fp")
		})
		var bytes uint64
		if err := conn.QueryRow(b.Context(), "SELECT sum(bytes_allocated) FROM system.dictionaries WHERE database = currentDatabase()").Scan(&bytes); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(bytes)/1e6, "MB-"+layout)
		scan(b, conn, "scan-"+layout, twoHops("fo", "fp"), "e")
	}
}

// benchRecentDictionary keeps the recent layer in dictionaries too, loaded
// again at each publication.
func benchRecentDictionary(b *testing.B, conn driver.Conn, rows int) {
	dictionary(b, conn, "fo", "anchor_id", ownersSource, "", "HASHED()")
	dictionary(b, conn, "fp", "identifier_id", profilesSource, "", "HASHED()")
	dictionary(b, conn, "ro", "id", "SELECT id, argMax(value, (epoch, sequence)) AS v FROM %s.reading_recent WHERE hop = 1 GROUP BY id", "", "HASHED()")
	dictionary(b, conn, "rp", "id", "SELECT id, argMax(value, (epoch, sequence)) AS v FROM %s.reading_recent WHERE hop = 2 GROUP BY id", "", "HASHED()")
	hops := "dictGetOrDefault('rp', 'v', dictGetOrDefault('ro', 'v', anchor_id, dictGetOrDefault('fo', 'v', anchor_id, toUInt64(0))) AS o, dictGetOrDefault('fp', 'v', o, o))"
	reload := func() {
		execute(b, conn, "SYSTEM RELOAD DICTIONARY ro")
		execute(b, conn, "SYSTEM RELOAD DICTIONARY rp")
	}
	timed(b, conn, "publish-1000", func() { changes(b, conn, rows+1, 1000); reload() })
	scan(b, conn, "recent-1k", hops, "e")
	changes(b, conn, rows+2000, 100_000)
	timed(b, conn, "publish-at-100k", reload)
	scan(b, conn, "recent-100k", hops, "e")
}

// benchUpdateField lets one flat dictionary load only newer rows.
func benchUpdateField(b *testing.B, conn driver.Conn, rows int) {
	execute(b, conn, "CREATE TABLE u (identifier_id UInt64, v UInt64, at DateTime) ENGINE = MergeTree ORDER BY at")
	execute(b, conn, fmt.Sprintf("INSERT INTO u SELECT intHash64(number) %% 9000000000000000000, number, toDateTime('2020-01-01 00:00:00', 'UTC') FROM numbers(%d)", rows))
	var db string
	if err := conn.QueryRow(b.Context(), "SELECT currentDatabase()").Scan(&db); err != nil {
		b.Fatal(err)
	}
	execute(b, conn, "CREATE DICTIONARY ud (identifier_id UInt64, v UInt64) PRIMARY KEY identifier_id SOURCE(CLICKHOUSE(USER 'default' DB '"+db+"' TABLE 'u' UPDATE_FIELD 'at')) LAYOUT(HASHED()) LIFETIME(0)")
	execute(b, conn, "SYSTEM RELOAD DICTIONARY ud")
	execute(b, conn, "INSERT INTO u SELECT number, number, toDateTime('2090-01-01 00:00:00', 'UTC') FROM numbers(1000)")
	timed(b, conn, "reload-1000", func() { execute(b, conn, "SYSTEM RELOAD DICTIONARY ud") })
	dictionaryMemory(b, conn)
}

// benchJoinEngine keeps both hops in tables of the Join engine.
func benchJoinEngine(b *testing.B, conn driver.Conn, rows int) {
	execute(b, conn, "CREATE TABLE jo (k UInt64, v UInt64) ENGINE = Join(ANY, LEFT, k) SETTINGS join_any_take_last_row = 1")
	execute(b, conn, "CREATE TABLE jp (k UInt64, v UInt64) ENGINE = Join(ANY, LEFT, k) SETTINGS join_any_take_last_row = 1")
	timed(b, conn, "fill", func() {
		execute(b, conn, "INSERT INTO jo SELECT anchor_id, owner_id FROM anchor_owner")
		execute(b, conn, "INSERT INTO jp SELECT identifier_id, profile_id FROM identifier_profile")
	})
	var bytes uint64
	if err := conn.QueryRow(b.Context(), "SELECT toUInt64(sum(total_bytes)) FROM system.tables WHERE database = currentDatabase() AND engine = 'Join'").Scan(&bytes); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(bytes)/1e6, "MB-memory")
	scan(b, conn, "scan", "joinGet('jp', 'v', joinGet('jo', 'v', anchor_id))", "e")
	timed(b, conn, "publish-1000", func() { execute(b, conn, "INSERT INTO jp SELECT number, 1 FROM numbers(1000)") })
}

// benchTables resolves by joining the append-only tables themselves.
func benchTables(b *testing.B, conn driver.Conn, _ int) {
	from := `e LEFT JOIN (SELECT anchor_id, argMax(owner_id, (epoch, sequence)) AS o FROM anchor_owner GROUP BY anchor_id) AS a ON e.anchor_id = a.anchor_id
LEFT JOIN (SELECT identifier_id, argMax(profile_id, (epoch, sequence)) AS p FROM identifier_profile GROUP BY identifier_id) AS b ON a.o = b.identifier_id`
	scan(b, conn, "scan", "if(p = 0, o, p)", from)
}

package grouping

import (
	"log/slog"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

var today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func exec(t testing.TB, conn driver.Conn, sql string, args ...any) {
	t.Helper()
	if err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// The people of settle: each profile is the anchor of its only identifier.
const (
	buyersFrom    = 1000 // buy about every month, for long
	browsersFrom  = 2000 // look at pages, and are known
	complainFrom  = 3000 // bought twice, and write to support since
	strangersFrom = 4000 // a cookie and a page
	each          = 110
)

// settle inserts people of four kinds, a little different from each other.
func settle(t testing.TB, conn driver.Conn, people int) {
	t.Helper()
	event := func(from, n int, kind, days, hash string) {
		exec(t, conn, `INSERT INTO events (workspace, anchor_id, time, message_hash, kind, name, source, received_time)
SELECT 'main', {from:UInt64} + number AS anchor, toDateTime64('2026-06-01 09:00:00', 3, 'UTC') - toIntervalDay(`+days+`) AS at, sipHash64(anchor, i, `+hash+`), `+kind+`, 'x', 'web', at
FROM numbers({people:UInt64}) ARRAY JOIN range(toUInt64({n:UInt64} + number % 4)) AS i`,
			clickhouse.Named("from", from), clickhouse.Named("people", people), clickhouse.Named("n", n))
	}
	order := func(from, n int, days, price string) {
		event(from, n, "'transaction'", days, "'order'")
		exec(t, conn, `INSERT INTO transaction_facts (workspace, anchor_id, time, message_hash, received_time, source, name, type, status, currency, amount)
SELECT 'main', {from:UInt64} + number AS anchor, toDateTime64('2026-06-01 09:00:00', 3, 'UTC') - toIntervalDay(`+days+`) AS at, sipHash64(anchor, i, 'order'), at, 'shop', 'Order Completed', 'order', 'completed', 'EUR', `+price+`
FROM numbers({people:UInt64}) ARRAY JOIN range(toUInt64({n:UInt64} + number % 4)) AS i`,
			clickhouse.Named("from", from), clickhouse.Named("people", people), clickhouse.Named("n", n))
	}
	order(buyersFrom, 9, "5 + number % 9 + 30 * i", "toDecimal64(80 + number % 11, 4)")
	event(buyersFrom, 8, "'behaviour'", "4 + number % 5 + 20 * i", "'page'")
	event(browsersFrom, 60, "'behaviour'", "1 + number % 5 + i % 20", "'page'")
	order(complainFrom, 2, "120 + number % 9 + 40 * i", "toDecimal64(25 + number % 5, 4)")
	event(complainFrom, 14, "'support'", "10 + number % 5 + 3 * i", "'support'")
	exec(t, conn, `INSERT INTO support_facts (workspace, anchor_id, time, message_hash, received_time, source, name, direction, topic, sentiment)
SELECT workspace, anchor_id, time, message_hash, received_time, 'desk', name, 'inbound', 'billing', -0.6 + 0.02 * (anchor_id % 7) FROM events WHERE kind = 'support'`)
	event(strangersFrom, 1, "'behaviour'", "3 + number % 40", "'page'")
	exec(t, conn, `INSERT INTO identifiers (workspace, identifier_id, source, period, namespace, value, first_received)
SELECT DISTINCT 'main', anchor_id, 'web', 1, if(anchor_id >= {strangers:UInt64}, 'anonymous_id', 'user_id'), toString(anchor_id), toDateTime64('2026-05-01 09:00:00', 3, 'UTC') FROM events`,
		clickhouse.Named("strangers", strangersFrom))
}

// assign says in the published reading that an identifier belongs to a profile.
func assign(t testing.TB, conn driver.Conn, sequence, identifier, profile uint64) {
	t.Helper()
	exec(t, conn, "INSERT INTO identifier_profile (workspace, identifier_id, epoch, sequence, profile_id, previous_id) VALUES ('main', ?, 1, ?, ?, ?)", identifier, sequence, profile, identifier)
	if err := warehouse.PublishReading(t.Context(), conn, "main", warehouse.Version{Epoch: 1, Sequence: sequence}, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func newWorker(t testing.TB, conn driver.Conn, clock func() time.Time) *Worker {
	t.Helper()
	w, err := New(DefaultConfig(), Deps{Conn: conn, Clock: clock, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func refresh(t testing.TB, w *Worker) Summary {
	t.Helper()
	s, err := w.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stands is what Current says of a profile.
type stands struct {
	stage, persona string
	grades         [3]uint8
}

func current(t testing.TB, conn driver.Conn) map[uint64]stands {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT profile_id, stage, persona, recency, frequency, money FROM ("+Current()+")", clickhouse.Named("workspace", "main"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[uint64]stands{}
	for rows.Next() {
		var id uint64
		var s stands
		if err := rows.Scan(&id, &s.stage, &s.persona, &s.grades[0], &s.grades[1], &s.grades[2]); err != nil {
			t.Fatal(err)
		}
		if _, twice := all[id]; twice {
			t.Errorf("%d is there twice", id)
		}
		all[id] = s
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func count(t testing.TB, conn driver.Conn, from string) (n uint64) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM "+from).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

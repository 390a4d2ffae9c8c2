package warehouse_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// The example queries that the README shows run as the analyst, on a small
// world whose answers are known: Ana (profile 1) has a browser, a device and an
// e-mail address; Bob (profile 4) has one browser; one order is a guest's.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	want := map[string][]string{
		"1_revenue_per_month.sql":      {"2025-01-01 EUR 2 120 0 120", "2025-02-01 EUR 2 70 -20 50", "2025-06-01 EUR 1 5 0 5"},
		"2_top_customers.sql":          {"0000000000000001 2 130 2025-01-05 2025-02-10", "0000000000000004 2 25 2025-02-01 2025-06-20"},
		"3_repeat_rate.sql":            {"2025-01-01 1 1 1", "2025-02-01 1 0 0"},
		"4_merged_from_devices.sql":    {"0000000000000001 2 [anonymous_id device email] a***@example.com"},
		"5_sessions_to_orders.sql":     {"2025-01-01 2 1 1 1 0.5", "2025-02-01 1 0 1 0 0"},
		"6_what_customers_say.sql":     {"2025-01-01 nps 3 2 0.1 0.5", "2025-02-01 instagram 1 0 <nil> <nil>"},
		"7_store_visits_to_orders.sql": {"hall 2 2 36 0.5", "door 1 1 600 1"},
	}
	withEngine(t, t.TempDir(), func(cfg warehouse.Config) {
		if err := migrate(cfg); err != nil {
			t.Fatal(err)
		}
		admin, analyst := mustOpen(t, cfg), mustOpen(t, asAnalyst(t, cfg))
		smallWorld(t, admin)
		files, err := filepath.Glob("examples/*.sql")
		if err != nil || len(files) != len(want) {
			t.Fatalf("found %v (%v), want %d files", files, err, len(want))
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want[filepath.Base(file)], table(t, analyst, string(b))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		}
		execute(t, analyst, "SELECT * FROM profiles")
		got := table(t, analyst, "SELECT id, events, orders, revenue, currencies FROM profiles WHERE workspace = 'main' ORDER BY id")
		if diff := cmp.Diff([]string{"0000000000000001 4 2 130 [EUR]", "0000000000000004 4 2 25 [EUR]"}, got); diff != "" {
			t.Errorf("profiles (-want +got):\n%s", diff)
		}
	})
}

// table runs a query and writes each row as text, without the column first_seen.
func table(t *testing.T, conn driver.Conn, query string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatalf("%v\nin %s", err, query)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		values := make([]any, len(rows.ColumnTypes()))
		for i, c := range rows.ColumnTypes() {
			values[i] = newValue(c)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		line := ""
		for i, v := range values {
			if rows.ColumnTypes()[i].Name() != "first_seen" {
				line += asText(v) + " "
			}
		}
		out = append(out, line[:len(line)-1])
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// smallWorld writes the events of Ana, Bob and a guest, and their reading.
func smallWorld(t *testing.T, conn driver.Conn) {
	t.Helper()
	const anaSet = "9223372036854775809" // Ana's browser with her e-mail address
	for i, order := range []string{
		anaSet + ", '2025-01-05', 'order', 100", anaSet + ", '2025-02-10', 'order', 50", "3, '2025-02-12', 'refund', -20",
		"4, '2025-02-01', 'order', 20", "4, '2025-06-20', 'order', 5", "0, '2025-01-20', 'order', 20",
	} {
		execute(t, conn, fmt.Sprintf("INSERT INTO transaction_facts (workspace, currency, message_hash, anchor_id, time, type, amount) SELECT 'main', 'EUR', %d, %s", i, order))
		execute(t, conn, fmt.Sprintf("INSERT INTO events (workspace, kind, message_hash, anchor_id, time) SELECT 'main', 'transaction', %d, tupleElement(x, 1), toDateTime64(tupleElement(x, 2), 3, 'UTC') FROM (SELECT tuple(%s) AS x)", i, order))
	}
	for i, page := range []string{"2, '2025-01-01', 'ana-1'", "0, '2025-01-21', 'nobody'", "4, '2025-02-20', 'bob-1'"} {
		execute(t, conn, fmt.Sprintf("INSERT INTO events (workspace, kind, message_hash, anchor_id, time, session_id) SELECT 'main', 'behaviour', %d, %s", 100+i, page))
	}
	execute(t, conn, "INSERT INTO events (workspace, kind, message_hash, anchor_id, time) SELECT 'main', 'behaviour', 200, 4, '2025-02-21'")
	saidAndVisited(t, conn)
	execute(t, conn, `INSERT INTO identifiers (workspace, identifier_id, namespace, value) VALUES
		('main', 1, 'email', 'ana@example.com'), ('main', 2, 'anonymous_id', 'x'), ('main', 3, 'device', 'y'), ('main', 4, 'anonymous_id', 'z')`)
	l := newLedger(t, conn, "main", 1)
	l.owner(set|1, 1)
	l.profile(2, 1)
	l.profile(3, 1)
	l.publish()
}

// saidAndVisited writes what Ana and Bob said, and where their tags were read:
// Ana a week before her second order, Bob long before his last.
func saidAndVisited(t *testing.T, conn driver.Conn) {
	t.Helper()
	execute(t, conn, `INSERT INTO feedback_facts (workspace, anchor_id, message_hash, time, instrument, comment, sentiment) VALUES
		('main', 4, 1, '2025-01-03', 'nps', 'x', 0.8), ('main', 4, 2, '2025-01-04', 'nps', 'x', -0.6), ('main', 4, 3, '2025-01-05', 'nps', 'x', NULL), ('main', 4, 4, '2025-01-05', 'nps', '', 1)`)
	execute(t, conn, `INSERT INTO social_facts (workspace, anchor_id, message_hash, time, network, direction, sentiment) VALUES
		('main', 4, 1, '2025-02-03', 'instagram', 'inbound', NULL), ('main', 4, 2, '2025-02-03', 'instagram', 'outbound', 1)`)
	for anchor, start := range map[int]string{2: "2025-02-05 10:00:00", 4: "2025-03-05 10:00:00"} {
		execute(t, conn, fmt.Sprintf(`INSERT INTO sensor_facts (workspace, technology, zone, message_hash, anchor_id, time)
			SELECT 'main', 'rfid', 'hall', number, %d, toDateTime64('%s', 3, 'UTC') + 4 * number FROM numbers(10)`, anchor, start))
	}
	execute(t, conn, `INSERT INTO sensor_facts (workspace, technology, zone, message_hash, anchor_id, time, phase) VALUES
		('main', 'video', 'door', 100, 2, '2025-02-05 09:55:00', 'enter'), ('main', 'video', 'door', 101, 2, '2025-02-05 10:05:00', 'leave')`)
}

package warehouse_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// ingestTables are the tables of ingest, each with its column of receipt (or
// none) and a column that tells rows apart.
var ingestTables = map[string][2]string{
	"events":             {"received_time", "anchor_id"},
	"transaction_facts":  {"received_time", "anchor_id"},
	"trait_observations": {"received_time", "anchor_id"},
	"seen_messages":      {"", "body_hash"},
	"dead_letters":       {"received_time", "offset"},
}

// insertMonths inserts one block with a row in each of the months, under token.
func insertMonths(tb testing.TB, conn driver.Conn, table, token string, months ...uint64) {
	tb.Helper()
	ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": token}))
	names := ingestTables[table]
	columns, values := names[1], []any{months}
	if names[0] != "" {
		times := make([]time.Time, len(months))
		for i, m := range months {
			times[i] = time.Date(2025, time.Month(m), 1, 0, 0, 0, 0, time.UTC)
		}
		columns, values = columns+", "+names[0], append(values, times)
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+columns+")")
	if err != nil {
		tb.Fatal(err)
	}
	for i, v := range values {
		if err := batch.Column(i).Append(v); err != nil {
			tb.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		tb.Fatal(err)
	}
}

func wantRows(tb testing.TB, conn driver.Conn, table, when string, want uint64) {
	tb.Helper()
	var got uint64
	if err := conn.QueryRow(context.Background(), "SELECT count() FROM "+table).Scan(&got); err != nil {
		tb.Fatal(err)
	}
	if got != want {
		tb.Errorf("%s: %s: %d rows, want %d", table, when, got, want)
	}
}

// A retried insert with the token of the first attempt stores nothing again,
// whatever happened to the parts meanwhile; and it completes an attempt that
// had stored only some of its partitions.
func TestRetriedInsertsAreHarmless(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	for table := range ingestTables {
		insertMonths(t, conn, table, "behaviour/0/0-3", 1, 2, 3)
		insertMonths(t, conn, table, "behaviour/0/0-3", 1, 2, 3)
		wantRows(t, conn, table, "after a retry", 3)
		execute(t, conn, "OPTIMIZE TABLE "+table+" FINAL")
		insertMonths(t, conn, table, "behaviour/0/0-3", 1, 2, 3)
		wantRows(t, conn, table, "after a retry of merged parts", 3)
		execute(t, conn, "DETACH TABLE "+table)
		execute(t, conn, "ATTACH TABLE "+table)
		insertMonths(t, conn, table, "behaviour/0/0-3", 1, 2, 3)
		wantRows(t, conn, table, "after a retry on a table loaded again", 3)
		insertMonths(t, conn, table, "behaviour/1/0-3", 1, 2, 3)
		wantRows(t, conn, table, "after equal rows under another token", 6)
	}
}

func TestRetriedInsertCompletesPartitions(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	for table := range ingestTables {
		if table == "seen_messages" {
			continue // It has one partition, so an insert is whole or absent.
		}
		insertMonths(t, conn, table, "behaviour/0/0-3", 1) // An attempt that died after its first partition.
		insertMonths(t, conn, table, "behaviour/0/0-3", 1, 2, 3)
		wantRows(t, conn, table, "after a retry of half an insert", 3)
	}
}

// The window counts blocks per partition, so one insert over many months takes
// many places of it: it must still reach back far enough.
func TestDeduplicationReachesBack(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	insertMonths(t, conn, "seen_messages", "first", 1)
	const later = 300
	for i := range later {
		insertMonths(t, conn, "seen_messages", fmt.Sprintf("later-%d", i), 2)
	}
	insertMonths(t, conn, "seen_messages", "first", 1)
	wantRows(t, conn, "seen_messages", "after a late retry", later+1)
}

func TestRetriedInsertsAreHarmlessAfterARestart(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	dir := t.TempDir()
	months := []uint64{1, 2, 3}
	withEngine(t, dir, func(cfg warehouse.Config) {
		if err := migrate(cfg); err != nil {
			t.Fatal(err)
		}
		conn := mustOpen(t, cfg)
		for table := range ingestTables {
			insertMonths(t, conn, table, "behaviour/0/0-3", months...)
		}
	})
	withEngine(t, dir, func(cfg warehouse.Config) {
		if err := migrate(cfg); err != nil {
			t.Fatal(err)
		}
		conn := mustOpen(t, cfg)
		for table := range ingestTables {
			insertMonths(t, conn, table, "behaviour/0/0-3", months...)
			wantRows(t, conn, table, "after a retry on a restarted engine", 3)
		}
	})
}

func mustOpen(t *testing.T, cfg warehouse.Config) driver.Conn {
	t.Helper()
	conn, err := warehouse.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

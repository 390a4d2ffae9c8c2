package warehouse_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestTemplate: what tests get for a database is in nothing another than the migrations
// make.
func TestTemplate(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	warehousetest.NewTestDatabase(t) // The first one is migrated, or was.
	_, copied := warehousetest.NewTestDatabaseConfig(t)
	real := warehousetest.NewConfig(t)
	if err := migrate(real); err != nil {
		t.Fatal(err)
	}
	warehousetest.DropAtEnd(t, real)
	if diff := cmp.Diff(described(t, real), described(t, copied)); diff != "" {
		t.Error(diff)
	}
}

// described is all that the server says of the schema of a database, and the rows of
// its tables by number.
func described(t *testing.T, cfg warehouse.Config) map[string]string {
	t.Helper()
	conn, err := warehouse.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	found := map[string]string{}
	for what, query := range map[string]string{
		"table":  "SELECT name, concat(create_table_query, ' ', comment, ' ', toString(ifNull(total_rows, 0))) FROM system.tables WHERE database = currentDatabase()",
		"column": "SELECT concat(table, '.', name), concat(toString(position), type, default_expression, comment, compression_codec) FROM system.columns WHERE database = currentDatabase()",
		"index":  "SELECT concat(table, '.', name), concat(type_full, expr, toString(granularity)) FROM system.data_skipping_indices WHERE database = currentDatabase()",
	} {
		rows, err := conn.Query(context.Background(), query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var name, text string
			if err := rows.Scan(&name, &text); err != nil {
				t.Fatal(err)
			}
			found[what+" "+name] = strings.ReplaceAll(text, cfg.Database(), "db")
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

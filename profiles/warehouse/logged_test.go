package warehouse_test

import (
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestQueriesAreLoggedCut: the server logs the first words of a query of Kindred,
// unless its operator wants more. What reaches the log is tested in cmd/kindred.
func TestQueriesAreLoggedCut(t *testing.T) {
	_, cfg := warehousetest.NewTestDatabaseConfig(t)
	f := func(query, want string) {
		t.Helper()
		other := cfg
		other.URL += query
		conn, err := warehouse.Open(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT value FROM system.settings WHERE name = 'log_queries_cut_to_length'").Scan(&got); err != nil || got != want {
			t.Errorf("with %q queries are logged to %s bytes, %v, want %s", query, got, err, want)
		}
	}
	if strings.Contains(cfg.URL, "?") {
		t.Skip("the URL of the engine has parameters of its own")
	}
	f("", "40")
	f("?log_queries_cut_to_length=1000", "1000")
}

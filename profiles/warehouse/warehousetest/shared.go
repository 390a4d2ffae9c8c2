package warehousetest

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// shared is the database of Shared. It is global because a test process is, like the
// engine.
var shared driver.Conn

// Shared returns a connection to one migrated database for all tests of this process
// that ask for it: to make one takes a second. A test has workspaces of its own there,
// reads nothing but these, and does not run side by side with others. The database is
// dropped after the last test, and kept when one failed.
func Shared(t testing.TB) driver.Conn {
	t.Helper()
	if shared != nil {
		return shared
	}
	ctx, cfg := context.Background(), NewConfig(t)
	if err := migrated(ctx, cfg); err != nil {
		t.Fatalf("migrate the shared test database: %v", err)
	}
	conn, err := warehouse.Open(ctx, cfg)
	if err != nil {
		t.Fatalf("open the shared test database: %v", err)
	}
	shared = conn
	enginetest.AtEnd(func(code int) {
		defer func() { _ = conn.Close() }()
		if code != 0 {
			fmt.Fprintf(os.Stderr, "kept the shared database %s at %s\n", cfg.Database(), cfg.Address())
			return
		}
		if err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+cfg.Database()); err != nil {
			fmt.Fprintln(os.Stderr, "drop the shared test database:", err)
		}
	})
	return conn
}

package warehouse

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
)

// A process that waits for the tables sees that there are none, that some are
// missing, and that all are there.
func TestCurrent(t *testing.T) {
	ctx := context.Background()
	cfg := DefaultConfig()
	cfg.URL = strings.TrimSuffix(enginetest.ClickHouse(t), "/default") + "/kindred_current"
	expect := func(want string) {
		t.Helper()
		switch err := Current(ctx, cfg); {
		case want == "" && err != nil:
			t.Fatal(err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Fatalf("error is %v, want %q", err, want)
		}
	}
	expect("has no database")
	if err := createDatabase(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	conn, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Exec(ctx, "DROP DATABASE "+cfg.Database()); err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	}()
	expect("has no tables yet: run `kindred migrate`")
	if err := Migrate(ctx, cfg, time.Now, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	expect("")
	if err := conn.Exec(ctx, "DELETE FROM schema_migrations WHERE version = 3"); err != nil {
		t.Fatal(err)
	}
	expect("lacks migration 0003_reading.sql")
}

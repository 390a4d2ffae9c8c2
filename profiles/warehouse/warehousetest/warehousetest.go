// Package warehousetest gives tests a database of their own on a real
// ClickHouse, migrated and empty. Only tests import it; a package that does hands
// its TestMain to enginetest.Main.
package warehousetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// NewTestDatabase returns a connection to a new, migrated database with a
// random name. It is dropped when t ends, and kept when t failed, with its name
// in the log of t.
func NewTestDatabase(t testing.TB) driver.Conn {
	t.Helper()
	conn, _ := NewTestDatabaseConfig(t)
	return conn
}

// NewTestDatabaseConfig is NewTestDatabase for tests that also need to open
// connections of their own.
func NewTestDatabaseConfig(t testing.TB) (driver.Conn, warehouse.Config) {
	t.Helper()
	ctx := context.Background()
	cfg := NewConfig(t)
	if err := migrated(ctx, cfg); err != nil {
		t.Fatalf("migrate test database: %v", err)
	}
	conn, err := warehouse.Open(ctx, cfg)
	if err != nil {
		t.Fatalf("open test database: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	DropAtEnd(t, cfg)
	return conn, cfg
}

// DropAtEnd drops the database of cfg when t ends, or keeps it when t failed.
func DropAtEnd(t testing.TB, cfg warehouse.Config) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("kept database %s at %s", cfg.Database(), cfg.Address())
			return
		}
		ctx := context.Background()
		conn, err := warehouse.Open(ctx, cfg)
		if err == nil {
			err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+cfg.Database())
			_ = conn.Close()
		}
		if err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
}

// NewConfig returns a configuration with a random database name that does not
// exist yet.
func NewConfig(t testing.TB) warehouse.Config {
	t.Helper()
	u, err := url.Parse(enginetest.ClickHouse(t))
	if err != nil {
		t.Fatal("the address of the engine is not a URL") // The error would show its password.
	}
	var random [6]byte
	_, _ = rand.Read(random[:])
	u.Path = "/kindred_test_" + hex.EncodeToString(random[:])
	cfg := warehouse.DefaultConfig()
	cfg.URL = u.String()
	return cfg
}

package warehouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// ErrUnreachable reports that no connection to the server could be made.
var ErrUnreachable = errors.New("clickhouse unreachable")

// Open returns a pool of native connections to the database of cfg, LZ4
// compressed, after one round trip that proves it. The caller closes it. The
// pool is safe for concurrent use. An error wraps ErrUnreachable when the
// server cannot be reached, names the address and never the password.
func Open(ctx context.Context, cfg Config) (driver.Conn, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := checkDatabase(ctx, cfg); err != nil {
		return nil, err
	}
	o, err := cfg.options()
	if err != nil {
		return nil, err
	}
	return open(ctx, cfg, o)
}

// checkDatabase asks for the database before a connection names it: the
// embedded engine does not survive a handshake that it refuses.
func checkDatabase(ctx context.Context, cfg Config) error {
	conn, err := openSystem(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	var found uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM system.databases WHERE name = ?", cfg.Database()).Scan(&found); err != nil {
		return fmt.Errorf("clickhouse at %s: look for database %s: %w", cfg.Address(), cfg.Database(), err)
	}
	if found == 0 {
		return fmt.Errorf("clickhouse at %s has no database %s: run `kindred migrate`", cfg.Address(), cfg.Database())
	}
	return nil
}

// openSystem connects to the one database that every server has.
func openSystem(ctx context.Context, cfg Config) (driver.Conn, error) {
	o, err := cfg.options()
	if err != nil {
		return nil, err
	}
	o.Auth.Database = "system"
	return open(ctx, cfg, o)
}

func open(ctx context.Context, cfg Config, o *clickhouse.Options) (driver.Conn, error) {
	conn, err := clickhouse.Open(o)
	if err != nil {
		return nil, fmt.Errorf("open clickhouse at %s: %w", cfg.Address(), err)
	}
	if err := conn.Ping(ctx); err != nil {
		_ = conn.Close()
		return nil, explain(cfg, o, err)
	}
	return conn, nil
}

// explain turns the error of a first round trip into one that names the fix.
func explain(cfg Config, o *clickhouse.Options, err error) error {
	var exception *clickhouse.Exception
	if errors.As(err, &exception) {
		if exception.Code == codeAuthenticationFailed {
			return fmt.Errorf("clickhouse at %s refuses user %s: check user and password in KINDRED_CLICKHOUSE_URL", cfg.Address(), o.Auth.Username)
		}
		return fmt.Errorf("clickhouse at %s: code %d: %s", cfg.Address(), exception.Code, exception.Name)
	}
	hint := "start it, or set KINDRED_CLICKHOUSE_URL to a running server (clickhouse://user:password@host:9000/database)"
	if o.TLS == nil && strings.Contains(err.Error(), "EOF") {
		hint = "the port may expect TLS (add ?secure=true) or be the HTTP port (native is 9000 by default)"
	}
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		hint = "it did not answer in " + cfg.DialTimeout.String() + ": " + hint
	}
	return fmt.Errorf("%w at %s: %w: %s", ErrUnreachable, cfg.Address(), err, hint)
}

// codeAuthenticationFailed is AUTHENTICATION_FAILED of ClickHouse.
const codeAuthenticationFailed = 516

package warehouse

import (
	"context"
	"fmt"
)

// Current returns nil when the database of cfg has every migration of this
// program, and an error that says what is missing otherwise. It changes nothing:
// of several processes that share a database one migrates, and the others wait.
func Current(ctx context.Context, cfg Config) error {
	migrations, err := load(schema)
	if err != nil {
		return err
	}
	conn, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	var tables uint64
	const exists = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'"
	if err := conn.QueryRow(ctx, exists).Scan(&tables); err != nil {
		return fmt.Errorf("look for schema_migrations: %w", err)
	}
	if tables == 0 {
		return fmt.Errorf("database %s has no tables yet: run `kindred migrate`", cfg.Database())
	}
	applied, err := appliedMigrations(ctx, conn)
	if err != nil {
		return err
	}
	if err := checkApplied(migrations, applied); err != nil {
		return err
	}
	for _, m := range migrations {
		if _, done := applied[m.version]; !done {
			return fmt.Errorf("database %s lacks migration %s: run `kindred migrate`", cfg.Database(), m.name)
		}
	}
	return nil
}

package warehousetest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// template is the schema that the migrations have made in the first database of this
// test process: the others are made by what they came to, which is half the work of
// going their way once more. It is global because a test process is, like the engine.
var template struct {
	sync.Mutex
	database string
	// created are the statements of the tables and then of the views, recorded the rows
	// of schema_migrations.
	created  []string
	recorded []recorded
}

type recorded struct {
	version        uint32
	name, checksum string
	at             time.Time
}

// createdSQL leaves out dictionaries, whose statements the server shows without their
// password; Migrate makes them again where they are missing. A materialized view that
// has no table of its own has a hidden one, which comes with it.
const createdSQL = `SELECT create_table_query FROM system.tables
WHERE database = currentDatabase() AND engine != 'Dictionary' AND name NOT LIKE '.inner%'
ORDER BY engine IN ('View', 'MaterializedView'), name`

// migrated makes the database of cfg as warehouse.Migrate does.
func migrated(ctx context.Context, cfg warehouse.Config) error {
	template.Lock()
	defer template.Unlock()
	quiet := slog.New(slog.DiscardHandler)
	if template.database != "" {
		if err := copyTemplate(ctx, cfg); err != nil {
			return err
		}
	}
	if err := warehouse.Migrate(ctx, cfg, time.Now, quiet); err != nil || template.database != "" {
		return err
	}
	return learnTemplate(ctx, cfg)
}

func learnTemplate(ctx context.Context, cfg warehouse.Config) error {
	conn, err := warehouse.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	err = each(ctx, conn, createdSQL, func(rows driver.Rows) error {
		var text string
		err := rows.Scan(&text)
		template.created = append(template.created, text)
		return err
	})
	if err != nil {
		return err
	}
	err = each(ctx, conn, "SELECT version, name, checksum, applied_at FROM schema_migrations", func(rows driver.Rows) error {
		var r recorded
		err := rows.Scan(&r.version, &r.name, &r.checksum, &r.at)
		template.recorded = append(template.recorded, r)
		return err
	})
	if err == nil {
		template.database = cfg.Database()
	}
	return err
}

func each(ctx context.Context, conn driver.Conn, query string, scan func(driver.Rows) error) error {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("read the template: %w", err)
		}
	}
	return rows.Err()
}

func copyTemplate(ctx context.Context, cfg warehouse.Config) error {
	system := cfg
	system.URL = strings.Replace(cfg.URL, "/"+cfg.Database(), "/system", 1)
	conn, err := warehouse.Open(ctx, system)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Exec(ctx, "CREATE DATABASE "+cfg.Database()); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	for _, text := range template.created {
		if err := conn.Exec(ctx, strings.ReplaceAll(text, template.database, cfg.Database())); err != nil {
			return fmt.Errorf("copy the schema: %w", err)
		}
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+cfg.Database()+".schema_migrations (version, name, checksum, applied_at)")
	if err != nil {
		return fmt.Errorf("record the migrations: %w", err)
	}
	for _, r := range template.recorded {
		if err := batch.Append(r.version, r.name, r.checksum, r.at); err != nil {
			return fmt.Errorf("record the migrations: %w", err)
		}
	}
	return batch.Send()
}

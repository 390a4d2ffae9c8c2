package warehouse

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

//go:embed schema/*.sql
var schema embed.FS

// migration is one numbered file of the schema folder.
type migration struct {
	version  uint32
	name     string
	text     string
	checksum string // sha256 of the file as it is, before rendering
}

// Migrate creates the database of cfg when it is missing and applies every
// migration that it lacks, in order. It is safe to run twice and by several
// processes at once: every statement is idempotent, so a crash in the middle of
// a file is mended by the next run. It refuses a database whose applied files
// differ from the embedded ones or are newer than they.
func Migrate(ctx context.Context, cfg Config, now func() time.Time, log *slog.Logger) error {
	migrations, err := load(schema)
	if err != nil {
		return err
	}
	if err := createDatabase(ctx, cfg); err != nil {
		return err
	}
	conn, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	f, err := cfg.form()
	if err != nil {
		return err
	}
	if f.lookups, err = hasLookups(ctx, conn, f); err != nil {
		return err
	}
	if err := conn.Exec(ctx, fmt.Sprintf(createMigrations, f.onCluster(), f.everywhere("ReplacingMergeTree", "schema_migrations"))); err != nil {
		return fmt.Errorf("create schema_migrations: %w", err)
	}
	applied, err := appliedMigrations(ctx, conn)
	if err != nil {
		return err
	}
	if err := checkApplied(migrations, applied); err != nil {
		return err
	}
	for _, m := range migrations {
		if _, done := applied[m.version]; done {
			continue
		}
		if err := apply(ctx, conn, f, m, now()); err != nil {
			return err
		}
		log.InfoContext(ctx, "applied migration", "name", m.name, "database", f.database)
	}
	return ensureDictionaries(ctx, conn, f, migrations, log)
}

// hasLookups reports whether tables of lookups can be kept by RocksDB: it does not
// replicate.
func hasLookups(ctx context.Context, conn driver.Conn, f form) (bool, error) {
	var n uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM system.table_engines WHERE name = 'EmbeddedRocksDB'").Scan(&n); err != nil {
		return false, fmt.Errorf("look for the engines of tables: %w", err)
	}
	return n > 0 && f.cluster == "", nil
}

// ensureDictionaries loads the dictionaries, so that the first query need not,
// and makes them again when they do not load: they hold the account with which
// they read, and its password may have changed.
func ensureDictionaries(ctx context.Context, conn driver.Conn, f form, migrations []migration, log *slog.Logger) error {
	load := "SELECT dictHas('" + strings.Join(baseDictionaries, "', toUInt64(0)), dictHas('") + "', toUInt64(0))"
	first := conn.Exec(ctx, load)
	if first == nil {
		return nil
	}
	log.WarnContext(ctx, "dictionaries do not load, making them again", "database", f.database)
	for _, m := range migrations {
		statements, err := f.render(m.name, m.text)
		if err != nil {
			return err
		}
		for _, s := range statements {
			if !strings.Contains(s, "CREATE OR REPLACE DICTIONARY") {
				continue
			}
			if err := conn.Exec(ctx, s); err != nil {
				return fmt.Errorf("make dictionary of %s: %w", m.name, err)
			}
		}
	}
	if err := conn.Exec(ctx, load); err != nil {
		return fmt.Errorf("load dictionaries: %w", err)
	}
	return nil
}

const createMigrations = `CREATE TABLE IF NOT EXISTS schema_migrations %s
(
    version    UInt32                 COMMENT 'Number of the migration file',
    name       String                 COMMENT 'Name of the file',
    checksum   String                 COMMENT 'SHA-256 of the file in hexadecimal',
    applied_at DateTime64(3, 'UTC')   COMMENT 'When it was applied'
)
ENGINE = %s
ORDER BY (version, checksum)
COMMENT 'Applied migrations of the schema. Written by: migrate.'`

func (c Config) form() (form, error) {
	o, err := c.options()
	if err != nil {
		return form{}, err
	}
	f := form{database: o.Auth.Database, cluster: c.Cluster, user: o.Auth.Username, password: o.Auth.Password, nonce: strings.ToLower(rand.Text())}
	if c.DictionaryUser != "" {
		f.user, f.password = c.DictionaryUser, c.DictionaryPassword
	}
	return f, nil
}

// createDatabase connects without naming the database: a connection to one
// that does not exist is refused.
func createDatabase(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	conn, err := openSystem(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	f := form{cluster: cfg.Cluster}
	if err := conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+cfg.Database()+" "+f.onCluster()); err != nil {
		return fmt.Errorf("create database %s: %w", cfg.Database(), err)
	}
	return nil
}

// load reads the files in order of their numbers and refuses two of one number.
func load(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "schema/*.sql") // sorted
	if err != nil {
		return nil, fmt.Errorf("list schema files: %w", err)
	}
	out := make([]migration, 0, len(names))
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		base := strings.TrimPrefix(name, "schema/")
		number, _, _ := strings.Cut(base, "_")
		version, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("schema file %s must start with its number and _", base)
		}
		if len(out) > 0 && out[len(out)-1].version >= uint32(version) {
			return nil, fmt.Errorf("schema files %s and %s have one number", out[len(out)-1].name, base)
		}
		sum := sha256.Sum256(b)
		out = append(out, migration{version: uint32(version), name: base, text: string(b), checksum: hex.EncodeToString(sum[:])})
	}
	return out, nil
}

type appliedMigration struct{ name, checksum string }

func appliedMigrations(ctx context.Context, conn driver.Conn) (map[uint32]appliedMigration, error) {
	rows, err := conn.Query(ctx, "SELECT DISTINCT version, name, checksum FROM schema_migrations ORDER BY version")
	if err != nil {
		return nil, fmt.Errorf("read schema_migrations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	out := map[uint32]appliedMigration{}
	for rows.Next() {
		var version uint32
		var a appliedMigration
		if err := rows.Scan(&version, &a.name, &a.checksum); err != nil {
			return nil, fmt.Errorf("read schema_migrations: %w", err)
		}
		if other, twice := out[version]; twice {
			return nil, fmt.Errorf("migration %d was applied as both %s and %s with different contents: two versions of the program migrated this database at once", version, other.name, a.name)
		}
		out[version] = a
	}
	return out, rows.Err()
}

func checkApplied(migrations []migration, applied map[uint32]appliedMigration) error {
	known := map[uint32]bool{}
	for _, m := range migrations {
		known[m.version] = true
		a, done := applied[m.version]
		if done && a.checksum != m.checksum {
			return fmt.Errorf("migration %s was changed after it was applied: use the program version that applied it, or an empty database", m.name)
		}
	}
	for version, a := range applied {
		if !known[version] {
			return fmt.Errorf("database has migration %s, which this program does not know: use a newer program version", a.name)
		}
	}
	return nil
}

// apply runs the statements of m and then records it, in this order: a crash
// between the two runs the idempotent statements again.
func apply(ctx context.Context, conn driver.Conn, f form, m migration, at time.Time) error {
	statements, err := f.render(m.name, m.text)
	if err != nil {
		return err
	}
	for i, s := range statements {
		if err := execute(ctx, conn, s); err != nil {
			return fmt.Errorf("migration %s, statement %d: %w", m.name, i+1, err)
		}
	}
	err = conn.Exec(ctx, "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)", m.version, m.name, m.checksum, at)
	if err != nil {
		return fmt.Errorf("record migration %s: %w", m.name, err)
	}
	return nil
}

// codeTableUUIDMismatch is the server's word for: the table of that name became another one while the
// statement was being planned.
const codeTableUUIDMismatch = 741

// execute runs one statement of a migration, again where another process
// exchanged the table of its name between look-up and lock: the name means the
// new table now, and every statement may run any number of times.
func execute(ctx context.Context, conn driver.Conn, statement string) error {
	const tries = 20
	for try := 1; ; try++ {
		err := conn.Exec(ctx, statement)
		var refused *clickhouse.Exception
		if err == nil || try == tries || !errors.As(err, &refused) || refused.Code != codeTableUUIDMismatch {
			return err
		}
	}
}

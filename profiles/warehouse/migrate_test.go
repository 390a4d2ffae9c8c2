package warehouse_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func migrate(cfg warehouse.Config) error {
	return warehouse.Migrate(context.Background(), cfg, func() time.Time { return epochZero }, slog.New(slog.DiscardHandler))
}

func TestMigrateTwice(t *testing.T) {
	conn, cfg := warehousetest.NewTestDatabaseConfig(t)
	if err := migrate(cfg); err != nil {
		t.Fatal(err)
	}
	var rows, versions uint64
	if err := conn.QueryRow(t.Context(), "SELECT count(), uniqExact(version) FROM schema_migrations").Scan(&rows, &versions); err != nil {
		t.Fatal(err)
	}
	if rows != versions || rows == 0 {
		t.Errorf("schema_migrations has %d rows for %d versions", rows, versions)
	}
}

func TestMigrateByManyAtOnce(t *testing.T) {
	cfg := warehousetest.NewConfig(t)
	const processes = 4
	faults := make(chan error, processes)
	for range processes {
		go func() { faults <- migrate(cfg) }()
	}
	for range processes {
		if err := <-faults; err != nil {
			t.Error(err)
		}
	}
	warehousetest.DropAtEnd(t, cfg)
	if err := migrate(cfg); err != nil {
		t.Errorf("once more: %v", err)
	}
}

// A crash may come after any statement: the next run must finish the work.
func TestMigrateAfterACrashAtEveryStatement(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn, cfg := warehousetest.NewTestDatabaseConfig(t)
	files, err := warehouse.RenderSchema(cfg)
	if err != nil {
		t.Fatal(err)
	}
	// Running each statement a second time on the finished schema shows that
	// any prefix may be run again.
	for _, file := range files {
		for i, statement := range file.Statements {
			if err := conn.Exec(t.Context(), statement); err != nil {
				t.Errorf("%s, statement %d, run again: %v", file.Name, i+1, err)
			}
		}
	}
	execute(t, conn, "TRUNCATE TABLE schema_migrations")
	if err := migrate(cfg); err != nil {
		t.Errorf("with no migration recorded: %v", err)
	}
}

func TestMigrateRefusesWhatItDoesNotKnow(t *testing.T) {
	conn, cfg := warehousetest.NewTestDatabaseConfig(t)
	execute(t, conn, "INSERT INTO schema_migrations VALUES (9000, '9000_later.sql', 'x', 0)")
	if err := migrate(cfg); err == nil || !strings.Contains(err.Error(), "9000_later.sql") || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("database of a newer program: got %v", err)
	}
	execute(t, conn, "TRUNCATE TABLE schema_migrations")
	execute(t, conn, "INSERT INTO schema_migrations VALUES (1, '0001_events.sql', 'x', 0)")
	if err := migrate(cfg); err == nil || !strings.Contains(err.Error(), "0001_events.sql was changed") {
		t.Errorf("changed file: got %v", err)
	}
}

// The dictionaries hold the password with which they read.
func TestMigrateAfterAPasswordChange(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	dir := t.TempDir()
	for _, password := range []string{"before-word", "after-word"} {
		withEngineOf(t, dir, password, func(cfg warehouse.Config) {
			if err := migrate(cfg); err != nil {
				t.Fatal(err)
			}
			wantProfiles(t, "under "+password, resolve(t, mustOpen(t, cfg), 5), 5)
		})
	}
}

func TestSchemaFilesAreNumbered(t *testing.T) {
	f := func(want string, names ...string) {
		t.Helper()
		files := fstest.MapFS{}
		for _, name := range names {
			files["schema/"+name] = &fstest.MapFile{}
		}
		got, err := warehouse.LoadNames(files)
		if err != nil {
			got = []string{err.Error()}
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%v (-want +got):\n%s", names, diff)
		}
	}
	f("0001_a.sql 0002_b.sql 0010_c.sql", "0010_c.sql", "0002_b.sql", "0001_a.sql")
	f("schema files 0001_a.sql and 0001_b.sql have one number", "0001_b.sql", "0001_a.sql")
	f("schema file events.sql must start with its number and _", "events.sql")
}

func TestSplitStatements(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, warehouse.SplitStatements(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	f("")
	f(" ; -- nothing;\n ; /* ; */")
	f("A; B ;C", "A", "B", "C")
	f(`SELECT ';', "a;b", c`+"`;`"+`; D`, `SELECT ';', "a;b", c`+"`;`", "D")
	f(`SELECT 'it\'s;'; B`, `SELECT 'it\'s;'`, "B")
	f("-- why; not\nA;", "-- why; not\nA")
	f("'never closed; B", "'never closed; B")
}

// Every table and column says what it is, and every table who writes it.
func TestSchemaIsCommented(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	rows, err := conn.Query(t.Context(), "SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND name NOT LIKE '.inner%'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	tables := 0
	for rows.Next() {
		var name, comment string
		if err := rows.Scan(&name, &comment); err != nil {
			t.Fatal(err)
		}
		tables++
		_, writer, _ := strings.Cut(comment, "Written by: ")
		switch strings.TrimSuffix(writer, ".") {
		case "api", "ingest", "identity", "worker", "migrate", "nobody, a view", "nobody, a dictionary":
		default:
			t.Errorf("%s: comment %q does not end in its one writing role", name, comment)
		}
	}
	if tables < 20 {
		t.Errorf("looked at %d tables only", tables)
	}
	var bare []string
	// Columns of dictionaries and of materialized views with a target cannot
	// have comments; their tables' do.
	err = conn.QueryRow(t.Context(), `SELECT groupArray(c.table || '.' || c.name) FROM system.columns AS c
INNER JOIN system.tables AS t ON c.database = t.database AND c.table = t.name
WHERE c.database = currentDatabase() AND c.comment = '' AND t.engine NOT IN ('Dictionary', 'MaterializedView')`).Scan(&bare)
	if err != nil {
		t.Fatal(err)
	}
	if len(bare) > 0 {
		t.Errorf("columns without a comment: %v", bare)
	}
}

// Workspace comes first in every sort key.
func TestSortKeysStartWithWorkspace(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	var wrong []string
	err := conn.QueryRow(t.Context(), `SELECT groupArray(name || ': ' || sorting_key) FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations' AND sorting_key NOT LIKE 'workspace, %'`).Scan(&wrong)
	if err != nil {
		t.Fatal(err)
	}
	if len(wrong) > 0 {
		t.Error(wrong)
	}
}

// The cluster form cannot run on one server, but it must parse, with the
// engines and the clause that make it one.
func TestClusterFormParses(t *testing.T) {
	conn, cfg := warehousetest.NewTestDatabaseConfig(t)
	cfg.Cluster = "shop"
	files, err := warehouse.RenderSchema(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for i, statement := range file.Statements {
			if err := conn.Exec(t.Context(), "EXPLAIN AST "+statement); err != nil {
				t.Errorf("%s, statement %d: %v\n%s", file.Name, i+1, err, statement)
			}
			if strings.Contains(statement, "MergeTree") && !strings.Contains(statement, "ENGINE = Replicated") {
				t.Errorf("%s, statement %d is not replicated:\n%s", file.Name, i+1, statement)
			}
			if !strings.Contains(statement, "ON CLUSTER shop") && !rows.MatchString(statement) {
				t.Errorf("%s, statement %d has no ON CLUSTER:\n%s", file.Name, i+1, statement)
			}
		}
	}
}

// rows matches statements that move or check rows, which replicas do by themselves.
var rows = regexp.MustCompile(`(?m)^(INSERT|SELECT) `)

func TestOpenNamesTheFix(t *testing.T) {
	cfg := warehousetest.NewConfig(t)
	f := func(what string, cfg warehouse.Config, want ...string) {
		t.Helper()
		conn, err := warehouse.Open(t.Context(), cfg)
		if err == nil {
			_ = conn.Close()
			t.Errorf("%s: opened", what)
			return
		}
		for _, part := range append(want, cfg.Address()) {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %q does not name %q", what, err, part)
			}
		}
		if strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: error %q shows the password", what, err)
		}
	}
	f("no database", cfg, "no database "+cfg.Database(), "kindred migrate")
	closed := warehouse.DefaultConfig()
	closed.URL = "clickhouse://someone:secret-word@127.0.0.1:9/kindred"
	f("nothing listens", closed, "unreachable", "KINDRED_CLICKHOUSE_URL")
	if _, err := warehouse.Open(t.Context(), closed); !errors.Is(err, warehouse.ErrUnreachable) {
		t.Errorf("nothing listens: %v is not ErrUnreachable", err)
	}
}

// The embedded engine does not survive a login that it refuses, so the answer
// to one is made here.
func TestOpenExplainsARefusal(t *testing.T) {
	cfg := warehouse.DefaultConfig()
	cfg.URL = "clickhouse://someone:secret-word@db.example.com:9440/kindred?secure=true"
	f := func(code int32, want string) {
		t.Helper()
		if diff := cmp.Diff(want, warehouse.Explain(cfg, code).Error()); diff != "" {
			t.Errorf("code %d (-want +got):\n%s", code, diff)
		}
	}
	f(516, "clickhouse at db.example.com:9440 refuses user someone: check user and password in KINDRED_CLICKHOUSE_URL")
	f(1, "clickhouse at db.example.com:9440: code 1: NAME")
}

func TestConfigReportsEveryFault(t *testing.T) {
	f := func(url string, want ...string) {
		t.Helper()
		err := warehouse.Config{URL: url, Cluster: "a b"}.Validate()
		if err == nil {
			t.Fatalf("%q passed", url)
		}
		for _, part := range append(want, "timeouts", "pool", "cluster name") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %v does not tell of %q", url, err, part)
			}
		}
		if strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%q: %v shows the password", url, err)
		}
	}
	f("", "clickhouse://user:password@host:9000/database")
	f("http://x:secret-word@h/db", "clickhouse://user:password@host:9000/database")
	f("clickhouse://x:secret-word@h:port/db", "clickhouse://user:password@host:9000/database")
	f("clickhouse://x:secret-word@h:9000/db;drop", "database name")
	f("clickhouse://x:secret-word@h:9000/db?dial_timeout=soon", "known query parameters")
	if err := warehouse.DefaultConfig().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
}

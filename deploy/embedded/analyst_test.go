package embedded

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
)

// secret is the value that an analyst must never see.
const secret = "ana@example.com"

// analystEngine is an engine with a table that has a masked column, and what opens it in legal ways.
func analystEngine(t *testing.T) *running {
	cfg := engineConfig(t.TempDir(), library(t))
	cfg.Database = "kindred"
	cfg.AnalystGrants = []string{
		"GRANT SELECT(id, country) ON kindred.people",
		"GRANT SELECT ON kindred.people_by_country",
		"GRANT SELECT(id) ON kindred.keyed",
	}
	r := start(t, cfg)
	execute(t, connect(t, r.dsn),
		"CREATE TABLE people (id UInt64, email String, country String) ENGINE = MergeTree ORDER BY id",
		"CREATE TABLE keyed (id UInt64, email String) ENGINE = MergeTree ORDER BY email",
		"CREATE VIEW people_by_country DEFINER = kindred SQL SECURITY DEFINER AS SELECT country, uniq(email) AS people FROM people GROUP BY country",
		"INSERT INTO people VALUES (1, '"+secret+"', 'PT')",
		"INSERT INTO keyed VALUES (1, '"+secret+"')")
	return r
}

// answer is everything that a query returns, or its error.
func answer(conn clickhouse.Conn, query string) (string, error) {
	rows, err := conn.Query(context.Background(), "SELECT toString(tuple(*)) FROM ("+query+")")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return "", err
		}
		all = append(all, text)
	}
	return strings.Join(all, "\n"), rows.Err()
}

func TestAnalystReadsWhatIsGranted(t *testing.T) {
	r := analystEngine(t)
	conn := connect(t, r.dsn, AnalystUser, r.cfg.AnalystPassword)
	for query, want := range map[string]string{
		"SELECT id, country FROM people":                                                "(1,'PT')",
		"SELECT count() FROM people":                                                    "(1)",
		"SELECT country, people FROM people_by_country":                                 "('PT',1)",
		"SELECT name FROM system.columns WHERE table = 'people'":                        "('id')\n('country')",
		"SELECT 1 SETTINGS max_threads = 1, max_execution_time = 5, join_use_nulls = 1": "(1)",
	} {
		if got, err := answer(conn, query); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", query, got, err, want)
		}
	}
}

func TestAnalystIsKeptOut(t *testing.T) {
	r := analystEngine(t)
	conn := connect(t, r.dsn, AnalystUser, r.cfg.AnalystPassword)
	outside := writeText(t, secret, 0o644, t.TempDir(), "outside.txt")
	part, err := filepath.Glob(filepath.Join(r.cfg.DataDir, storeFolder, "store", "*", "*", "all_1_1_0", "data.bin"))
	if err != nil || len(part) == 0 {
		t.Fatalf("no parts of tables: %v, %v", part, err)
	}
	for _, statement := range []string{
		// Masked columns, directly and by every way round.
		"SELECT email FROM people",
		"SELECT * FROM people",
		"SELECT count() FROM people WHERE email = '" + secret + "'",
		"SELECT id FROM people ORDER BY email",
		"SELECT id FROM people GROUP BY id, email",
		"SELECT count(email) FROM people",
		"SELECT id, (SELECT any(email) FROM people) FROM people",
		"SELECT email FROM people SETTINGS enable_analyzer = 0",
		"SELECT id FROM people SETTINGS additional_table_filters = {'kindred.people': 'email != \\'\\''}",
		"SELECT id FROM people SETTINGS parallel_replicas_custom_key = 'email'",
		"SELECT * FROM view(SELECT email FROM people)",
		"SELECT * FROM merge('kindred', 'people')",
		"SELECT * FROM mergeTreeIndex('kindred', 'keyed')",
		"EXPLAIN SELECT email FROM people",
		// Files, the network and other engines.
		"SELECT file('" + outside + "')",
		"SELECT file('" + outside + "', NULL)",
		"SELECT file('" + outside + "') SETTINGS enable_analyzer = 0",
		"SELECT file('" + part[0] + "')",
		"SELECT arrayMap(x -> file(x), ['" + outside + "'])",
		"WITH file('" + outside + "') AS text SELECT text",
		"SELECT * FROM file('" + outside + "', 'LineAsString')",
		"SELECT * FROM filesystem('" + filepath.Dir(outside) + "')",
		"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
		"SELECT * FROM url('file://" + outside + "', 'LineAsString')",
		"SELECT * FROM remote('127.0.0.1', 'kindred', 'people', 'kindred', 'x')",
		"SELECT * FROM s3('http://127.0.0.1:1/bucket/x.csv', 'CSV')",
		"SELECT * FROM executable('x.sh', 'TSV', 'a Int8')",
		"SELECT * FROM sqlite('" + outside + "', 'x')",
		"SELECT 1 FORMAT Template SETTINGS format_template_resultset = '" + outside + "'",
		"SELECT 1 FORMAT Protobuf SETTINGS format_schema = '" + outside + ":X'",
		// Writing, definitions and rights.
		"INSERT INTO people (id) VALUES (2)",
		"INSERT INTO FUNCTION file('" + outside + "', 'CSV', 'a Int8') VALUES (1)",
		"ALTER TABLE people DELETE WHERE 1",
		"DROP TABLE people",
		"TRUNCATE TABLE people",
		"CREATE TABLE mine (a Int8) ENGINE = Memory",
		"CREATE TEMPORARY TABLE mine (a Int8)",
		"CREATE FUNCTION mine AS x -> x",
		"GRANT SELECT ON *.* TO analyst",
		"SYSTEM SHUTDOWN",
		"KILL QUERY WHERE 1",
		"BACKUP TABLE people TO File('" + outside + ".zip')",
		// The limits.
		"SET readonly = 0",
		"SELECT 1 SETTINGS max_execution_time = 0",
		"SELECT 1 SETTINGS max_execution_time = 3600",
		"SELECT 1 SETTINGS max_memory_usage = 0",
		// What others do.
		"SELECT * FROM system.processes",
		"SELECT * FROM system.users",
		"SELECT * FROM system.parts",
		"SELECT * FROM system.server_settings",
	} {
		if err := conn.Exec(context.Background(), statement); err == nil {
			t.Errorf("allowed: %s", statement)
		}
	}
	if text, err := os.ReadFile(outside); err != nil || string(text) != secret {
		t.Errorf("the file outside is now %q, %v", text, err)
	}
}

func TestNobodyEntersAsTheEnginesOwnUser(t *testing.T) {
	r := start(t, engineConfig(t.TempDir(), library(t)))
	for _, password := range []string{"", "default"} {
		conn := connect(t, r.dsn, localUser, password)
		if n, err := number(conn, "SELECT toUInt64(1)"); err == nil {
			t.Errorf("the engine's own user with password %q answers %d", password, n)
		}
	}
	conn := connect(t, r.dsn, AdminUser, "wrong")
	if _, err := number(conn, "SELECT toUInt64(1)"); err == nil {
		t.Error("a wrong password of the admin is accepted")
	}
}

func TestLogsQuoteNoQueries(t *testing.T) {
	r := start(t, engineConfig(t.TempDir(), library(t)))
	conn := connect(t, r.dsn)
	for _, statement := range []string{
		"SELECT * FROM nowhere WHERE email = '" + secret + "'",
		"SELECT throwIf(1, '" + secret + "')",
		"SELECT toUInt8('" + secret + "')",
	} {
		if err := conn.Exec(context.Background(), statement); err == nil {
			t.Errorf("no error: %s", statement)
		}
	}
	r.stop()
	if err := <-r.ended; err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(r.cfg.DataDir, logFolder, "*"))
	if err != nil || len(logs) < 2 {
		t.Fatalf("logs %v, %v", logs, err)
	}
	for _, path := range logs {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), secret) {
			t.Errorf("%s quotes a query:\n%s", path, text)
		}
	}
}

func TestPasswordsAreKeptForTheOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	first, err := keptPassword(filepath.Join(dir, "p"))
	if err != nil || len(first) < 16 {
		t.Fatalf("password %q, %v", first, err)
	}
	again, err := keptPassword(filepath.Join(dir, "p"))
	if err != nil || again != first {
		t.Errorf("second password %q, %v; want the first", again, err)
	}
	info, err := os.Stat(filepath.Join(dir, "p"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

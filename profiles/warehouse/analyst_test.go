package warehouse_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

const accessDenied = 497

func TestAnalyst(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	withEngine(t, t.TempDir(), func(cfg warehouse.Config) {
		if err := migrate(cfg); err != nil {
			t.Fatal(err)
		}
		admin, analyst := mustOpen(t, cfg), mustOpen(t, asAnalyst(t, cfg))
		t.Run("personal columns", func(t *testing.T) { testPersonalColumns(t, admin, analyst) })
		t.Run("writes", func(t *testing.T) { testAnalystWrites(t, analyst) })
		t.Run("masks", func(t *testing.T) { testMasks(t, admin, analyst) })
		t.Run("expressions", func(t *testing.T) {
			execute(t, analyst, "SELECT "+warehouse.EventProfile("anchor_id", "time")+" AS p, count() FROM events GROUP BY p")
			execute(t, analyst, "SELECT "+warehouse.IdentifierProfile("identifier_id")+" AS p, count() FROM identifiers GROUP BY p")
		})
	})
}

// The analyst reads a column if and only if its comment does not call it
// personal or secret; and of a table that is not granted, none.
func testPersonalColumns(t *testing.T, admin, analyst driver.Conn) {
	rows, err := admin.Query(t.Context(), "SELECT table, name, startsWith(comment, 'Personal.') OR startsWith(comment, 'Secret.') FROM system.columns WHERE database = currentDatabase() AND table NOT LIKE 'reading\\_%' AND table NOT LIKE 'lookup\\_%' AND table != 'schema_migrations'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	seen := map[bool]int{}
	for rows.Next() {
		var table, column string
		var personal bool
		if err := rows.Scan(&table, &column, &personal); err != nil {
			t.Fatal(err)
		}
		seen[personal]++
		err := analyst.Exec(t.Context(), "SELECT `"+column+"` FROM "+table+" LIMIT 1")
		if denied := isDenied(err); denied != personal || (err != nil && !denied) {
			t.Errorf("%s.%s: personal is %t, but reading it gives %v", table, column, personal, err)
		}
	}
	// Who reads a view that fills a table reads the table.
	for _, view := range []string{"lookup_scores", "lookup_groups", "lookup_names"} {
		if err := analyst.Exec(t.Context(), "SELECT * FROM "+view+" LIMIT 1"); !isDenied(err) {
			t.Errorf("%s is read: %v", view, err)
		}
	}
	if seen[true] < 15 || seen[false] < 150 {
		t.Errorf("looked at %d personal and %d other columns only", seen[true], seen[false])
	}
}

func isDenied(err error) bool {
	var exception *clickhouse.Exception
	return errors.As(err, &exception) && exception.Code == accessDenied
}

func testAnalystWrites(t *testing.T, analyst driver.Conn) {
	for _, statement := range []string{
		"INSERT INTO identity_epochs (workspace, epoch) VALUES ('main', 99)",
		"ALTER TABLE events DELETE WHERE 1",
		"CREATE TABLE x (a UInt8) ENGINE = Memory",
		"DROP TABLE events",
		"SYSTEM RELOAD DICTIONARY reading_owners",
		"SYSTEM SHUTDOWN",
		"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
		"SELECT * FROM file('x', 'LineAsString')",
	} {
		err := analyst.Exec(t.Context(), statement)
		var exception *clickhouse.Exception
		if !errors.As(err, &exception) || (exception.Code != accessDenied && exception.Code != readOnly) {
			t.Errorf("%s: got %v, want it refused", statement, err)
		}
	}
}

const readOnly = 164

func testMasks(t *testing.T, admin, analyst driver.Conn) {
	execute(t, admin, "INSERT INTO identifiers (workspace, identifier_id, namespace, value) VALUES ('main', 1, 'email', 'ana@example.com'), ('main', 2, 'phone', '+351911111111')")
	execute(t, admin, `INSERT INTO events (workspace, anchor_id, identifiers, properties, traits, url) VALUES ('main', 1, ['email:ana@example.com'], '{"note":"ana@example.com"}', '{"city":"Ana"}', 'https://shop.example.com/ana?email=ana@example.com')`)
	var seen string
	err := analyst.QueryRow(t.Context(), "SELECT concat((SELECT toString(groupArray(tuple(*))) FROM (SELECT * FROM identifiers_masked ORDER BY identifier_id)), (SELECT toString(groupArray(tuple(*))) FROM events_masked))").Scan(&seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"a***@example.com", "***11", "['email']", "['note']", "['city']", "shop.example.com"} {
		if !strings.Contains(seen, part) {
			t.Errorf("%q is not in %s", part, seen)
		}
	}
	for _, secret := range []string{"ana", "Ana", "3519"} {
		if strings.Contains(seen, secret) {
			t.Errorf("%q shows in %s", secret, seen)
		}
	}
}

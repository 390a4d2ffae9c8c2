package warehouse_test

import (
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestLookUpsReadLittle: one pair and one identifier among many are found without
// decompressing their neighbours. The parts are wide, as large ones are.
func TestLookUpsReadLittle(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	exec := func(query string) {
		t.Helper()
		if err := conn.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []struct{ name, insert, lookUp string }{
		{
			"identifiers", `INSERT INTO identifiers (workspace, identifier_id, source, period, namespace, value, first_event, first_received, last_event, last_received)
			SELECT 'main', bitShiftRight(intHash64(number), 1), 'web', 8100, 'email', concat('p', toString(number), '@people.example'), now64(3), now64(3), today(), today() FROM numbers(100000)`,
			`SELECT identifier_id, namespace, value FROM identifiers WHERE workspace = 'main' AND identifier_id = bitShiftRight(intHash64(4242), 1)`,
		},
		{
			"identity_evidence", `INSERT INTO identity_evidence (workspace, low_id, high_id, low_namespace, high_namespace, source, period, rule,
				first_event, first_received, last_event, last_received, witness_time, witness_message_id)
			SELECT 'main', bitShiftRight(intHash64(number), 2), bitShiftRight(intHash64(number), 2) + 7, 'email', 'user_id', 'web', 8100, 'event',
				now64(3), now64(3), today(), today(), now64(3), toString(number) FROM numbers(100000)`,
			`SELECT * FROM identity_evidence WHERE workspace = 'main' AND (low_id, high_id) = (bitShiftRight(intHash64(4242), 2), bitShiftRight(intHash64(4242), 2) + 7)`,
		},
	} {
		exec(`ALTER TABLE ` + table.name + ` MODIFY SETTING min_bytes_for_wide_part = 0`)
		exec(table.insert)
		read := int64(0)
		ctx := clickhouse.Context(t.Context(), clickhouse.WithProfileEvents(func(events []clickhouse.ProfileEvent) {
			for _, e := range events {
				if e.Name == "CompressedReadBufferBytes" {
					read += e.Value
				}
			}
		}))
		rows, err := conn.Query(ctx, table.lookUp)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for rows.Next() {
			found++
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		const most = 200 << 10 // of some 10 MiB
		if found != 1 || read == 0 || read > most {
			t.Errorf("a look-up in %s finds %d rows and decompresses %d bytes, want one and %d at most", table.name, found, read, most)
		}
	}
}

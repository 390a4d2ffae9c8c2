package clickhouse_test

import (
	"testing"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/clickhouse"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestFactsBeforeEvents: whoever counts an event finds all that was made of it, so a
// range of which facts could not be stored has no events yet.
func TestFactsBeforeEvents(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	b := &ingest.Batch{Kind: wire.Location, Events: []*ingest.Event{decode(t, wire.Location, "1", "2026-02-01T10:00:00Z", `"location":{"lat":38.72,"lon":-9.14}`)}}
	for _, s := range []struct{ change, events string }{
		{"RENAME TABLE location_facts TO elsewhere", "[(0)]"},
		{"RENAME TABLE elsewhere TO location_facts", "[(1)]"},
	} {
		if err := conn.Exec(t.Context(), s.change); err != nil {
			t.Fatal(err)
		}
		err := clickhouse.New(conn).Insert(t.Context(), "token", b)
		if events := row(t, conn, "SELECT count() FROM events"); events != s.events || (err != nil) != (events == "[(0)]") {
			t.Errorf("%s: %s events, %v", s.change, events, err)
		}
	}
}

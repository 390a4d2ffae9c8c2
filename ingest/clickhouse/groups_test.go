package clickhouse_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// What a group event says of its account is stored once, however often its insert
// comes; other events name no account.
func TestAccountsAreStored(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	const when = "2026-02-01T10:00:00Z"
	events := []*ingest.Event{
		decode(t, wire.Behaviour, "g", when, `"type":"group","properties":{"groupId":"acme","traits":{"plan":"gold"}}`),
		decode(t, wire.Behaviour, "n", when, `"type":"group","properties":{"groupId":7}`),
		decode(t, wire.Behaviour, "t", when, `"type":"track","properties":{"groupId":"acme"}`),
	}
	store(t, conn, wire.Behaviour, events, 10)
	got := row(t, conn, "SELECT account_id, traits, anchor_id != 0, toUnixTimestamp(time) FROM account_facts WHERE workspace = 'main' ORDER BY account_id")
	if d := cmp.Diff(`[('7','',1,1769940000),('acme','{"plan":"gold"}',1,1769940000)]`, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

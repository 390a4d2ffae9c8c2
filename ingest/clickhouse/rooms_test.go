package clickhouse_test

import (
	"fmt"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/clickhouse"
	"github.com/kindred-cdp/kindred/ingest/simulate"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// A store that uses the memory of its columns again stores what one stores that
// begins with new columns, in every table, whatever the sizes of the batches.
func TestRoomsAreUsedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	again, anew := warehousetest.NewTestDatabase(t), warehousetest.NewTestDatabase(t)
	world, err := simulate.Generate(shopping(3), shoppers(12), "main")
	if err != nil {
		t.Fatal(err)
	}
	one := clickhouse.New(again)
	for _, kind := range wire.Kinds() {
		all := events(t, world, kind)
		sizes := []int{60, 1, 17, 2, 300, 5}
		for i := 0; len(all) > 0 && i < 40; i++ {
			n := min(sizes[i%len(sizes)], len(all))
			b := &ingest.Batch{Kind: kind, Events: all[:n]}
			for _, e := range b.Events {
				b.Seen = append(b.Seen, ingest.Seen{Workspace: e.Workspace, Hash: e.Hash, BodyHash: e.BodyHash, Position: e.Position})
			}
			token := fmt.Sprint(kind, i)
			for _, s := range []*clickhouse.Store{one, clickhouse.New(anew)} {
				if err := s.Insert(t.Context(), token, b); err != nil {
					t.Fatal(err)
				}
			}
			all = all[n:]
		}
	}
	filled := 0
	for _, table := range []string{
		"events", "transaction_facts", "trait_observations", "seen_messages", "social_facts", "location_facts",
		"support_facts", "feedback_facts", "sensor_facts", "contact_facts", "catalogue_entries",
	} {
		want, got := contents(t, anew, table), contents(t, again, table)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-new columns +used again):\n%s", table, d)
		}
		if want != "[(0,0)]" {
			filled++
		}
	}
	if filled < 10 {
		t.Errorf("only %d tables got rows", filled)
	}
}

func contents(t *testing.T, conn driver.Conn, table string) string {
	t.Helper()
	return row(t, conn, "SELECT count(), groupBitXor(cityHash64(*)) FROM "+table)
}

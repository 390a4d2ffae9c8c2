package warehouse_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// Every view that resolves profiles sees the version that the query began with,
// also when it is read long after another one, and a merge was published in
// between.
func TestViewsAreOneVersion(t *testing.T) {
	conn, cfg := warehousetest.NewTestDatabaseConfig(t)
	l := newLedger(t, conn, "main", 1)
	l.exec("INSERT INTO identifiers (workspace, identifier_id, namespace, value) VALUES ('main', 10, 'record', 'crm/1')")
	l.exec("INSERT INTO events (workspace, anchor_id, kind, message_id) VALUES ('main', 10, 'behaviour', 'm')")
	l.exec("INSERT INTO transaction_facts (workspace, anchor_id, type) VALUES ('main', 10, 'order')")
	l.profile(10, 1)
	l.publish()
	reader, err := warehouse.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	views := []string{"anchor_profile", "behaviour_events", "transactions", "events_masked", "identifiers_masked", "profiles"}
	before := 0
	for i, first := range views {
		id := fmt.Sprint("reader-of-", cfg.Database(), "-", i)
		of := func(view string) string {
			return "assumeNotNull((SELECT any(profile_id) FROM " + view + " WHERE workspace = 'main'))"
		}
		list := ""
		for _, view := range views {
			list += ", " + of(view)
		}
		got, failed := make(chan []uint64, 1), make(chan error, 1)
		go func() {
			var seen []uint64
			err := reader.QueryRow(queryID(id), "SELECT ["+of(first)+
				", assumeNotNull((SELECT toUInt64(sum(sleepEachRow(0.3))) FROM numbers(5) SETTINGS max_block_size = 1))"+list+"]").Scan(&seen)
			got <- seen
			failed <- err
		}()
		waitRunning(t, conn, id)
		l.profile(10, uint64(i+2))
		l.publish()
		seen := <-got
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
		seen = append(seen[:1], seen[2:]...) // Without the sleep.
		if diff := cmp.Diff(slices.Repeat(seen[:1], len(seen)), seen); diff != "" {
			t.Errorf("%s, and then %v after a publication: %s", first, views, diff)
		}
		if seen[0] == uint64(i+1) {
			before++
		}
	}
	if before == 0 {
		t.Error("no query began before a publication")
	}
}

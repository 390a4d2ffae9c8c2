package warehouse_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// Owner 2 took over from 1, was replaced by 3 (which had seen more of 1) and
// wrote its row late. The cut of 1 is that of the chain 3 → 1; the least of all
// rows would take back what 3 has published on top of it.
func TestCutsFollowTheChainOfOwners(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	for _, q := range []string{
		"INSERT INTO identity_epochs (workspace, epoch, started_at, previous_epoch, last_sequence_seen) VALUES ('w', 1, 1, 0, 0), ('w', 3, 3, 1, 10)",
		"INSERT INTO identity_versions (workspace, epoch, sequence, published_at) VALUES ('w', 1, 10, 1), ('w', 3, 7, 3)",
		"INSERT INTO identity_epochs (workspace, epoch, started_at, previous_epoch, last_sequence_seen) VALUES ('w', 2, 2, 1, 5)",
		"INSERT INTO identity_versions (workspace, epoch, sequence, published_at) VALUES ('w', 2, 4, 4)",
	} {
		if err := conn.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for epoch, want := range map[uint64]uint64{1: 10, 2: 0, 3: 7} {
		var got uint64
		if err := conn.QueryRow(t.Context(), "SELECT last_sequence FROM identity_counted WHERE workspace = 'w' AND epoch = ?", epoch).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("rows of epoch %d count up to %d, want %d", epoch, got, want)
		}
	}
	sameCounted(t, conn, "w", "2 owners and a late one")
}

// TestCountingEqualsTheView over random histories of owners, some late, some skipped, some
// told twice.
func TestCountingEqualsTheView(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	const seeds = 150
	epochs, err := conn.PrepareBatch(t.Context(), "INSERT INTO identity_epochs (workspace, epoch, started_at, previous_epoch, last_sequence_seen)")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(err)
	versions, err := conn.PrepareBatch(t.Context(), "INSERT INTO identity_versions (workspace, epoch, sequence, published_at)")
	check(err)
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 5))
		workspace := fmt.Sprint("w", seed)
		for range r.IntN(7) {
			check(versions.Append(workspace, 1+r.Uint64N(5), r.Uint64N(12), int64(seed)))
		}
		for range r.IntN(7) {
			epoch := 1 + r.Uint64N(5)
			previous, seen := r.Uint64N(epoch), r.Uint64N(12)
			for range 1 + r.IntN(2) {
				check(epochs.Append(workspace, epoch, int64(seed), previous, seen))
			}
		}
	}
	check(cmp.Or(epochs.Send(), versions.Send()))
	for seed := range seeds {
		sameCounted(t, conn, fmt.Sprint("w", seed), fmt.Sprint("seed ", seed))
	}
}

// sameCounted compares Counting with the view.
func sameCounted(t *testing.T, conn driver.Conn, workspace, what string) {
	t.Helper()
	read := func(query string, scan func(driver.Rows) error) {
		t.Helper()
		rows, err := conn.Query(context.Background(), query, clickhouse.Named("workspace", workspace))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			if err := scan(rows); err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	var c warehouse.Counting
	read(warehouse.CountingSQL, c.Scan)
	got, want := map[uint64]uint64{}, map[uint64]uint64{}
	epochs, lasts := c.Counted()
	for i, epoch := range epochs {
		got[epoch] = lasts[i]
	}
	read("SELECT epoch, last_sequence FROM identity_counted WHERE workspace = {workspace:String} AND last_sequence > 0", func(rows driver.Rows) error {
		var epoch, last uint64
		err := rows.Scan(&epoch, &last)
		want[epoch] = last
		return err
	})
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: counted %v, the view says %v", what, got, want)
	}
}

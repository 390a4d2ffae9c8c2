package warehouse_test

import (
	"testing"

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
}

package ingest_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestFormOfARange: a range that was begun under other settings is finished in
// the form in which its rows are stored, so that the evidence is of the same
// anchors. Where the plan forgets the form, events are left without evidence.
func TestFormOfARange(t *testing.T) {
	records, events, _ := history(rand.New(rand.NewPCG(9, 9)), 60)
	f := func(forget bool) (missing uint64) {
		x := &run{t: t, conn: warehousetest.NewTestDatabase(t), log: &log{records: records}, batch: 1000, form: "before"}
		x.own(func(at string) error {
			if at == "before evidence" {
				return errCrash
			}
			return nil
		})
		if !strings.Contains(x.log.metadata, " by before of ") {
			t.Fatalf("the plan is %q", x.log.metadata)
		}
		if x.form = "after"; forget {
			x.log.metadata = strings.Replace(x.log.metadata, " by before", " by after", 1)
		}
		x.own(func(string) error { return nil })
		if got := x.counts().Events; got != uint64(events) {
			t.Errorf("%d rows of %d events", got, events)
		}
		anchors := map[identity.AnchorID]bool{}
		for _, e := range x.evidence {
			anchors[e.Anchor] = true
		}
		list := make([]uint64, 0, len(anchors))
		for a := range anchors {
			list = append(list, uint64(a))
		}
		if err := x.conn.QueryRow(context.Background(), "SELECT count() FROM events WHERE anchor_id NOT IN (?)", list).Scan(&missing); err != nil {
			t.Fatal(err)
		}
		return missing
	}
	if n := f(false); n != 0 {
		t.Errorf("%d events have no evidence", n)
	}
	if f(true) == 0 {
		t.Error("without the form nothing is missing: this test shows nothing")
	}
}

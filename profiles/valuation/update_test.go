package valuation

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestUpdate changes what a few customers did, and finds rows of theirs alone that are
// later: each what the models of the day say of the history of now. Where that is not
// enough, everybody is scored.
func TestUpdate(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestRefreshAfterUpdates sees its goroutines")
	}
	conn := warehousetest.NewTestDatabase(t)
	facts, _ := cdnow(t)
	insertFacts(t, conn, facts)
	now := calibrationEnd.Add(-12 * time.Hour)
	clock := func() time.Time { return now }
	w := worker(t, conn, clock, nil)
	rows := func() (all, population uint64) {
		if err := conn.QueryRow(t.Context(), "SELECT count(), countIf(profile_id = 0) FROM scores").Scan(&all, &population); err != nil {
			t.Fatal(err)
		}
		return all, population
	}
	do := func(what func() (Summary, error)) Summary {
		t.Helper()
		now = now.Add(time.Minute)
		s, err := what()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	update := func() Summary { t.Helper(); return do(func() (Summary, error) { return w.Update(t.Context()) }) }
	refresh := func(w *Worker) Summary {
		t.Helper()
		return do(func() (Summary, error) { return w.Refresh(t.Context()) })
	}
	first := update() // Of a worker that knows nothing.
	before, _ := rows()
	if first.Updated != 0 || first.Unchanged || before != uint64(4*first.CustomersWithValue+7) {
		t.Fatalf("the first update: %+v, %d rows", first, before)
	}
	if s := update(); !s.Unchanged || s.Updated != 0 || s.ModelVersion != first.ModelVersion {
		t.Errorf("nothing has changed: %+v", s)
	}
	was := current(t, conn)

	// One buys, one is merged into another, and one is new.
	const fresh = 900_000
	insertFacts(t, conn, []fact{
		{anchor: 1, time: now.Add(-time.Hour), order: "late", amount: "9", messageHash: 5},
		{anchor: fresh, time: now.AddDate(0, -2, 0), amount: "20", messageHash: 6},
		{anchor: fresh, time: now.AddDate(0, -1, 0), amount: "30", messageHash: 7},
	})
	assign(t, conn, 1, 2, 3)
	s := update()
	all, population := rows()
	if s.Updated != 3 || s.ModelVersion != first.ModelVersion || s.Customers != first.Customers || all != before+3*4 || population != 7 {
		t.Fatalf("three have changed: %+v, %d rows of %d before, %d of the population", s, all, before, population)
	}
	h, err := w.readHistory(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	scorer, err := w.last.fitted.Scorer([]float64{quarterWeeks}, lifetime.DefaultTerms())
	if err != nil {
		t.Fatal(err)
	}
	is := current(t, conn)
	for i, id := range h.profiles {
		switch id {
		case 1, 3, identity.ProfileID(fresh):
			want, err := scorer.Score(h.customers[i])
			if err != nil {
				t.Fatal(err)
			}
			got := is[uint64(id)]
			for name, e := range map[string]lifetime.Estimate{PAlive: want.Alive, ExpectedPurchases90d: want.Purchases[0], ExpectedSpend: want.Spend, LifetimeValue1y: want.Value} {
				if r := got[name]; r.Value != e.Value || r.Lower != e.Lower || r.Upper != e.Upper || r.Version != first.ModelVersion {
					t.Errorf("%s of %d: %+v, want %+v", name, id, r, e)
				}
			}
			if cmp.Equal(got, was[uint64(id)]) {
				t.Errorf("the scores of %d are what they were", id)
			}
		default:
			if !cmp.Equal(is[uint64(id)], was[uint64(id)]) {
				t.Errorf("the scores of %d have changed", id)
			}
		}
	}
	if len(is[2]) != 0 {
		t.Errorf("who was merged has %v", is[2])
	}

	// The order is cancelled. What stands is of an update, though the data are again those
	// that the population row tells of, but for the others.
	insertFacts(t, conn, []fact{{anchor: 1, time: now, order: "late", status: "cancelled", amount: "9", messageHash: 8}})
	if s := update(); s.Updated != 1 || !cmp.Equal(current(t, conn)[1], was[1]) {
		t.Errorf("the order was cancelled: %+v\n%s", s, cmp.Diff(was[1], current(t, conn)[1]))
	}

	for _, step := range []struct {
		what   string
		change func()
	}{
		{"another process has refreshed", func() {
			insertFacts(t, conn, []fact{{anchor: 5, time: now, amount: "3", messageHash: 9}})
			refresh(worker(t, conn, clock, nil))
			insertFacts(t, conn, []fact{{anchor: 5, time: now, amount: "3", messageHash: 10}})
		}},
		{"who is no customer any more", func() {
			if err := conn.Exec(t.Context(), "DELETE FROM transaction_facts WHERE anchor_id = 1"); err != nil {
				t.Fatal(err)
			}
		}},
		{"a tenth has changed", func() {
			var many []fact
			for i := range first.Customers / 8 {
				many = append(many, fact{anchor: uint64(1_000_000 + i), time: now.AddDate(0, -1, 0), amount: "4", messageHash: int64(100 + i)})
			}
			insertFacts(t, conn, many)
		}},
		{"the next day", func() { now = now.Add(24 * time.Hour) }},
	} {
		step.change()
		before, _ := rows()
		s := update()
		if after, _ := rows(); s.Updated != 0 || s.Unchanged || after != before+uint64(4*s.CustomersWithValue+7) {
			t.Errorf("%s: %+v, %d rows after %d", step.what, s, after, before)
		}
	}
	if len(current(t, conn)[1]) != 0 {
		t.Error("who is no customer has scores")
	}
}

// TestRefreshAfterUpdates: what the population row tells of is what stands only as long
// as no update has followed.
func TestRefreshAfterUpdates(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	facts, _ := cdnow(t)
	insertFacts(t, conn, facts)
	now := calibrationEnd.Add(-12 * time.Hour)
	clock := func() time.Time { now = now.Add(time.Minute); return now }
	w := worker(t, conn, clock, nil)
	do := func(what func() (Summary, error)) Summary {
		t.Helper()
		s, err := what()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	do(func() (Summary, error) { return w.Refresh(t.Context()) })
	was := current(t, conn)[1]
	insertFacts(t, conn, []fact{{anchor: 1, time: now, order: "late", amount: "9", messageHash: 5}})
	if s := do(func() (Summary, error) { return w.Update(t.Context()) }); s.Updated != 1 || cmp.Equal(current(t, conn)[1], was) {
		t.Fatalf("an order came: %+v", s)
	}
	insertFacts(t, conn, []fact{{anchor: 1, time: now, order: "late", status: "cancelled", amount: "9", messageHash: 8}})
	s := do(func() (Summary, error) { return worker(t, conn, clock, nil).Refresh(t.Context()) })
	if is := current(t, conn)[1]; s.Unchanged || !cmp.Equal(is, was) {
		t.Errorf("after a restart the scores of an order stand that was cancelled: %+v\n%s", s, cmp.Diff(was, is))
	}
}

package valuation

import (
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestCohorts counts the purchases of CDNOW, with a refund, a cancelled order and an order
// in another currency, in a few lines of its own, and finds the same.
func TestCohorts(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestRefreshAfterUpdates sees its goroutines")
	}
	conn := warehousetest.NewTestDatabase(t)
	facts, _ := cdnow(t)
	var known []fact
	for _, f := range facts {
		if !f.time.After(calibrationEnd) {
			known = append(known, f)
		}
	}
	insertFacts(t, conn, append([]fact{
		{anchor: 1, time: calibrationEnd.Add(-time.Hour), kind: "refund", amount: "5", messageHash: 1},
		{anchor: 1, time: calibrationEnd.Add(-time.Hour), status: "cancelled", amount: "70", messageHash: 2},
		{anchor: 1, time: calibrationEnd.Add(-time.Hour), currency: "EUR", amount: "70", messageHash: 3},
	}, facts...))
	s, err := worker(t, conn, at(calibrationEnd), nil).Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	scores := current(t, conn)
	reader := NewCohortReader(conn, at(calibrationEnd))
	for _, period := range []Period{Month, Quarter} {
		begin := func(at time.Time) time.Time {
			month := at.Month()
			if period == Quarter {
				month -= (month - 1) % 3
			}
			return time.Date(at.Year(), month, 1, 0, 0, 0, 0, time.UTC)
		}
		first := map[uint64]time.Time{}
		for _, f := range known {
			if was, ok := first[f.anchor]; !ok || f.time.Before(was) {
				first[f.anchor] = f.time
			}
		}
		type place struct{ begin, in time.Time }
		buyers, revenue, customers := map[place]map[uint64]int{}, map[place]float64{}, map[time.Time]uint64{}
		values := map[time.Time]float64{}
		for _, f := range known {
			at := place{begin(first[f.anchor]), begin(f.time)}
			if buyers[at] == nil {
				buyers[at] = map[uint64]int{}
			}
			buyers[at][f.anchor]++
			revenue[at] += decimal.RequireFromString(f.amount).InexactFloat64()
		}
		for anchor, when := range first {
			customers[begin(when)]++
			values[begin(when)] += scores[anchor][LifetimeValue1y].Value
		}
		got, err := reader.Cohorts(t.Context(), "main", period, "")
		if err != nil {
			t.Fatal(err)
		}
		if got.Currency != "GBP" || !got.Valued || len(got.Cohorts) != len(customers) || s.Currency != "GBP" {
			t.Fatalf("%d cohorts in %s, want %d", len(got.Cohorts), got.Currency, len(customers))
		}
		refunded, seen := 0.0, 0
		for _, of := range got.Cohorts {
			if of.Customers != customers[of.Begin] || of.Scored != of.Customers || math.Abs(of.Value-values[of.Begin]) > 1e-6*of.Value || !(of.Alive > 0) || of.Alive > float64(of.Scored) {
				t.Errorf("%s: %+v, want %d customers worth %g", of.Begin.Format(time.DateOnly), of, customers[of.Begin], values[of.Begin])
			}
			for k, a := range of.Ages {
				in := period.after(of.Begin, k)
				want := buyers[place{of.Begin, in}]
				orders := 0
				for _, n := range want {
					orders += n
				}
				if a.Age != k || a.Buyers != uint64(len(want)) || a.Orders != uint64(orders) || math.Abs(a.Revenue-revenue[place{of.Begin, in}]) > 1e-6 {
					t.Errorf("%s at age %d: %+v, want %d buyers, %d orders, %g", of.Begin.Format(time.DateOnly), k, a, len(want), orders, revenue[place{of.Begin, in}])
				}
				if over := period.after(in, 1); a.Complete == over.After(calibrationEnd) {
					t.Errorf("%s at age %d is complete: %t", of.Begin.Format(time.DateOnly), k, a.Complete)
				}
				refunded += a.Refunded
				seen += orders
			}
		}
		if refunded != 5 || seen != len(known) {
			t.Errorf("%g refunded, want 5; %d orders, want %d", refunded, seen, len(known))
		}
	}
	other, err := reader.Cohorts(t.Context(), "main", Month, "EUR")
	if err != nil || other.Valued || len(other.Cohorts) != 1 || other.Cohorts[0].Customers != 1 || other.Cohorts[0].Scored != 0 {
		t.Errorf("in euros: %+v, %v", other, err)
	}
	none, err := reader.Cohorts(t.Context(), "another", Month, "")
	if err != nil || none.Currency != "" || len(none.Cohorts) != 0 {
		t.Errorf("of nobody: %+v, %v", none, err)
	}
}

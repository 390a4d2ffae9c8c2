package valuation

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// start is a Monday, midday; day(n) is n days later.
var start = time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)

func day(n int) time.Time { return start.AddDate(0, 0, n) }

// One profile per rule of the package documentation, with the history that
// follows from it by hand, 70 days (10 weeks) after the start.
func TestHistory(t *testing.T) {
	week := func(x int, recency, age, spend, first float64) lifetime.Customer {
		return lifetime.Customer{Frequency: x, Recency: recency, Age: age, Spend: spend, First: first}
	}
	cases := []struct {
		name  string
		facts []fact // the anchor is filled in
		want  lifetime.Customer
		gone  bool // no history at all
	}{
		{name: "one order", facts: []fact{buy(0, day(0), "10")}, want: week(0, 0, 10, 0, 10)},
		{
			name: "repeat mean leaves out the first", facts: []fact{buy(0, day(0), "100"), buy(0, day(7), "10"), buy(0, day(21), "20.5")},
			want: week(2, 3, 10, 15.25, 100),
		},
		{
			name: "orders of a day are one purchase", facts: []fact{buy(0, day(0), "1"), buy(0, day(14), "10"), buy(0, day(14).Add(3*time.Hour), "5")},
			want: week(1, 2, 10, 15, 1),
		},
		{
			name: "only positive lines count", facts: []fact{
				buy(0, day(0), "1"),
				{time: day(7), amount: "-999", lines: []line{{"2", "3.125"}, {"-1", "500"}, {"4", "0"}, {"3", "-2"}}},
			},
			want: week(1, 1, 10, 6.25, 1),
		},
		{
			name: "an order of nothing is none", facts: []fact{buy(0, day(0), "1"), {time: day(7), amount: "5", lines: []line{{"1", "0"}}}},
			want: week(0, 0, 10, 0, 1),
		},
		{name: "without lines the amount counts", facts: []fact{buy(0, day(0), "1"), {time: day(7), amount: "12.5"}}, want: week(1, 1, 10, 12.5, 1)},
		{name: "cancelled", facts: []fact{buy(0, day(0), "1"), {time: day(7), amount: "5", status: "Cancelled"}}, want: week(0, 0, 10, 0, 1)},
		{name: "newest message tells the state, oldest the time", facts: []fact{
			buy(0, day(0), "1"),
			{time: day(9), order: "o1", amount: "8"},
			{time: day(7), order: "o1", amount: "30"},
		}, want: week(1, 1, 10, 8, 1)},
		{name: "an order cancelled later is none", facts: []fact{
			buy(0, day(0), "1"),
			{time: day(7), order: "o2", amount: "30"},
			{time: day(8), order: "o2", amount: "30", status: "cancelled"},
		}, want: week(0, 0, 10, 0, 1)},
		{name: "a cancellation after as_of is not known", facts: []fact{
			buy(0, day(0), "1"),
			{time: day(7), order: "o3", amount: "30"},
			{time: day(71), order: "o3", amount: "30", status: "cancelled"},
		}, want: week(1, 1, 10, 30, 1)},
		{name: "a refund takes off the latest purchases", facts: []fact{
			buy(0, day(0), "10"), buy(0, day(7), "20"), buy(0, day(14), "5"),
			{time: day(15), kind: "refund", amount: "-11"},
		}, want: week(2, 2, 10, 7, 10)},
		{name: "but not later ones", facts: []fact{
			buy(0, day(0), "10"), buy(0, day(7), "20"), buy(0, day(21), "5"),
			{time: day(8), kind: "refund", amount: "-4"},
		}, want: week(2, 3, 10, 10.5, 10)},
		{name: "a refund of more than there is", facts: []fact{
			buy(0, day(0), "10"), buy(0, day(7), "20"),
			{time: day(8), kind: "refund", amount: "-1000"},
		}, want: week(1, 1, 10, 0, 0)},
		{name: "refund written as positive", facts: []fact{
			buy(0, day(0), "10"), buy(0, day(7), "20"),
			{time: day(8), kind: "refund", amount: "5"},
		}, want: week(1, 1, 10, 15, 10)},
		{name: "future orders", facts: []fact{buy(0, day(0), "10"), buy(0, day(71), "20")}, want: week(0, 0, 10, 0, 10)},
		{
			name: "other kinds", facts: []fact{buy(0, day(0), "10"), {time: day(7), kind: "adjustment", amount: "20"}, {time: day(8), kind: "subscription", amount: "20"}},
			want: week(0, 0, 10, 0, 10),
		},
		{name: "other currency", facts: []fact{buy(0, day(0), "10"), {time: day(7), currency: "EUR", amount: "20"}}, want: week(0, 0, 10, 0, 10)},
		{name: "newborn", facts: []fact{buy(0, day(70), "10")}, want: week(0, 0, 0, 0, 10)},
		{name: "refunds alone", facts: []fact{{time: day(8), kind: "refund", amount: "-4"}}, gone: true},
		{name: "only future", facts: []fact{buy(0, day(71), "4")}, gone: true},
		{name: "another workspace", facts: []fact{{time: day(1), amount: "4", workspace: "other"}}, gone: true},
		{name: "amounts beyond 64 bits", facts: []fact{
			buy(0, day(0), "10"),
			{time: day(7), lines: []line{{"90000000000000", "90000000000000"}}},
		}, want: week(1, 1, 10, 8.099999999999999e27, 10)},
	}
	conn := warehousetest.NewTestDatabase(t)
	var facts []fact
	want := map[identity.ProfileID]lifetime.Customer{}
	name := map[identity.ProfileID]string{}
	for i, c := range cases {
		anchor := uint64(1000 + i)
		name[identity.ProfileID(anchor)] = c.name
		if !c.gone {
			want[identity.ProfileID(anchor)] = c.want
		}
		for _, f := range c.facts {
			f.anchor = anchor
			facts = append(facts, f)
		}
	}
	// Two identifiers of one person, and a guest.
	facts = append(facts, buy(2001, day(0), "10"), buy(2002, day(7), "30"), buy(0, day(3), "77"))
	want[2001] = week(1, 1, 10, 30, 10)
	name[2001] = "two identifiers"
	insertFacts(t, conn, facts)
	assign(t, conn, 1, 2002, 2001)

	w := worker(t, conn, at(day(70)), nil)
	h, err := w.readHistory(t.Context(), day(70))
	if err != nil {
		t.Fatal(err)
	}
	if h.currency != "GBP" || h.otherCurrency != 1 || h.unmatched != 970 || h.unusable != 0 {
		t.Errorf("currency %s, other %d, unmatched %v, unusable %d", h.currency, h.otherCurrency, h.unmatched, h.unusable)
	}
	if h.first != lifetime.DayOf(day(0)) || h.last != lifetime.DayOf(day(70)) {
		t.Errorf("days %d to %d", h.first, h.last)
	}
	got := map[identity.ProfileID]lifetime.Customer{}
	for i, p := range h.profiles {
		got[p] = h.customers[i]
		if d := cmp.Diff(want[p], h.customers[i]); d != "" {
			t.Errorf("%s (-want +got):\n%s", name[p], d)
		}
	}
	for p := range want {
		if _, ok := got[p]; !ok {
			t.Errorf("%s: no history", name[p])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d profiles, want %d", len(got), len(want))
	}
}

func TestConfiguredCurrency(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	insertFacts(t, conn, []fact{
		buy(1, day(0), "1"), buy(1, day(1), "1"), {anchor: 2, time: day(0), currency: "EUR", amount: "4"}, {anchor: 3, time: day(0), currency: "USD", amount: "4"},
	})
	w := worker(t, conn, at(day(9)), func(c *Config) { c.Currency = "EUR" })
	h, err := w.readHistory(t.Context(), day(9))
	if err != nil {
		t.Fatal(err)
	}
	if h.currency != "EUR" || h.otherCurrency != 3 || len(h.profiles) != 1 || h.profiles[0] != 2 {
		t.Errorf("%+v", h)
	}
}

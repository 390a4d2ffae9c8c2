package clickhouse_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
)

// recycled is a phone that was u1's until day 300 and is u2's, with a call, an
// order and a trait on every hundredth day, alone and together with a cookie.
func recycled(w *clickhousetest.World) (u1, u2 identity.ProfileID) {
	u1, u2 = w.Person("user_id:u1"), w.Person("user_id:u2", "phone:+351910000000")
	w.Tenures("phone:+351910000000", clickhousetest.Tenure{Until: day.AddDate(0, 0, 300), Owner: "user_id:u1"})
	w.Add(
		clickhousetest.Event{MessageID: "login 1", Name: "Login", Time: day, Identifiers: []string{"user_id:u1"}},
		clickhousetest.Event{MessageID: "login 2", Name: "Login", Time: day, Identifiers: []string{"user_id:u2"}},
	)
	for d := 100; d <= 500; d += 100 {
		at := day.AddDate(0, 0, d)
		w.Add(
			clickhousetest.Event{MessageID: fmt.Sprint("call ", d), Name: "Called", Time: at, Identifiers: []string{"phone:+351910000000"}, Traits: map[string]any{"last": d}},
			clickhousetest.Event{
				MessageID: fmt.Sprint("order ", d), Kind: "transaction", Name: "Order Completed", Time: at, Identifiers: []string{"phone:+351910000000", "anonymous_id:c"},
				Order: &clickhousetest.Order{Type: "order", ID: fmt.Sprint(d), Status: "completed", Currency: "EUR", Amount: "10"},
			},
		)
	}
	return u1, u2
}

// TestRecycledPhone: each has the calls, orders and traits of their time, and an
// owner that merges takes them along.
func TestRecycledPhone(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	store, w := newStore(t)
	u1, u2 := recycled(w)
	w.Flush(t.Context())
	check := func(when string, id identity.ProfileID, want string) {
		t.Helper()
		store.Refresh("main")
		p, err := store.Load(t.Context(), "main", id)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range p.Recent {
			names = append(names, e.MessageID)
		}
		slices.Sort(names) // Those of one time have no order of their own.
		got := strings.Join(names, ", ") + ", "
		orders := uint64(0)
		for _, o := range p.Orders {
			orders += o.Orders
		}
		got += fmt.Sprintf("%d events, %d orders", p.Activity.Total(), orders)
		for _, tr := range p.Traits {
			got += fmt.Sprintf(", %s %s", tr.Name, tr.Value)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", when, id, diff)
		}
		events, err := store.Timeline(t.Context(), "main", id, profiles.TimelineQuery{PageQuery: profiles.PageQuery{Limit: 100}})
		if err != nil {
			t.Fatal(err)
		}
		var timeline []string
		for _, e := range events {
			timeline = append(timeline, e.MessageID)
		}
		slices.Sort(timeline)
		if diff := cmp.Diff(names, timeline); diff != "" {
			t.Errorf("%s, %s: the timeline has others than the view (-want +got):\n%s", when, id, diff)
		}
		phone := []identity.Key{w.Key("phone:+351910000000")}
		if diff := cmp.Diff(map[bool][]identity.Key{true: phone, false: nil}[id == u1], p.Former); diff != "" {
			t.Errorf("%s, %s: former identifiers %s", when, id, diff)
		}
	}
	const early = "call 100, call 200, login 1, order 100, order 200, 5 events, 2 orders, last 200"
	const late = "call 300, call 400, call 500, login 2, order 300, order 400, order 500, 7 events, 3 orders, last 500"
	check("recycled", u1, early)
	check("recycled", u2, late)

	// The owner of the time before is one with another now, and with all of them.
	u0 := w.Person("user_id:u0", "user_id:u1")
	w.Flush(t.Context())
	u1 = u0
	check("merged", u0, early)
	w.Person("user_id:u1", "user_id:u2", "phone:+351910000000")
	u1 = identity.ProfileID(w.Key("user_id:u1"))
	w.Flush(t.Context())
	store.Refresh("main")
	if p, err := store.Load(t.Context(), "main", u1); err != nil || p.Activity.Total() != 12 || p.Former != nil {
		t.Errorf("all of one person: %v, %v", p, err)
	}
	w.Person("user_id:u1")
	w.Person("user_id:u2", "phone:+351910000000")

	w.Tenures("phone:+351910000000")
	w.Flush(t.Context())
	store.Refresh("main")
	if p, err := store.Load(t.Context(), "main", u1); err != nil || p.Activity.Total() != 1 || p.Former != nil {
		t.Errorf("without tenures: %v, %v", p, err)
	}
	if p, err := store.Load(t.Context(), "main", u2); err != nil || p.Activity.Total() != 11 {
		t.Errorf("without tenures: %v, %v", p, err)
	}
}

func TestHouseholdOfAProfile(t *testing.T) {
	ctx := context.Background()
	store, w := newStore(t)
	ana, ben, eve := w.Person("user_id:ana"), w.Person("user_id:ben"), w.Person("user_id:eve")
	for i, id := range []string{"user_id:ana", "user_id:ben", "user_id:eve"} {
		w.Add(clickhousetest.Event{MessageID: fmt.Sprint(i), Name: "Login", Time: day.Add(time.Hour), Identifiers: []string{id}})
	}
	check := func(when string, id identity.ProfileID, want *profiles.Household) {
		t.Helper()
		store.Refresh("main")
		p, err := store.Load(ctx, "main", id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, p.Household); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	home := identity.HouseholdID(w.Key("landline:+351210000000"))
	w.House("landline:+351210000000", ana, ben)
	w.House("landline:+351220000000", eve)
	w.Flush(ctx)
	check("with one mate", ana, &profiles.Household{ID: home, Profiles: []identity.ProfileID{ben}})
	check("alone", eve, &profiles.Household{ID: identity.HouseholdID(w.Key("landline:+351220000000")), Profiles: []identity.ProfileID{}})
	w.House("landline:+351210000000", eve)
	w.Flush(ctx)
	two := []identity.ProfileID{min(ana, eve), max(ana, eve)}
	check("with two", ben, &profiles.Household{ID: home, Profiles: two})
	w.House("", ana, ben)
	w.Flush(ctx)
	check("who left", ana, nil)
	check("who stayed", eve, &profiles.Household{ID: home, Profiles: []identity.ProfileID{}})
}

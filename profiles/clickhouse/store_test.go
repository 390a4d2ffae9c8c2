package clickhouse_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

var day = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)

func newStore(t testing.TB) (*clickhouse.Store, *clickhousetest.World) {
	t.Helper()
	conn := warehousetest.NewTestDatabase(t)
	store, err := clickhouse.New(clickhouse.DefaultConfig(), conn, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return store, clickhousetest.New(t, conn, "main")
}

// ana has two cookies, an e-mail and a user id; the tablet at the shop was used
// by her and by ben, and belongs to ben.
func anaAndBen(w *clickhousetest.World) (ana, ben identity.ProfileID) {
	ana = w.Person("anonymous_id:c1", "email:ana@example.com", "user_id:ana", "anonymous_id:c2")
	ben = w.Person("user_id:ben", "device:tablet")
	w.Detach("landline:+351210000000")
	at := func(hours int) time.Time { return day.Add(time.Duration(hours) * time.Hour) }
	w.Add(
		clickhousetest.Event{MessageID: "1", Name: "Product Viewed", Time: at(0), Identifiers: []string{"anonymous_id:c1"}, Properties: map[string]any{"sku": "a"}},
		clickhousetest.Event{MessageID: "2", Name: "Signed Up", Type: "identify", Time: at(1), Identifiers: []string{"anonymous_id:c1", "email:ana@example.com"}, Traits: map[string]any{"country": "PT", "tags": []string{"new"}}},
		clickhousetest.Event{MessageID: "3", Kind: "transaction", Name: "Order Completed", Source: "shop", Time: at(2), Identifiers: []string{"user_id:ana", "email:ana@example.com"}, Order: &clickhousetest.Order{Type: "order", ID: "o1", Status: "completed", Currency: "EUR", Amount: "10.5000"}},
		clickhousetest.Event{MessageID: "4", Kind: "transaction", Name: "Order Updated", Source: "shop", Time: at(3), Identifiers: []string{"user_id:ana"}, Order: &clickhousetest.Order{Type: "order", ID: "o1", Status: "completed", Currency: "EUR", Amount: "12.7500"}},
		clickhousetest.Event{MessageID: "5", Kind: "transaction", Name: "Order Completed", Source: "shop", Time: at(4), Identifiers: []string{"user_id:ana"}, Order: &clickhousetest.Order{Type: "order", ID: "o2", Status: "completed", Currency: "EUR", Amount: "1"}},
		clickhousetest.Event{MessageID: "6", Kind: "transaction", Name: "Order Refunded", Source: "shop", Time: at(5), Identifiers: []string{"user_id:ana"}, Order: &clickhousetest.Order{Type: "refund", ID: "o2", Status: "completed", Currency: "EUR", Amount: "-0.4000"}},
		clickhousetest.Event{MessageID: "7", Kind: "transaction", Name: "Order Refunded", Source: "shop", Time: at(6), Identifiers: []string{"user_id:ana"}, Order: &clickhousetest.Order{Type: "refund", ID: "o2", Status: "completed", Currency: "EUR", Amount: "-0.1000"}},
		clickhousetest.Event{MessageID: "8", Kind: "transaction", Name: "Order Cancelled", Source: "shop", Time: at(7), Identifiers: []string{"user_id:ana"}, Order: &clickhousetest.Order{Type: "order", ID: "o3", Status: "Cancelled", Currency: "USD", Amount: "9"}},
		clickhousetest.Event{MessageID: "9", Name: "Identify", Type: "identify", Time: at(8), Identifiers: []string{"user_id:ana", "anonymous_id:c2", "landline:+351210000000"}, Traits: map[string]any{"country": "BR", "tags": []string{"vip"}, "age": nil}},
		clickhousetest.Event{MessageID: "10", Name: "Identify", Type: "identify", Time: at(-1), Identifiers: []string{"anonymous_id:c2"}, Traits: map[string]any{"age": 31}},
		clickhousetest.Event{MessageID: "11", Name: "Tapped", Time: at(9), Identifiers: []string{"device:tablet", "anonymous_id:c2"}},
		clickhousetest.Event{MessageID: "12", Name: "Called", Time: at(9), Identifiers: []string{"landline:+351210000000"}},
		clickhousetest.Event{MessageID: "13", Name: "Identify", Time: at(10), Identifiers: []string{"user_id:ben"}, Traits: map[string]any{"country": "ES"}},
		clickhousetest.Event{MessageID: "14", Name: "Guest", Time: at(10)},
	)
	w.Score(
		clickhousetest.Score{Profile: ana, Name: "churn", Model: "m1", AsOf: day, ComputedAt: at(1), Value: .9, Lower: .8, Upper: 1},
		clickhousetest.Score{Profile: ana, Name: "churn", Model: "m2", AsOf: day, ComputedAt: at(2), Value: .2, Lower: .1, Upper: .3, Detail: `{"unit":"p"}`},
		// Under an id that has been merged since, of the same computation.
		clickhousetest.Score{Profile: identity.ProfileID(w.Key("user_id:ana")), Name: "churn", Model: "m2", AsOf: day, ComputedAt: at(2), Value: .5},
		clickhousetest.Score{Profile: ben, Name: "churn", Model: "m2", AsOf: day, ComputedAt: at(3), Value: .7},
	)
	return ana, ben
}

func TestLoadWholeView(t *testing.T) {
	ctx := context.Background()
	store, w := newStore(t)
	ana, _ := anaAndBen(w)
	w.Flush(ctx)

	p, err := store.Load(ctx, "main", ana)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, i := range p.Identifiers {
		ids = append(ids, i.String())
	}
	if d := cmp.Diff([]string{"anonymous_id:c2", "anonymous_id:c1", "email:ana@example.com", "user_id:ana"}, ids); d != "" {
		t.Errorf("identifiers (-want +got):\n%s", d)
	}
	if got := p.Identifiers[2]; !got.FirstSeen.Equal(day.Add(time.Hour)) || got.LastSeen != day.Truncate(24*time.Hour) {
		t.Errorf("e-mail seen %v to %v", got.FirstSeen, got.LastSeen)
	}
	if d := cmp.Diff([]string{"shop", "web"}, p.Identifiers[2].Sources); d != "" {
		t.Errorf("sources (-want +got):\n%s", d)
	}
	// The tap on the tablet is ben's, the call of the landline is nobody's.
	if d := cmp.Diff(map[string]uint64{"behaviour": 4, "transaction": 6}, p.Activity.Events); d != "" {
		t.Errorf("activity (-want +got):\n%s", d)
	}
	if p.Activity.FirstSeen != day.Add(-time.Hour) || p.Activity.LastSeen != day.Add(8*time.Hour) {
		t.Errorf("active %v to %v", p.Activity.FirstSeen, p.Activity.LastSeen)
	}
	checkOrders(t, p)
	traits := map[string]string{}
	for _, tr := range p.Traits {
		traits[tr.Name] = string(tr.Value)
	}
	if d := cmp.Diff(map[string]string{"country": `"BR"`, "tags": `["new","vip"]`}, traits); d != "" {
		t.Errorf("traits (-want +got):\n%s", d)
	}
	if len(p.Scores) != 1 || p.Scores[0].Value != .2 || string(p.Scores[0].Detail) != `{"unit":"p"}` {
		t.Errorf("scores %+v", p.Scores)
	}
	var recent []string
	for _, e := range p.Recent {
		recent = append(recent, e.MessageID)
	}
	if d := cmp.Diff([]string{"9", "8", "7", "6", "5", "4", "3", "2", "1", "10"}, recent); d != "" {
		t.Errorf("recent (-want +got):\n%s", d)
	}
}

func checkOrders(t *testing.T, p *profiles.Profile) {
	t.Helper()
	if len(p.Orders) != 1 {
		t.Fatalf("orders %+v, want EUR alone: the order in USD was cancelled", p.Orders)
	}
	o := p.Orders[0]
	// o1 was updated to 12.75, o2 is 1; both refunds of o2 count.
	if o.Currency != "EUR" || o.Orders != 2 || o.Refunds != 2 || o.Amount.String() != "13.75" ||
		o.Refunded.String() != "-0.5" || o.Revenue().String() != "13.25" {
		t.Errorf("orders %+v", o)
	}
	if o.FirstOrder != day.Add(2*time.Hour) || o.LastOrder != day.Add(4*time.Hour) {
		t.Errorf("orders from %v to %v", o.FirstOrder, o.LastOrder)
	}
}

func TestResolve(t *testing.T) {
	ctx := context.Background()
	store, w := newStore(t)
	ana, ben := anaAndBen(w)
	w.Flush(ctx)
	f := func(name, workspace string, key identity.Key, want identity.ProfileID) {
		t.Helper()
		got, err := store.Resolve(ctx, workspace, key)
		if want == 0 && !errors.Is(err, profiles.ErrNotFound) || want != 0 && (err != nil || got != want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
	f("by e-mail", "main", w.Key("email:ana@example.com"), ana)
	f("by founder", "main", w.Key("anonymous_id:c1"), ana)
	f("by the id", "main", identity.Key(ana), ana)
	f("by an id that was merged", "main", w.Key("user_id:ana"), ana)
	f("shared tablet", "main", w.Key("device:tablet"), ben)
	f("household value", "main", w.Key("landline:+351210000000"), 0)
	f("never seen", "main", w.Key("email:nobody@example.com"), 0)
	f("other workspace", "other", w.Key("email:ana@example.com"), 0)
	f("zero", "main", 0, 0)
	if _, err := store.Load(ctx, "other", ana); !errors.Is(err, profiles.ErrNotFound) {
		t.Errorf("load from another workspace: %v, want not found", err)
	}
	if _, err := store.Load(ctx, "main", identity.ProfileID(w.Key("user_id:ana"))); !errors.Is(err, profiles.ErrNotFound) {
		t.Errorf("load by an id that is none now: %v, want not found", err)
	}
}

func TestMergeAndUnmergeMoveTheWholeView(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	ctx := context.Background()
	store, w := newStore(t)
	ana, ben := anaAndBen(w)
	w.Flush(ctx)
	before, err := store.Load(ctx, "main", ana)
	if err != nil {
		t.Fatal(err)
	}
	// Everything becomes ben's.
	w.Person("user_id:ben", "device:tablet", "anonymous_id:c1", "email:ana@example.com", "user_id:ana", "anonymous_id:c2")
	w.Flush(ctx)
	store.Refresh("main")
	if _, err := store.Load(ctx, "main", ana); !errors.Is(err, profiles.ErrNotFound) {
		t.Errorf("load of a profile merged away: %v, want not found", err)
	}
	merged, err := profiles.Find(ctx, store, "main", identity.Key(ana))
	if err != nil || merged.ID != ben || merged.IdentifierCount != 6 {
		t.Fatalf("merged profile %+v, %v", merged, err)
	}
	if merged.Activity.Total() != before.Activity.Total()+2 {
		t.Errorf("merged activity %v", merged.Activity)
	}
	w.Person("user_id:ben", "device:tablet")
	w.Person("anonymous_id:c1", "email:ana@example.com", "user_id:ana", "anonymous_id:c2")
	w.Flush(ctx)
	store.Refresh("main")
	after, err := profiles.Find(ctx, store, "main", w.Key("email:ana@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("unmerged profile differs (-before +after):\n%s", d)
	}
}

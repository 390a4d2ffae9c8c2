package clickhouse_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestComputedTraits computes each kind of trait over windows and conditions, and
// once more after a merge and an unmerge.
func TestComputedTraits(t *testing.T) {
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(t)
	now := day.Add(10 * 24 * time.Hour)
	cfg := clickhouse.DefaultConfig()
	order := func(name string, compute profiles.Computation, property string, days int, where ...profiles.Condition) {
		cfg.Computed = append(cfg.Computed, profiles.ComputedTrait{
			Name: name, Compute: compute, Event: "Order Completed", Property: property, Within: time.Duration(days) * 24 * time.Hour, Where: where,
		})
	}
	order("orders", profiles.ComputeCount, "", 0)
	order("orders_5d", profiles.ComputeCount, "", 5)
	order("never", profiles.ComputeCount, "", 0, profiles.Condition{Property: "no", Op: "exists"})
	order("spent", profiles.ComputeSum, "total", 0)
	order("average", profiles.ComputeAverage, "total", 0)
	order("average_none", profiles.ComputeAverage, "no", 0)
	order("first", profiles.ComputeFirst, "store.city", 0)
	order("last", profiles.ComputeLast, "store.city", 0)
	order("favourite", profiles.ComputeMostFrequent, "store.city", 0)
	order("cities", profiles.ComputeUniqueList, "store.city", 0)
	order("quiet", profiles.ComputeTimeSince, "", 0)
	order("large", profiles.ComputeCount, "", 0, profiles.Condition{Property: "total", Op: "gte", Values: []any{20.0}})
	order("gifts", profiles.ComputeCount, "", 0, profiles.Condition{Property: "gift", Op: "eq", Values: []any{true}})
	order("in_porto", profiles.ComputeCount, "", 0, profiles.Condition{Property: "store.city", Op: "in", Values: []any{"Porto", "' OR 1 --"}})
	cfg.Computed = append(cfg.Computed, profiles.ComputedTrait{Name: "country", Compute: profiles.ComputeLast, Property: "country"})
	store, err := clickhouse.New(cfg, conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	w := clickhousetest.New(t, conn, "main")
	ana, ben := w.Person("user_id:ana"), w.Person("user_id:ben")
	n := 0
	buy := func(user string, days int, properties map[string]any) {
		n++
		w.Add(clickhousetest.Event{MessageID: fmt.Sprint(n), Name: "Order Completed", Time: day.Add(time.Duration(days) * 24 * time.Hour), Identifiers: []string{user}, Properties: properties})
	}
	at := func(city string) map[string]any { return map[string]any{"city": city} }
	buy("user_id:ana", 1, map[string]any{"total": 10.1, "store": at("Lisboa"), "gift": true})
	buy("user_id:ana", 2, map[string]any{"total": 20.2, "store": at("Porto")})
	buy("user_id:ana", 5, map[string]any{"total": "x", "store": at("Lisboa")}) // The edge of the window: not in it.
	buy("user_id:ana", 6, map[string]any{"store": nil, "country": "PT"})
	buy("user_id:ana", 11, map[string]any{"total": 99}) // Not yet.
	buy("user_id:ben", 7, map[string]any{"total": 30, "store": at("Porto")})
	w.Add(clickhousetest.Event{MessageID: "i", Name: "Identify", Time: day, Identifiers: []string{"user_id:ana"}, Traits: map[string]any{"country": "said", "plan": "gold"}})
	w.Flush(ctx)
	traits := func(id string) map[string]string {
		t.Helper()
		store.Refresh("main")
		p, err := profiles.Find(ctx, store, "main", w.Key(id))
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, tr := range p.Traits {
			found[tr.Name] = string(tr.Value)
			if tr.Name != "plan" && tr.Rule != profiles.Computed {
				t.Errorf("%s: rule %s", tr.Name, tr.Rule)
			}
		}
		return found
	}
	anas := map[string]string{
		"orders": "4", "orders_5d": "1", "never": "0", "spent": "30.3", "average": "15.15", "first": `"Lisboa"`, "last": `"Lisboa"`,
		"favourite": `"Lisboa"`, "cities": `["Lisboa","Porto"]`, "quiet": "4", "large": "1", "gifts": "1", "in_porto": "1", "country": `"PT"`, "plan": `"gold"`,
	}
	if d := cmp.Diff(anas, traits("user_id:ana")); d != "" {
		t.Errorf("ana (-want +got):\n%s", d)
	}
	w.Person("user_id:ana", "user_id:ben")
	w.Flush(ctx)
	both := traits("user_id:ben")
	for name, want := range map[string]string{"orders": "5", "spent": "60.3", "favourite": `"Porto"`, "cities": `["Porto","Lisboa"]`, "quiet": "3", "last": `"Porto"`} {
		if both[name] != want {
			t.Errorf("merged: %s is %s, want %s", name, both[name], want)
		}
	}
	w.Person("user_id:ben")
	w.Flush(ctx)
	if d := cmp.Diff(anas, traits("user_id:ana")); d != "" {
		t.Errorf("after the unmerge (-want +got):\n%s", d)
	}
	_, _ = ana, ben
}

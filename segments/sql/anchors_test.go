package sql_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// TestEventsOfSeveralAnchors has one person on several devices: what is gathered of each
// anchor is joined by profile, where an anchor without a number is none of 0.
func TestEventsOfSeveralAnchors(t *testing.T) {
	ctx := context.Background()
	w := clickhousetest.New(t, warehousetest.NewTestDatabase(t), "main")
	who := map[identity.ProfileID]string{}
	for name, numbers := range map[string][]any{"up": {2, 3, nil, 4.5}, "down": {-2, nil, -3}} {
		id := "user_id:" + name
		who[identity.ProfileID(w.Key(id))] = name
		for i, n := range numbers {
			e := clickhousetest.Event{
				MessageID: fmt.Sprint(name, i), Name: "View", Identifiers: []string{id, fmt.Sprintf("device:%s%d", name, i)},
				Time: now.Add(-time.Duration(i+1) * time.Minute), Properties: map[string]any{},
			}
			if n != nil {
				e.Properties["n"] = n
			}
			w.Add(e)
		}
	}
	w.Flush(ctx)
	f := asker(t, sql.DefaultConfig(), w, who)
	f(`{"event":"View","count":{"eq":4}}`, "up")
	f(`{"event":"View","sum":"n","is":{"eq":9.5}}`, "up")
	f(`{"event":"View","sum":"n","is":{"eq":-5}}`, "down")
	f(`{"event":"View","average":"n","is":{"eq":-2.5}}`, "down")
	f(`{"event":"View","min":"n","is":{"eq":2}}`, "up")
	f(`{"event":"View","min":"n","is":{"eq":-3}}`, "down")
	f(`{"event":"View","max":"n","is":{"eq":4.5}}`, "up")
	f(`{"event":"View","max":"n","is":{"eq":-2}}`, "down")
}

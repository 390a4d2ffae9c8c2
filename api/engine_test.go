package api_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/profiles/cache"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// engineServer is the API over a real ClickHouse, through the cache.
func engineServer(t *testing.T) (http.Handler, *clickhousetest.World, *cache.Cache) {
	t.Helper()
	conn := warehousetest.NewTestDatabase(t)
	store, err := clickhouse.New(clickhouse.DefaultConfig(), conn, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture()
	cached, err := cache.New(cache.DefaultConfig(), cache.Deps{Store: store, Now: time.Now, Registerer: f.metrics})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	running, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- cached.Run(ctx, func() { close(running) }) }()
	<-running
	t.Cleanup(func() { cancel(); <-done })
	preview, err := sql.New(sql.DefaultConfig(), conn, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	w := clickhousetest.New(t, conn, "main")
	s, err := api.New(f.cfg, api.Deps{
		Profiles: cached, Preview: preview, Keyer: func(string) identity.Keyer { return w.Keyer }, Normalize: normalize.Identifier,
		Checks: []api.Check{{Name: "clickhouse", Check: conn.Ping}},
		Log:    discardLog(), Now: time.Now, Registerer: prometheus.NewRegistry(), Gatherer: f.metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler(), w, cached
}

func TestOverRealEngine(t *testing.T) {
	h, w, cached := engineServer(t)
	social := "social:instagram/ana+b c%d'; drop table events; --"
	ana := w.Person("email:ana@example.com", social)
	ben := w.Person("user_id:ben")
	order := func(id string, days int) clickhousetest.Event {
		return clickhousetest.Event{
			MessageID: id, Kind: "transaction", Name: "Order Completed", Source: "shop", Time: noon.AddDate(0, 0, -days),
			Identifiers: []string{"email:ana@example.com"}, Order: &clickhousetest.Order{Type: "order", ID: id, Currency: "EUR", Amount: "10.25"},
		}
	}
	w.Add(order("1", 5), order("2", 40),
		clickhousetest.Event{MessageID: "3", Name: "Identify", Time: noon, Identifiers: []string{"email:ana@example.com", social}, Traits: map[string]any{"country": "PT", "quote": `it's "x"`}},
		clickhousetest.Event{MessageID: "4", Name: "View", Time: noon, Identifiers: []string{"user_id:ben"}},
	)
	w.Flush(t.Context())
	get := func(id string, status int, want ...string) {
		t.Helper()
		scenario{path: "/v1/profiles/" + everyByte(id), key: "read-dev", status: status, want: want}.run(t, h)
	}
	get("email:Ana@Example.com", 200, `"id":"`+ana.String(), `"orders":2`, `"revenue":"20.5"`, `"country":{"value":"PT"`, `"quote":{"value":"it's \"x\""`)
	get(social, 200, `"id":"`+ana.String())
	get(identity.ProfileID(w.Key(social)).String(), 200, `"id":"`+ana.String())
	get("user_id:nobody", 404)
	scenario{path: "/readyz", status: 200}.run(t, h)

	preview := func(definition string, status int, want ...string) {
		t.Helper()
		scenario{method: http.MethodPost, path: "/v1/segments/preview", key: "read-dev", body: `{"definition":` + definition + `}`, status: status, want: want}.run(t, h)
	}
	preview(`{"all":[{"orders":{"gte":1},"within":"7d"},{"trait":"country","op":"in","value":["PT","BR"]}]}`, 200,
		`"count":1,"profiles":2,"share":0.5,"sample":["`+ana.String()+`"]`)
	preview(`{"not":{"revenue":{"gte":20.5},"currency":"EUR"}}`, 200, `"count":1`, ben.String())
	preview(`{"trait":"quote","op":"eq","value":"it's \"x\""}`, 200, `"count":1`)
	preview(`{"trait":"x","op":"eq","value":"' OR 1=1 --"}`, 200, `"count":0`, `"sample":[]`)

	// A merge shows once the notice has come.
	w.Person("email:ana@example.com", social, "user_id:ben")
	w.Flush(t.Context())
	cached.Invalidate("main", w.Key("user_id:ben"), identity.Key(ben), identity.Key(ana))
	get(ben.String(), 200, `"id":"`+ana.String(), `"identifier_count":3`, fmt.Sprintf(`"total":%d`, 4))
}

package sql_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments/segmentstest"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// TestPlaceStories has a row per boundary of the leaves of places and voices.
func TestPlaceStories(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	who := map[identity.ProfileID]string{}
	n := 0
	add := func(name string, minutes int, e clickhousetest.Event) {
		n++
		e.MessageID, e.Name, e.Identifiers, e.Time = strconv.Itoa(n), "Seen", []string{"user_id:" + name}, now.Add(-time.Duration(minutes)*time.Minute)
		who[identity.ProfileID(w.Key("user_id:"+name))] = name
		w.Add(e)
	}
	// Fixes at places, by number, and minutes before now.
	for name, story := range map[string]string{"once": "0@10", "stays": "0@100 0@70 0@40", "leaves": "0@100 3@70 0@40 0@30", "far": "4@10", "never": ""} {
		add(name, 5000, clickhousetest.Event{})
		for _, word := range strings.Fields(story) {
			var place, minutes int
			if _, err := fmt.Sscanf(word, "%d@%d", &place, &minutes); err != nil {
				t.Fatal(err)
			}
			at := segmentstest.Places[place]
			add(name, minutes, clickhousetest.Event{Fix: &clickhousetest.Fix{Lat: at.Lat, Lon: at.Lon}})
		}
	}
	voice := func(name, medium, direction string, minutes int, sentiment, score float64) {
		add(name, minutes, clickhousetest.Event{Voice: &clickhousetest.Voice{Medium: medium, Direction: direction, Sentiment: &sentiment, Score: &score}})
	}
	voice("once", "feedback", "", 30, .5, 9)
	voice("once", "feedback", "", 20, -.5, 8)
	voice("stays", "feedback", "", 10, 1, 6)
	voice("stays", "social", "outbound", 10, -1, 0)
	voice("far", "social", "inbound", 10, -1, 0)
	voice("far", "support", "inbound", 10, 0, 0)
	// What was not scored counts in nothing.
	add("leaves", 10, clickhousetest.Event{Voice: &clickhousetest.Voice{Medium: "social", Direction: "inbound"}})
	buy := func(name string, minutes int, order, status, product, category string) {
		add(name, minutes, clickhousetest.Event{Kind: "transaction", Order: &clickhousetest.Order{
			Type: "order", ID: order, Status: status, Currency: "EUR", Amount: "1", Items: []clickhousetest.Item{{Product: product, Category: category, Quantity: "1", Price: "1"}},
		}})
	}
	w.Product(t.Context(), "boot", now.Add(-time.Hour), "Clothing", "Shoes")
	w.Product(t.Context(), "hat", now.Add(-time.Hour), "Shoes")
	w.Product(t.Context(), "hat", now, "Clothing")
	buy("once", 60, "o1", "", "boot", "")
	buy("once", 50, "o2", "", "hat", "")
	buy("stays", 60, "o1", "", "boot", "")
	buy("stays", 50, "o1", "", "hat", "") // The order has changed.
	buy("leaves", 60, "o1", "", "boot", "")
	buy("leaves", 50, "o1", "Cancelled", "boot", "")
	buy("far", 60, "o1", "", "unknown", "Shoes")
	w.Flush(t.Context())
	f := asker(t, sql.DefaultConfig(), w, who)
	lisbon := `{"location":{"near":{"lat":38.7223,"lon":-9.1393,"km":1}}`
	f(lisbon+`}`, "once", "stays", "leaves")
	f(lisbon+`,"count":{"eq":0}}`, "far", "never")
	f(lisbon+`,"count":{"gte":3}}`, "stays", "leaves")
	f(lisbon+`,"within":"15m"}`, "once")
	f(lisbon + `,"until":"2025-06-01T10:20:00Z"}`)
	f(lisbon+`,"until":"2025-06-01T10:20:00.001Z"}`, "stays", "leaves")
	f(lisbon+`,"minutes":{"gte":60}}`, "stays")
	f(lisbon+`,"minutes":{"eq":10}}`, "leaves")
	f(lisbon+`,"minutes":{"lt":10}}`, "once", "far", "never")
	f(lisbon + `,"minutes":{"gte":30},"within":"70m"}`)
	f(`{"location":{"near":{"lat":41.1579,"lon":-8.6291,"km":273}}}`, "leaves")
	f(`{"location":{"near":{"lat":41.1579,"lon":-8.6291,"km":275}}}`, "once", "stays", "leaves")
	f(`{"location":{"inside":[{"lat":-30,"lon":150},{"lat":-40,"lon":150},{"lat":-35,"lon":155}]}}`, "far")
	f(`{"location":{"cell":"883933676dfffff"}}`, "once", "stays", "leaves")
	f(`{"location":{"cell":"85be0e37fffffff"}}`, "far")
	f(`{"bought":{"gte":1},"category":"Shoes"}`, "once", "far")
	f(`{"bought":{"gte":1},"category":"Clothing"}`, "once", "stays")
	f(`{"bought":{"gte":2},"category":"Clothing"}`, "once")
	f(`{"bought":{"gte":1},"product":"boot"}`, "once")
	f(`{"bought":{"gte":1},"product":"hat","within":"1h"}`, "once")
	f(`{"bought":{"gte":1},"product":"unknown","category":"Clothing"}`)
	f(`{"bought":{"eq":0},"product":"boot"}`, "stays", "leaves", "far", "never")
	f(`{"nps":"promoter"}`)
	f(`{"nps":"passive"}`, "once")
	f(`{"nps":"detractor"}`, "stays")
	f(`{"nps":"detractor","within":"10m"}`)
	f(`{"sentiment":{"eq":0}}`, "once")
	f(`{"sentiment":{"gt":0}}`, "stays")
	f(`{"sentiment":{"eq":-0.5}}`, "far")
	f(`{"sentiment":{"lt":0},"in":"social"}`, "far")
	f(`{"sentiment":{"gte":0},"in":"support"}`, "far")
}

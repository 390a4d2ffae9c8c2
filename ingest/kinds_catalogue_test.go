package ingest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

func productEvent(i int, name, properties string) *Event {
	return &Event{Workspace: "main", Kind: wire.Behaviour, Name: name, Time: int64(i), Hash: Hash{uint64(i)}, Properties: json.RawMessage(properties)}
}

func TestCatalogueRows(t *testing.T) {
	f := func(name, properties string, want ...string) {
		t.Helper()
		var got []string
		for _, r := range CatalogueRows([]*Event{productEvent(1, name, properties)}) {
			text := fmt.Sprintf("%s|%s|%s|%s", r.ItemID, r.Name, strings.Join(r.Category, ">"), r.Currency)
			if r.Price != nil {
				text += fmt.Sprint("|", *r.Price)
			}
			got = append(got, text)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s %s: %s", name, properties, d)
		}
	}
	f("Product Viewed", `{"product_id":"a","name":"Cup","category":"Kitchen","price":2.5,"currency":"EUR"}`, "a|Cup|Kitchen|EUR|25000")
	f("Product Added", `{"sku":"s","brand":"B"}`, "s|||")
	f("Product Clicked", `{"product_id":12,"name":"Cup"}`, "12|Cup||")
	f("Product List Viewed", `{"list_id":"l","products":[{"product_id":"a","name":"A"},{"product_id":"b"},7,{"product_id":"c","url":"u"}]}`, "a|A||", "c|||")
	// Nothing is said of a product, or no product is named.
	f("Product Viewed", `{"product_id":"a"}`)
	f("Product Viewed", `{"name":"Cup"}`)
	f("Product Viewed", `{"product_id":null,"name":"Cup"}`)
	f("Product Viewed", `{"product_id":"a","name":7,"price":-1,"category":["x"],"currency":"euro"}`)
	f("Product Viewed", `{"product_id":"a","name":"`+strings.Repeat("x", maxMention+1)+`"}`)
	f("Product Viewed", ``)
	f("Product Viewed", `null`)
	f("Product List Viewed", `{"products":{}}`)
	f("Product Shared", `{"product_id":"a","name":"Cup"}`)
	f("Page Viewed", `{"product_id":"a","name":"Cup"}`)
	list := `{"product_id":"a","name":"A"}` + strings.Repeat(`,{"product_id":"a","name":"A"}`, 2*maxMentions)
	f("Product List Viewed", `{"products":[`+list+`]}`, "a|A||")
}

// Within a batch a product has one row with the latest of each thing said of it,
// and of what is said over and over only the newest is read.
func TestCatalogueRowsMerge(t *testing.T) {
	events := []*Event{
		productEvent(1, "Product Viewed", `{"product_id":"a","name":"Old","brand":"B"}`),
		productEvent(2, "Product Viewed", `{"product_id":"a","name":"New"}`),
		productEvent(3, "Product Added", `{"product_id":"a","price":2,"currency":"EUR"}`),
		productEvent(4, "Product Added", `{"product_id":"a"}`),
	}
	rows := CatalogueRows(events)
	if len(rows) != 1 || rows[0].Name != "New" || rows[0].Brand != "B" || rows[0].Currency != "EUR" || rows[0].Event.Time != 3 {
		t.Fatalf("%+v", rows)
	}
	const full = `{"product_id":"a","name":"N","category":"C","price":2}`
	for i := range 1000 {
		events = append(events, productEvent(5+i, "Product Viewed", full))
	}
	said := newMentioned(1).scratch.New().(*mentions)
	said.shown(events[len(events)-1])
	for _, e := range events[4:] {
		if !said.enough(e) {
			t.Fatal("a product that is known is read again")
		}
	}
	if rows := CatalogueRows(events); len(rows) != 1 || rows[0].Event.Time != 1004 {
		t.Errorf("%d rows", len(rows))
	}
	other := productEvent(9, "Product Viewed", full)
	other.Workspace = "other"
	if said.enough(other) {
		t.Error("another workspace's product is taken for known")
	}
}

func BenchmarkCatalogueRows(b *testing.B) {
	events := make([]*Event, 1000)
	for i := range events {
		events[i] = productEvent(i, "Product Viewed", fmt.Sprintf(`{"cart_id":"c","product_id":"P%d","sku":"S","name":"Product number %d of the range","category":"category-7","price":12.5,"quantity":1,"currency":"EUR","position":3,"plan":"free"}`, i%300, i))
	}
	for b.Loop() {
		CatalogueRows(events)
	}
}

// What a shop with 4 000 products sends in one large batch.
func BenchmarkCatalogueRowsBatch(b *testing.B) {
	events := make([]*Event, 15_000)
	for i := range events {
		p := i * 7919 % 4000
		events[i] = productEvent(i, "Product Viewed", fmt.Sprintf(`{"cart_id":"c%d","product_id":"P%d","sku":"S","name":"Product number %d of the range","category":"category-7","price":12.5,"quantity":1,"currency":"EUR","position":3,"plan":"free"}`, i, p, p))
	}
	f := func(name string, rows func() []CatalogueRow) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rows()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/event")
		})
	}
	f("unknown", func() []CatalogueRow { return CatalogueRows(events) })
	known := newMentioned(100_000)
	known.note(known.rows(events))
	f("known", func() []CatalogueRow { return known.rows(events) })
}

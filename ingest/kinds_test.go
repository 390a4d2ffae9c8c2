package ingest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

func decodeKind(t *testing.T, kind wire.Kind, body string) (*Event, *DeadLetter) {
	t.Helper()
	return testDecoder().Decode(kind, record(`{"id":"m","name":"n","source":"s","time":"2026-01-01T00:00:00Z",`+body+`}`))
}

// A message without the typed part of its kind, with one of another kind, or
// with a wrong one is a dead letter that names the field.
func TestKindsRefuse(t *testing.T) {
	f := func(kind wire.Kind, body string, reason Reason, field string) {
		t.Helper()
		ev, dl := decodeKind(t, kind, body)
		if ev != nil || dl.Reason != reason || !strings.Contains(dl.Detail, field) {
			t.Errorf("%s %s: event %t, letter %+v", kind, body, ev != nil, dl)
		}
	}
	for _, kind := range wire.Kinds()[2:] {
		f(kind, `"properties":{}`, ReasonMissing, string(kind))
		if kind != wire.Social {
			f(wire.Social, fmt.Sprintf(`"social":{"network":"x"},%q:{}`, kind), ReasonField, string(kind))
		}
		f(wire.Behaviour, fmt.Sprintf(`%q:{}`, kind), ReasonField, string(kind))
		f(wire.Transaction, fmt.Sprintf(`%q:{},"transaction":{"type":"order","order_id":"1","currency":"EUR","amount":1}`, kind), ReasonField, string(kind))
	}
	f(wire.Location, `"location":{"lat":91,"lon":0}`, ReasonField, "location.lat")
	f(wire.Location, `"location":{"lat":1}`, ReasonMissing, "location.lon")
	f(wire.Feedback, `"feedback":{"instrument":"nps","score":11}`, ReasonField, "feedback.score")
	f(wire.Sensor, `"sensor":{"technology":"sonar","device":"d"}`, ReasonField, "sensor.technology")
	f(wire.Catalogue, `"catalogue":{"type":"product","item_id":"a","price":1e99}`, ReasonField, "catalogue.price")
}

func TestKindsFillDefaults(t *testing.T) {
	ev, dl := decodeKind(t, wire.Social, `"social":{"network":"x","text":"What a great day, thank you!"}`)
	if dl != nil {
		t.Fatal(dl.Detail)
	}
	if s := ev.Parts.Social; s.Direction != "inbound" || s.Visibility != "public" {
		t.Errorf("%+v", s)
	}
	if u := ev.Parts.Text; u.Language != "en" || u.LanguageBy != ByText || u.SentimentBy != ByText || u.Sentiment == nil || *u.Sentiment < .3 {
		t.Errorf("%+v", u)
	}
	ev, _ = decodeKind(t, wire.Feedback, `"feedback":{"instrument":"ces","score":3}`)
	if a := ev.Parts.Feedback; *a.ScaleMin != 1 || *a.ScaleMax != 7 {
		t.Errorf("scale %v to %v", *a.ScaleMin, *a.ScaleMax)
	}
}

// The producer's own word wins, and what it says of the language decides whether
// the text is scored.
func TestUnderstand(t *testing.T) {
	half := .5
	f := func(text, language string, sentiment *float64, want Understanding) {
		t.Helper()
		if d := cmp.Diff(want, understand(text, language, sentiment)); d != "" {
			t.Errorf("%q, %q: %s", text, language, d)
		}
	}
	f("This is terrible.", "fr", &half, Understanding{"fr", &half, ByProducer, ByProducer})
	f("This is terrible.", "fr", nil, Understanding{"fr", nil, ByProducer, ByNobody})
	f("C'est vraiment très mauvais, je suis déçu.", "", nil, Understanding{"fr", nil, ByText, ByNobody})
	f("C'est vraiment très mauvais, je suis déçu.", "", &half, Understanding{"fr", &half, ByText, ByProducer})
	f("", "", nil, Understanding{})
	f("xyzzy", "", nil, Understanding{})
	if u := understand("This is terrible.", "en-GB", nil); u.Sentiment == nil || *u.Sentiment > -.3 || u.LanguageBy != ByProducer {
		t.Errorf("%+v", u)
	}
}

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
	said := mentions{index: map[product]int{}}
	said.add(catalogueOf(events[len(events)-1])[0])
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

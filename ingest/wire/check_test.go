package wire_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// sound holds a typed part of each kind that breaks no rule.
var sound = map[wire.Kind]string{
	wire.Behaviour:   ``,
	wire.Transaction: `"transaction":{"type":"order","order_id":"1","currency":"EUR","amount":12.5,"items":[{"product_id":"p","quantity":1,"price":12.5}]}`,
	wire.Social:      `"social":{"network":"instagram","post_id":"1","direction":"inbound","visibility":"public","text":"hi","reactions":3,"language":"pt-BR","sentiment":-1}`,
	wire.Location:    `"location":{"lat":-90,"lon":180,"accuracy":12}`,
	wire.Support:     `"support":{"case_id":"7","channel":"email","status":"open","response_seconds":60}`,
	wire.Feedback:    `"feedback":{"instrument":"nps","score":10}`,
	wire.Sensor:      `"sensor":{"technology":"rfid","device":"gate-1","reading":-61,"unit":"dBm"}`,
	wire.Contact:     `"contact":{"action":"opened","channel":"email"}`,
	wire.Catalogue:   `"catalogue":{"type":"venue","item_id":"v1","lat":0,"lon":0,"radius":30,"price":"1.5"}`,
}

func message(t *testing.T, fields string) *wire.Message {
	t.Helper()
	text := `{"id":"m","name":"n","source":"s","time":"2026-01-02T03:04:05Z"`
	if fields != "" {
		text += "," + fields
	}
	var m wire.Message
	if err := json.Unmarshal([]byte(text+"}"), &m); err != nil {
		t.Fatal(err)
	}
	return &m
}

func TestSoundMessagesPassWithoutAllocation(t *testing.T) {
	for _, kind := range wire.Kinds() {
		m := message(t, sound[kind])
		if faults := m.Check(kind); len(faults) > 0 {
			t.Errorf("%s: %v", kind, faults)
		}
		if n := testing.AllocsPerRun(20, func() { m.Check(kind) }); n != 0 {
			t.Errorf("%s: checking allocates %v times", kind, n)
		}
	}
}

func TestEveryKindNeedsItsPartAndNoOther(t *testing.T) {
	for _, kind := range wire.Kinds() {
		for _, other := range wire.Kinds() {
			faults := message(t, sound[other]).Check(kind)
			if want := kind == other || kind == wire.Behaviour && other == wire.Behaviour; (len(faults) == 0) != want {
				t.Errorf("%s part on %s: %v", other, kind, faults)
			}
		}
	}
}

func TestFaults(t *testing.T) {
	f := func(kind wire.Kind, fields, pointer, code, detail string) {
		t.Helper()
		faults := message(t, fields).Check(kind)
		if len(faults) == 0 {
			t.Errorf("%s %s: accepted", kind, fields)
			return
		}
		if g := faults[0]; g.Pointer != pointer || g.Code != code || !strings.Contains(g.Detail, detail) {
			t.Errorf("%s %s: %+v; want %s %s %q", kind, fields, g, pointer, code, detail)
		}
	}
	const missing, field = wire.CodeMissing, wire.CodeField
	f(wire.Behaviour, `"type":"click"`, "/type", field, "must be track, page, screen, identify, group or alias")
	f(wire.Social, `"type":"track",`+sound[wire.Social], "/type", field, "behaviour events only")
	f(wire.Behaviour, `"properties":[1]`, "/properties", field, "not an array")
	f(wire.Behaviour, `"identifiers":[{"namespace":"E-Mail","value":"x"}]`, "/identifiers/0/namespace", wire.CodeIdentifier, "identifiers[0].namespace")
	f(wire.Transaction, ``, "/transaction", missing, "is required")
	f(wire.Transaction, `"transaction":{"type":"gift","order_id":"1","currency":"EUR","amount":1}`, "/transaction/type", field, "not text of 4 bytes")
	f(wire.Transaction, `"transaction":{"type":"order","order_id":"1","currency":"eur","amount":1}`, "/transaction/currency", field, "ISO 4217")
	f(wire.Transaction, `"transaction":{"type":"order","order_id":"1","currency":"EUR"}`, "/transaction/amount", missing, "is required")
	f(wire.Transaction, `"transaction":{"type":"order","order_id":"1","currency":"EUR","amount":1,"items":[{"price":1e15}]}`, "/transaction/items/0/price", field, "transaction.items[0].price")
	f(wire.Social, `"social":{}`, "/social/network", missing, "required")
	f(wire.Social, `"social":{"network":"x","sentiment":1.5}`, "/social/sentiment", field, "from -1 to 1")
	f(wire.Social, `"social":{"network":"x","language":"english please"}`, "/social/language", field, "language tag")
	f(wire.Social, `"social":{"network":"x","reactions":-1}`, "/social/reactions", field, "0 to 2^53")
	f(wire.Social, `"social":{"network":"x","text":"`+strings.Repeat("a", wire.MaxText+1)+`"}`, "/social/text", field, "65537 bytes")
	f(wire.Location, `"location":{"lon":1}`, "/location/lat", missing, "required")
	f(wire.Location, `"location":{"lat":90.1,"lon":1}`, "/location/lat", field, "from -90 to 90")
	f(wire.Location, `"location":{"lat":0,"lon":1,"accuracy":-1}`, "/location/accuracy", field, "from 0")
	f(wire.Support, `"support":{"channel":"chat"}`, "/support/case_id", missing, "required")
	f(wire.Support, `"support":{"case_id":"1","channel":"chat","status":"new"}`, "/support/status", field, "reopened")
	f(wire.Feedback, `"feedback":{"instrument":"nps","score":11}`, "/feedback/score", field, "0 to 10")
	f(wire.Feedback, `"feedback":{"instrument":"nps","score":7.5}`, "/feedback/score", field, "whole number")
	f(wire.Feedback, `"feedback":{"instrument":"nps"}`, "/feedback/score", missing, "required for nps")
	f(wire.Feedback, `"feedback":{"instrument":"nps","score":1,"scale_min":1}`, "/feedback/scale_max", field, "for nps")
	f(wire.Feedback, `"feedback":{"instrument":"csat","score":1,"scale_min":5,"scale_max":1}`, "/feedback/scale_max", field, "greater")
	f(wire.Feedback, `"feedback":{"instrument":"free"}`, "/feedback/comment", missing, "no score")
	f(wire.Sensor, `"sensor":{"technology":"laser","device":"d"}`, "/sensor/technology", field, "rfid")
	f(wire.Sensor, `"sensor":{"technology":"rfid"}`, "/sensor/device", missing, "required")
	f(wire.Contact, `"contact":{"action":"sent","channel":"E-Mail"}`, "/contact/channel", field, "a-z")
	f(wire.Contact, `"contact":{"action":"seen","channel":"email"}`, "/contact/action", field, "opened")
	f(wire.Catalogue, `"catalogue":{"type":"product"}`, "/catalogue/item_id", missing, "required")
	f(wire.Catalogue, `"catalogue":{"type":"venue","item_id":"1","lat":1}`, "/catalogue/lat", missing, "together")
	f(wire.Catalogue, `"catalogue":{"type":"venue","item_id":"1","category":["`+strings.Repeat("a", 201)+`"]}`, "/catalogue/category/0", field, "201 bytes")
}

func TestCommonFaultsComeFirstAndAreBounded(t *testing.T) {
	m := wire.Message{Time: time.Date(1899, 1, 1, 0, 0, 0, 0, time.UTC), Transaction: &wire.Order{Items: make([]wire.Item, 100)}}
	for i := range m.Transaction.Items {
		m.Transaction.Items[i].Price = "x"
	}
	faults := m.Check(wire.Transaction)
	if len(faults) != 20 || faults[0].Pointer != "/id" || faults[3].Detail != `field "time" is before 1900` {
		t.Errorf("%d faults: %v", len(faults), faults)
	}
}

// TestNoValueInFaults gives every text field a secret and looks for it.
func TestNoValueInFaults(t *testing.T) {
	const secret = "ana@example.com"
	long := strings.Repeat(secret, 6000)
	m := wire.Message{
		ID: long, Name: long, Type: secret, Source: long, Identifiers: []wire.Identifier{{Namespace: secret, Value: secret}},
		Social:   &wire.Post{Network: long, Direction: secret, Intent: secret, Text: long, Language: secret},
		Contact:  &wire.Outreach{Channel: secret, Action: secret},
		Feedback: &wire.Answer{Instrument: secret, Comment: long},
	}
	for _, kind := range wire.Kinds() {
		for _, fault := range m.Check(kind) {
			if strings.Contains(fault.Detail+fault.Pointer, "ana") {
				t.Errorf("%s repeats the value: %.80s", kind, fault.Detail)
			}
		}
	}
}

// TestAmountsAgreeWithIngest holds the rule of amounts against the parser that
// stores them.
func TestAmountsAgreeWithIngest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{"0", "9", "1", "5", ".", "-", "e", "E", "+", "99999999999999", ".9999", "00", "13", "4", "x"}
	for range 20_000 {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		agree(t, b.String())
	}
}

func agree(t *testing.T, s string) {
	t.Helper()
	_, err := ingest.ParseAmount(s)
	m := wire.Message{Catalogue: &wire.Entry{Type: "product", ItemID: "1", Price: json.Number(s)}}
	refused := false
	for _, f := range m.Check(wire.Catalogue) {
		refused = refused || f.Pointer == "/catalogue/price"
	}
	if refused != (err != nil) {
		t.Fatalf("%q: refused %v, ingest says %v", s, refused, err)
	}
}

func FuzzAmount(f *testing.F) {
	for _, s := range []string{"", "1", "-0.00005", "99999999999999.99995", "99999999999999.99994", "1e14", "1e-300", "0e999", "1.2.3", "."} {
		f.Add(s)
	}
	f.Fuzz(agree)
}

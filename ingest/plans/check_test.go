package plans_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/plans"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

const shop = `{
  "sources": ["web", "app"], "kinds": ["behaviour"],
  "unplanned_events": "warn", "unplanned_properties": "warn",
  "events": [
    {"name": "Order Completed", "version": "1", "mode": "warn", "schema": {"properties": {"properties": {"properties": {"total": {"type": "number"}}}}}},
    {"name": "Order Completed", "version": "2", "mode": "block", "schema": {
      "required": ["properties"],
      "properties": {
        "properties": {
          "type": "object", "required": ["order_id", "revenue"], "additionalProperties": true,
          "properties": {
            "order_id": {"type": "string", "minLength": 3, "pattern": "^[A-Z0-9-]+$"},
            "revenue": {"type": "number", "minimum": 0},
            "currency": {"enum": ["EUR", "USD"]},
            "email": {"type": "string", "format": "email"},
            "items": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/item"}}
          },
          "patternProperties": {"^x_": {"type": "string"}}
        },
        "identifiers": {"contains": {"properties": {"namespace": {"const": "user_id"}}}}
      },
      "$defs": {"item": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}, "unevaluatedProperties": false}}
    }},
    {"name": "Muted", "mode": "allow", "schema": {"required": ["nothing_has_this"]}},
    {"name": "Free", "mode": "block"}
  ]
}`

func TestCheck(t *testing.T) {
	d, err := plans.Parse([]byte(shop))
	if err != nil {
		t.Fatal(err)
	}
	set, err := plans.Single("main", "shop", d)
	if err != nil {
		t.Fatal(err)
	}
	// f gives the verdict as lines of mode, rule, pointer and detail.
	f := func(workspace string, kind wire.Kind, source, name, text string, want ...string) {
		t.Helper()
		var got []string
		for _, v := range set.Hold(workspace, kind, source, name, []byte(text)) {
			mode := "warn"
			if v.Block {
				mode = "block"
			}
			got = append(got, strings.Join([]string{mode, v.Rule, v.Pointer, v.Detail}, " | "))
			for _, secret := range []string{"ana@", "hunter2"} {
				if strings.Contains(v.Detail, secret) {
					t.Errorf("the detail tells the value: %s", v.Detail)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	order := func(text string, want ...string) {
		t.Helper()
		f("main", wire.Behaviour, "web", "Order Completed", text, want...)
	}
	order(`{"properties":{"order_id":"A-1","revenue":12.5,"currency":"EUR","x_note":"hunter2","items":[{"sku":"a"}]},"identifiers":[{"namespace":"user_id","value":"7"}]}`)
	order(`{}`, "block | required | /properties | is missing")
	order(`{"properties":{"order_id":"A-1"}}`, "block | required | /properties/revenue | is missing")
	order(`{"properties":{"order_id":7,"revenue":"hunter2"}}`, "block | type | /properties/order_id | is number, must be string", "block | type | /properties/revenue | is string, must be number")
	order(`{"properties":{"order_id":"hunter2","revenue":-1}}`, "block | pattern | /properties/order_id | is a string that does not match the pattern", "block | minimum | /properties/revenue | is a number that is less than 0")
	order(`{"properties":{"order_id":"A","revenue":1,"currency":"hunter2","email":"ana@"}}`,
		"block | enum | /properties/currency | is string and none of the 2 allowed values", "block | format | /properties/email | is a string but no email", "block | minLength | /properties/order_id | has 1 characters; the limit is 3")
	order(`{"properties":{"order_id":"A-1","revenue":1,"items":[{"sku":"a","pass":"hunter2"},{},{"sku":"c"}]}}`,
		"block | maxItems | /properties/items | has 3 items; the limit is 2", "block | false | /properties/items/0/pass | is not allowed", "block | required | /properties/items/1/sku | is missing")
	order(`{"properties":{"order_id":"A-1","revenue":1,"Revenue":1,"x_a":1}}`, "warn | unplanned_property | /properties/Revenue | is a property that the schema does not name", "block | type | /properties/x_a | is number, must be string")
	order(`{"properties":{"order_id":"A-1","revenue":1},"identifiers":[{"namespace":"email","value":"ana@example.com"}]}`, "block | contains | /identifiers | has no item of the kind asked for")
	// Versions: what the message says, the last one otherwise.
	order(`{"context":{"protocols":{"event_version":1}},"properties":{"total":"x"}}`, "warn | type | /properties/total | is string, must be number")
	order(`{"context":{"protocols":{"event_version":"1"}},"properties":{"total":1}}`)
	order(`{"context":{"protocols":{"event_version":3}}}`, "block | unknown_version | /context/protocols/event_version | is a version that the plan does not have")
	// Whom it holds for.
	f("main", wire.Behaviour, "app", "Order Completed", `{}`, "block | required | /properties | is missing")
	f("main", wire.Behaviour, "shop", "Order Completed", `{}`)
	f("main", wire.Transaction, "web", "Order Completed", `{}`)
	f("other", wire.Behaviour, "web", "Order Completed", `{}`)
	f("main", wire.Behaviour, "web", "Muted", `{}`)
	f("main", wire.Behaviour, "web", "Free", `{"properties":{"a":1}}`)
	f("main", wire.Behaviour, "web", "Order completed", `{}`, "warn | unplanned_event | /name | is an event that the plan does not name")
	f("main", wire.Behaviour, "shop", "Anything", `{}`)
}

func BenchmarkCheck(b *testing.B) {
	d, err := plans.Parse([]byte(shop))
	if err != nil {
		b.Fatal(err)
	}
	set, err := plans.Single("main", "shop", d)
	if err != nil {
		b.Fatal(err)
	}
	text := []byte(`{"id":"m1","name":"Order Completed","source":"web","time":"2026-05-04T09:00:00Z","properties":{"order_id":"A-1","revenue":12.5,"currency":"EUR","items":[{"sku":"a"}]},"identifiers":[{"namespace":"user_id","value":"7"}]}`)
	b.Run("planned", func(b *testing.B) {
		for b.Loop() {
			set.Hold("main", wire.Behaviour, "web", "Order Completed", text)
		}
	})
	b.Run("of a source without a plan", func(b *testing.B) {
		for b.Loop() {
			set.Hold("main", wire.Behaviour, "shop", "Viewed", text)
		}
	})
}

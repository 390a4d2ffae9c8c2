package segments

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseEventsAndSequences(t *testing.T) {
	d, err := Parse([]byte(`{"all": [
	  {"event": "Order Completed", "sum": "cart.total", "is": {"gte": 100}, "from": "2025-03-30", "until": "2025-03-31", "zone": "Europe/Lisbon"},
	  {"event": "Order Completed", "days": {"gte": 3}, "from": "2025-01-01T12:00:00.5+02:00"},
	  {"event": "Plan Chosen", "pick": "last", "where": [{"property": "items", "each": "sku.id", "op": "exists"}]},
	  {"sequence": [{"event": "View", "kind": "behaviour"}, {"event": "Search", "optional": true},
	    {"event": "Buy", "after": {"gte": "1m", "lte": "2h"}, "without": {"event": "Leave"}}], "within": "7d", "span": "1d"}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	// The clocks went forward: summer's midnight is an hour earlier.
	day := Period{From: time.Date(2025, 3, 30, 0, 0, 0, 0, time.UTC), Until: time.Date(2025, 3, 30, 23, 0, 0, 0, time.UTC)}
	want := Definition{Root: All{
		Event{Name: "Order Completed", Measure: Measured{Aggregate: Sum, Of: []string{"cart", "total"}, Is: Comparison{{Gte, 100}}}, Period: day},
		Event{Name: "Order Completed", Measure: Measured{Aggregate: Days, Is: Comparison{{Gte, 3}}}, Period: Period{From: time.Date(2025, 1, 1, 10, 0, 0, 5e8, time.UTC)}},
		Event{Name: "Plan Chosen", Pick: Last, Where: []Property{{Path: []string{"items"}, Each: []string{"sku", "id"}, Test: Test{Op: Exists}}}},
		Sequence{Within: 7 * 24 * time.Hour, Span: 24 * time.Hour, Steps: []Step{
			{Name: "View", Kind: "behaviour"},
			{Name: "Search", Optional: true},
			{Name: "Buy", AtLeast: time.Minute, AtMost: 2 * time.Hour, Without: &Exclusion{Name: "Leave"}},
		}},
	}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("definition (-want +got):\n%s", diff)
	}
	roundTrip(t, d)
}

func TestFaultsOfEventsAndSequences(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := Parse([]byte(text))
		if got := fmt.Sprint(err); got != "segment definition: "+want {
			t.Errorf("%s:\n%s, want\n%s", text, got, want)
		}
	}
	f(`{"event":"a","sum":"b"}`, `/: must have "is": what the sum is compared with`)
	f(`{"event":"a","is":{"gte":1}}`, `/is: has its place beside sum, average, min or max`)
	f(`{"event":"a","days":{"gte":1},"is":{"gte":1}}`, `/is: has its place beside sum, average, min or max`)
	f(`{"event":"a","sum":"b","min":"b","is":{"gte":1}}`, `/: must measure one thing, has both "sum" and "min"`)
	f(`{"event":"a","sum":"b","is":{"gte":1},"count":{"gte":1}}`, `/: must ask one thing: count, a measure or pick`)
	f(`{"event":"a","pick":"third"}`, `/pick: must be first or last`)
	f(`{"event":"a","pick":"last"}`, `/: must have "where": what the last event must say`)
	f(`{"event":"a","from":"2025-02-30"}`, `/from: must be a date such as "2025-01-31" or a time of RFC 3339, of 1970 to 2200`)
	f(`{"event":"a","from":"2025-02-02","until":"2025-02-02"}`, `/until: must be later than from`)
	f(`{"event":"a","from":"2025-02-02","zone":"Mars/Base"}`, `/zone: must be a time zone such as "Europe/Lisbon"`)
	f(`{"event":"a","where":[{"property":"b","each":"c..d","op":"exists"}]}`, `/where/0/each: must be names joined by single dots`)
	f(`{"sequence":[{"event":"a"}]}`, `/sequence: must be an array of 2 to 10 steps`)
	f(`{"sequence":[{"event":"a"},7]}`, `/sequence/1: must be an object, is a number`)
	f(`{"sequence":[{"event":"a","after":{"lte":"1h"}},{"event":"b"}]}`, `/sequence/0/after: has no place at the first step`)
	f(`{"sequence":[{"event":"a","without":{"event":"c"}},{"event":"b"}]}`, `/sequence/0/without: has no place at the first step`)
	f(`{"sequence":[{"event":"a"},{"event":"b","optional":true}]}`, `/sequence/1/optional: has no place at the first and the last step`)
	f(`{"sequence":[{"event":"a"},{"event":"b","after":{"gte":"2h","lte":"1h"}}]}`, `/sequence/1/after: must not ask for more than it allows`)
	f(`{"sequence":[{"event":"a"},{"event":"b","after":{}}]}`, `/sequence/1/after: must be an object of bounds such as {"lte": "1h"}`)
	f(`{"sequence":[{"event":"a"},{"event":"b"}],"span":"0m"}`, `/span: must be a whole number and a unit m, h, d or w, at most 3660d, such as "30d"`)
}

func ExampleSequence() {
	d, err := Parse([]byte(`{"sequence": [{"event": "Product Viewed"},
	  {"event": "Cart Abandoned", "after": {"lte": "1h"}, "without": {"event": "Order Completed"}}], "within": "7d"}`))
	fmt.Println(len(d.Root.(Sequence).Steps), err)
	// Output:
	// 2 <nil>
}

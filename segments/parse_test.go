package segments

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	d, err := Parse([]byte(`{"all": [
	  {"trait": "country", "op": "in", "value": ["PT", 7, true]},
	  {"trait": "plan", "op": "exists"},
	  {"event": "Order Completed", "kind": "transaction", "count": {"lt": 9, "gte": 2}, "within": "30d",
	   "where": [{"property": "cart.total", "op": "gt", "value": 50.5}]},
	  {"any": [{"score": "churn", "op": "gte", "value": 0.7}, {"identifier": "email"}]},
	  {"not": {"orders": {"gte": 1}, "within": "2w"}},
	  {"revenue": {"gte": 100}, "currency": "GBP"},
	  {"refunds": {"eq": 0}, "currency": "EUR", "within": "90m"}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Definition{Root: All{
		Trait{Name: "country", Test: Test{Op: In, Values: []Scalar{{Kind: Text, Text: "PT"}, {Kind: Number, Number: 7}, {Kind: Bool, Bool: true}}}},
		Trait{Name: "plan", Test: Test{Op: Exists}},
		Event{
			Name: "Order Completed", Kind: "transaction", Count: Comparison{{Gte, 2}, {Lt, 9}}, Within: 30 * 24 * time.Hour,
			Where: []Property{{Path: []string{"cart", "total"}, Test: Test{Op: Gt, Values: []Scalar{{Kind: Number, Number: 50.5}}}}},
		},
		Any{Score{Name: "churn", Test: Comparison{{Gte, .7}}}, HasIdentifier{Namespace: "email"}},
		Not{Node: Transactions{Measure: Orders, Test: Comparison{{Gte, 1}}, Within: 14 * 24 * time.Hour}},
		Transactions{Measure: Revenue, Test: Comparison{{Gte, 100}}, Currency: "GBP"},
		Transactions{Measure: Refunds, Test: Comparison{{Eq, 0}}, Currency: "EUR", Within: 90 * time.Minute},
	}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("definition (-want +got):\n%s", diff)
	}
	if n := len(d.Leaves()); n != 8 {
		t.Errorf("%d leaves, want 8", n)
	}
	roundTrip(t, d)
}

// roundTrip writes d and reads it back.
func roundTrip(t *testing.T, d Definition) {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(text)
	if err != nil {
		t.Fatalf("own form %s: %v", text, err)
	}
	if diff := cmp.Diff(d, again); diff != "" {
		t.Errorf("round trip of %s:\n%s", text, diff)
	}
}

// TestFaults has a row per rule: what is wrong, where the fault points and what
// it says.
func TestFaults(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := Parse([]byte(text))
		var invalid *Invalid
		if !errors.As(err, &invalid) {
			t.Errorf("%.100s: %v, want faults", text, err)
			return
		}
		var got []string
		for _, fault := range invalid.Faults {
			got = append(got, fault.Pointer+" "+fault.Detail)
		}
		if len(got) != len(want) {
			t.Errorf("%.100s: faults %q, want %q", text, got, want)
			return
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%.100s: fault %q, want %q", text, got[i], want[i])
			}
		}
	}
	leaf := `{"identifier":"email"}`
	f(``, " text ends")
	f(`{`, " text ends")
	f(`{"all":[}`, " not JSON at byte 8")
	f(leaf+leaf, " more text after")
	f("\xff", " must be UTF-8")
	f(strings.Repeat(" ", MaxBytes+1), " must not be longer")
	f(strings.Repeat("[", 1000), " nested too deeply")
	f(`[]`, " must be an object, is an array")
	f(`null`, " must be an object, is null")
	f(`{}`, " must have one of all, any, not")
	f(`{"al":[]}`, " must have one of")
	f(`{"all":[],"any":[]}`, ` must be one thing, has both "all" and "any"`)
	f(`{"all":{}}`, "/all must be an array")
	f(`{"all":[]}`, "/all must not be empty")
	f(`{"all":[`+leaf+`],"x":1}`, "/x is not known here")
	f(`{"a~/b":1,"not":`+leaf+`}`, "/a~0~1b is not known here")
	f(`{"any":[`+leaf+`,7]}`, "/any/1 must be an object, is a number")
	f(`{"not":[`+leaf+`]}`, "/not must be an object")
	f(`{"trait":"a","trait":"b","op":"exists"}`, "/trait appears twice")
	f(`{"trait":"","op":"exists"}`, "/trait must have 1 to 200 bytes")
	f(`{"trait":5,"op":"exists"}`, "/trait must be a string, is a number")
	f(`{"trait":"a"}`, ` must have "op"`)
	f(`{"trait":"a","op":"like","value":"x"}`, "/op must be one of")
	f(`{"trait":"a","op":"eq"}`, "/value is missing")
	f(`{"trait":"a","op":"exists","value":1}`, "/value has no place")
	f(`{"trait":"a","op":"eq","value":null}`, "/value must be a string, a number or a boolean, is null")
	f(`{"trait":"a","op":"eq","value":["x"]}`, "/value must be a string, a number or a boolean, is an array")
	f(`{"trait":"a","op":"gt","value":true}`, "/value must be a number or a string for gt")
	f(`{"trait":"a","op":"eq","value":1e999}`, "/value must be a number within")
	f(`{"trait":"a","op":"in","value":"x"}`, "/value must be an array of 1 to 1000")
	f(`{"trait":"a","op":"in","value":[]}`, "/value must be an array of 1 to 1000")
	f(`{"trait":"a","op":"in","value":["x",{}]}`, "/value/1 must be a string")
	f(`{"trait":"a","op":"eq","value":"`+strings.Repeat("x", MaxTextBytes+1)+`"}`, "/value must not be longer")
	f(`{"event":"a","count":{}}`, "/count must be an object of bounds")
	f(`{"event":"a","count":2}`, "/count must be an object of bounds")
	f(`{"event":"a","count":{"atleast":2}}`, "/count/atleast is not known here")
	f(`{"event":"a","count":{"gte":"2"}}`, "/count/gte must be a number, is a string")
	f(`{"event":"a","count":{"gte":1,"gte":2}}`, "/count/gte appears twice")
	f(`{"event":"a","kind":"behavior"}`, "/kind must be one of")
	f(`{"event":"a","where":[]}`, "/where must be an array of 1 to 20")
	f(`{"event":"a","where":[{"property":"a..b","op":"exists"}]}`, "/where/0/property must be names")
	f(`{"event":"a","where":[5]}`, "/where/0 must be an object")
	for _, w := range []string{`30`, `"30"`, `"d"`, `"0d"`, `"-1d"`, `"1y"`, `"1.5d"`, `"3661d"`, `"99999999999999999999d"`, `" 1d"`, `"1 d"`, `"+1d"`} {
		f(`{"event":"a","within":`+w+`}`, "/within must be a whole number and a unit")
	}
	f(`{"orders":{"gte":1},"currency":"eur"}`, "/currency must be an ISO 4217 code")
	f(`{"revenue":{"gte":1}}`, " must have a currency")
	f(`{"orders":null}`, "/orders must be an object of bounds")
	f(`{"identifier":"E-Mail"}`, "/identifier must be a namespace")
	f(`{"identifier":5}`, "/identifier must be a namespace")
	f(`{"score":"a","op":"eq","value":"x"}`, " must compare with a number")
	f(`{"score":"a","op":"in","value":[1]}`, " must compare with a number")
	f(`{"score":"a","op":"exists"}`, " must compare with a number")
	f(`{"score":"a","op":"eq","value":1,"end":"middle"}`, "/end must be lower or upper")
	f(`{"consent":"","is":"granted"}`, "/consent must have 1 to 200 bytes")
	f(`{"consent":"m","channel":5,"is":"granted"}`, "/channel must be a string")
	f(`{"consent":"m"}`, "/is must be granted, denied or unknown")
	f(`{"consent":"m","is":true}`, "/is must be granted, denied or unknown")
	f(`{"persona":""}`, "/persona must have 1 to 200 bytes")
	f(`{"persona":5}`, "/persona must be a string")
	f(`{"stage":"vip"}`, "/stage must be one of anonymous, lead, new, active, loyal, at_risk, lapsed, won_back")
	f(`{"stage":"lead","persona":"p1"}`, " must be one thing")
	f(`{"holdout":"h"}`, "/percent must be an object of bounds")
	f(`{"holdout":"h","percent":{"lt":101,"gte":-1}}`, "/percent/gte must be 0 to 100", "/percent/lt must be 0 to 100")
	f(`{"segment":"A b"}`, "/segment must be the id of a segment: 1 to 64 of a-z, 0-9, _ and -")
	f(`{"segment":5}`, "/segment must be the id of a segment")
	f(`{"household":2}`, "/household must be an object of bounds")
	f(`{"accounts":{"gte":1},"in":[]}`, "/in must be an array of 1 to 1000")
	f(`{"accounts":{"gte":1},"in":["a",5]}`, "/in must be ids of accounts")
	f(`{"accounts":{"gte":1},"where":[]}`, "/where must be an array of 1 to 20 tests of traits")
	f(`{"accounts":{"gte":1},"where":[7,{"trait":"a","op":"gtt","value":1}]}`, "/where/0 must be an object", "/where/1/op must be one of")
	f(`{"location":{}}`, "/location must be an object with one of near, inside, cell")
	f(`{"location":{"near":{"lat":91,"lon":-181,"km":0}}}`, "/location/near/lat must be -90 to 90", "/location/near/lon must be -180 to 180", "/location/near/km must be more than 0")
	f(`{"location":{"near":{"lat":1,"lon":"2"}}}`, `/location/near/lon must be a number`, `/location/near must have "km"`, `/location/near/km must be more than 0`)
	f(`{"location":{"inside":[{"lat":1,"lon":2},7]}}`, "/location/inside must be an array of 3 to 100 corners")
	f(`{"location":{"inside":[{"lat":1,"lon":2},7,{"lat":1}]}}`, "/location/inside/1 must be an object", `/location/inside/2 must have "lon"`)
	for _, cell := range []string{`"x"`, `5`, `"85393353ffffff8"`, `"05393353fffffff"`, `"85f93353fffffff"`, `"85393353ffffffff"`} {
		f(`{"location":{"cell":`+cell+`}}`, "/location/cell must be a cell of H3")
	}
	f(`{"location":{"cell":"85393353fffffff"},"count":{"gte":1},"minutes":{"gte":1}}`, " must ask one thing: count or minutes")
	f(`{"bought":{"gte":1}}`, " must have a product or a category")
	f(`{"bought":{"gte":1},"product":"","category":5}`, "/product must have 1 to 200 bytes", "/category must be a string")
	f(`{"nps":"fan"}`, "/nps must be promoter, passive or detractor")
	f(`{"sentiment":{},"in":"press"}`, "/sentiment must be an object of bounds", "/in must be social, support or feedback")
	f(`{"all":[{"trait":"a"},{"score":"x"}]}`, "/all/0 must have", "/all/1 must have")
	deep := leaf
	for range MaxDepth {
		deep = `{"not":` + deep + `}`
	}
	f(deep, strings.Repeat("/not", MaxDepth)+" is nested more than 16 levels deep")
	wide := strings.TrimSuffix(strings.Repeat(leaf+",", MaxLeaves+1), ",")
	f(`{"all":[`+wide+`]}`, "/all/60 is one leaf too many")
	f(`{"all":[`+strings.TrimSuffix(strings.Repeat(`1,`, 50), ",")+`]}`, faultRow(20)...)
}

func faultRow(n int) []string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("/all/%d must be an object", i)
	}
	return rows
}

func TestPaths(t *testing.T) {
	f := func(path string, want ...string) {
		t.Helper()
		if d := cmp.Diff(want, splitPath(path)); d != "" {
			t.Errorf("path %q:\n%s", path, d)
		}
		if d := cmp.Diff(want, splitPath(joinPath(want))); d != "" {
			t.Errorf("path %q and back:\n%s", path, d)
		}
	}
	f("a", "a")
	f("a.b.c", "a", "b", "c")
	f(`a\.b.c`, "a.b", "c")
	f(`a\\.b`, `a\`, "b")
	f(`a\`, `a\`)
	f(`olá.世`, "olá", "世")
}

func TestLimitsAreReached(t *testing.T) {
	leaf := `{"identifier":"email"}`
	deep := leaf
	for range MaxDepth - 1 {
		deep = `{"all":[` + deep + `]}`
	}
	for _, text := range []string{deep, `{"all":[` + strings.TrimSuffix(strings.Repeat(leaf+",", MaxLeaves), ",") + `]}`} {
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("%.80s: %v", text, err)
		}
	}
}

func TestErrorRepeatsNoLongText(t *testing.T) {
	secret := strings.Repeat("é", 500)
	_, err := Parse([]byte(`{"` + secret + `":1,"not":5}`))
	if err == nil || strings.Contains(err.Error(), strings.Repeat("é", 31)) {
		t.Errorf("error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"event":"e","where":[{"property":"a\\\\.b.c","op":"exists"}]}`,
		`{"all":[{"trait":"a","op":"in","value":["x",1,true]},{"not":{"event":"e","count":{"gte":1,"lt":3},"within":"30d","where":[{"property":"a.b","op":"contains","value":"x"}]}}]}`,
		`{"any":[{"orders":{"eq":0}},{"revenue":{"gt":-1.5e3},"currency":"EUR","within":"2w"},{"score":"s","op":"lte","value":0}]}`,
		`{"sequence":[{"event":"a"},{"event":"b","optional":true,"after":{"gte":"1h"}},{"event":"c","without":{"event":"d"}}],"span":"2d","from":"2025-01-01"}`,
		`{"event":"a","average":"b.c","is":{"lt":1},"until":"2025-01-01T00:00:00.001Z"}`, `{"event":"a","pick":"first","where":[{"property":"x","each":"y","op":"exists"}]}`,
		`{"any":[{"consent":"Marketing","channel":"SMS","is":"denied"},{"holdout":"h","percent":{"gte":0,"lt":12.5}},{"segment":"a-b"},{"household":{"gt":1}},{"persona":"p3"},{"stage":"won_back"},{"accounts":{"gte":1},"in":["a"],"where":[{"trait":"t","op":"exists"}]}]}`,
		`{"identifier":"email"}`, `{"trait":"a","op":"exists","value":1}`, `[[[[`, `{"not":{"not":{}}}`, `{"trait":"\ud800","op":"eq","value":"\u0000"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if err != nil {
			var invalid *Invalid
			if !errors.As(err, &invalid) || len(invalid.Faults) == 0 || len(invalid.Faults) > maxFaults {
				t.Fatalf("error %v is no list of faults", err)
			}
			return
		}
		if n := len(d.Leaves()); n == 0 || n > MaxLeaves {
			t.Fatalf("%d leaves", n)
		}
		roundTrip(t, d)
	})
}

func ExampleParse() {
	_, err := Parse([]byte(`{"all": [{"trait": "country", "op": "eq", "valeu": "PT"}]}`))
	fmt.Println(err)
	d, err := Parse([]byte(`{"not": {"orders": {"gte": 1}, "within": "90d"}}`))
	fmt.Println(len(d.Leaves()), err)
	// Output:
	// segment definition: /all/0/valeu: is not known here; known are trait, op, value; /all/0/value: is missing
	// 1 <nil>
}

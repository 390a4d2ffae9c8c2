package mapping_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/mapping"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

var arrival = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func load(t testing.TB, text string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Load("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func record(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func env() mapping.Env {
	return mapping.Env{Source: "test", Now: arrival, DefaultID: "row:7", Line: 7, File: "f.csv", SourceHash: "abc", Hash: func() string { return "h" }}
}

// apply returns the messages as JSON, and faults as "fault: …".
func apply(t testing.TB, m *mapping.Mapping, rec any) []string {
	t.Helper()
	r := m.Apply(rec, env())
	var out []string
	for _, x := range r.Messages {
		out = append(out, string(x.Kind)+" "+string(x.Value))
	}
	for _, f := range r.Faults {
		out = append(out, "fault: "+f.Code+" "+f.Error())
	}
	if r.Ignored {
		out = append(out, "ignored")
	}
	return out
}

const rule = "[[events]]\nkind = \"behaviour\"\nname = \"N\"\n"

// TestValues tries one value expression at a time, as property "v".
func TestValues(t *testing.T) {
	f := func(expression, rec, want string) {
		t.Helper()
		m := load(t, rule+"[events.properties]\nv = "+expression)
		got := apply(t, m, record(t, rec))
		if len(got) != 1 {
			t.Errorf("%s on %s: %q", expression, rec, got)
			return
		}
		text := got[0]
		if begin := strings.Index(text, `"properties":{"v":`); begin >= 0 {
			text = strings.TrimSuffix(text[begin+len(`"properties":{"v":`):], "}}")
		} else if !strings.HasPrefix(text, "fault") {
			text = "missing"
		}
		if text != want {
			t.Errorf("%s on %s: %s; want %s", expression, rec, text, want)
		}
	}
	f(`"a constant"`, `{}`, `"a constant"`)
	f(`7`, `{}`, `7`)
	f(`"${a}"`, `{"a":"x"}`, `"x"`)
	f(`"${a}"`, `{"a":17.50}`, `17.50`)
	f(`"${a}"`, `{"a":{"b":[1,"<"]}}`, `{"b":[1,"<"]}`)
	f(`"${a}"`, `{"a":null}`, `missing`)
	f(`"${a}"`, `{"a":"  "}`, `missing`)
	f(`"${a.b.c}"`, `{"a":7}`, `missing`)
	f(`"${a|b}"`, `{"b":1}`, `1`)
	f(`"${a}-${b}"`, `{"a":1,"b":true}`, `"1-true"`)
	f(`"${a}-${b}"`, `{"a":1}`, `missing`)
	f(`"${a[1].b}"`, `{"a":[{"b":1},{"b":2}]}`, `2`)
	f(`"${a[9].b}"`, `{"a":[{"b":1}]}`, `missing`)
	f(`"${a[k.id=y].v}"`, `{"a":[{"k":{"id":"x"},"v":1},{"k":{"id":"y"},"v":2}]}`, `2`)
	f(`'${["a.b"].c}'`, `{"a.b":{"c":3}}`, `3`)
	f(`"${Order Date}"`, `{"Order Date":"x"}`, `"x"`)
	f(`"${#line} ${#file} ${#source} ${#hash} ${#index}"`, `{}`, `"7 f.csv abc h 0"`)
	f(`{ from = ["${a}", "${b}"], default = "d" }`, `{}`, `"d"`)
	f(`{ from = "${a}", default = 3 }`, `{}`, `3`)
	f(`{ from = "${a}", required = true }`, `{}`, `fault: missing_field mapping events[0].properties.v (line 5): is required`)
	f(`{ from = "${a}", map = { "1" = "one", "*" = "many" } }`, `{"a":1}`, `"one"`)
	f(`{ from = "${a}", map = { "1" = "one", "*" = "many" } }`, `{"a":"ana@example.com"}`, `"many"`)
	f(`{ from = "${a}", map = { "1" = "one" } }`, `{"a":"ana@example.com"}`, `fault: invalid_field mapping events[0].properties.v (line 5): is none of the words of its map; it is text of 15 bytes`)
	f(`{ from = "${a}", map = { "x" = "" } }`, `{"a":"x"}`, `missing`)
	f(`{ from = "${a}", as = "text", case = "upper" }`, `{"a":"eur"}`, `"EUR"`)
	f(`{ from = "${a}", as = "decimal", decimal = ",", thousands = "." }`, `{"a":"-1.234.567,80"}`, `-1234567.8`)
	f(`{ from = "${a}", as = "decimal", thousands = " €" }`, `{"a":"1 234.50 €"}`, `1234.5`)
	f(`{ from = "${a}", as = "decimal", divide = 100 }`, `{"a":5}`, `0.05`)
	f(`{ from = "${a}", as = "decimal", divide = 100 }`, `{"a":-12345}`, `-123.45`)
	f(`{ from = "${a}", as = "decimal" }`, `{"a":"12.5.1"}`, `fault: invalid_field mapping events[0].properties.v (line 5): must be a decimal, not text of 6 bytes`)
	f(`{ from = "${a}", as = "integer" }`, `{"a":"12.0"}`, `12`)
	f(`{ from = "${a}", as = "integer" }`, `{"a":12.5}`, `fault: invalid_field mapping events[0].properties.v (line 5): must be a whole number, not a number`)
	f(`{ from = "${a}", as = "number" }`, `{"a":"1e400"}`, `fault: invalid_field mapping events[0].properties.v (line 5): is out of the range of numbers`)
	f(`{ from = "${a}", as = "bool" }`, `{"a":"Yes"}`, `true`)
	f(`{ from = "${a}", as = "bool", true = ["sim"], false = ["não"] }`, `{"a":"SIM"}`, `true`)
	f(`{ from = "${a}", as = "bool", true = "sim" }`, `{"a":"yes"}`, `fault: invalid_field mapping events[0].properties.v (line 5): must be true or false in one of its words, not text of 3 bytes`)
	f(`{ from = "${a}", as = "text" }`, `{"a":{}}`, `fault: invalid_field mapping events[0].properties.v (line 5): must be text, not an object`)
}

func TestTimes(t *testing.T) {
	f := func(options, value, want string) {
		t.Helper()
		m := load(t, rule+"[events.time]\nfrom = \"${t}\"\n"+options)
		r := m.Apply(map[string]any{"t": value}, env())
		got := "fault"
		if len(r.Messages) == 1 {
			got = r.Messages[0].Message.Time.Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%s %q: %s %v; want %s", options, value, got, r.Faults, want)
		}
	}
	f(``, "2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z")
	f(``, "2026-01-31 12:00:00.25", "2026-01-31T12:00:00.25Z")
	f(``, "2026-01-31", "2026-01-31T00:00:00Z")
	f(`zone = "Europe/Lisbon"`, "2026-07-01T12:00", "2026-07-01T11:00:00Z")
	f(``, "2026-02-30", "fault")
	f(``, "99999-01-01T00:00:00Z", "fault")
	f(`format = "unix"`, "1577836800", "2020-01-01T00:00:00Z")
	f(`format = "unix"`, "1577836800.5", "2020-01-01T00:00:00.5Z")
	f(`format = "unix_ms"`, "1577836800123", "2020-01-01T00:00:00.123Z")
	f(`format = "unix"`, "1e99999999", "fault")
	f(`format = "unix"`, "1/3", "fault")
	f(`format = "unix"`, "99999999999999999999", "fault")
	f(`format = "dd/MM/yyyy HH:mm"`, "31/01/2026 09:05", "2026-01-31T09:05:00Z")
	f(`format = "M/d/yy h:mm a"`, "1/31/26 9:05 PM", "2026-01-31T21:05:00Z")
	f(`format = "yyyyMMdd"`, "19970101", "1997-01-01T00:00:00Z")
	f(`format = "EEE MMM dd HH:mm:ss Z yyyy"`, "Wed Oct 10 20:19:24 +0000 2018", "2018-10-10T20:19:24Z")
	f(`format = "yyyy-MM-dd'T'HH:mm:ss.SSSZ"`, "2026-01-31T09:05:00.123+0100", "2026-01-31T08:05:00.123Z")
	f(`format = ["yyyy", "unix"]`, "2020", "2020-01-01T00:00:00Z")
}

func TestRules(t *testing.T) {
	f := func(name, text, rec string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, apply(t, load(t, text), record(t, rec))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	f("undated, default id", rule, `{}`, `behaviour {"id":"row:7:0","name":"N","source":"test","time":"2026-03-04T05:06:07Z","undated":true}`)
	f("conditions", rule+"when = [{ field = \"${a}\", is = 1 }, { field = \"${b}\", exists = false }]", `{"a":1,"b":2}`,
		"fault: unmapped no rule of the mapping applies to the record")
	f("not and matches", rule+"when = [{ field = \"${a}\", not = [\"x\"] }, { field = \"${a}\", matches = \"^[0-9]+$\" }]\nproperties = \"rest\"", `{"a":"12","b":"c"}`,
		`behaviour {"id":"row:7:0","name":"N","source":"test","time":"2026-03-04T05:06:07Z","undated":true,"properties":{"a":"12","b":"c"}}`)
	f("ignored", "ignore = [{ field = \"${type}\", in = [\"ping\"] }]\n"+rule, `{"type":"ping"}`, "ignored")
	f("nested foreach", `
[[events]]
kind = "behaviour"
name = "${verb}"
foreach = "entry[].changes[]"
id = "${$.id}/${^.id}/${@}/${#index}"
`, `{"id":"r","verb":"no","entry":[{"id":1,"changes":["a","b"]},{"id":2,"changes":[]},{"id":3}]}`,
		"fault: missing_field mapping events[0].name (line 4): is required", "fault: missing_field mapping events[0].name (line 4): is required")
	f("nested foreach", `
[[events]]
kind = "behaviour"
name = "${$.verb}"
foreach = "entry[].changes[]"
id = "${$.id}/${^.id}/${@}/${#index}"
`, `{"id":"r","verb":"yes","entry":[{"id":1,"changes":["a"]},{"id":2,"changes":[]},{"id":3,"changes":"c"}]}`,
		`behaviour {"id":"r/1/a/0","name":"yes","source":"test","time":"2026-03-04T05:06:07Z","undated":true}`,
		`behaviour {"id":"r/3/c/1","name":"yes","source":"test","time":"2026-03-04T05:06:07Z","undated":true}`)
	f("typed part, items, rest", `
[[events]]
kind = "transaction"
name = "Order Completed"
id = "order:${id}"
identifiers = [{ namespace = "email", from = "${mail}" }, { namespace = "phone", from = "${phone}" }]
properties = "rest"
traits = ["mail"]
[events.transaction]
type = "order"
order_id = "${id}"
currency = { from = "${cur}", case = "upper" }
amount = { from = "${total}", decimal = "," }
[events.transaction.items]
foreach = "lines[]"
product_id = "${sku}"
quantity = "${n}"
price = { from = "${cents}", divide = 100 }
`, `{"id":9,"mail":"a@b.c","cur":"eur","total":"12,5","lines":[{"sku":"A","n":2,"cents":625}],"note":"x"}`,
		`transaction {"id":"order:9","name":"Order Completed","source":"test","time":"2026-03-04T05:06:07Z","undated":true,"identifiers":[{"namespace":"email","value":"a@b.c"}],"properties":{"note":"x"},"traits":{"mail":"a@b.c"},"transaction":{"type":"order","order_id":"9","currency":"EUR","amount":12.5,"items":[{"product_id":"A","quantity":2,"price":6.25}]}}`)
	f("rules of the message", `
[[events]]
kind = "location"
name = "Fix"
[events.location]
lat = "${lat}"
lon = "${lon}"
`, `{"lat":91,"lon":1}`, `fault: invalid_field mapping events[0].location.lat (line 6): field "location.lat" must be a number from -90 to 90`)
	f("one element at fault", `
[[events]]
kind = "feedback"
name = "NPS"
foreach = "[]"
[events.feedback]
instrument = "nps"
score = "${s}"
`, `[{"s":3},{"s":"x"},{"s":10}]`,
		`feedback {"id":"row:7:0","name":"NPS","source":"test","time":"2026-03-04T05:06:07Z","undated":true,"feedback":{"instrument":"nps","score":3}}`,
		`feedback {"id":"row:7:2","name":"NPS","source":"test","time":"2026-03-04T05:06:07Z","undated":true,"feedback":{"instrument":"nps","score":10}}`,
		`fault: invalid_field mapping events[0].feedback.score (line 8): must be a number, not text of 1 bytes`)
}

func TestRows(t *testing.T) {
	m := load(t, `
[input]
null = ["NA", "-"]
[[events]]
kind = "behaviour"
name = "${event}"
properties = "rest inferred"
traits = { "*" = "all", n = { from = "${n}", as = "integer" } }
`)
	columns := mapping.NewColumns([]string{"event", "n", "zip", "empty", "na", "ok", ""})
	got := apply(t, m, &mapping.Row{Columns: columns, Fields: []string{" Seen ", "12", "007", "", "NA", "true", "x"}})
	want := []string{`behaviour {"id":"row:7:0","name":"Seen","source":"test","time":"2026-03-04T05:06:07Z","undated":true,"properties":{"ok":true,"zip":"007"},"traits":{"event":"Seen","n":12,"ok":"true","zip":"007"}}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadFaults(t *testing.T) {
	_, err := mapping.Load("folder/bad.toml", []byte(`sorce = "x"
ignore = [{ field = "${a}" }]
[input]
format = "xls"
header = false
[[events]]
kind = "dreams"
time = { from = "${t}", format = "HH:mm", zone = "Mars/Base" }
[[events]]
kind = "social"
name = "N"
type = "track"
foreach = "entry"
id = "${a[x]}"
identifiers = [{ namespace = "email", frm = "x" }]
properties = "some"
[events.social]
netwrk = "x"
reactions = { from = "${n}", as = "text", divide = 3 }
`))
	var invalid *mapping.Invalid
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	for _, want := range []string{
		`bad.toml:1: sorce: is not known here; known are events, ignore, input, source`,
		`bad.toml:2: ignore[0]: needs one of is, in, not, exists and matches`,
		`bad.toml:4: input.format: must be one of [csv ndjson json parquet]`,
		`bad.toml:7: events[0].kind: must be one of`,
		`bad.toml:6: events[0].name: is required`,
		`bad.toml:8: events[0].time.format: format has no year`,
		`bad.toml:8: events[0].time.zone: must be a zone of the IANA list`,
		`bad.toml:12: events[1].type: belongs to behaviour only`,
		`bad.toml:13: events[1].foreach: must hold []`,
		`bad.toml:14: events[1].id: path "a[x]": [x] is neither a number nor path=value`,
		`bad.toml:15: events[1].identifiers[0]: needs from or default`,
		`bad.toml:15: events[1].identifiers[0].frm: is not known here`,
		`bad.toml:16: events[1].properties: must be "all", "rest"`,
		`bad.toml:18: events[1].social.netwrk: is no field of post; known are author,`,
		`bad.toml:19: events[1].social.reactions.as: must be integer here`,
		`bad.toml:19: events[1].social.reactions.divide: must be a power of ten`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("lacks %q in\n%s", want, err)
		}
	}
	for text, want := range map[string]string{"a = [": "bad.toml:1: not TOML", `{"events":`: "not JSON", "": "events: is required", "events = 7": "must be a list of tables, not a number"} {
		if _, err := mapping.Load("bad.toml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestJSONDeclaration(t *testing.T) {
	m := load(t, `{"source":"s","events":[{"kind":"behaviour","name":"${n}","properties":{"p":{"from":"${x}","default":1}}}]}`)
	if got := apply(t, m, record(t, `{"n":"A"}`)); len(got) != 1 || !strings.Contains(got[0], `"properties":{"p":1}`) || m.Source != "s" {
		t.Errorf("%q", got)
	}
}

func TestElementsAreBounded(t *testing.T) {
	m := load(t, rule+"foreach = \"[]\"")
	r := m.Apply(make([]any, 10_005), env())
	if len(r.Messages) != 10_000 || len(r.Faults) != 1 || r.Faults[0].Code != wire.CodeTooLarge {
		t.Errorf("%d messages, %v", len(r.Messages), r.Faults)
	}
}

func ExampleMapping_Apply() {
	m, err := mapping.Load("nps.toml", []byte(`
[[events]]
kind = "feedback"
name = "NPS Answered"
id   = "${response}"
identifiers = [{ namespace = "email", from = "${mail}" }]
[events.feedback]
instrument = "nps"
score      = "${score}"
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	row := &mapping.Row{Columns: mapping.NewColumns([]string{"response", "mail", "score"}), Fields: []string{"r1", "ana@example.com", "9"}}
	for _, x := range m.Apply(row, mapping.Env{Source: "survey", Now: time.Unix(0, 0).UTC()}).Messages {
		fmt.Println(x.Kind, x.Message.ID, *x.Message.Feedback.Score)
	}
	// Output: feedback r1 9
}

// FuzzLoad holds for any declaration: no panic, and what loads can be applied.
func FuzzLoad(f *testing.F) {
	f.Add(rule+"id = \"${a.b[0]}\"", `{"a":{"b":[1]}}`)
	f.Add(rule+"foreach = \"a[].b[]\"\nproperties = \"rest\"", `{"a":[{"b":[{}]}]}`)
	f.Add(`{"events":[{"kind":"behaviour","name":{"from":"${a|b}","map":{"x":"y"}}}]}`, `[null]`)
	f.Add(rule+"time = { from = \"${t}\", format = \"yyyy\" }", `{"t":"2020"}`)
	f.Fuzz(func(t *testing.T, text, rec string) {
		m, err := mapping.Load("fuzz", []byte(text))
		if err != nil {
			var invalid *mapping.Invalid
			if !errors.As(err, &invalid) || len(invalid.Faults) == 0 {
				t.Fatal(err)
			}
			return
		}
		d := json.NewDecoder(strings.NewReader(rec))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			return
		}
		r := m.Apply(v, env())
		if len(r.Messages)+len(r.Faults) == 0 && !r.Ignored {
			t.Fatal("the record disappeared")
		}
		for _, x := range r.Messages {
			if faults := x.Message.Check(x.Kind); len(faults) > 0 {
				t.Fatal(faults)
			}
		}
	})
}

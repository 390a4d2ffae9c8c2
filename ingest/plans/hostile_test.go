package plans_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/ingest/plans"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// of wraps a schema into a plan with one event.
func of(schema string) string {
	return `{"events":[{"name":"E","mode":"block","schema":` + schema + `}]}`
}

func nested(open, middle, end string, n int) string {
	return strings.Repeat(open, n) + middle + strings.Repeat(end, n)
}

// doubling is a schema whose references, written out, double n times.
func doubling(n int) string {
	var defs []string
	for i := range n {
		defs = append(defs, fmt.Sprintf(`"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]}`, i, i+1, i+1))
	}
	defs = append(defs, fmt.Sprintf(`"d%d":{"type":"object"}`, n))
	return `{"$ref":"#/$defs/d0","$defs":{` + strings.Join(defs, ",") + `}}`
}

// TestHostileDefinitions refuses, quickly and with a place, whatever could stop
// ingest, reach out of the schema, or is only a slip of the pen.
func TestHostileDefinitions(t *testing.T) {
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = w.Write([]byte(`{}`))
	}))
	defer elsewhere.Close()
	for name, c := range map[string]struct{ text, pointer string }{
		"remote reference":       {of(`{"$ref":"` + elsewhere.URL + `/x.json"}`), "/events/0/schema/$ref"},
		"file reference":         {of(`{"$ref":"file:///etc/passwd"}`), "/events/0/schema/$ref"},
		"relative reference":     {of(`{"properties":{"a":{"$ref":"other.json#/a"}}}`), "/events/0/schema/properties/a/$ref"},
		"reference to anything":  {of(`{"$ref":"#/properties/a","properties":{"a":{}}}`), "/events/0/schema/$ref"},
		"id":                     {of(`{"$id":"` + elsewhere.URL + `"}`), "/events/0/schema/$id"},
		"dynamic reference":      {of(`{"$dynamicRef":"#a"}`), "/events/0/schema/$dynamicRef"},
		"meta schema":            {of(`{"$schema":"` + elsewhere.URL + `"}`), "/events/0/schema/$schema"},
		"older draft":            {of(`{"$schema":"http://json-schema.org/draft-07/schema#"}`), "/events/0/schema/$schema"},
		"vocabulary":             {of(`{"$vocabulary":{}}`), "/events/0/schema/$vocabulary"},
		"recursion":              {of(`{"$ref":"#/$defs/a","$defs":{"a":{"properties":{"x":{"$ref":"#/$defs/b"}}},"b":{"not":{"$ref":"#/$defs/a"}}}}`), "/events/0/schema/$defs/b/not/$ref"},
		"reference to itself":    {of(`{"$defs":{"a":{"$ref":"#/$defs/a"}}}`), "/events/0/schema/$defs/a/$ref"},
		"reference to nothing":   {of(`{"$ref":"#/$defs/a"}`), "/events/0/schema/$ref"},
		"doubling references":    {of(doubling(18)), "/events/0/schema"},
		"doubling for ever":      {of(doubling(400)), "/events/0/schema/$defs/d20"},
		"deep":                   {of(nested(`{"not":`, `true`, `}`, 5000)), "/events/0/schema" + strings.Repeat("/not", 41)},
		"deep value":             {of(`{"const":` + nested(`[`, ``, `]`, 9000) + `}`), "/events/0/schema/const" + strings.Repeat("/0", 41)},
		"huge":                   {of(`{"enum":["` + strings.Repeat("x", 70_000) + `"]}`), "/events/0/schema"},
		"many parts":             {of(`{"enum":[` + strings.Repeat("1,", 5001) + `2]}`), "/events/0/schema"},
		"huge definition":        {`{"description":"` + strings.Repeat("x", 600_000) + `"}`, ""},
		"pattern written out":    {of(`{"pattern":"((a{100}){100}){100}"}`), "/events/0/schema/pattern"},
		"pattern not RE2":        {of(`{"pattern":"(?=a)b"}`), "/events/0/schema/pattern"},
		"pattern back reference": {of(`{"pattern":"(a)\\1"}`), "/events/0/schema/pattern"},
		"long pattern":           {of(`{"pattern":"` + strings.Repeat("a", 1001) + `"}`), "/events/0/schema/pattern"},
		"pattern of a property":  {of(`{"patternProperties":{"((a{99}){99})":{}}}`), "/events/0/schema/patternProperties/((a{99}){99})"},
		"format of patterns":     {of(`{"format":"regex"}`), "/events/0/schema/format"},
		"huge number":            {of(`{"minimum":1e999999999}`), "/events/0/schema/minimum"},
		"huge number in enum":    {of(`{"enum":[[1e-999999999]]}`), "/events/0/schema/enum/0/0"},
		"digits":                 {of(`{"multipleOf":` + strings.Repeat("9", 100) + `}`), "/events/0/schema/multipleOf"},
		"slip of the pen":        {of(`{"requird":["a"]}`), "/events/0/schema/requird"},
		"definitions":            {of(`{"definitions":{}}`), "/events/0/schema/definitions"},
		"wrong keyword value":    {of(`{"type":"strng"}`), "/events/0/schema/type"},
		"wrong bound":            {of(`{"minLength":-1}`), "/events/0/schema/minLength"},
		"schema is a list":       {of(`[]`), "/events/0/schema"},
		"schema is text":         {of(`"x"`), "/events/0/schema"},
		"no mode":                {`{"events":[{"name":"E"}]}`, "/events/0/mode"},
		"no name":                {`{"events":[{"mode":"warn"}]}`, "/events/0/name"},
		"two alike":              {`{"events":[{"name":"E","mode":"warn"},{"name":"E","mode":"block"}]}`, "/events/1"},
		"unknown field":          {`{"event":[]}`, ""},
		"kinds":                  {`{"kinds":["behavior"],"events":[]}`, "/kinds/0"},
		"mode of unplanned":      {`{"unplanned_events":"drop","events":[]}`, "/unplanned_events"},
		"wrong type":             {`{"sources":"web"}`, "/sources"},
		"two values":             {`{"events":[]}{}`, ""},
		"not JSON":               {`{"events":`, ""},
		"nothing":                {``, ""},
		"null byte":              {"\x00", ""},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := plans.Parse([]byte(c.text))
			var invalid *plans.Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want it refused", err)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("refused after %s", took)
			}
			if got := invalid.Faults[0].Pointer; got != c.pointer {
				t.Errorf("fault at %q (%s), want %q", got, invalid.Faults[0].Detail, c.pointer)
			}
		})
	}
	if asked != 0 {
		t.Errorf("the schemas made %d requests", asked)
	}
}

// TestHostileEvents holds events against schemas that were made to be slow with
// them: the verdict comes quickly, and is the same each time.
func TestHostileEvents(t *testing.T) {
	number := `{"properties":{"properties":{"properties":{"n":{"type":"number","minimum":0,"multipleOf":0.01}}}}}`
	for name, c := range map[string]struct{ schema, event, rule string }{
		"huge exponent":    {number, `{"properties":{"n":1e999999999}}`, ""},
		"tiny exponent":    {number, `{"properties":{"n":-1e-999999999}}`, ""},
		"many digits":      {number, `{"properties":{"n":` + strings.Repeat("9", 1_000_000) + `}}`, ""},
		"slow pattern":     {`{"properties":{"properties":{"additionalProperties":{"pattern":"^(([a-z])+.)+[A-Z]([a-z])+$"}}}}`, `{"properties":{"x":"` + strings.Repeat("a", 2_000_000) + `"}}`, "cost"},
		"many patterns":    {`{"properties":{"properties":{"additionalProperties":{"pattern":"^(a{0,150}){3}$"}}}}`, `{"properties":{"x":"` + strings.Repeat("a", 20_000) + `"}}`, "cost"},
		"many values":      {`{"properties":{"properties":{"additionalProperties":{"items":{"enum":[` + strings.Repeat("1,", 999) + `1]}}}}}`, `{"properties":{"x":[` + strings.Repeat("2,", 100_000) + `2]}}`, "cost"},
		"many violations":  {`{"properties":{"properties":{"additionalProperties":{"type":"string"}}}}`, `{"properties":{` + members(40_000) + `}}`, "type"},
		"deep alternative": {doubling(10), `{"properties":{}}`, ""},
		"deep event":       {`{"properties":{"properties":{"type":"object"}}}`, `{"properties":` + nested(`{"a":`, `1`, `}`, 120) + `}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := plans.Parse([]byte(of(c.schema)))
			if err != nil {
				t.Fatal(err)
			}
			set, err := plans.Single("main", "p", d)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			first := set.Hold("main", wire.Behaviour, "web", "E", []byte(c.event))
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("a verdict after %s", took)
			}
			again := set.Hold("main", wire.Behaviour, "web", "E", []byte(c.event))
			a, _ := json.Marshal(first)
			b, _ := json.Marshal(again)
			if string(a) != string(b) {
				t.Errorf("two verdicts:\n%s\n%s", a, b)
			}
			if len(first) > 20 {
				t.Errorf("%d violations of one event", len(first))
			}
			if c.rule != "" && (len(first) == 0 || first[0].Rule != c.rule) {
				t.Errorf("verdict %s, want rule %s", a, c.rule)
			}
		})
	}
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"k%d":%d`, i, i)
	}
	return b.String()
}

// FuzzParse reads any definition and holds a message against it.
func FuzzParse(f *testing.F) {
	f.Add(of(`{"properties":{"properties":{"required":["a"],"properties":{"a":{"type":"string","pattern":"^a"}}}}}`), `{"properties":{"a":1}}`)
	f.Add(of(doubling(5)), `{}`)
	f.Add(`{"unplanned_events":"block","events":[]}`, `{"name":"x"}`)
	f.Fuzz(func(t *testing.T, definition, message string) {
		d, err := plans.Parse([]byte(definition))
		if err != nil {
			return
		}
		set, err := plans.Single("main", "p", d)
		if err != nil {
			t.Fatalf("what Parse takes does not compile: %v", err)
		}
		for _, e := range d.Events {
			if n := len(set.Hold("main", wire.Behaviour, "web", e.Name, []byte(message))); n > 20 {
				t.Errorf("%d violations", n)
			}
		}
	})
}

package api_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/segments"
)

func hashOf(s string) [32]byte { return sha256.Sum256([]byte(s)) }

const definition = `{"trait":"country","op":"eq","value":"PT"}`

func TestPreviewSegment(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	post := func(name, body string, status int, want ...string) scenario {
		return scenario{name: name, method: http.MethodPost, path: "/v1/segments/preview", key: "read-dev", body: body, status: status, want: want}
	}
	with := func(sc scenario, change func(*scenario)) scenario { change(&sc); return sc }
	good := `{"definition":` + definition + `}`
	rows := []scenario{
		post("count and sample", good, 200, `"count":1`, `"profiles":4`, `"share":0.25`, `"sample":["0000000000000007"]`, `"elapsed_ms":1.5`, `"sql":"SELECT {p1:String}"`, `"p1":"x"`),
		post("sample", `{"definition":`+definition+`,"sample":100}`, 200),
		with(post("charset", good, 200), func(s *scenario) { s.header = map[string]string{"Content-Type": "application/json; charset=utf-8"} }),
		post("sample too large", `{"definition":`+definition+`,"sample":101}`, 400, `"/sample"`),
		post("sample negative", `{"definition":`+definition+`,"sample":-1}`, 400, `"/sample"`),
		post("sample is text", `{"definition":`+definition+`,"sample":"many"}`, 400, `"/sample"`),
		post("no definition", `{}`, 400, `"/definition"`),
		post("null", `null`, 400, `"/definition"`),
		post("unknown field", `{"definition":`+definition+`,"workspace":"other"}`, 400, "not known"),
		post("not JSON", `{"definition":`, 400),
		post("two values", good+good, 400),
		post("array", `[]`, 400),
		post("fault deep in the tree", `{"definition":{"all":[`+definition+`,{"not":{"event":"x","where":[{"property":"a","op":"gtt","value":1}]}}]}}`, 400, `"/definition/all/1/not/where/0/op"`),
		post("two faults", `{"definition":{"any":[{"trait":"a"},{"score":"x","op":"gte","value":"1"}]}}`, 400, `"/definition/any/0"`, `"/definition/any/1"`),
		with(post("no key", good, 401), func(s *scenario) { s.key = "" }),
		with(post("write key", good, 403), func(s *scenario) { s.key = "write-dev" }),
		with(post("GET", "", 405), func(s *scenario) { s.method = http.MethodGet; s.headers = map[string]string{"Allow": "POST"} }),
		post("too large", `{"definition":"`+strings.Repeat("x", 1<<20)+`"}`, 413),
		with(post("what curl -d says", good, 200), func(s *scenario) { s.header = map[string]string{"Content-Type": "application/x-www-form-urlencoded"} }),
		with(post("XML", good, 415), func(s *scenario) { s.header = map[string]string{"Content-Type": "application/xml"} }),
		with(post("nonsense", good, 415), func(s *scenario) { s.header = map[string]string{"Content-Type": "a/b/c;;"} }),
		with(post("compressed", good, 415), func(s *scenario) { s.header = map[string]string{"Content-Encoding": "gzip"} }),
	}
	for _, sc := range rows {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	post("", good, 200).run(t, h)
	if f.preview.workspace != "main" || f.preview.sample != 10 {
		t.Errorf("preview asked for %q and %d", f.preview.workspace, f.preview.sample)
	}
	f.preview.err = fmt.Errorf("preview: %w: code 159", segments.ErrTooExpensive)
	post("", good, 422, "too-expensive").run(t, h)
	f.preview.err = errBroken
	post("", good, 500).run(t, h)
}

// vocabulary knows two names.
type vocabulary struct{ err error }

func (v *vocabulary) Names(context.Context, string) (segments.Names, error) {
	return segments.Names{Events: []string{"Order Completed"}, Traits: []string{"country"}}, v.err
}

func TestSegmentText(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	post := func(path, body string, status int, want ...string) {
		t.Run(body, func(t *testing.T) {
			scenario{method: http.MethodPost, path: "/v1/segments/" + path, key: "read-dev", body: body, status: status, want: want}.run(t, h)
		})
	}
	post("preview", `{"text":"country = \"PT\"","sample":3}`, 200, `"count":1`, `"warnings":[]`)
	post("preview", `{"text":"contry = \"PT\"\nand did \"Order Complete\""}`, 200,
		`"warnings":[{"pointer":"/text","detail":"no trait is named \"contry\"; did you mean \"country\"?","line":1,"column":1},{"pointer":"/text","detail":"no event is named \"Order Complete\"; did you mean \"Order Completed\"?","line":2,"column":9}]`)
	post("preview", `{"definition":{"not":{"event":"x"}}}`, 200, `"warnings":[{"pointer":"/definition/not/event","detail":"no event is named \"x\""}]`)
	post("preview", `{"text":"country = "}`, 400, `"detail":"line 1, column 11: expected a string, a number, true or false, found the end"`, `"text_errors":[{"pointer":"/text","detail":"expected a string, a number, true or false, found the end","line":1,"column":11}]`)
	post("preview", `{"text":"a > true"}`, 400, `"line":1,"column":5`)
	post("preview", `{"text":"country = \"PT\"","definition":`+definition+`}`, 400, `"/text"`)
	post("preview", `{"text":5}`, 400, `"/text"`)
	post("preview", `{"text":null}`, 400, `"/definition"`)
	post("parse", `{"text":"country in (\"PT\")  and (did Page)"}`, 200,
		`"definition":{"all":[{"op":"in","trait":"country","value":["PT"]},{"event":"Page"}]},"text":"country in (\"PT\") and did Page"`, `"column":29`)
	post("parse", `{"definition":`+definition+`}`, 200, `"text":"country = \"PT\""`)
	post("parse", `{"definition":{"trait":"a"}}`, 400, `"/definition"`)
	post("parse", `{}`, 400, `"/definition"`)
	post("parse", `{"sample":5}`, 400, "not known")
	f.names.err = errBroken
	post("preview", `{"text":"contry exists"}`, 200, `"warnings":[]`)
}

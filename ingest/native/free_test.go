package native

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// FuzzFreeObjects holds the short way to the usual one: what it accepts is the
// same message, and what it encodes is read as that message again.
func FuzzFreeObjects(f *testing.F) {
	for _, s := range []string{
		`{"name":"n","properties":{"a":"<\u0041>"},"traits":{ },"context":{"b":[1]}}`, `{"properties":{},"Properties":{"x":1}}`,
		`{"properties":{},"properties":{}}`, `{"properties":null}`, `{"na\u006de":"n","id":"\ud83d\ude00"}`, `{"traits":[]}`, `{}`, `{"source":"s"}x`,
		`{"name":"n","identifiers":[{"namespace":"a","value":"b"}],"social":{"network":"x"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in := take{}
		got, encode, fault := in.parse(raw)
		var want wire.Message
		wantFault := want.Parse(raw)
		if diff := cmp.Diff(wantFault, fault); diff != "" {
			t.Fatalf("%q: %s", raw, diff)
		}
		if fault != nil {
			return
		}
		canonical := func(m wire.Message) string {
			b, err := m.Encode()
			if err != nil {
				t.Skip("a time after 9999")
			}
			var v map[string]any
			if err := json.Unmarshal(b, &v); err != nil {
				t.Fatal(err)
			}
			b, _ = json.Marshal(v)
			return string(b)
		}
		text, err := encode(got)
		var again wire.Message
		if err != nil || again.Parse(text) != nil {
			t.Fatalf("%q is encoded as %q, %v", raw, text, err)
		}
		if canonical(*got) != canonical(want) || canonical(again) != canonical(want) {
			t.Fatalf("%q: %s and %s; want %s", raw, canonical(*got), canonical(again), canonical(want))
		}
	})
}

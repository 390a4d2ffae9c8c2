package jsonscan

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func seeds() []string {
	return []string{
		`{}`, `[]`, `null`, `true`, `false`, `0`, `-0`, `-1.5e+10`, `1E5`, `""`, `"a\"b"`, `"\u00e9\ud83d\ude00"`, `"\ud800"`, `"\ud800\u0041"`,
		`{"a":1,"b":[1,2,{"c":"d"}],"a":2}`, ` { "k" : [ ] } `, `{"\u0061":1}`, `"12345678\\"`, `"123456789012345\n"`, "\"tab\there\"",
		`01`, `1.`, `.5`, `1e`, `-`, `+1`, `tru`, `nul`, `{"a"}`, `{"a":}`, `{a:1}`, `[1,]`, `{"a":1,}`, `[1 2]`, `"open`, `"\x"`, `"\u12"`, `{}{}`, ``, ` `, `[`, `{`, `"`, `\`, "\"\x00\"", "\"\xff\"",
		strings.Repeat("[", 127) + strings.Repeat("]", 127), "1e999999", "\"\u2028\"",
	}
}

// same fails when this package and encoding/json disagree about b.
func same(t *testing.T, b []byte) {
	t.Helper()
	valid := json.Valid(b)
	if err := Check(b); (err == nil) != valid {
		t.Fatalf("%q: Check says %v, encoding/json says %v", b, err, valid)
	}
	if !valid || !utf8.Valid(b) {
		return
	}
	var whole any
	if json.Unmarshal(b, &whole) != nil {
		return // Numbers out of range are valid text.
	}
	switch v := whole.(type) {
	case string:
		value, err := Value(b)
		got, ok := Text(value)
		if err != nil || !ok || string(got) != v {
			t.Fatalf("%q: Text is %q, want %q (%v)", b, got, v, err)
		}
		if back := AppendText(nil, got); !json.Valid(back) {
			t.Fatalf("%q: AppendText gives %q", b, back)
		} else {
			var again string
			if err := json.Unmarshal(back, &again); err != nil || again != v {
				t.Fatalf("%q: AppendText comes back as %q (%v)", b, again, err)
			}
		}
	case map[string]any:
		got := map[string]any{}
		if err := Object(b, func(key, value []byte) error {
			var x any
			err := json.Unmarshal(value, &x)
			got[string(key)] = x
			return err
		}); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if !reflect.DeepEqual(v, got) {
			t.Fatalf("%q: got %v, want %v", b, got, v)
		}
	case []any:
		got := []any{}
		if err := Array(b, func(i int, value []byte) error {
			var x any
			err := json.Unmarshal(value, &x)
			got = append(got, x)
			return err
		}); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if !reflect.DeepEqual(v, got) {
			t.Fatalf("%q: got %v, want %v", b, got, v)
		}
	}
}

func TestAgreesWithEncodingJSON(t *testing.T) {
	for _, s := range seeds() {
		same(t, []byte(s))
	}
}

func TestDepthIsBounded(t *testing.T) {
	for _, c := range []struct{ open, end string }{{"[", "]"}, {`{"a":`, "}"}} {
		text := func(n int) []byte { return []byte(strings.Repeat(c.open, n) + "0" + strings.Repeat(c.end, n)) }
		if err := Check(text(MaxDepth)); err != nil {
			t.Errorf("depth %d: %v", MaxDepth, err)
		}
		if Check(text(MaxDepth+1)) == nil {
			t.Errorf("depth %d was accepted", MaxDepth+1)
		}
		if Check(text(1_000_000)) == nil {
			t.Error("a million levels were accepted")
		}
	}
}

func TestPrefixReadsAStream(t *testing.T) {
	b := []byte(" {\"a\":1}\n[2] 3\n")
	var got []string
	for {
		v, n, err := Prefix(b)
		if err != nil {
			t.Fatal(err)
		}
		if v == nil {
			break
		}
		got = append(got, string(v))
		b = b[n:]
	}
	if diff := cmp.Diff([]string{`{"a":1}`, "[2]", "3"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsNeverRepeatTheText(t *testing.T) {
	for _, s := range seeds() {
		if err := Check([]byte(`{"secret":` + s + `,"secret"`)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzAgreesWithEncodingJSON(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.Count(b, []byte("[")) > MaxDepth || bytes.Count(b, []byte("{")) > MaxDepth {
			t.Skip("the depth is bounded differently")
		}
		same(t, b)
	})
}

var benchText = []byte(`{"id":"0190a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b","name":"Product Viewed","source":"web","time":"2026-11-20T10:11:12.345Z","identifiers":[{"namespace":"anonymous_id","value":"b1c2d3e4-f5a6-4b7c-8d9e-0f1a2b3c4d5e"}],"properties":{"product_id":"85123A","sku":"85123A","category":"Home","name":"WHITE HANGING HEART T-LIGHT HOLDER","brand":"none","variant":"white","price":2.55,"quantity":1,"currency":"GBP","position":3,"url":"https://shop.example/products/85123a"},"context":{"page":{"url":"https://shop.example/products/85123a","referrer":"https://shop.example/","title":"White hanging heart"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","locale":"en-GB","sessionId":1700000000}}`)

func BenchmarkMembers(b *testing.B) {
	b.SetBytes(int64(len(benchText)))
	for b.Loop() {
		m := ObjectOf(benchText)
		for m.Next() {
		}
		if m.Err() != nil {
			b.Fatal(m.Err())
		}
	}
}

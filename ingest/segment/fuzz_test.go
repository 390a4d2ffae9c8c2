package segment

import (
	"bytes"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
)

// sound checks what holds of every translation, whatever the bytes.
func sound(t *testing.T, c Call, tr *Translation) {
	t.Helper()
	messages := 0
	for _, it := range tr.Items {
		if it.Reject != nil {
			if it.Reject.Reason == "" || it.Reject.Detail == "" || it.Reject.Position == "" || !bytes.Contains(c.Body, it.Value) {
				t.Fatalf("letter %+v of %d bytes", *it.Reject, len(it.Value))
			}
			continue
		}
		messages++
		if !utf8.Valid(it.Value) {
			t.Fatal("a message is not UTF-8")
		}
		// A group's traits stand one level deeper than they came.
		if jsonscan.Check(it.Value) == nil {
			if m := decode(t, it.Kind, it.Value); m.ID != it.ID {
				t.Fatalf("item %q holds message %q", it.ID, m.ID)
			}
		}
	}
	switch {
	case tr.Whole != nil:
		if len(tr.Items) != 1 || messages != 0 || tr.Accepted != 0 || len(tr.Refused) != 0 {
			t.Fatalf("refused as a whole, with %d items and %d messages", len(tr.Items), messages)
		}
	case len(tr.Items) != tr.Received || messages != tr.Accepted || tr.Received != tr.Accepted+len(tr.Refused):
		t.Fatalf("%d items, %d received, %d accepted, %d refused", len(tr.Items), tr.Received, tr.Accepted, len(tr.Refused))
	}
}

func FuzzTranslate(f *testing.F) {
	for _, s := range []string{
		`{"batch":[{"type":"track","event":"e","userId":1,"timestamp":"2026-03-01T12:00:00Z","properties":{"email":"a@b.c"}},{}],"context":{"a":1},"integrations":{"All":true},"sentAt":1}`,
		`{"type":"group","userId":"u","groupId":"g","traits":{"a":null},"context":{"direct":true,"device":{"id":"d"},"externalIds":[{"id":"1","type":"x"}]}}`,
		`{"event":"Order Completed","userId":"u","properties":{"order_id":1,"total":"2.5","products":[{"sku":"s","price":1e1,"quantity":-2}]}}`,
		`{"userId":"\ud800","event":"\u0000","messageId":"\"\\"}`, `{"batch":[[[[`, "\xEF\xBB\xBF{}",
	} {
		for method := range uint8(8) {
			f.Add([]byte(s), method)
		}
	}
	methods := []string{Batch, Import, "track", "page", "screen", "identify", "group", "alias"}
	translator := newTranslator(f)
	f.Fuzz(func(t *testing.T, body []byte, method uint8) {
		c := call(methods[int(method)%len(methods)], string(body))
		tr := translator.Translate(c)
		sound(t, c, tr)
		tr.Release()
		_ = WriteKey(body)
	})
}

func FuzzPixelBody(f *testing.F) {
	for _, s := range []string{"e30", "e30=", "eyJhIjoi_-8ifQ==", "a b+c/", "%", "", "===="} {
		f.Add(s)
	}
	translator := newTranslator(f)
	f.Fuzz(func(t *testing.T, data string) {
		body, err := PixelBody(data)
		if err != nil {
			body = []byte(data)
		}
		c := call("track", string(body))
		c.Pixel = true
		sound(t, c, translator.Translate(c))
	})
}

// FuzzParseTime holds that what RFC 3339 allows is read as the standard library
// reads it.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2024-02-29T12:34:56.789Z", "2023-02-29T12:34:56Z", "2024-02-29T12:34:56+14:00", "2024-02-29 1", "1709210096000", "Thu, 29 Feb 2024 12:34:56 GMT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value := jsonscan.AppendText(nil, text)
		got, s := parseTime(value)
		want, err := time.Parse(time.RFC3339Nano, text)
		if s == dateGood && (got.Year() < firstYear || got.Year() > lastYear) {
			t.Fatalf("%q: %s is out of range", text, got)
		}
		if err != nil || want.UTC().Year() < firstYear || want.UTC().Year() > lastYear || len(text) > 60 {
			return
		}
		if s != dateGood || !got.Equal(want.Truncate(time.Millisecond)) {
			t.Fatalf("%q: %s (%d), want %s", text, got, s, want)
		}
	})
}

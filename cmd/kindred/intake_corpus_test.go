package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
)

// goodEvent is what hostile inputs are made from.
const goodEvent = `{"type":"track","event":"e","userId":"SECRET","messageId":"m","timestamp":"2026-01-01T00:00:00.000Z","properties":{"a":[1,2,{"b":"\u00e9\\"}],"c":1.5e3,"d":null,"e":true},"context":{"ip":"SECRET"}}`

func zip(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

func hostileInputs(t *testing.T) []hostile {
	t.Helper()
	var list []hostile
	add := func(name, path, body string, status, events, letters int) {
		list = append(list, hostile{name: name, path: path, body: body, status: status, events: events, letters: letters})
	}
	// Cut off anywhere.
	batch := `{"sentAt":"2026-01-01T00:00:01.000Z","batch":[` + goodEvent + `,` + goodEvent + `]}`
	for i := 0; i < len(batch); i += 9 {
		add(fmt.Sprintf("batch cut at %d", i), "/v1/batch", batch[:i], 400, 0, 1)
	}
	for i := 1; i < len(goodEvent); i += 17 {
		add(fmt.Sprintf("event cut at %d", i), "/v1/t", goodEvent[:i], 400, 0, 1)
	}
	// One byte wrong: whatever becomes of it, it becomes something.
	for i, h := range hostileEntries() {
		add(fmt.Sprintf("entry %d", i), "/v1/batch", `{"batch":[`+h.body+`]}`, 200, h.events, 1-h.events)
		add(fmt.Sprintf("entry %d among good ones", i), "/v1/b", `{"batch":[`+goodEvent+`,`+h.body+`,`+goodEvent+`]}`, 200, 2+h.events, 1-h.events)
	}
	wholes(add)
	list = append(list, encodings(t)...)
	return append(list, pixels()...)
}

// wholes are bodies that are unusable as a whole, or odd.
func wholes(add func(name, path, body string, status, events, letters int)) {
	deep := strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000)
	for name, body := range map[string]string{
		"blanks": " \t\r\n ", "number": "7", "text": `"SECRET"`, "null": "null", "array": "[]", "array of events": "[" + goodEvent + "]",
		"two values": `{"batch":[]}{"batch":[]}`, "comma at the end": `{"batch":[],}`, "comma in the array": `{"batch":[1,]}`, "single quotes": `{'batch':[]}`,
		"no quotes": `{batch:[]}`, "comment": `{"batch":[] /* SECRET */}`, "NaN": `{"batch":[],"a":NaN}`, "leading zero": `{"batch":[],"a":01}`,
		"tab in text": "{\"batch\":[],\"a\":\"\t\"}", "NUL": "\x00", "NUL after": `{"batch":[]}` + "\x00", "bad escape": `{"batch":[],"a":"\x"}`, "short escape": `{"batch":[],"a":"\u12"}`,
		"no batch": `{}`, "batch object": `{"batch":{}}`, "batch text": `{"batch":"SECRET"}`, "batch null": `{"batch":null}`, "form": "data=SECRET", "XML": "<a>SECRET</a>",
		"UTF-16": "\xff\xfe{\x00}\x00", "brackets only": strings.Repeat("[", 1_000_000), "objects only": strings.Repeat(`{"a":`, 500_000), "deep array": deep,
		"context not UTF-8": "{\"batch\":[],\"context\":{\"a\":\"\xff\"}}", "array of arrays, unclosed": `{"batch":[` + strings.Repeat("[", 100_000),
	} {
		add("whole: "+name, "/v1/batch", body, 400, 0, 1)
	}
	add("whole: too many events", "/v1/batch", `{"batch":[`+strings.Repeat("{},", 100_000)+`{}]}`, 413, 0, 1)
	add("whole: too large", "/v1/batch", `{"batch":["`+strings.Repeat("SECRET", 1_000_000)+`"]}`, 413, 0, 1)
	add("whole: too large and endless", "/v1/t", strings.Repeat("{", 5_000_000), 413, 0, 1)
	add("whole: context too large", "/v1/batch", `{"batch":[`+goodEvent+`],"context":{"a":"`+strings.Repeat("x", 10_000)+`"}}`, 413, 0, 1)
	add("whole: empty batch", "/v1/batch", `{"batch":[]}`, 200, 0, 0)
	add("whole: last batch counts", "/v1/batch", `{"batch":[1,2,3],"batch":[`+goodEvent+`]}`, 200, 1, 0)
	add("whole: deep beside the batch", "/v1/batch", `{"x":`+deep+`,"batch":[`+goodEvent+`]}`, 200, 1, 0)
	add("whole: odd context", "/v1/batch", `{"batch":[`+goodEvent+`],"context":7,"integrations":[],"sentAt":{}}`, 200, 1, 0)
	add("whole: 2500 events", "/v1/batch", `{"batch":[`+strings.Repeat(`{"type":"page","userId":"u"},`, 2499)+`{"type":"page","userId":"u"}]}`, 200, 2500, 0)
	add("whole: import", "/v1/import", `{"batch":[{"type":"page","userId":"u","timestamp":"1969-12-31T23:59:59Z"}]}`, 200, 1, 0)
	add("whole: byte order mark", "/v1/batch", "\xEF\xBB\xBF"+`{"batch":[`+goodEvent+`]}`, 200, 1, 0)
	add("event of a wrong path", "/v1/g", goodEvent, 200, 0, 1)
	add("event that is an array", "/v1/t", `[`+goodEvent+`]`, 400, 0, 1)
	add("event not UTF-8", "/v1/t", "{\"event\":\"e\",\"userId\":\"\xc3\x28\"}", 400, 0, 1)
	add("event too deep", "/v1/i", `{"userId":"u","traits":{"a":`+deep+`}}`, 400, 0, 1)
}

// hostileEntries are entries of a batch; those with an event are odd and sound.
func hostileEntries() []hostile {
	track := func(members string) string {
		return `{"type":"track","event":"e","userId":"u",` + members + `}`
	}
	long := strings.Repeat("SECRET", 100)
	refused := []string{
		`0`, `"SECRET"`, `true`, `null`, `[]`, `{}`, `{"type":null}`, `{"type":"SECRET"}`, `{"type":{}}`, `{"type":"track"}`, `{"type":"track","event":"e"}`,
		`{"type":"track","userId":"u"}`, `{"type":"track","userId":"u","event":[]}`, `{"type":"track","userId":"u","event":"` + long + `"}`,
		`{"type":"track","event":"e","userId":{}}`, `{"type":"track","event":"e","userId":[1]}`, `{"type":"track","event":"e","userId":false}`, `{"type":"track","event":"e","userId":"` + long + `"}`,
		`{"type":"track","event":"e","userId":"\ud800"}`, `{"type":"track","event":"e","userId":"u","anonymousId":"\ufffd"}`, `{"type":"track","event":"e","userId":"` + strings.Repeat("ﷺ", 50) + `"}`,
		"{\"type\":\"track\",\"event\":\"e\",\"userId\":\"\xff\"}", "{\"type\":\"track\",\"event\":\"e\",\"userId\":\"u\",\"properties\":{\"\xc0\xaf\":1}}",
		`{"type":"group","userId":"u"}`, `{"type":"group","userId":"u","groupId":""}`, `{"type":"group","userId":"u","groupId":{}}`, `{"type":"alias","userId":"u"}`, `{"type":"alias","userId":"u","previousId":[]}`,
		track(`"messageId":{}`), track(`"messageId":"` + long + `"`), track(`"properties":[]`), track(`"properties":"SECRET"`), track(`"properties":7`), track(`"context":[]`), track(`"traits":true`),
		track(`"timestamp":"SECRET"`), track(`"timestamp":"0000-01-01T00:00:00Z"`), track(`"timestamp":"9999-12-31T23:59:59Z"`), track(`"timestamp":"2026-02-30T00:00:00Z"`), track(`"timestamp":"2026-13-01T00:00:00Z"`),
		track(`"timestamp":1e308`), track(`"timestamp":-99999999999999`), track(`"timestamp":{}`), track(`"timestamp":"` + long + `"`), track(`"originalTimestamp":"1899-12-31T23:59:59Z"`),
		track(`"properties":{"a":"` + strings.Repeat("x", 300_000) + `"}`), track(`"properties":{"a":` + strings.Repeat(`{"a":`, 1000) + `1` + strings.Repeat(`}`, 1000) + `}`),
	}
	sound := []string{
		track(`"event":"f","event":"e","userId":"v","userId":"u"`), track(`"properties":{"a":1,"a":2}`), track(`"properties":{"n":1e400,"m":-0,"o":123456789012345678901234567890,"p":1E-400}`),
		track(`"properties":{"":0,".":1,"a.b":2,"__proto__":3,"constructor":4,"$set":5,"` + long + `":6}`), track(`"properties":{"s":"\u0000\u001f\ud83d\ude00\ud800\uffff"}`),
		track(`"properties":{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`), track(`"properties":{"email":{"SECRET":1},"phone":[1]}`), track(`"properties":{"email":"` + long + `"}`),
		track(`"properties":{"email":"\ud800@SECRET"}`), track(`"context":{"externalIds":"SECRET"}`), track(`"context":{"externalIds":[1,{},{"id":"x"},{"id":"` + long + `","type":"x"},{"id":"\udfff","type":"y"}]}`),
		track(`"context":{"device":7,"traits":7,"direct":"yes","ip":{},"page":[],"sessionId":{}}`), track(`"context":{"page":{"url":{"a":1}}}`), track(`"integrations":7,"channel":{},"sentAt":"SECRET"`),
		track(`"timestamp":"2299-12-31T23:59:59.999Z"`), track(`"timestamp":"1900-01-01T00:00:00Z"`), track(`"timestamp":"2016-12-31T23:59:60Z"`), track(`"timestamp":0`), track(`"timestamp":"","originalTimestamp":null`),
		`{"type":"track","event":"Order Completed","userId":"u"}`, `{"type":"track","event":"Order Completed","userId":"u","properties":{"order_id":{},"revenue":"SECRET","products":7}}`,
		`{"type":"track","event":"Order Completed","userId":"u","properties":{"order_id":"1","revenue":1e14}}`, `{"type":"track","event":"Order Completed","userId":"u","properties":{"order_id":"1","revenue":99999999999998.99999}}`,
		`{"type":"track","event":"Order Completed","userId":"u","properties":{"order_id":"1","products":[{"sku":"s","price":1e-9,"quantity":1e12},{"sku":"","price":{}},7,null]}}`,
		`{"type":"track","event":"Order Refunded","userId":"u","properties":{"order_id":1,"total":-5,"currency":"SECRET"}}`, `{"type":"track","event":"Order Refunded","userId":"u","properties":{"order_id":1,"total":-5,"currency":""}}`,
		`{"type":"identify","userId":"null","traits":{"a":null}}`, `{"type":"identify","anonymousId":"00000000-0000-0000-0000-000000000000"}`, `{"type":"IDENTIFY","userId":12345678901234567890}`,
		`{"type":"page","userId":"u","name":{},"category":[]}`, `{"type":"screen","userId":"u","name":"` + long + `"}`, `{"type":"alias","userId":"u","previousId":-0.0}`,
		` {"type" : "page" , "userId" : "u" } `, `{"type":"page","userId":"u","unknown":{"SECRET":[1]},"_metadata":7,"writeKey":"SECRET"}`,
	}
	var list []hostile
	for _, body := range refused {
		list = append(list, hostile{body: body})
	}
	for _, body := range sound {
		list = append(list, hostile{body: body, events: 1})
	}
	return list
}

// encodings are bodies under compression and odd headers.
func encodings(t *testing.T) []hostile {
	t.Helper()
	good := `{"batch":[` + goodEvent + `]}`
	gz := map[string]string{"Content-Encoding": "gzip"}
	bomb := zip(t, `{"batch":["`+strings.Repeat("0", 200_000_000)+`"]}`)
	return []hostile{
		{"gzip", "/v1/batch", gz, zip(t, good), 200, 1, 0},
		{"gzip without its header", "/v1/batch", nil, zip(t, good), 200, 1, 0},
		{"gzip of two members", "/v1/batch", gz, zip(t, good[:50]) + zip(t, good[50:]), 200, 1, 0},
		{"gzip bomb", "/v1/batch", gz, bomb, 413, 0, 1},
		{"gzip bomb without its header", "/v1/t", nil, bomb, 413, 0, 1},
		{"gzip of empty members", "/v1/batch", gz, strings.Repeat(zip(t, ""), 100_000), 400, 0, 1},
		{"gzip of nothing", "/v1/batch", gz, zip(t, ""), 400, 0, 1},
		{"gzip twice", "/v1/batch", gz, zip(t, zip(t, good)), 400, 0, 1},
		{"gzip cut off", "/v1/batch", gz, zip(t, good)[:60], 400, 0, 0},
		{"gzip of its head", "/v1/batch", gz, zip(t, good)[:5], 400, 0, 0},
		{"gzip with a wrong sum", "/v1/batch", gz, zip(t, good)[:len(zip(t, good))-8] + "12345678", 400, 0, 0},
		{"gzip with a rest", "/v1/batch", gz, zip(t, good) + "SECRET", 400, 0, 0},
		{"no gzip", "/v1/batch", gz, good, 400, 0, 0},
		{"empty gzip", "/v1/batch", gz, "", 400, 0, 0},
		{"deflate", "/v1/batch", map[string]string{"Content-Encoding": "deflate"}, good, 415, 0, 0},
		{"encoding of nonsense", "/v1/batch", map[string]string{"Content-Encoding": "gzip;q=1"}, good, 415, 0, 0},
		{"type of nonsense", "/v1/batch", map[string]string{"Content-Type": "a/b/c;;\"", "Content-Encoding": " Identity "}, good, 200, 1, 0},
		{"multipart", "/v1/batch", map[string]string{"Content-Type": "multipart/form-data; boundary=x"}, good, 200, 1, 0},
		{"another strictness", "/v1/batch", map[string]string{"X-Retry-Count": "SECRET"}, good, 200, 1, 0},
		{"no key", "/v1/batch", map[string]string{"Authorization": ""}, good, 401, 0, 0},
		{"key of nonsense", "/v1/batch", map[string]string{"Authorization": "Basic \x01%%"}, good, 401, 0, 0},
		{"key that is not known", "/v1/batch", map[string]string{"Authorization": "Bearer SECRET"}, good, 401, 0, 0},
		{"key in the body that is no text", "/v1/t", map[string]string{"Authorization": ""}, `{"writeKey":["write"],"event":"e","userId":"u"}`, 401, 0, 0},
		{"key in a broken body", "/v1/t", map[string]string{"Authorization": ""}, `{"writeKey":"write","event":"e","userId":`, 400, 0, 1},
		{"key in the body, twice", "/v1/t", map[string]string{"Authorization": ""}, `{"writeKey":"SECRET","writeKey":"write","event":"e","userId":"u"}`, 200, 1, 0},
	}
}

func pixels() []hostile {
	b64 := func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) }
	good := `{"event":"e","userId":"?>~~","properties":{"a":"\u00ff>>>???"}}`
	list := []hostile{
		{"pixel", "/v1/pixel/track?data=" + b64(good), nil, "", 200, 1, 0},
		{"pixel of the URL alphabet", "/v1/pixel/track?data=" + base64.RawURLEncoding.EncodeToString([]byte(good)), nil, "", 200, 1, 0},
		{"pixel with bare pluses", "/v1/pixel/track?data=" + strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(good)), "="), nil, "", 200, 1, 0},
		{"pixel of bare JSON", "/v1/pixel/track?data=" + url.QueryEscape(good), nil, "", 200, 1, 0},
		{"pixel without data", "/v1/pixel/track", nil, "", 200, 0, 1},
		{"pixel of nonsense", "/v1/pixel/track?data=%25%25", nil, "", 200, 0, 1},
		{"pixel of zeros", "/v1/pixel/track?data=%00%00", nil, "", 200, 0, 1},
		{"pixel of an array", "/v1/pixel/track?data=" + b64("[1]"), nil, "", 200, 0, 1},
		{"pixel not UTF-8", "/v1/pixel/track?data=" + b64("{\"event\":\"\xff\",\"userId\":\"u\"}"), nil, "", 200, 0, 1},
		{"pixel without a name", "/v1/pixel/track?data=" + b64(`{"userId":"SECRET"}`), nil, "", 200, 0, 1},
		{"pixel cut off", "/v1/pixel/track?data=" + b64(good[:20]), nil, "", 200, 0, 1},
		{"pixel of a batch", "/v1/pixel/batch?data=" + b64(`{"batch":[]}`), nil, "", 404, 0, 0},
		{"pixel too long", "/v1/pixel/track?data=" + strings.Repeat("A", 5000), nil, "", 414, 0, 0},
		{"pixel without a key", "/v1/pixel/track?data=" + b64(good), map[string]string{"Authorization": ""}, "", 401, 0, 0},
		{"pixel with a broken query", "/v1/pixel/track?data=%zz;", nil, "", 200, 0, 1},
	}
	return list
}

package segment

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

var received = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newTranslator(t testing.TB) *Translator {
	t.Helper()
	n := 0
	tr, err := New(DefaultConfig(), Deps{
		NewID:      func() string { n++; return fmt.Sprintf("made-%d", n) },
		Acceptable: func(_, value string) bool { return len(value) <= 512 && !strings.Contains(value, "\uFFFD") },
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// call returns a call with the body; of a batch when the method is empty.
func call(method, body string) Call {
	if method == "" {
		method = Batch
	}
	return Call{Method: method, Source: "web", Received: received, Address: "192.0.2.1", Body: []byte(body)}
}

// decode reads the message of an item as strictly as ingest does.
func decode(t testing.TB, kind wire.Kind, value []byte) wire.Message {
	t.Helper()
	var m wire.Message
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%v in %s", err, value)
	}
	if faults := m.Check(kind); len(faults) > 0 {
		t.Fatalf("%v in %s", faults, value)
	}
	return m
}

// one translates a single event that must be accepted.
func one(t testing.TB, method, body string) (wire.Message, *Translation) {
	t.Helper()
	tr := newTranslator(t).Translate(call(method, body))
	if tr.Accepted != 1 || len(tr.Items) != 1 || tr.Items[0].Reject != nil {
		t.Fatalf("%s %s: accepted %d of %d, %+v %+v", method, body, tr.Accepted, tr.Received, tr.Refused, tr.Whole)
	}
	it := tr.Items[0]
	m := decode(t, it.Kind, it.Value)
	if m.ID != it.ID || m.Source != it.Source {
		t.Fatalf("item %s of %s holds message %s of %s", it.ID, it.Source, m.ID, m.Source)
	}
	return m, tr
}

func TestNames(t *testing.T) {
	f := func(method, body, name, typ string) {
		t.Helper()
		if m, _ := one(t, method, body); m.Name != name || m.Type != typ {
			t.Errorf("%s %s: %q %q, want %q %q", method, body, m.Name, m.Type, name, typ)
		}
	}
	f("track", `{"userId":"u","event":"View \"it\""}`, `View "it"`, "track")
	f("track", `{"userId":"u","event":404}`, "404", "track")
	f("page", `{"userId":"u","name":"Home"}`, "Home", "page")
	f("page", `{"userId":"u","name":""}`, "Page", "page")
	f("page", `{"userId":"u","name":{"a":1}}`, "Page", "page")
	f("page", `{"userId":"u","name":"`+strings.Repeat("n", 300)+`"}`, "Page", "page")
	f("screen", `{"userId":"u"}`, "Screen", "screen")
	f("identify", `{"userId":"u"}`, "Identify", "identify")
	f("group", `{"userId":"u","groupId":"g"}`, "Group", "group")
	f("alias", `{"userId":"u","previousId":"p"}`, "Alias", "alias")
	f("", `{"batch":[{"type":"TRACK","userId":"u","event":"e"}]}`, "e", "track")
	f("track", `{"type":"page","userId":"u","event":"the path decides"}`, "the path decides", "track")
	f("track", "\xEF\xBB\xBF {\"userId\":\"u\",\"event\":\"after a byte order mark\"} ", "after a byte order mark", "track")
	f("track", `{"userId":"u","event":"first","event":"last"}`, "last", "track")
	f("track", `{"userId":"u","\u0065vent":"escaped key"}`, "escaped key", "track")
}

func TestTimes(t *testing.T) {
	at := func(text string) time.Time {
		x, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	f := func(name, method, body, event, original, sent string, warned bool) {
		t.Helper()
		m, tr := one(t, method, body)
		want := wire.Message{Time: at(event), Undated: original == ""}
		if original != "" {
			want.OriginalTime = at(original)
		}
		if sent != "" {
			want.SentTime = at(sent)
		}
		got := wire.Message{Time: m.Time, OriginalTime: m.OriginalTime, SentTime: m.SentTime, Undated: m.Undated}
		if diff := cmp.Diff(want, got); diff != "" || len(tr.Warnings) > 0 != warned {
			t.Errorf("%s: warnings %v\n%s", name, tr.Warnings, diff)
		}
	}
	const now = "2026-03-01T12:00:00Z"
	f("no time at all", "track", `{"userId":"u","event":"e"}`, now, "", "", false)
	f("no time but sending", "track", `{"userId":"u","event":"e","sentAt":"2026-03-01T11:00:00Z"}`, now, "", "2026-03-01T11:00:00Z", false)
	f("empty time", "track", `{"userId":"u","event":"e","timestamp":"","sentAt":null}`, now, "", "", false)
	f("no sending", "track", `{"userId":"u","event":"e","timestamp":"2026-02-01T10:00:00.123456Z"}`, "2026-02-01T10:00:00.123Z", "2026-02-01T10:00:00.123Z", "", false)
	f("clock fast by an hour", "track", `{"userId":"u","event":"e","timestamp":"2026-03-01T12:50:00Z","sentAt":"2026-03-01T13:00:00Z"}`, "2026-03-01T11:50:00Z", "2026-03-01T12:50:00Z", "2026-03-01T13:00:00Z", false)
	f("clock at 1970", "track", `{"userId":"u","event":"e","timestamp":"1970-01-01T00:00:01Z","sentAt":"1970-01-01T00:00:11Z"}`, "2026-03-01T11:59:50Z", "1970-01-01T00:00:01Z", "1970-01-01T00:00:11Z", false)
	f("originalTimestamp", "track", `{"userId":"u","event":"e","originalTimestamp":"2026-03-01T11:00:00Z","sentAt":"2026-03-01T11:30:00Z"}`, "2026-03-01T11:30:00Z", "2026-03-01T11:00:00Z", "2026-03-01T11:30:00Z", false)
	f("timestamp goes first", "track", `{"userId":"u","event":"e","timestamp":"2026-02-01T00:00:00Z","originalTimestamp":"2026-03-01T11:00:00Z"}`, "2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", "", false)
	f("the envelope's sending goes first", "", `{"sentAt":"2026-03-01T12:30:00Z","batch":[{"type":"track","userId":"u","event":"e","timestamp":"2026-03-01T12:20:00Z","sentAt":"2026-03-01T12:21:00Z"}]}`, "2026-03-01T11:50:00Z", "2026-03-01T12:20:00Z", "2026-03-01T12:30:00Z", false)
	f("the entry's sending", "", `{"batch":[{"type":"track","userId":"u","event":"e","timestamp":"2026-03-01T12:20:00Z","sentAt":"2026-03-01T12:21:00Z"}]}`, "2026-03-01T11:59:00Z", "2026-03-01T12:20:00Z", "2026-03-01T12:21:00Z", false)
	f("import", Import, `{"sentAt":"2026-03-01T13:00:00Z","batch":[{"type":"track","userId":"u","event":"e","timestamp":"2020-01-01T00:00:00Z"}]}`, "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "2026-03-01T13:00:00Z", false)
	f("sending that is no date", "track", `{"userId":"u","event":"e","timestamp":"2026-02-01T00:00:00Z","sentAt":"soon"}`, "2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", "", true)
	f("correction out of the years", "track", `{"userId":"u","event":"e","timestamp":"1905-01-01T00:00:00Z","sentAt":"2299-01-01T00:00:00Z"}`, "1905-01-01T00:00:00Z", "1905-01-01T00:00:00Z", "2299-01-01T00:00:00Z", false)
	f("milliseconds", "track", `{"userId":"u","event":"e","timestamp":1767225600123}`, "2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.123Z", "", false)
}

func TestParseTime(t *testing.T) {
	f := func(value, want string, state state) {
		t.Helper()
		got, s := parseTime([]byte(value))
		text := ""
		if s == dateGood {
			text = got.Format(time.RFC3339Nano)
		}
		if s != state || text != want {
			t.Errorf("%s: %q (%d), want %q (%d)", value, text, s, want, state)
		}
	}
	good := func(value, want string) { t.Helper(); f(value, want, dateGood) }
	for _, v := range []string{
		`"2024-02-29T12:34:56Z"`, `"2024-02-29t12:34:56z"`, `"2024-02-29 12:34:56"`, `"2024-02-29T12:34:56"`, `"2024-02-29T12:34:56+00:00"`, `"2024-02-29T14:34:56+0200"`,
		`"2024-02-29T10:34:56-02"`, `"2024-02-29 12:34:56 +0000"`, `"2024-02-29 12:34:56 UTC"`, `"Thu, 29 Feb 2024 12:34:56 GMT"`, `"Thu, 29 Feb 2024 12:34:56 +0000"`,
		`"Thu Feb 29 2024 12:34:56 GMT+0000 (Coordinated Universal Time)"`, `"20240229T123456Z"`, `"2024-02-29T12:34:55.9999999994Z"`,
		`1709210096`, `1709210096000`, `1709210096000000`, `1709210096000000000`, `"1709210096000"`, `"1709210096"`, `1.709210096e9`,
	} {
		if strings.Contains(v, ".99") {
			good(v, "2024-02-29T12:34:55.999Z")
			continue
		}
		good(v, "2024-02-29T12:34:56Z")
	}
	good(`"2024-02-29"`, "2024-02-29T00:00:00Z")
	good(`"2024-02-29T12:34Z"`, "2024-02-29T12:34:00Z")
	good(`"2024-12-31T23:59:60Z"`, "2025-01-01T00:00:00Z")
	good(`"2024-02-29T12:34:56,5Z"`, "2024-02-29T12:34:56.5Z")
	good(`-1000`, "1969-12-31T23:43:20Z")
	good(`0`, "1970-01-01T00:00:00Z")
	for _, v := range []string{`null`, `""`} {
		f(v, "", dateAbsent)
	}
	for _, v := range []string{
		`"2023-02-29T00:00:00Z"`, `"2024-13-01T00:00:00Z"`, `"2024-00-01"`, `"2024-01-00"`, `"2024-04-31"`, `"2024-01-01T24:00:00Z"`, `"2024-01-01T00:60:00Z"`,
		`"2024-01-01T00:00:61Z"`, `"0000-01-01T00:00:00Z"`, `"0001-01-01T00:00:00Z"`, `"1899-12-31T23:59:59Z"`, `"9999-12-31T23:59:59Z"`, `"2300-01-01"`,
		`"2024-01-01T00:00:00+99:00"`, `1e30`, `-1e30`, `1e999`, `99999999999999999999999`, `99999999999999`, `-9999999999`,
	} {
		f(v, "", dateRange)
	}
	for _, v := range []string{`"yesterday"`, `"2024"`, `"2024-02"`, `"2024/02/29"`, `"29.02.2024"`, `"2024-02-29T"`, `"2024-02-29T12"`, `"2024-02-29T12:34:56."`, `"2024-02-29T12:34:56X"`, `"2024-02-29T12:34:56Zx"`, `"+002024-02-29T00:00:00Z"`, `"` + strings.Repeat("9", 65) + `"`} {
		f(v, "", dateForm)
	}
	for _, v := range []string{`true`, `{}`, `[]`} {
		f(v, "", dateType)
	}
}

func identifierTexts(m wire.Message) string {
	var b strings.Builder
	for _, id := range m.Identifiers {
		fmt.Fprintf(&b, "%s:%s ", id.Namespace, id.Value)
	}
	return strings.TrimSpace(b.String())
}

func TestIdentifiers(t *testing.T) {
	f := func(method, body, want string, warnings int) {
		t.Helper()
		m, tr := one(t, method, body)
		if got := identifierTexts(m); got != want || len(tr.Warnings) != warnings {
			t.Errorf("%s %s:\n got %s\nwant %s\nwarnings %v", method, body, got, want, tr.Warnings)
		}
	}
	f("track", `{"event":"e","userId":"u","anonymousId":"a"}`, "user_id:u anonymous_id:a", 0)
	f("track", `{"event":"e","userId":42,"anonymousId":-1.5}`, "user_id:42 anonymous_id:-1.5", 0)
	f("track", `{"event":"e","userId":"","anonymousId":"a"}`, "anonymous_id:a", 0)
	f("track", `{"event":"e","userId":null,"anonymousId":"a"}`, "anonymous_id:a", 0)
	f("track", `{"event":"e","userId":"a\"\u00e9\\\u0001"}`, "user_id:a\"é\\\x01", 0)
	f("identify", `{"userId":"u","traits":{"email":"a@b.c","phone":123}}`, "user_id:u email:a@b.c phone:123", 0)
	f("identify", `{"userId":"u","traits":{"email":"a@b.c"},"context":{"traits":{"email":"a@b.c"}}}`, "user_id:u email:a@b.c", 0)
	f("identify", `{"traits":{"email":"a@b.c"}}`, "email:a@b.c", 0)
	f("track", `{"event":"e","userId":"u","context":{"traits":{"email":"c@b.c","phone":"+351"}},"properties":{"email":"p@b.c"}}`, "user_id:u email:c@b.c phone:+351 email:p@b.c", 0)
	f("track", `{"event":"e","userId":"u","traits":{"email":"t@b.c"}}`, "user_id:u email:t@b.c", 0)
	f("track", `{"event":"e","userId":"u","properties":{"email":{"a":1},"phone":true}}`, "user_id:u", 2)
	f("track", `{"event":"e","userId":"u","properties":{"email":"`+strings.Repeat("x", 600)+`"}}`, "user_id:u", 1)
	f("track", `{"event":"e","userId":"u","properties":{"email":"a\ud800b"}}`, "user_id:u", 1)
	f("group", `{"groupId":"g","userId":"u","traits":{"email":"office@b.c"}}`, "user_id:u", 0)
	f("track", `{"event":"e","anonymousId":"a","context":{"device":{"id":"d1","advertisingId":"d2","token":"t1","type":"ios"}}}`, "anonymous_id:a device:d1 device:d2 push_token:t1", 0)
	f("track", `{"event":"e","context":{"device":{"id":"d1","advertisingId":"d1"}}}`, "device:d1", 0)
	f("track", `{"event":"e","userId":"u","context":{"device":"phone"}}`, "user_id:u", 0)
	f("track", `{"event":"e","userId":"u","context":{"externalIds":[
		{"id":"1","type":"Loyalty","collection":"users","encoding":"none"},{"id":2,"type":"braze.id"},{"id":"3","type":"crm","collection":"accounts"},
		{"id":"4","type":"ios.idfa","collection":"users"},{"id":"5","type":"email","encoding":"sha256"},{"id":"6"},{"id":"7","type":"9lives"},7,{"type":"x"},{"id":{},"type":"y"},{"id":"g","type":"group_id"}]}}`,
		"user_id:u loyalty:1 braze_id:2 device:4", 6)
	f("track", `{"event":"e","userId":"u","context":{"externalIds":{"id":"1"}}}`, "user_id:u", 1)
	f("track", `{"event":"e","userId":"u","context":{"externalIds":[`+strings.Repeat(`{"id":"1","type":"x"},`, 60)+`{"id":"1","type":"x"}]}}`, "user_id:u"+strings.Repeat(" x:1", 50), 1)
	f("alias", `{"userId":"u","previousId":"old"}`, "user_id:u user_id:old", 0)
	f("alias", `{"userId":"u","previousId":"7d444840-9dc0-11d1-b245-5ffdce74fad2"}`, "user_id:u anonymous_id:7d444840-9dc0-11d1-b245-5ffdce74fad2", 0)
	f("alias", `{"userId":"u","anonymousId":"a","previousId":"a"}`, "user_id:u anonymous_id:a", 0)
	f("alias", `{"userId":"u","previousId":"u"}`, "user_id:u", 0)
	f("", `{"context":{"traits":{"email":"e@b.c"},"device":{"id":"d"}},"batch":[{"type":"track","event":"e","userId":"u"}]}`, "user_id:u email:e@b.c device:d", 0)
	f("", `{"context":{"traits":{"email":"e@b.c"}},"batch":[{"type":"track","event":"e","userId":"u","context":{"traits":{}}}]}`, "user_id:u", 0)
}

func TestPropertiesTraitsContext(t *testing.T) {
	f := func(method, body, properties, traits, context string) {
		t.Helper()
		m, _ := one(t, method, body)
		got := []string{string(m.Properties), string(m.Traits), string(m.Context)}
		if diff := cmp.Diff([]string{properties, traits, context}, got); diff != "" {
			t.Errorf("%s %s\n%s", method, body, diff)
		}
	}
	f("track", `{"event":"e","userId":"u","properties":{ "a": 1e400, "a" :[ ]} }`, `{ "a": 1e400, "a" :[ ]}`, "", "")
	f("track", `{"event":"e","userId":"u","properties":null,"context":null,"traits":null}`, "", "", "")
	f("identify", `{"userId":"u","traits":{"plan":null,"x":""}}`, "", `{"plan":null,"x":""}`, "")
	f("identify", `{"userId":"u","context":{"traits":{"plan":"p"}}}`, "", `{"plan":"p"}`, `{"traits":{"plan":"p"}}`)
	f("identify", `{"userId":"u","traits":{"a":1},"context":{"traits":{"b":1}}}`, "", `{"a":1}`, `{"traits":{"b":1}}`)
	f("track", `{"event":"e","userId":"u","traits":{"a":1}}`, "", "", `{"traits":{"a":1}}`)
	f("track", `{"event":"e","userId":"u","traits":{"a":1},"context":{"traits":{"b":1}}}`, "", "", `{"traits":{"b":1}}`)
	f("page", `{"userId":"u","name":"Home","category":"Shop"}`, `{"name":"Home","category":"Shop"}`, "", "")
	f("page", `{"userId":"u","name":"Home","category":"Shop","properties":{"name":"own","x":1}}`, `{"category":"Shop","name":"own","x":1}`, "", "")
	f("page", `{"userId":"u","properties":{"name":"own"}}`, `{"name":"own"}`, "", "")
	f("group", `{"userId":"u","groupId":7,"traits":{"n":null}}`, `{"groupId":7,"traits":{"n":null}}`, "", "")
	f("group", `{"userId":"u","groupId":"g","properties":{"x":1}}`, `{"groupId":"g","x":1}`, "", "")
	f("alias", `{"userId":"u","previousId":"p"}`, `{"previousId":"p"}`, "", "")
	f("track", `{"event":"e","userId":"u","channel":"server","integrations":{"All":false,"X":true}}`, "", "", `{"channel":"server","integrations":{"All":false,"X":true}}`)
	f("track", `{"event":"e","userId":"u","channel":7,"integrations":true}`, "", "", "")
	f("track", `{"event":"e","userId":"u","writeKey":"k","receivedAt":"x","version":2,"_metadata":{"a":1},"sessionId":"s"}`, "", "", "")
	f("track", `{"event":"e","userId":"u","context":{"direct":true}}`, "", "", `{"direct":true,"ip":"192.0.2.1"}`)
	f("track", `{"event":"e","userId":"u","context":{"direct":true,"ip":"198.51.100.7"}}`, "", "", `{"direct":true,"ip":"198.51.100.7"}`)
	f("track", `{"event":"e","userId":"u","context":{"direct":false}}`, "", "", `{"direct":false}`)
	f("track", `{"event":"e","userId":"u","integrations":{"Actions Amplitude":{"session_id":1700}}}`, "", "", `{"integrations":{"Actions Amplitude":{"session_id":1700}},"sessionId":1700}`)
	f("track", `{"event":"e","userId":"u","context":{"sessionId":"own"},"integrations":{"Amplitude":{"session_id":1700}}}`, "", "", `{"sessionId":"own","integrations":{"Amplitude":{"session_id":1700}}}`)
	f("track", `{"event":"e","userId":"u","integrations":{"Amplitude":{"session_id":-1}}}`, "", "", `{"integrations":{"Amplitude":{"session_id":-1}}}`)
	f("", `{"context":{"a":1,"b":{"x":1}},"integrations":{"All":true,"Y":false},"batch":[{"type":"track","event":"e","userId":"u","context":{ "b":{"y":2}, "c":3 },"integrations":{"All":false}}]}`,
		"", "", `{"a":1,"b":{"y":2}, "c":3,"integrations":{"Y":false,"All":false}}`)
	f("", `{"context":{"a":1},"integrations":7,"batch":[{"type":"track","event":"e","userId":"u"}]}`, "", "", `{"a":1}`)
	f("", `{"context":[1],"batch":[{"type":"track","event":"e","userId":"u","context":{}}]}`, "", "", "")
	many := `{"k0":0`
	for i := 1; i < 100; i++ {
		many += fmt.Sprintf(`,"k%d":%d`, i, i)
	}
	f("", `{"context":{"k7":"shared","s":1},"batch":[{"type":"track","event":"e","userId":"u","context":`+many+`}}]}`, "", "", `{"s":1,`+many[1:]+"}")
}

func TestPixelTellsTheProgram(t *testing.T) {
	c := call("track", `{"event":"e","userId":"u"}`)
	c.Pixel, c.UserAgent = true, `Mail "1.0"`
	tr := newTranslator(t).Translate(c)
	if m := decode(t, wire.Behaviour, tr.Items[0].Value); string(m.Context) != `{"userAgent":"Mail \"1.0\""}` {
		t.Errorf("context %s", m.Context)
	}
}

func TestMessageIDs(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		if m, _ := one(t, "track", body); m.ID != want {
			t.Errorf("%s: id %q, want %q", body, m.ID, want)
		}
	}
	f(`{"event":"e","userId":"u","messageId":"m\u00e9"}`, "mé")
	f(`{"event":"e","userId":"u","messageId":17}`, "17")
	f(`{"event":"e","userId":"u","messageId":""}`, "made-1")
	f(`{"event":"e","userId":"u","messageId":null}`, "made-1")
	f(`{"event":"e","userId":"u"}`, "made-1")
}

// TestReuse translates calls one after the other with the same buffers, after a
// refusal, a large call and warnings, and expects what fresh buffers give.
func TestReuse(t *testing.T) {
	calls := []Call{
		call("", `{"context":{"a":1},"batch":[{"type":"track","userId":"u","event":"e","messageId":"1","integrations":7},{"type":"x"},7]}`),
		call("track", `{"userId":"u","event":"e","messageId":"2"}`),
		call("", `{"batch":[`+strings.Repeat(`{"type":"page","userId":"u","messageId":"3","properties":{"x":"`+strings.Repeat("y", 1000)+`"}},`, 200)+`1]}`),
		call("", `nothing`),
		call("track", `{"userId":"u","event":"e","messageId":"4","traits":{"email":"a@b.c"}}`),
	}
	show := func(tr *Translation) string {
		var b strings.Builder
		fmt.Fprintln(&b, tr.Received, tr.Accepted, tr.Refused, tr.Warnings)
		for _, it := range tr.Items {
			fmt.Fprintf(&b, "%s %s %s %+v\n", it.Kind, it.ID, it.Value, it.Reject)
		}
		if tr.Whole != nil {
			fmt.Fprintln(&b, *tr.Whole)
		}
		return b.String()
	}
	shared := newTranslator(t)
	for round := range 3 {
		for i, c := range calls {
			tr := shared.Translate(c)
			if diff := cmp.Diff(show(newTranslator(t).Translate(c)), show(tr)); diff != "" {
				t.Fatalf("round %d, call %d: %s", round, i, diff)
			}
			tr.Release()
		}
	}
}

package segment

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	f := func(method, body, code, detail, place string) {
		t.Helper()
		c := call(method, body)
		tr := newTranslator(t).Translate(c)
		if tr.Whole != nil || len(tr.Refused) != 1 || len(tr.Items) != 1 || tr.Items[0].Reject == nil {
			t.Errorf("%s: %d items, refused %+v, whole %+v", body, len(tr.Items), tr.Refused, tr.Whole)
			return
		}
		it, v := tr.Items[0], tr.Refused[0]
		if v.Code != code || !strings.Contains(v.Detail, detail) || it.Reject.Reason != code || it.Reject.Detail != v.Detail || it.Reject.Position != place || it.Source != "web" {
			t.Errorf("%s: %+v %+v, want %s %s", body, v, *it.Reject, code, detail)
		}
		if !bytes.Contains(c.Body, it.Value) || len(it.Value) == 0 {
			t.Errorf("%s: kept %q", body, it.Value)
		}
		if strings.Contains(v.Detail, "SECRET") {
			t.Errorf("%s: the verdict repeats a value: %s", body, v.Detail)
		}
	}
	batch := func(entry, code, detail string) {
		t.Helper()
		f("", `{"batch":[`+entry+`]}`, code, detail, "batch[0]")
	}
	batch(`7`, codeField, "an object, not number")
	batch(`"SECRET"`, codeField, "an object, not string")
	batch(`null`, codeField, "an object, not null")
	batch(`{}`, codeMissing, `field "type" is required`)
	batch(`{"type":7}`, codeField, `field "type" must be a string, not number`)
	batch(`{"type":"SECRET","userId":"u"}`, codeField, `field "type" must be track`)
	batch(`{"type":"track","userId":"u"}`, codeMissing, `field "event" is required`)
	batch(`{"type":"track","userId":"u","event":{}}`, codeField, `field "event" must be a string, not object`)
	batch(`{"type":"track","userId":"u","event":""}`, codeMissing, `field "event"`)
	batch(`{"type":"track","userId":"u","event":"`+strings.Repeat("SECRET", 40)+`"}`, codeField, `field "event" has 240 bytes; the limit is 200`)
	batch(`{"type":"track","event":"e"}`, codeMissing, `"userId" or "anonymousId" is required`)
	batch(`{"type":"track","event":"e","userId":"","anonymousId":null}`, codeMissing, `"userId" or "anonymousId" is required`)
	batch(`{"type":"track","event":"e","userId":{"SECRET":1}}`, codeIdentifier, `field "userId" must be a string or a number, not object`)
	batch(`{"type":"track","event":"e","userId":true}`, codeIdentifier, `not boolean`)
	batch(`{"type":"track","event":"e","userId":"u","anonymousId":["SECRET"]}`, codeIdentifier, `field "anonymousId"`)
	batch(`{"type":"track","event":"e","userId":"`+strings.Repeat("SECRET", 100)+`"}`, codeIdentifier, `text of 600 bytes`)
	batch(`{"type":"track","event":"e","userId":"\udc00"}`, codeIdentifier, `field "userId"`)
	batch(`{"type":"alias","userId":"u","previousId":{}}`, codeIdentifier, `field "previousId"`)
	batch(`{"type":"alias","userId":"u"}`, codeMissing, `field "previousId" is required`)
	batch(`{"type":"group","userId":"u"}`, codeMissing, `field "groupId" is required`)
	batch(`{"type":"group","userId":"u","groupId":[]}`, codeField, `field "groupId"`)
	batch(`{"type":"group","userId":"u","groupId":"`+strings.Repeat("g", 501)+`"}`, codeField, `the limit is 500`)
	batch(`{"type":"track","event":"e","userId":"u","messageId":{}}`, codeField, `field "messageId"`)
	batch(`{"type":"track","event":"e","userId":"u","messageId":"`+strings.Repeat("m", 201)+`"}`, codeField, `has 201 bytes`)
	for _, field := range []string{"properties", "traits", "context"} {
		batch(`{"type":"identify","userId":"u","`+field+`":["SECRET"]}`, codeField, `field "`+field+`" must be an object, not array`)
		batch(`{"type":"identify","userId":"u","`+field+`":"SECRET"}`, codeField, `not string`)
	}
	batch(`{"type":"track","event":"e","userId":"u","timestamp":"SECRET"}`, codeField, `field "timestamp" is not an ISO 8601 date, but text of 8 bytes`)
	batch(`{"type":"track","event":"e","userId":"u","timestamp":"2023-02-30T00:00:00Z"}`, codeField, `field "timestamp" is a date that does not exist`)
	batch(`{"type":"track","event":"e","userId":"u","timestamp":"9999-01-01T00:00:00Z"}`, codeField, `outside 1900 to 2299`)
	batch(`{"type":"track","event":"e","userId":"u","originalTimestamp":true}`, codeField, `field "originalTimestamp" must be a date as text or number, not boolean`)
	batch(`{"type":"track","event":"e","userId":"u","properties":{"x":"`+strings.Repeat("y", 300_000)+`"}}`, codeTooLarge, `the limit is 262144`)
	batch("{\"type\":\"track\",\"event\":\"\xff\",\"userId\":\"u\"}", codeJSON, "not UTF-8")
	batch(`{"type":"track","event":"e","userId":"u","properties":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)+`}`, codeJSON, "nesting is too deep")
	f("track", `{"userId":"u"}`, codeMissing, `field "event" is required`, "track")
	f("page", `{"messageId":"m1"}`, codeMissing, `is required`, "page message m1")
	f("", `{"batch":[{"messageId":"m1"}]}`, codeMissing, `is required`, "batch[0] message m1")
}

func TestWholeRefusals(t *testing.T) {
	f := func(method, body, code, detail string) {
		t.Helper()
		tr := newTranslator(t).Translate(call(method, body))
		if tr.Whole == nil || len(tr.Items) != 1 || tr.Items[0].Reject == nil || len(tr.Refused) != 0 || tr.Accepted != 0 {
			t.Errorf("%.60s: %d items, refused %+v, whole %+v", body, len(tr.Items), tr.Refused, tr.Whole)
			return
		}
		if w := tr.Whole; w.Code != code || !strings.Contains(w.Detail, detail) || strings.Contains(w.Detail, "SECRET") {
			t.Errorf("%.60s: %+v", body, *w)
		}
		if !strings.HasPrefix(body, string(tr.Items[0].Value)) || len(tr.Items[0].Value) < min(len(body), 500_000) {
			t.Errorf("%.60s: %d bytes are kept", body, len(tr.Items[0].Value))
		}
	}
	for _, method := range []string{"", "track"} {
		f(method, ``, codeJSON, "not JSON")
		f(method, `SECRET`, codeJSON, "not JSON")
		f(method, `{"SECRET":`, codeJSON, "not JSON")
		f(method, `{"batch":[],}`, codeJSON, "not JSON")
		f(method, `{"batch":[]}{"SECRET":1}`, codeJSON, "text after the value")
	}
	f("", `[]`, codeJSON, "expected an object")
	f("track", `["SECRET"]`, codeField, "must be an object, not array")
	f("track", "{\"userId\":\"\xff\"}", codeJSON, "not UTF-8")
	f("", `{}`, codeMissing, `field "batch" is required`)
	f("", `{"batch":{}}`, codeMissing, `must be an array, not object`)
	f("", `{"batch":null}`, codeMissing, `must be an array, not null`)
	f("", "{\"batch\":[],\"context\":{\"a\":\"\xff\"}}", codeJSON, "not UTF-8")
	f("", `{"batch":[`+strings.Repeat("1,", 2500)+`1]}`, codeTooLarge, "more than 2500 entries")
	f("", `{"batch":[`+strings.Repeat(" ", 600_000)+`}`, codeJSON, "not JSON")
	f("", `{"context":{"x":"`+strings.Repeat("y", 10_000)+`"},"batch":[]}`, codeTooLarge, "the limit is 8192")
	deep := strings.Repeat("[", 300) + strings.Repeat("]", 300)
	f("", `{"a":`+deep+`,"batch":7}`, codeMissing, "must be an array, not number")
	f("", `{"a":`+deep+`,"batch":[}`, codeJSON, "not JSON")
	f("", `{"batch":[`+strings.Repeat("[", 300)+`]}`, codeJSON, "nesting is too deep")
	f("", `{"batch":[`+deep+` 7]}`, codeJSON, "expected a comma")
	f("", deep, codeJSON, "")
}

func TestCutBody(t *testing.T) {
	c := call("", `{"batch":[{"type":"track"`)
	c.Cut = true
	tr := newTranslator(t).Translate(c)
	if tr.Whole == nil || tr.Whole.Code != codeTooLarge || len(tr.Items) != 1 || !bytes.Equal(tr.Items[0].Value, c.Body) {
		t.Errorf("whole %+v, items %+v", tr.Whole, tr.Items)
	}
}

// TestNeighboursOfBadEntries holds that one bad entry costs the others nothing,
// however it is bad.
func TestNeighboursOfBadEntries(t *testing.T) {
	good := func(n int) string {
		return fmt.Sprintf(`{"type":"track","event":"e","userId":"u","messageId":"%d"}`, n)
	}
	for _, bad := range []string{
		`7`, `{}`, `{"type":"track","event":"e"}`, "\"\xff\"", `{"type":"track","userId":"u","event":"e","context":{"a":` + strings.Repeat(`{"a":`, 500_000) + `1` + strings.Repeat(`}`, 500_000) + `}}`,
		strings.Repeat("[", 200) + strings.Repeat("]", 200),
		strings.Repeat("[", 200) + `"]\"[` + "\u2028" + `"` + strings.Repeat("]", 200),
	} {
		tr := newTranslator(t).Translate(call("", `{"sentAt":"2026-03-01T12:00:00Z","batch":[ `+good(0)+` , `+bad+`,`+good(2)+` ],"context":{"a":1}}`))
		if tr.Whole != nil || tr.Received != 3 || tr.Accepted != 2 || len(tr.Refused) != 1 || tr.Refused[0].Index != 1 || len(tr.Items) != 3 ||
			tr.Items[0].ID != "0" || tr.Items[2].ID != "2" || tr.Items[1].Reject.Position != "batch[1]" || !strings.Contains(string(tr.Items[2].Value), `"context":{"a":1}`) {
			t.Errorf("%.40s: received %d, accepted %d, refused %+v, whole %+v", bad, tr.Received, tr.Accepted, tr.Refused, tr.Whole)
		}
	}
}

package ingest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

func TestGroup(t *testing.T) {
	f := func(name string, e Event, want, traits string) {
		t.Helper()
		id, got, ok := e.Group()
		if ok != (want != "") || ok && (id != want || string(got) != traits) {
			t.Errorf("%s: %q %s %t, want %q %s", name, id, got, ok, want, traits)
		}
	}
	group := func(properties string) Event {
		return Event{Kind: wire.Behaviour, Type: "group", Properties: json.RawMessage(properties)}
	}
	f("text", group(`{"groupId":"acme \"1\"","traits":{"plan":"gold"}}`), `acme "1"`, `{"plan":"gold"}`)
	f("number", group(`{"traits":null,"groupId":42}`), "42", "")
	f("said twice", group(`{"groupId":"a","groupId":"b","traits":{"a":1},"traits":[1]}`), "b", "")
	f("object", group(`{"groupId":{"id":1}}`), "", "")
	f("null", group(`{"groupId":null}`), "", "")
	f("empty", group(`{"groupId":""}`), "", "")
	f("too long", group(`{"groupId":"`+strings.Repeat("a", 501)+`"}`), "", "")
	f("none", group(``), "", "")
	track := group(`{"groupId":"a"}`)
	track.Type = "track"
	f("another call", track, "", "")
}

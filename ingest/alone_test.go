package ingest

import (
	"encoding/json"
	"testing"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// TestEventsThatStandAlone have a name of which those can be told who ask for it; of all
// others they are told that anything may have changed.
func TestEventsThatStandAlone(t *testing.T) {
	f := func(e Event, want string) {
		t.Helper()
		e.Name = "View"
		if got := e.alone(); got != want {
			t.Errorf("%+v: %q, want %q", e, got, want)
		}
	}
	f(Event{Kind: wire.Behaviour, Type: "track"}, "View")
	f(Event{Kind: wire.Behaviour, Type: "page", Properties: json.RawMessage(`{"a":1}`)}, "View")
	f(Event{Kind: wire.Behaviour, Traits: json.RawMessage(`null`)}, "View")
	f(Event{Kind: wire.Behaviour, Traits: json.RawMessage(`{"plan":"free"}`)}, "")
	f(Event{Kind: wire.Behaviour, Consents: []Consent{{Purpose: "news"}}}, "")
	f(Event{Kind: wire.Behaviour, Type: "group"}, "")
	for _, kind := range []wire.Kind{wire.Transaction, wire.Social, wire.Location, wire.Support, wire.Feedback, wire.Sensor, wire.Contact} {
		f(Event{Kind: kind, Type: "track"}, "")
	}
}

package ingest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

func decodeKind(t *testing.T, kind wire.Kind, body string) (*Event, *DeadLetter) {
	t.Helper()
	return testDecoder().Decode(kind, record(`{"id":"m","name":"n","source":"s","time":"2026-01-01T00:00:00Z",`+body+`}`))
}

// A message without the typed part of its kind, with one of another kind, or
// with a wrong one is a dead letter that names the field.
func TestKindsRefuse(t *testing.T) {
	f := func(kind wire.Kind, body string, reason Reason, field string) {
		t.Helper()
		ev, dl := decodeKind(t, kind, body)
		if ev != nil || dl.Reason != reason || !strings.Contains(dl.Detail, field) {
			t.Errorf("%s %s: event %t, letter %+v", kind, body, ev != nil, dl)
		}
	}
	for _, kind := range wire.Kinds()[2:] {
		f(kind, `"properties":{}`, ReasonMissing, string(kind))
		if kind != wire.Social {
			f(wire.Social, fmt.Sprintf(`"social":{"network":"x"},%q:{}`, kind), ReasonField, string(kind))
		}
		f(wire.Behaviour, fmt.Sprintf(`%q:{}`, kind), ReasonField, string(kind))
		f(wire.Transaction, fmt.Sprintf(`%q:{},"transaction":{"type":"order","order_id":"1","currency":"EUR","amount":1}`, kind), ReasonField, string(kind))
	}
	f(wire.Location, `"location":{"lat":91,"lon":0}`, ReasonField, "location.lat")
	f(wire.Location, `"location":{"lat":1}`, ReasonMissing, "location.lon")
	f(wire.Feedback, `"feedback":{"instrument":"nps","score":11}`, ReasonField, "feedback.score")
	f(wire.Sensor, `"sensor":{"technology":"sonar","device":"d"}`, ReasonField, "sensor.technology")
	f(wire.Catalogue, `"catalogue":{"type":"product","item_id":"a","price":1e99}`, ReasonField, "catalogue.price")
}

func TestKindsFillDefaults(t *testing.T) {
	ev, dl := decodeKind(t, wire.Social, `"social":{"network":"x","text":"What a great day, thank you!"}`)
	if dl != nil {
		t.Fatal(dl.Detail)
	}
	if s := ev.Parts.Social; s.Direction != "inbound" || s.Visibility != "public" {
		t.Errorf("%+v", s)
	}
	if u := ev.Parts.Text; u.Language != "en" || u.LanguageBy != ByText || u.SentimentBy != ByText || u.Sentiment == nil || *u.Sentiment < .3 {
		t.Errorf("%+v", u)
	}
	ev, _ = decodeKind(t, wire.Feedback, `"feedback":{"instrument":"ces","score":3}`)
	if a := ev.Parts.Feedback; *a.ScaleMin != 1 || *a.ScaleMax != 7 {
		t.Errorf("scale %v to %v", *a.ScaleMin, *a.ScaleMax)
	}
}

// The producer's own word wins, and what it says of the language decides whether
// the text is scored.
func TestUnderstand(t *testing.T) {
	half := .5
	f := func(text, language string, sentiment *float64, want Understanding) {
		t.Helper()
		if d := cmp.Diff(want, understand(text, language, sentiment)); d != "" {
			t.Errorf("%q, %q: %s", text, language, d)
		}
	}
	f("This is terrible.", "fr", &half, Understanding{"fr", &half, ByProducer, ByProducer})
	f("This is terrible.", "fr", nil, Understanding{"fr", nil, ByProducer, ByNobody})
	f("C'est vraiment très mauvais, je suis déçu.", "", nil, Understanding{"fr", nil, ByText, ByNobody})
	f("C'est vraiment très mauvais, je suis déçu.", "", &half, Understanding{"fr", &half, ByText, ByProducer})
	f("", "", nil, Understanding{})
	f("xyzzy", "", nil, Understanding{})
	if u := understand("This is terrible.", "en-GB", nil); u.Sentiment == nil || *u.Sentiment > -.3 || u.LanguageBy != ByProducer {
		t.Errorf("%+v", u)
	}
}

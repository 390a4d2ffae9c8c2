package ingest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

var received = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func plainNormalize(ns identity.Namespace, v string) (identity.Identifier, bool, error) {
	v = strings.TrimSpace(v)
	return identity.Identifier{Namespace: ns, Value: v}, v != "", nil
}

func testDecoder() *Decoder { return NewDecoder(identity.Secret{1}, plainNormalize) }

func record(value string, headers ...string) *kafka.Message {
	m := &kafka.Message{Topic: "kindred.behaviour", Partition: 1, Offset: 7, Value: []byte(value), Time: received}
	for i := 0; i < len(headers); i += 2 {
		m.Headers = append(m.Headers, kafka.Header{Key: headers[i], Value: []byte(headers[i+1])})
	}
	return m
}

func TestDecodeBehaviour(t *testing.T) {
	ev, dl := testDecoder().Decode(wire.Behaviour, record(`{"id":"m1","name":"Signed Up","source":"web","time":"2026-03-01T11:59:58.5Z",
		"original_time":"2026-03-01T11:00:00Z","sent_time":"2026-03-01T11:00:01Z",
		"identifiers":[{"namespace":"user_id","value":"7"},{"namespace":"email","value":" "}],
		"properties":{"plan":"pro"},"traits":{"b":null,"a":"x"},
		"context":{"page":{"url":"https://x/y","referrer":"r"},"campaign":{"name":"spring"},"sessionId":42}}`))
	if dl != nil {
		t.Fatalf("dead letter: %s %s", dl.Reason, dl.Detail)
	}
	want := &Event{
		Workspace: "main", Kind: wire.Behaviour, ID: "m1", Name: "Signed Up", Type: "track", Source: "web",
		Time: received.UnixMilli() - 1500, Original: received.UnixMilli() - 3_600_000, Sent: received.UnixMilli() - 3_599_000, Received: received.UnixMilli(),
		Identifiers: []identity.Identifier{{Namespace: "user_id", Value: "7"}},
		URL:         "https://x/y", Referrer: "r", Campaign: "spring", Session: "42",
		Position: Position{"kindred.behaviour", 1, 7},
	}
	keyer := identity.NewKeyer(identity.Secret{1}, "main")
	want.Members, _ = keyer.Members(want.Identifiers)
	want.Anchor = identity.AnchorID(want.Members[0].Key)
	got := *ev
	if d := cmp.Diff([]Trait{{"a", `"x"`}, {"b", "null"}}, got.Observations()); d != "" {
		t.Errorf("traits: %s", d)
	}
	got.Properties, got.Traits, got.Context, got.Hash, got.BodyHash, got.raw = nil, nil, nil, Hash{}, 0, nil
	if d := cmp.Diff(want, &got, cmp.AllowUnexported(Event{})); d != "" {
		t.Errorf("event: %s", d)
	}
}

func TestDecodeClampsTheFuture(t *testing.T) {
	ev, _ := testDecoder().Decode(wire.Behaviour, record(`{"id":"m","name":"n","source":"s","time":"2030-01-01T00:00:00Z"}`))
	if ev == nil || ev.Time != ev.Received || ev.Original == ev.Time {
		t.Errorf("got %+v; want the time of receipt, and the claim kept as original", ev)
	}
}

// A sender that tries again changes when it sent, and nothing else.
func TestBodyHashIgnoresTheSending(t *testing.T) {
	d := testDecoder()
	decode := func(v string) *Event {
		t.Helper()
		ev, dl := d.Decode(wire.Behaviour, record(v))
		if dl != nil {
			t.Fatal(dl.Detail)
		}
		return ev
	}
	a := decode(`{"id":"m","name":"n","source":"s","time":"2026-01-01T00:00:01Z","original_time":"2026-01-01T00:00:00Z","sent_time":"2026-01-01T00:00:00Z"}`)
	b := decode(`{"id":"m","name":"n","source":"s","time":"2026-01-01T00:00:09Z","original_time":"2026-01-01T00:00:00Z","sent_time":"2026-01-01T00:00:08Z"}`)
	c := decode(`{"id":"m","name":"n","source":"s","time":"2026-01-01T00:00:01Z","original_time":"2026-01-01T00:00:00Z","properties":{"x":1}}`)
	if a.Hash != b.Hash || a.BodyHash != b.BodyHash {
		t.Error("a retry differs from the message")
	}
	if a.Hash != c.Hash || a.BodyHash == c.BodyHash {
		t.Error("another body under the same id is not told apart")
	}
	if other := decode(`{"id":"m","name":"n","source":"s2","time":"2026-01-01T00:00:01Z"}`); other.Hash == a.Hash {
		t.Error("two sources share a message id")
	}
}

func TestDecodeRefuses(t *testing.T) {
	const ok = `"id":"m","name":"n","source":"s","time":"2026-01-01T00:00:00Z"`
	const tx = ok + `,"transaction":{"type":"order","order_id":"1","currency":"GBP","amount":1`
	for _, c := range []struct {
		name   string
		kind   wire.Kind
		value  string
		reason Reason
		detail string
	}{
		{"empty", wire.Behaviour, ``, ReasonJSON, "expected an object"},
		{"null", wire.Behaviour, `null`, ReasonJSON, "expected an object"},
		{"array", wire.Behaviour, `[]`, ReasonJSON, "expected an object"},
		{"cut short", wire.Behaviour, `{"id":"m"`, ReasonJSON, ""},
		{"two values", wire.Behaviour, `{` + ok + `}{}`, ReasonJSON, "text after the value"},
		{"not utf-8", wire.Behaviour, "{\"id\":\"\xff\"}", ReasonJSON, "UTF-8"},
		{"unknown field", wire.Behaviour, `{` + ok + `,"user":"x"}`, ReasonJSON, `unknown field "user"`},
		{"numeric id", wire.Behaviour, `{"id":7}`, ReasonJSON, `field "id" must be string, not number`},
		{"no name", wire.Behaviour, `{"id":"m"}`, ReasonMissing, `"name"`},
		{"long id", wire.Behaviour, `{"id":"` + strings.Repeat("x", 201) + `"}`, ReasonField, "201 bytes"},
		{"no time", wire.Behaviour, `{"id":"m","name":"n","source":"s"}`, ReasonMissing, `"time"`},
		{"bad time", wire.Behaviour, `{"id":"m","name":"n","source":"s","time":"yesterday"}`, ReasonJSON, "RFC 3339"},
		{"year 0", wire.Behaviour, `{"id":"m","name":"n","source":"s","time":"0001-06-01T00:00:00Z"}`, ReasonField, "before 1900"},
		{"bad type", wire.Behaviour, `{` + ok + `,"type":"click"}`, ReasonField, `"type"`},
		{"array properties", wire.Behaviour, `{` + ok + `,"properties":[1]}`, ReasonField, `"properties"`},
		{"bad namespace", wire.Behaviour, `{` + ok + `,"identifiers":[{"namespace":"E-Mail","value":"x"}]}`, ReasonIdentifier, "identifiers[0]"},
		{"transaction on behaviour", wire.Behaviour, `{` + tx + `}}`, ReasonField, `"transaction"`},
		{"no transaction", wire.Transaction, `{` + ok + `}`, ReasonMissing, `"transaction"`},
		{"no amount", wire.Transaction, `{` + ok + `,"transaction":{"type":"order","order_id":"1","currency":"GBP"}}`, ReasonMissing, "amount"},
		{"currency", wire.Transaction, `{` + ok + `,"transaction":{"type":"order","order_id":"1","currency":"gbp","amount":1}}`, ReasonField, "currency"},
		{"order type", wire.Transaction, `{` + ok + `,"transaction":{"type":"gift","order_id":"1","currency":"GBP","amount":1}}`, ReasonField, "transaction.type"},
		{"huge amount", wire.Transaction, `{` + tx + `,"tax":1e300}}`, ReasonField, "transaction.tax"},
		{"item price", wire.Transaction, `{` + tx + `,"items":[{"product_id":"p","quantity":1,"price":1e15}]}}`, ReasonField, "items[0].price"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ev, dl := testDecoder().Decode(c.kind, record(c.value))
			if ev != nil || dl == nil {
				t.Fatalf("accepted: %+v", ev)
			}
			if dl.Reason != c.reason || !strings.Contains(dl.Detail, c.detail) {
				t.Errorf("got %s %q; want %s with %q", dl.Reason, dl.Detail, c.reason, c.detail)
			}
			if string(dl.Value) != c.value || dl.Position.Offset != 7 {
				t.Error("the bytes or the place are lost")
			}
		})
	}
}

func TestDecodeHeaders(t *testing.T) {
	const ok = `{"id":"m","name":"n","source":"s","time":"2026-01-01T00:00:00Z"}`
	d := testDecoder()
	a, _ := d.Decode(wire.Behaviour, record(ok))
	b, _ := d.Decode(wire.Behaviour, record(ok, wire.HeaderWorkspace, "other"))
	if b.Workspace != "other" || a.Hash == b.Hash {
		t.Error("the workspace is not part of the message's hash")
	}
	if _, dl := d.Decode(wire.Behaviour, record(ok, wire.HeaderWorkspace, "../x")); dl == nil || dl.Workspace != "main" {
		t.Error("a hostile workspace name is accepted")
	}
	if _, dl := d.Decode(wire.Behaviour, record(ok, wire.HeaderVersion, "2")); dl == nil || dl.Reason != ReasonVersion {
		t.Error("an unknown version is read")
	}
	// A rejected input line is known by its place and bytes, wherever its record stands.
	line := func(offset int64, value string) *DeadLetter {
		m := record(value, wire.HeaderReject, "bad date", wire.HeaderSource, "shop", wire.HeaderPosition, "f.csv:3")
		m.Offset = offset
		_, dl := d.Decode(wire.Transaction, m)
		return dl
	}
	if x := line(1, "a,b"); x.Reason != ReasonProducer || x.Place != "f.csv:3" || x.Hash != line(9, "a,b").Hash || x.Hash == line(1, "a,c").Hash {
		t.Errorf("reject record: %+v", x)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":"m","name":"n","source":"s","time":"2026-01-01T00:00:00Z","identifiers":[{"namespace":"email","value":"a"}],"traits":{"a":1}}`))
	f.Add([]byte(`{"id":"m","name":"n","source":"s","time":"2026-01-01T00:00:00Z","transaction":{"type":"order","order_id":"1","currency":"GBP","amount":1.5,"items":[{"product_id":"p","quantity":2,"price":3}]}}`))
	d := testDecoder()
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, kind := range []wire.Kind{wire.Behaviour, wire.Transaction} {
			ev, dl := d.Decode(kind, record(string(value)))
			if (ev == nil) == (dl == nil) {
				t.Fatalf("event %v and dead letter %v", ev, dl)
			}
			if ev != nil {
				ev.Observations()
				if ev.Time > ev.Received {
					t.Fatal("event after its receipt")
				}
			}
		}
	})
}

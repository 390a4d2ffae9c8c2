package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Limits on the fields of a message, in bytes.
const (
	maxID          = 200
	maxName        = 200
	maxSource      = 100
	maxIdentifiers = 100
	maxItems       = 10_000
	maxValue       = 4 << 20
)

// Normalize returns the canonical form of an identifier, and no identifier for
// a value that is empty by the fixed list (package identity/normalize).
type Normalize func(namespace identity.Namespace, value string) (identity.Identifier, bool, error)

// Decoder turns records into events. It is safe for concurrent use.
type Decoder struct {
	secret    identity.Secret
	normalize Normalize
	keyers    sync.Map // workspace → *identity.Keyer
}

// keyer returns the hash keys of a workspace, derived once.
func (d *Decoder) keyer(workspace string) *identity.Keyer {
	if k, ok := d.keyers.Load(workspace); ok {
		return k.(*identity.Keyer)
	}
	k := identity.NewKeyer(d.secret, workspace)
	d.keyers.Store(workspace, &k)
	return &k
}

// NewDecoder returns a decoder whose hashes are keyed with secret.
func NewDecoder(secret identity.Secret, normalize Normalize) *Decoder {
	return &Decoder{secret: secret, normalize: normalize}
}

// headers are those of a record that the decoder reads.
type headers struct {
	workspace, version, reject, source, place string
	forwarded                                 bool
}

func readHeaders(m *kafka.Message) headers {
	h := headers{workspace: wire.DefaultWorkspace, version: "1"}
	for _, x := range m.Headers {
		switch x.Key {
		case wire.HeaderWorkspace:
			h.workspace = strings.ToValidUTF8(string(x.Value), "?")
		case wire.HeaderVersion:
			h.version = string(x.Value)
		case wire.HeaderReject:
			h.reject = strings.ToValidUTF8(string(x.Value), "?")
		case wire.HeaderSource:
			h.source = strings.ToValidUTF8(string(x.Value), "?")
		case wire.HeaderPosition:
			h.place = strings.ToValidUTF8(string(x.Value), "?")
		case wire.HeaderForwarded:
			h.forwarded = true
		}
	}
	return h
}

func workspaceName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if c != '_' && c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// Decode returns the event of a record of the given kind, or the dead letter
// that keeps it. Exactly one of the two is not nil.
func (d *Decoder) Decode(kind wire.Kind, m *kafka.Message) (*Event, *DeadLetter) {
	h := readHeaders(m)
	if !workspaceName(h.workspace) {
		h.workspace = wire.DefaultWorkspace
		return nil, d.reject(d.keyer(h.workspace), kind, m, h, "", h.source, faultf(ReasonField, "header %q must be 1 to 64 of a-z, 0-9, _ and -", wire.HeaderWorkspace))
	}
	keyer := d.keyer(h.workspace)
	if h.reject != "" {
		return nil, d.reject(keyer, kind, m, h, "", h.source, faultf(ReasonProducer, "%s", h.reject))
	}
	var msg wire.Message
	if f := parse(m.Value, h.version, &msg); f != nil {
		return nil, d.reject(keyer, kind, m, h, msg.ID, msg.Source, f)
	}
	ev, f := d.event(keyer, kind, &msg, m, h)
	if f != nil {
		return nil, d.reject(keyer, kind, m, h, msg.ID, msg.Source, f)
	}
	return ev, nil
}

func parse(value []byte, version string, msg *wire.Message) *fault {
	if version != "1" {
		return faultf(ReasonVersion, "schema version %.20q is not known; this release reads 1", version)
	}
	if len(value) > maxValue {
		return faultf(ReasonTooLarge, "value of %d bytes; the limit is %d", len(value), maxValue)
	}
	if !utf8.Valid(value) {
		return faultf(ReasonJSON, "value is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.DisallowUnknownFields()
	if err := dec.Decode(msg); err != nil {
		return faultf(ReasonJSON, "%s", jsonDetail(err))
	}
	if dec.More() {
		return faultf(ReasonJSON, "more than one JSON value in a record")
	}
	return nil
}

// jsonDetail names the field and the rule of a JSON error without the value,
// which may be personal data.
func jsonDetail(err error) string {
	var typ *json.UnmarshalTypeError
	var syn *json.SyntaxError
	var tim *time.ParseError
	switch {
	case errors.As(err, &typ):
		return fmt.Sprintf("field %q must be %s, not %s", typ.Field, typ.Type, typ.Value)
	case errors.As(err, &syn):
		return fmt.Sprintf("syntax error at byte %d", syn.Offset)
	case errors.As(err, &tim):
		return "a time is not RFC 3339"
	case strings.Contains(err.Error(), "unknown field"):
		return strings.TrimPrefix(err.Error(), "json: ")
	}
	return "value is not the JSON of a message"
}

func (d *Decoder) event(keyer *identity.Keyer, kind wire.Kind, msg *wire.Message, m *kafka.Message, h headers) (*Event, *fault) {
	if f := checkCommon(kind, msg); f != nil {
		return nil, f
	}
	ev := &Event{
		Workspace: h.workspace, Kind: kind, ID: msg.ID, Name: msg.Name, Type: msg.Type, Source: msg.Source,
		Original: millis(msg.OriginalTime), Sent: millis(msg.SentTime), Received: m.Time.UnixMilli(),
		Properties: msg.Properties, Traits: msg.Traits, Context: msg.Context,
		Position: Position{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset},
	}
	if ev.Original == 0 {
		ev.Original = msg.Time.UnixMilli()
	}
	// A time after the receipt is a wrong clock, and would win or lose ties in
	// identity by a date nobody can check: it counts as the receipt.
	ev.Time = min(msg.Time.UnixMilli(), ev.Received)
	if f := d.identifiers(keyer, msg, ev); f != nil {
		return nil, f
	}
	if f := order(kind, msg, ev); f != nil {
		return nil, f
	}
	if kind == wire.Behaviour {
		if ev.Type == "" {
			ev.Type = "track"
		}
		readContext(ev)
	} else if ev.Order != nil {
		ev.Type = ev.Order.Type
	}
	lo, hi := keyer.Message(string(kind), msg.Source, msg.ID)
	ev.Hash = Hash{lo, hi}
	ev.BodyHash = d.bodyHash(msg)
	ev.raw, ev.forwarded = m.Value, h.forwarded
	return ev, nil
}

// minTime is the earliest event time a DateTime64 column holds.
var minTime = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

func checkCommon(kind wire.Kind, msg *wire.Message) *fault {
	for _, f := range []struct {
		name, value string
		limit       int
	}{{"id", msg.ID, maxID}, {"name", msg.Name, maxName}, {"source", msg.Source, maxSource}} {
		if f.value == "" {
			return faultf(ReasonMissing, "field %q is required", f.name)
		}
		if len(f.value) > f.limit {
			return faultf(ReasonField, "field %q has %d bytes; the limit is %d", f.name, len(f.value), f.limit)
		}
	}
	if msg.Time.IsZero() {
		return faultf(ReasonMissing, "field \"time\" is required")
	}
	if msg.Time.Before(minTime) {
		return faultf(ReasonField, "field \"time\" is before 1900")
	}
	switch msg.Type {
	case "", "track", "page", "screen", "identify", "group", "alias":
	default:
		return faultf(ReasonField, "field \"type\" must be track, page, screen, identify, group or alias")
	}
	if msg.Type != "" && kind != wire.Behaviour {
		return faultf(ReasonField, "field \"type\" belongs to behaviour events only")
	}
	for _, o := range []struct {
		name string
		raw  json.RawMessage
	}{{"properties", msg.Properties}, {"traits", msg.Traits}, {"context", msg.Context}} {
		if len(o.raw) > 0 && o.raw[0] != '{' && string(o.raw) != "null" {
			return faultf(ReasonField, "field %q must be a JSON object", o.name)
		}
	}
	return nil
}

func (d *Decoder) identifiers(keyer *identity.Keyer, msg *wire.Message, ev *Event) *fault {
	if len(msg.Identifiers) > maxIdentifiers {
		return faultf(ReasonField, "field \"identifiers\" has %d entries; the limit is %d", len(msg.Identifiers), maxIdentifiers)
	}
	for i, raw := range msg.Identifiers {
		ns := identity.Namespace(raw.Namespace)
		if err := ns.Validate(); err != nil {
			return faultf(ReasonIdentifier, "identifiers[%d]: %s", i, err)
		}
		id, ok, err := d.normalize(ns, raw.Value)
		if err != nil {
			return faultf(ReasonIdentifier, "identifiers[%d] of namespace %s: %s", i, ns, err)
		}
		if ok {
			ev.Identifiers = append(ev.Identifiers, id)
		}
	}
	ev.Members, _ = keyer.Members(ev.Identifiers)
	ev.Anchor = keyer.Anchor(ev.Members)
	return nil
}

// readContext takes the typed fields of behaviour from the context, where the
// Segment specification puts them. A context of another shape leaves them empty.
func readContext(ev *Event) {
	if len(ev.Context) == 0 {
		return
	}
	var c struct {
		Page struct {
			URL      string `json:"url"`
			Referrer string `json:"referrer"`
		} `json:"page"`
		Campaign struct {
			Name string `json:"name"`
		} `json:"campaign"`
		Session json.RawMessage `json:"sessionId"`
	}
	if json.Unmarshal(ev.Context, &c) != nil {
		return
	}
	ev.URL, ev.Referrer, ev.Campaign = c.Page.URL, c.Page.Referrer, c.Campaign.Name
	ev.Session = strings.Trim(string(c.Session), `"`)
}

func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func millis(t time.Time) Millis {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

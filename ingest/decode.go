package ingest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/jsonscan"
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
	form      string // names normalize
	forms     func(form string) (Normalize, error)
	keyers    sync.Map // workspace → *identity.Keyer
	names     interner
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

// NewDecoderOf is NewDecoder for an installation that may normalise in other forms
// from one start to the next. form names the one of now, without spaces, and forms
// returns that of any name that was ever given: a range of records that was begun
// in one form is finished in it.
func NewDecoderOf(secret identity.Secret, form string, forms func(form string) (Normalize, error)) (*Decoder, error) {
	if form != "" && !formName(form) {
		return nil, fmt.Errorf("the form of identifiers %q is no name", form)
	}
	normalize, err := forms(form)
	if err != nil {
		return nil, err
	}
	d := NewDecoder(secret, normalize)
	d.form, d.forms = form, forms
	return d, nil
}

// in returns a decoder that normalises in a form.
func (d *Decoder) in(form string) (*Decoder, error) {
	if form == d.form {
		return d, nil
	}
	if d.forms == nil {
		return nil, fmt.Errorf("identifiers of the form %q cannot be read", form)
	}
	return NewDecoderOf(d.secret, form, d.forms)
}

// headers are those of a record that the decoder reads.
type headers struct {
	workspace, version, reject, reason, source, place string
	forwarded                                         bool
	received                                          Millis // of a forwarded record, 0 for not known
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
		case wire.HeaderReason:
			h.reason = strings.ToValidUTF8(string(x.Value), "?")
		case wire.HeaderSource:
			h.source = strings.ToValidUTF8(string(x.Value), "?")
		case wire.HeaderPosition:
			h.place = strings.ToValidUTF8(string(x.Value), "?")
		case wire.HeaderForwarded:
			h.forwarded = true
			h.received, _ = strconv.ParseInt(string(x.Value), 10, 64)
		}
	}
	return h
}

// maxForward is how long, in milliseconds, a record may have waited before it was
// forwarded: more than Kafka keeps one, and little enough that no header makes rows
// of many months.
const maxForward Millis = 31 * 24 * 60 * 60 * 1000

// receivedAt is when a record was first received, which the topic says where nobody
// moved it.
func (h *headers) receivedAt(m *kafka.Message) Millis {
	at := m.Time.UnixMilli()
	if h.received > at-maxForward && h.received < at {
		return h.received
	}
	return at
}

// producerReason is the code that a producer gave for its rejection, when it is
// one of ours.
func producerReason(code string) Reason {
	switch r := Reason(code); r {
	case ReasonJSON, ReasonField, ReasonMissing, ReasonVersion, ReasonTooLarge, ReasonIdentifier, ReasonPlan:
		return r
	}
	return ReasonProducer
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
	return d.decode(kind, m, new(Event), new(message))
}

// decode is Decode into ev, which is empty; msg is room for one message.
func (d *Decoder) decode(kind wire.Kind, m *kafka.Message, ev *Event, msg *message) (*Event, *DeadLetter) {
	h := readHeaders(m)
	if !workspaceName(h.workspace) {
		h.workspace = wire.DefaultWorkspace
		return nil, d.reject(d.keyer(h.workspace), kind, m, h, "", h.source, faultf(ReasonField, "header %q must be 1 to 64 of a-z, 0-9, _ and -", wire.HeaderWorkspace))
	}
	h.workspace = d.names.of(h.workspace)
	keyer := d.keyer(h.workspace)
	if h.reject != "" {
		return nil, d.reject(keyer, kind, m, h, "", h.source, &fault{reason: producerReason(h.reason), detail: h.reject})
	}
	*msg = message{Message: wire.Message{Identifiers: msg.Identifiers[:0]}}
	if f := parse(m.Value, h.version, msg); f != nil {
		return nil, d.reject(keyer, kind, m, h, msg.ID, msg.Source, f)
	}
	if f := d.event(keyer, kind, msg, m, h, ev); f != nil {
		return nil, d.reject(keyer, kind, m, h, msg.ID, msg.Source, f)
	}
	return ev, nil
}

func (d *Decoder) event(keyer *identity.Keyer, kind wire.Kind, msg *message, m *kafka.Message, h headers, ev *Event) *fault {
	if f := checkCommon(kind, &msg.Message); f != nil {
		return f
	}
	*ev = Event{
		Workspace: h.workspace, Kind: kind, ID: msg.ID, Name: d.names.of(msg.Name), Type: msg.Type, Source: d.names.of(msg.Source),
		Original: millis(msg.OriginalTime), Sent: millis(msg.SentTime), Received: h.receivedAt(m),
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
		return f
	}
	if f := order(kind, &msg.Message, ev); f != nil {
		return f
	}
	if f := kinds(kind, &msg.Message, ev); f != nil {
		return f
	}
	if kind == wire.Behaviour {
		if ev.Type == "" {
			ev.Type = "track"
		}
		readContext(ev)
	} else if ev.Order != nil {
		ev.Type = ev.Order.Type
	}
	lo, hi := keyer.Message(string(kind), ev.Source, msg.ID)
	ev.Hash = Hash{lo, hi}
	var room [2048]byte
	ev.BodyHash = d.bodyHash(msg, room[:0])
	ev.raw, ev.forwarded = m.Value, h.forwarded
	ev.Consents = ev.consents(keyer.Key, d.normalize)
	return nil
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

func (d *Decoder) identifiers(keyer *identity.Keyer, msg *message, ev *Event) *fault {
	if len(msg.Identifiers) > 0 {
		ev.Identifiers = make([]identity.Identifier, 0, len(msg.Identifiers))
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
// Segment specification puts them. What has another shape leaves them empty.
func readContext(ev *Event) {
	if len(ev.Context) == 0 {
		return
	}
	m := jsonscan.ObjectOf(ev.Context)
	for m.Next() {
		switch string(m.Key) {
		case "page":
			readPage(ev, m.Value)
		case "campaign":
			c := jsonscan.ObjectOf(m.Value)
			for c.Next() {
				if string(c.Key) == "name" {
					_ = text(c.Key, c.Value, &ev.Campaign)
				}
			}
		case "sessionId":
			if !jsonscan.IsNull(m.Value) {
				ev.Session = strings.Trim(string(m.Value), `"`)
			}
		}
	}
}

func readPage(ev *Event, page []byte) {
	m := jsonscan.ObjectOf(page)
	for m.Next() {
		switch string(m.Key) {
		case "url":
			_ = text(m.Key, m.Value, &ev.URL)
		case "referrer":
			_ = text(m.Key, m.Value, &ev.Referrer)
		}
	}
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

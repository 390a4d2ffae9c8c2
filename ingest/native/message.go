package native

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/jsonstream"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// add turns one part of the body into an item of the chunk.
func (t *take) add(p jsonstream.Part) {
	switch {
	case p.Cut:
		t.refuse(p.Raw, "", wire.Fault{Code: wire.CodeTooLarge, Detail: fmt.Sprintf("message is longer than %d bytes; it is kept as far as that", t.in.cfg.MessageBytes)})
		return
	case p.Deep:
		t.refuse(p.Raw, "", wire.Fault{Code: wire.CodeTooLarge, Detail: fmt.Sprintf("message is nested deeper than %d levels", t.in.cfg.Depth)})
		return
	}
	m, encode, f := t.parse(p.Raw)
	if f != nil {
		t.refuse(p.Raw, m.ID, *f)
		return
	}
	id := m.ID
	if f = t.complete(m); f == nil {
		f = t.check(m)
	}
	// A letter is kept complete, so that it can be replayed as it is once the
	// fault is mended.
	value, err := encode(m)
	switch {
	case err != nil:
		t.refuse(p.Raw, id, wire.Fault{Pointer: "/time", Code: wire.CodeField, Detail: "a time is after the year 9999"})
	case f != nil:
		t.refuse(value, id, *f)
	case len(value) > t.in.cfg.MessageBytes:
		t.refuse(p.Raw, id, wire.Fault{Code: wire.CodeTooLarge, Detail: fmt.Sprintf("message has %d bytes; the limit is %d", len(value), t.in.cfg.MessageBytes)})
	default:
		t.index++
		t.bytes += len(value)
		t.chunk = append(t.chunk, intake.Item{Kind: t.body.Kind, Source: m.Source, ID: m.ID, Value: value})
	}
}

// parse reads one message and says how it is encoded again.
func (t *take) parse(raw []byte) (*wire.Message, func(*wire.Message) ([]byte, error), *wire.Fault) {
	m := &wire.Message{}
	rest, objects, ok := setAside(raw, t.buf)
	t.buf = rest
	if ok && utf8.Valid(raw) && m.Parse(rest) == nil && objects.attach(m) {
		return m, objects.encode, nil
	}
	*m = wire.Message{}
	return m, (*wire.Message).Encode, m.Parse(raw)
}

// complete sets what the server alone knows: the source, and id and time where
// the client gave none.
func (t *take) complete(m *wire.Message) *wire.Fault {
	var f *wire.Fault
	if m.Source != "" && m.Source != t.body.Source {
		f = &wire.Fault{Pointer: "/source", Code: wire.CodeField, Detail: "field \"source\" comes from the API key; leave it out"}
	}
	if m.Undated {
		f = &wire.Fault{Pointer: "/undated", Code: wire.CodeField, Detail: "field \"undated\" is set by the server; leave it and the time out"}
	}
	m.Source, m.Undated = t.body.Source, false
	if m.ID == "" {
		m.ID = t.in.deps.NewID()
	}
	if m.Time.IsZero() {
		m.Time, m.Undated = t.corrected(m)
	}
	return f
}

// corrected returns the time of a message that names none: its original time on
// the server's clock when the client says when it was sent, else its original
// time, else that of its arrival.
func (t *take) corrected(m *wire.Message) (at time.Time, undated bool) {
	switch {
	case m.OriginalTime.IsZero():
		return t.arrival, true
	case m.SentTime.IsZero():
		return m.OriginalTime, false
	}
	return t.arrival.Add(-m.SentTime.Sub(m.OriginalTime)), false
}

func (t *take) check(m *wire.Message) *wire.Fault {
	if faults := m.Check(t.body.Kind); len(faults) > 0 {
		return &faults[0]
	}
	if t.in.deps.Identifier == nil {
		return nil
	}
	for i, x := range m.Identifiers {
		if err := t.in.deps.Identifier(x.Namespace, x.Value); err != nil {
			pointer := "/identifiers/" + strconv.Itoa(i) + "/value"
			return &wire.Fault{Pointer: pointer, Code: wire.CodeIdentifier, Detail: fmt.Sprintf("field %q of namespace %s: %s", wire.FieldName(pointer), x.Namespace, err)}
		}
	}
	return nil
}

// refuse puts a dead letter into the chunk.
func (t *take) refuse(raw []byte, id string, f wire.Fault) {
	if len(id) > wire.MaxID {
		id = "" // Nothing that is worth repeating.
	}
	value := bytes.Clone(raw)
	t.bytes += len(value)
	t.chunk = append(t.chunk, intake.Item{
		Kind: t.body.Kind, Source: t.body.Source, ID: id, Value: value,
		Reject: &intake.Rejection{Reason: f.Code, Detail: f.Detail, Position: "events[" + strconv.FormatInt(t.index, 10) + "]"},
	})
	t.refusals = append(t.refusals, Refusal{Index: t.index, ID: id, Fault: f})
	t.index++
}

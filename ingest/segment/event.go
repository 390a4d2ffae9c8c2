package segment

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Codes of refusals, those of dead letters.
const (
	codeMissing    = wire.CodeMissing
	codeField      = wire.CodeField
	codeTooLarge   = wire.CodeTooLarge
	codeIdentifier = wire.CodeIdentifier
)

// event is one entry as it was sent: the raw values of its members, nil where
// absent or null.
type event struct {
	kind                                              string
	typ, id, userID, anonymousID, previousID, groupID []byte
	event, name, category                             []byte
	properties, traits, context, integrations         []byte
	timestamp, original, sent, channel                []byte
}

// field returns where a member of an entry is kept, nil for those that are not.
func (e *event) field(key []byte) *[]byte {
	switch string(key) {
	case "type":
		return &e.typ
	case "messageId":
		return &e.id
	case "userId":
		return &e.userID
	case "anonymousId":
		return &e.anonymousID
	case "previousId":
		return &e.previousID
	case "groupId":
		return &e.groupID
	case "event":
		return &e.event
	case "name":
		return &e.name
	case "category":
		return &e.category
	case "properties":
		return &e.properties
	case "traits":
		return &e.traits
	case "context":
		return &e.context
	case "integrations":
		return &e.integrations
	case "timestamp":
		return &e.timestamp
	case "originalTimestamp":
		return &e.original
	case "sentAt":
		return &e.sent
	case "channel":
		return &e.channel
	}
	return nil
}

// fault is why an entry is refused.
type fault struct{ code, detail string }

func faultf(code, format string, args ...any) *fault {
	return &fault{code, fmt.Sprintf(format, args...)}
}

// entry translates one event: raw is its JSON, kind its type when the path
// names it.
func (tr *Translation) entry(index int, raw []byte, kind string) {
	var e event
	f := tr.read(&e, raw, kind)
	given, idFault := messageID(e.id)
	if f == nil {
		f = idFault
	}
	if f == nil {
		id := given
		if id == "" {
			id = tr.t.deps.NewID()
		}
		f = tr.message(index, id, &e)
	}
	if f != nil {
		tr.refuse(Verdict{Index: index, MessageID: given, Code: f.code, Detail: f.detail}, raw, tr.place(index, given))
		return
	}
	tr.Accepted++
}

// place says where an entry stood in its call, with its message id where it has
// one: a client that tries again may cut its batches in another way.
func (tr *Translation) place(index int, id string) string {
	place := tr.call.Method
	if tr.shared.batched {
		place = "batch[" + strconv.Itoa(index) + "]"
	}
	if id != "" {
		place += " message " + id
	}
	return place
}

// read finds the members of an entry and checks their types.
func (tr *Translation) read(e *event, raw []byte, kind string) *fault {
	if b := bytes.TrimLeft(raw, blanks); len(b) > 0 && b[0] != '{' && jsonscan.Check(b) == nil {
		return faultf(codeField, "the event must be an object, not %s", jsonscan.Type(b))
	}
	m := jsonscan.ObjectOf(raw)
	for m.Next() {
		if p := e.field(m.Key); p != nil {
			if *p = m.Value; m.Value[0] == 'n' {
				*p = nil
			}
		}
	}
	if err := m.Err(); err != nil {
		return faultf(codeJSON, "the event is not JSON: %s", err)
	}
	if tr.shared.checkText && !utf8.Valid(raw) {
		return faultf(codeJSON, "the event is not UTF-8")
	}
	if len(raw) > tr.t.cfg.MaxEvent {
		return faultf(codeTooLarge, "the event has %d bytes; the limit is %d", len(raw), tr.t.cfg.MaxEvent)
	}
	for _, o := range [...]struct {
		name  string
		value []byte
	}{{"properties", e.properties}, {"traits", e.traits}, {"context", e.context}} {
		if len(o.value) > 0 && o.value[0] != '{' {
			return faultf(codeField, "field %q must be an object, not %s", o.name, jsonscan.Type(o.value))
		}
	}
	return e.setKind(kind)
}

// setKind takes the type from the path, or else from the entry, in any case.
func (e *event) setKind(kind string) *fault {
	if e.kind = kind; kind != "" {
		return nil
	}
	if e.typ == nil {
		return faultf(codeMissing, "field \"type\" is required in a batch")
	}
	text, ok := jsonscan.Text(e.typ)
	if !ok {
		return faultf(codeField, "field \"type\" must be a string, not %s", jsonscan.Type(e.typ))
	}
	for _, known := range types {
		if len(known) == len(text) && (known == string(text) || strings.EqualFold(known, string(text))) {
			e.kind = known
			return nil
		}
	}
	return faultf(codeField, "field \"type\" must be track, page, screen, identify, group or alias, not text of %d bytes", len(text))
}

// types are those of events.
var types = [...]string{"track", "page", "screen", "identify", "group", "alias"}

// messageID returns the id of an event, "" when it has none.
func messageID(value []byte) (string, *fault) {
	text, ok := textOrNumber(value)
	switch {
	case !ok:
		return "", faultf(codeField, "field \"messageId\" must be a string or a number, not %s", jsonscan.Type(value))
	case len(text) > wire.MaxID:
		return "", faultf(codeField, "field \"messageId\" has %d bytes; the limit is %d", len(text), wire.MaxID)
	}
	return string(text), nil
}

// textOrNumber returns the content of a string, or a number as it was written.
// Nothing is empty text.
func textOrNumber(value []byte) ([]byte, bool) {
	if len(value) == 0 {
		return nil, true
	}
	if text, ok := jsonscan.Text(value); ok {
		return text, true
	}
	return value, value[0] == '-' || value[0] >= '0' && value[0] <= '9'
}

// eventName returns the name of an event and checks the members that name it.
func (e *event) eventName() ([]byte, *fault) {
	switch e.kind {
	case "track":
		text, ok := textOrNumber(e.event)
		switch {
		case !ok:
			return nil, faultf(codeField, "field \"event\" must be a string, not %s", jsonscan.Type(e.event))
		case len(text) == 0:
			return nil, faultf(codeMissing, "field \"event\" is required")
		case len(text) > wire.MaxID:
			return nil, faultf(codeField, "field \"event\" has %d bytes; the limit is %d", len(text), wire.MaxID)
		}
		return text, nil
	case "page", "screen":
		// A name that cannot be one stays among the properties.
		if text, ok := textOrNumber(e.name); ok && len(text) > 0 && len(text) <= wire.MaxID {
			return text, nil
		}
	}
	return []byte(strings.ToUpper(e.kind[:1]) + e.kind[1:]), nil
}

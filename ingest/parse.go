package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// message is a parsed record value. The strings of Message share the bytes of
// the record, which nobody changes: whoever keeps one beyond the batch clones it.
type message struct {
	wire.Message
	identifiers, part []byte // as they were sent, for the body hash
}

// parse reads the JSON of a message. Every key is known and has its type; a key
// that comes twice counts the last time.
func parse(value []byte, version string, msg *message) *fault {
	if version != "1" {
		return faultf(ReasonVersion, "schema version %.20q is not known; this release reads 1", version)
	}
	if len(value) > maxValue {
		return faultf(ReasonTooLarge, "value of %d bytes; the limit is %d", len(value), maxValue)
	}
	if !utf8.Valid(value) {
		return faultf(ReasonJSON, "value is not UTF-8")
	}
	m := jsonscan.ObjectOf(value)
	for m.Next() {
		if f := msg.field(m.Key, m.Value); f != nil {
			return f
		}
	}
	if err := m.Err(); err != nil {
		return faultf(ReasonJSON, "%s", err)
	}
	return nil
}

func (msg *message) field(key, value []byte) *fault {
	switch string(key) {
	case "id":
		return text(key, value, &msg.ID)
	case "name":
		return text(key, value, &msg.Name)
	case "type":
		return text(key, value, &msg.Type)
	case "source":
		return text(key, value, &msg.Source)
	case "time":
		return instant(key, value, &msg.Time)
	case "original_time":
		return instant(key, value, &msg.OriginalTime)
	case "sent_time":
		return instant(key, value, &msg.SentTime)
	case "undated":
		msg.Undated = string(value) == "true"
		if !msg.Undated && string(value) != "false" && !jsonscan.IsNull(value) {
			return wrongType(key, "boolean", value)
		}
		return nil
	case "identifiers":
		msg.identifiers = value
		return msg.readIdentifiers(value)
	case "properties":
		msg.Properties = value
	case "traits":
		msg.Traits = value
	case "context":
		msg.Context = value
	default:
		return msg.typed(key, value)
	}
	return nil
}

// typed reads the typed part of a kind.
func (msg *message) typed(key, value []byte) *fault {
	var into any
	switch string(key) {
	case "transaction":
		into = &msg.Transaction
	case "social":
		into = &msg.Social
	case "location":
		into = &msg.Location
	case "support":
		into = &msg.Support
	case "feedback":
		into = &msg.Feedback
	case "sensor":
		into = &msg.Sensor
	case "contact":
		into = &msg.Contact
	case "catalogue":
		into = &msg.Catalogue
	default:
		return faultf(ReasonJSON, "unknown field %.40q", key)
	}
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return faultf(ReasonJSON, "%s", typedDetail(string(key), err))
	}
	msg.part = value
	return nil
}

func (msg *message) readIdentifiers(value []byte) *fault {
	msg.Identifiers = msg.Identifiers[:0]
	if jsonscan.IsNull(value) {
		return nil
	}
	list := jsonscan.ArrayOf(value)
	for list.Next() {
		if len(msg.Identifiers) == maxIdentifiers {
			return faultf(ReasonField, "field \"identifiers\" has more than %d entries", maxIdentifiers)
		}
		var id wire.Identifier
		pair := jsonscan.ObjectOf(list.Value)
		for pair.Next() {
			var f *fault
			switch string(pair.Key) {
			case "namespace":
				f = text([]byte("identifiers.namespace"), pair.Value, &id.Namespace)
			case "value":
				f = text([]byte("identifiers.value"), pair.Value, &id.Value)
			default:
				f = faultf(ReasonJSON, "unknown field %.40q", "identifiers."+string(pair.Key))
			}
			if f != nil {
				return f
			}
		}
		if pair.Err() != nil {
			return wrongType([]byte("identifiers"), "an array of objects, not of", list.Value)
		}
		msg.Identifiers = append(msg.Identifiers, id)
	}
	if list.Err() != nil {
		return wrongType([]byte("identifiers"), "array", value)
	}
	return nil
}

func wrongType(key []byte, want string, value []byte) *fault {
	return faultf(ReasonJSON, "field %q must be %s, not %s", key, want, jsonscan.Type(value))
}

func text(key, value []byte, out *string) *fault {
	if jsonscan.IsNull(value) {
		*out = ""
		return nil
	}
	b, ok := jsonscan.Text(value)
	if !ok {
		return wrongType(key, "string", value)
	}
	*out = unsafe.String(unsafe.SliceData(b), len(b))
	return nil
}

func instant(key, value []byte, out *time.Time) *fault {
	var s string
	if f := text(key, value, &s); f != nil || s == "" && jsonscan.IsNull(value) {
		*out = time.Time{}
		return f
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return faultf(ReasonJSON, "field %q is not RFC 3339", key)
	}
	*out = t
	return nil
}

// typedDetail names the field and the rule of a JSON error without the value,
// which may be personal data.
func typedDetail(part string, err error) string {
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &typ) && typ.Field != "":
		return fmt.Sprintf("field %q must be %s, not %s", part+"."+typ.Field, typ.Type, typ.Value)
	case errors.As(err, &typ):
		return fmt.Sprintf("field %q must be an object, not %s", part, typ.Value)
	case strings.Contains(err.Error(), "unknown field"):
		return strings.TrimPrefix(err.Error(), "json: ") + " in " + part
	}
	return fmt.Sprintf("field %q has a value of the wrong form", part)
}

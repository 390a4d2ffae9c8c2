package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Encode returns the JSON of the message, with <, > and & as they are. It fails
// for a free object that is not JSON and for a time after the year 9999.
func (m *Message) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// CodeJSON is the code of a value that is not the JSON of a message.
const CodeJSON = "invalid_json"

// Parse reads the JSON of a message strictly: UTF-8, one object, no unknown
// fields. What it could read before a fault stays in the message, so that a
// refusal can name its id. It does not apply the rules of Check.
func (m *Message) Parse(value []byte) *Fault {
	if len(value) > MaxMessage {
		return &Fault{Code: CodeTooLarge, Detail: fmt.Sprintf("message of %d bytes; the limit is %d", len(value), MaxMessage)}
	}
	if !utf8.Valid(value) {
		return &Fault{Code: CodeJSON, Detail: "message is not UTF-8"}
	}
	if b := bytes.TrimLeft(value, " \t\r\n"); len(b) > 0 && b[0] != '{' && (b[0] == '[' || json.Valid(b)) {
		return &Fault{Code: CodeJSON, Detail: "message must be a JSON object, not " + jsonType(b)}
	}
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.DisallowUnknownFields()
	if err := dec.Decode(m); err != nil {
		return jsonFault(value, err)
	}
	if dec.More() {
		return &Fault{Code: CodeJSON, Detail: "more than one JSON value in a message"}
	}
	return nil
}

// jsonFault words an error of encoding/json without the value, which may be
// personal data.
func jsonFault(value []byte, err error) *Fault {
	var typ *json.UnmarshalTypeError
	var syn *json.SyntaxError
	var tim *time.ParseError
	switch {
	case errors.As(err, &typ):
		pointer := "/" + strings.ReplaceAll(typ.Field, ".", "/")
		return &Fault{Pointer: pointer, Code: CodeJSON, Detail: fmt.Sprintf("field %q must be %s, not %s", typ.Field, goType(typ.Type.String()), typ.Value)}
	case errors.As(err, &syn):
		return &Fault{Code: CodeJSON, Detail: fmt.Sprintf("syntax error at byte %d", syn.Offset)}
	case errors.As(err, &tim):
		return timeFault(value)
	case strings.Contains(err.Error(), "unknown field"):
		return &Fault{Code: CodeJSON, Detail: unknownField(err.Error())}
	case strings.Contains(err.Error(), "invalid number literal"):
		return &Fault{Code: CodeJSON, Detail: "a decimal number is given as text that is no number"}
	}
	return &Fault{Code: CodeJSON, Detail: "message is cut off or not JSON"}
}

// unknownField keeps the name of a field out of a detail when it is unlike a
// name: clients have put addresses and whole texts into keys.
func unknownField(text string) string {
	name := strings.Trim(strings.TrimPrefix(text, "json: unknown field "), `"`)
	if !lowerWord(strings.ToLower(name)) {
		return fmt.Sprintf("unknown field with a name of %d bytes", len(name))
	}
	return "unknown field \"" + name + "\""
}

// goType names a type of Go as a user of JSON knows it.
func goType(name string) string {
	switch name {
	case "string":
		return "text"
	case "json.Number", "float64", "*float64", "int64":
		return "a number"
	case "bool", "*bool":
		return "true or false"
	}
	if strings.HasPrefix(name, "[]") {
		return "an array"
	}
	return "an object"
}

// timeFault finds out which time is not one.
func timeFault(value []byte) *Fault {
	var times map[string]json.RawMessage
	if json.Unmarshal(value, &times) == nil {
		for _, name := range []string{"time", "original_time", "sent_time"} {
			var t time.Time
			if raw, ok := times[name]; ok && t.UnmarshalJSON(raw) != nil {
				return &Fault{Pointer: "/" + name, Code: CodeField, Detail: fmt.Sprintf("field %q must be a time of RFC 3339 such as 2026-01-31T12:00:00Z, not %s", name, jsonType(raw))}
			}
		}
	}
	return &Fault{Code: CodeField, Detail: "a time is not RFC 3339"}
}

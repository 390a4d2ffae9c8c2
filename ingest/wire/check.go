package wire

import (
	"bytes"
	"encoding/json"
	"time"
)

// Limits on the fields of a message, in bytes of UTF-8 unless said otherwise.
const (
	MaxID          = 200      // ids, handles, names, codes
	MaxSource      = 100      // source
	MaxWord        = 64       // namespaces, networks, channels, units
	MaxURL         = 8 << 10  // links
	MaxText        = 64 << 10 // what people write: posts, comments, subjects
	MaxIdentifiers = 100      // entries
	MaxItems       = 10_000   // entries
	MaxCategory    = 20       // levels
	MaxMessage     = 4 << 20  // the JSON of one message
	maxFaults      = 20       // faults listed of one message
	maxReactions   = 1 << 53  // what a JSON number holds exactly
	maxSeconds     = 1e10     // of a response or a stay: over three hundred years
	maxMetres      = 4.0075e7 // the circumference of the Earth
)

// The codes of faults, equal to the reasons of dead letters.
const (
	CodeMissing    = "missing_field"
	CodeField      = "invalid_field"
	CodeTooLarge   = "too_large"
	CodeIdentifier = "invalid_identifier"
)

// Fault is one rule that a message breaks.
type Fault struct {
	Pointer string // RFC 6901 pointer to the field, such as /transaction/items/0/price
	Code    string // one of the Code constants
	Detail  string // names the field, the rule and the value's type, never the value
}

// Error implements error.
func (f Fault) Error() string { return f.Detail }

// firstTime is the earliest time that the tables hold.
var firstTime = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// Check returns every rule that a message of the kind breaks, at most twenty,
// those of the common fields first; none when the message is sound. These are
// the rules that the message alone decides: ingest and every door apply them, so
// that what a door accepts is stored. Normalising identifiers comes on top.
func (m *Message) Check(kind Kind) []Fault {
	var c checker
	m.checkCommon(&c, kind)
	m.checkParts(&c, kind)
	return c.faults
}

func (m *Message) checkCommon(c *checker, kind Kind) {
	c.required("/id", m.ID, MaxID)
	c.required("/name", m.Name, MaxID)
	c.required("/source", m.Source, MaxSource)
	switch {
	case m.Time.IsZero():
		c.add("/time", CodeMissing, "is required")
	case m.Time.Before(firstTime):
		c.add("/time", CodeField, "is before 1900")
	}
	if kind != Behaviour && m.Type != "" {
		c.add("/type", CodeField, "belongs to behaviour events only")
	} else {
		c.oneOf("/type", m.Type, "", "track", "page", "screen", "identify", "group", "alias")
	}
	c.object("/properties", m.Properties)
	c.object("/traits", m.Traits)
	c.object("/context", m.Context)
	if n := len(m.Identifiers); n > MaxIdentifiers {
		c.addf("/identifiers", CodeField, "has %d entries; the limit is %d", n, MaxIdentifiers)
		return
	}
	for i := range m.Identifiers {
		if !namespace(m.Identifiers[i].Namespace) {
			c.addf(index("/identifiers", i, "namespace"), CodeIdentifier, "must be 1 to %d of a-z, 0-9 and _, starting with a letter", MaxWord)
		}
	}
}

// checkParts applies the rules of the typed part, and refuses those of other kinds.
func (m *Message) checkParts(c *checker, kind Kind) {
	for _, p := range [...]struct {
		kind    Kind
		present bool
	}{
		{Transaction, m.Transaction != nil},
		{Social, m.Social != nil},
		{Location, m.Location != nil},
		{Support, m.Support != nil},
		{Feedback, m.Feedback != nil},
		{Sensor, m.Sensor != nil},
		{Contact, m.Contact != nil},
		{Catalogue, m.Catalogue != nil},
	} {
		switch {
		case p.present && p.kind != kind:
			c.add("/"+string(p.kind), CodeField, "belongs to "+string(p.kind)+" events only")
		case !p.present && p.kind == kind:
			c.add("/"+string(p.kind), CodeMissing, "is required")
			return
		}
	}
	switch kind {
	case Transaction:
		m.Transaction.check(c)
	case Social:
		m.Social.check(c)
	case Location:
		m.Location.check(c)
	case Support:
		m.Support.check(c)
	case Feedback:
		m.Feedback.check(c)
	case Sensor:
		m.Sensor.check(c)
	case Contact:
		m.Contact.check(c)
	case Catalogue:
		m.Catalogue.check(c)
	}
}

// object requires a JSON object, or nothing.
func (c *checker) object(pointer string, raw json.RawMessage) {
	if len(raw) == 0 {
		return
	}
	// Raw messages made by hand may begin with blanks.
	if b := bytes.TrimLeft(raw, " \t\r\n"); len(b) == 0 || b[0] != '{' && string(b) != "null" {
		c.addf(pointer, CodeField, "must be a JSON object, not %s", jsonType(b))
	}
}

func jsonType(b []byte) string {
	if len(b) == 0 {
		return "empty"
	}
	switch b[0] {
	case '[':
		return "an array"
	case '"':
		return "text"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	case '{':
		return "an object"
	}
	return "a number"
}

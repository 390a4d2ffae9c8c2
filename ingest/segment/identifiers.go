package segment

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
)

// maxExternal bounds the entries of context.externalIds that are read.
const maxExternal = 50

// plainLimit is the length up to which printable ASCII is always an identifier
// that ingest can normalise; all else is asked for.
const plainLimit = 400

// identifiers appends the identifiers of an event to the message being written.
type identifiers struct {
	tr    *Translation
	b     []byte
	count int
}

// outcome of looking at one value.
type outcome int

const (
	nothing outcome = iota
	added
	unreadable // neither text nor a number, or what cannot be normalised
)

// add appends one identifier.
func (ids *identifiers) add(namespace string, value []byte) outcome {
	text, ok := textOrNumber(value)
	if !ok {
		return unreadable
	}
	if len(text) == 0 {
		return nothing
	}
	if !plain(text) {
		if accept := ids.tr.t.deps.Acceptable; accept != nil && !accept(namespace, string(text)) {
			return unreadable
		}
	}
	if ids.count == 0 {
		ids.b = append(ids.b, `,"identifiers":[`...)
	} else {
		ids.b = append(ids.b, ',')
	}
	ids.count++
	ids.b = append(append(append(ids.b, `{"namespace":"`...), namespace...), `","value":`...)
	ids.b = append(jsonscan.AppendText(ids.b, text), '}')
	return added
}

func plain(text []byte) bool {
	if len(text) > plainLimit {
		return false
	}
	for _, c := range text {
		if c < 0x20 || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// primary adds an identifier without which the event would say something else.
func (ids *identifiers) primary(namespace, field string, value []byte) *fault {
	if ids.add(namespace, value) == unreadable {
		return faultf(codeIdentifier, "field %q %s", field, whyUnreadable(value))
	}
	return nil
}

// secondary adds an identifier that can be left out.
func (ids *identifiers) secondary(namespace, field string, value []byte) {
	if len(value) > 0 && value[0] != 'n' && ids.add(namespace, value) == unreadable {
		ids.tr.warn(codeIdentifier, "field \""+field+"\" "+whyUnreadable(value)+"; it was left out")
	}
}

func whyUnreadable(value []byte) string {
	if text, ok := textOrNumber(value); ok {
		return "is no readable identifier of at most 512 bytes, but text of " + strconv.Itoa(len(text)) + " bytes"
	}
	return "must be a string or a number, not " + jsonscan.Type(value)
}

// appendIdentifiers appends the member "identifiers" of a message.
func (tr *Translation) appendIdentifiers(b []byte, e *event, f *facts) ([]byte, *fault) {
	ids := identifiers{tr: tr, b: b}
	if fault := ids.primary("user_id", "userId", e.userID); fault != nil {
		return b, fault
	}
	if fault := ids.primary("anonymous_id", "anonymousId", e.anonymousID); fault != nil {
		return b, fault
	}
	if e.kind == "alias" && !bytes.Equal(e.previousID, e.anonymousID) && !bytes.Equal(e.previousID, e.userID) {
		namespace := "user_id"
		if text, _ := textOrNumber(e.previousID); isUUID(text) {
			namespace = "anonymous_id"
		}
		if fault := ids.primary(namespace, "previousId", e.previousID); fault != nil {
			return b, fault
		}
	}
	ids.contacts(e, f)
	ids.devices(f.device)
	ids.external(f.externalIDs)
	if ids.count == 0 {
		if e.userID == nil && e.anonymousID == nil || isEmptyText(e.userID) && isEmptyText(e.anonymousID) {
			return b, faultf(codeMissing, "field \"userId\" or \"anonymousId\" is required")
		}
		return ids.b, nil
	}
	return append(ids.b, ']'), nil
}

func isEmptyText(value []byte) bool { return len(value) == 0 || string(value) == `""` }

// contacts adds e-mail addresses and phone numbers, each place once.
func (ids *identifiers) contacts(e *event, f *facts) {
	var seen [8][]byte
	n := 0
	from := func(place string, object []byte) {
		if !bytes.Contains(object, []byte(`email"`)) && !bytes.Contains(object, []byte(`phone"`)) {
			return
		}
		var found [2][]byte
		m := jsonscan.ObjectOf(object)
		for m.Next() {
			switch string(m.Key) {
			case "email":
				found[0] = m.Value
			case "phone":
				found[1] = m.Value
			}
		}
		for i, namespace := range [...]string{"email", "phone"} {
			known := false
			for _, s := range seen[:n] {
				known = known || bytes.Equal(s, found[i])
			}
			if found[i] == nil || known {
				continue
			}
			seen[n] = found[i]
			n++
			ids.secondary(namespace, place+"."+namespace, found[i])
		}
	}
	if e.kind != "group" {
		from("traits", e.traits) // Those of a group are the group's own.
	}
	from("context.traits", f.traits)
	from("properties", e.properties)
}

// devices adds what context.device says.
func (ids *identifiers) devices(device []byte) {
	if len(device) == 0 || device[0] != '{' {
		return
	}
	var id, advertising, token []byte
	m := jsonscan.ObjectOf(device)
	for m.Next() {
		switch string(m.Key) {
		case "id":
			id = m.Value
		case "advertisingId":
			advertising = m.Value
		case "token":
			token = m.Value
		}
	}
	ids.secondary("device", "context.device.id", id)
	if !bytes.Equal(id, advertising) {
		ids.secondary("device", "context.device.advertisingId", advertising)
	}
	ids.secondary("push_token", "context.device.token", token)
}

// external adds the entries of context.externalIds that name a person.
func (ids *identifiers) external(list []byte) {
	if len(list) == 0 || list[0] == 'n' {
		return
	}
	if list[0] != '[' {
		ids.tr.warn(codeField, "field \"context.externalIds\" must be an array, not "+jsonscan.Type(list)+"; it was left out")
		return
	}
	e := jsonscan.ArrayOf(list)
	for i := 0; e.Next(); i++ {
		if i == maxExternal {
			ids.tr.warn(codeTooLarge, "field \"context.externalIds\" has more than "+strconv.Itoa(maxExternal)+" entries; the rest was left out")
			return
		}
		ids.externalEntry("context.externalIds["+strconv.Itoa(i)+"]", e.Value)
	}
}

func (ids *identifiers) externalEntry(place string, entry []byte) {
	if entry[0] != '{' {
		ids.tr.warn(codeField, "field \""+place+"\" must be an object, not "+jsonscan.Type(entry)+"; it was left out")
		return
	}
	var id, typ, collection, encoding []byte
	m := jsonscan.ObjectOf(entry)
	for m.Next() {
		switch string(m.Key) {
		case "id":
			id = m.Value
		case "type":
			typ = m.Value
		case "collection":
			collection = m.Value
		case "encoding":
			encoding = m.Value
		}
	}
	if c, ok := jsonscan.Text(collection); ok && string(c) != "users" {
		return // An account's identifier says nothing about a person.
	}
	if c, ok := jsonscan.Text(encoding); ok && len(c) > 0 && string(c) != "none" {
		ids.tr.warn(codeField, "field \""+place+".encoding\" must be none; it was left out")
		return
	}
	text, _ := jsonscan.Text(typ)
	namespace := namespaceOf(text)
	if namespace == "" {
		ids.tr.warn(codeField, "field \""+place+".type\" is no type of an identifier; it was left out")
		return
	}
	ids.secondary(namespace, place+".id", id)
}

// namespaceOf returns the namespace of a type of external id, "" for none.
func namespaceOf(typ []byte) string {
	switch string(typ) {
	case "android.id", "android.idfa", "ios.id", "ios.idfa":
		return "device"
	case "android.push_token", "ios.push_token":
		return "push_token"
	case "group_id":
		return "" // A group is no person.
	}
	if len(typ) == 0 || len(typ) > 64 {
		return ""
	}
	var out [64]byte
	for i, c := range typ {
		switch {
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case (c < 'a' || c > 'z') && (c < '0' || c > '9'):
			c = '_'
		}
		out[i] = c
	}
	if out[0] < 'a' || out[0] > 'z' {
		return ""
	}
	return string(out[:len(typ)])
}

// isUUID reports the textual form of RFC 9562.
func isUUID(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c|0x20 < 'a' || c|0x20 > 'f') && (c < '0' || c > '9'):
			return false
		}
	}
	return true
}

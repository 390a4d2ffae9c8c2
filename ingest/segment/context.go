package segment

import (
	"bytes"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
)

// facts are what the translation needs to know of a context.
type facts struct {
	traits, device, externalIDs                      []byte
	direct                                           bool
	ip, session, channel, integrations, agent, names bool // the member is there
}

// note takes one member of a context.
func (f *facts) note(key, value []byte) {
	there := value[0] != 'n'
	switch string(key) {
	case "traits":
		f.traits, f.names = nil, there
		if value[0] == '{' {
			f.traits = value
		}
	case "device":
		f.device = value
	case "externalIds":
		f.externalIDs = value
	case "direct":
		f.direct = value[0] == 't'
	case "ip":
		f.ip = there
	case "sessionId":
		f.session = there
	case "channel":
		f.channel = true
	case "integrations":
		f.integrations = true
	case "userAgent":
		f.agent = true
	}
}

// readFacts reads what the envelope's context and the entry's own say together:
// the entry's members stand for the envelope's of the same name.
func (tr *Translation) readFacts(own []byte) facts {
	var f facts
	if tr.shared.context != nil {
		m := jsonscan.ObjectOf(tr.shared.context)
		for m.Next() {
			f.note(m.Key, m.Value)
		}
	}
	if own != nil {
		m := jsonscan.ObjectOf(own)
		for m.Next() {
			f.note(m.Key, m.Value)
		}
	}
	return f
}

// members are the keys of an object, for the members of another to give way to.
type members [][]byte

// appendMembers appends, without braces, the members of shared that own lacks
// and then those of own. first says whether a comma must come before.
func (tr *Translation) appendMembers(b []byte, first bool, shared, own []byte) ([]byte, bool) {
	if shared != nil {
		has := tr.keysOf(own)
		m := jsonscan.ObjectOf(shared)
		for m.Next() {
			if !has(m.Key) {
				b = jsonscan.AppendText(comma(b, &first), m.Key)
				b = append(append(b, ':'), m.Value...)
			}
		}
	}
	if inner := inside(own); len(inner) > 0 {
		b = append(comma(b, &first), inner...)
	}
	return b, first
}

// manyKeys is the number of keys from which a map finds them faster.
const manyKeys = 32

// keysOf returns a test for the keys of an object.
func (tr *Translation) keysOf(object []byte) func(key []byte) bool {
	tr.members = tr.members[:0]
	if object != nil {
		m := jsonscan.ObjectOf(object)
		for m.Next() {
			tr.members = append(tr.members, m.Key)
		}
	}
	if len(tr.members) > manyKeys {
		set := make(map[string]struct{}, len(tr.members))
		for _, k := range tr.members {
			set[string(k)] = struct{}{}
		}
		return func(key []byte) bool { _, ok := set[string(key)]; return ok }
	}
	return func(key []byte) bool {
		for _, k := range tr.members {
			if bytes.Equal(k, key) {
				return true
			}
		}
		return false
	}
}

// comma appends a comma unless the next member is the first.
func comma(b []byte, first *bool) []byte {
	if *first {
		*first = false
		return b
	}
	return append(b, ',')
}

// inside returns the text between the braces of an object.
func inside(object []byte) []byte {
	if len(object) < 2 {
		return nil
	}
	return bytes.Trim(object[1:len(object)-1], blanks)
}

// appendContext appends the member "context" of a message, if there is one.
func (tr *Translation) appendContext(b []byte, e *event, f *facts) []byte {
	start := len(b)
	b = append(b, `,"context":{`...)
	empty := len(b)
	b, first := tr.appendMembers(b, true, tr.shared.context, e.context)
	if e.kind != "identify" && e.kind != "group" && e.traits != nil && !f.names {
		b = append(append(comma(b, &first), `"traits":`...), e.traits...)
	}
	if _, isText := jsonscan.Text(e.channel); isText && !f.channel {
		b = append(append(comma(b, &first), `"channel":`...), e.channel...)
	}
	if (e.integrations != nil || tr.shared.integrations != nil) && !f.integrations {
		b = append(comma(b, &first), `"integrations":{`...)
		b, _ = tr.appendMembers(b, true, tr.shared.integrations, e.integrations)
		b = append(b, '}')
	}
	if id := amplitudeSession(e.integrations); id != nil && !f.session {
		b = append(append(comma(b, &first), `"sessionId":`...), id...)
	}
	if f.direct && !f.ip && tr.call.Address != "" {
		b = jsonscan.AppendText(append(comma(b, &first), `"ip":`...), tr.call.Address)
	}
	if tr.call.Pixel && !f.agent && tr.call.UserAgent != "" {
		b = jsonscan.AppendText(append(comma(b, &first), `"userAgent":`...), tr.call.UserAgent)
	}
	if len(b) == empty {
		return b[:start]
	}
	return append(b, '}')
}

// amplitudeSession returns the session id, a number, that a client with an
// Amplitude integration sends there; its -1 means none.
func amplitudeSession(integrations []byte) (id []byte) {
	if !bytes.Contains(integrations, []byte("session_id")) {
		return nil
	}
	m := jsonscan.ObjectOf(integrations)
	for m.Next() {
		if k := string(m.Key); k != "Amplitude" && k != "Actions Amplitude" || m.Value[0] != '{' {
			continue
		}
		inner := jsonscan.ObjectOf(m.Value)
		for inner.Next() {
			if string(inner.Key) == "session_id" && inner.Value[0] >= '0' && inner.Value[0] <= '9' {
				id = inner.Value
			}
		}
	}
	return id
}

package segment

import (
	"time"

	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/jsonscan"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// maxGroupID is the greatest length of a groupId in bytes, Segment's own.
const maxGroupID = 500

// times are those of a message.
type times struct {
	event, original, sent time.Time // original and sent may be zero
}

// clock corrects what the client's clock says.
func (tr *Translation) clock(e *event) (times, *fault) {
	field, value := "timestamp", e.timestamp
	if isEmptyText(value) {
		field, value = "originalTimestamp", e.original
	}
	original, s := parseTime(value)
	if s != dateGood && s != dateAbsent {
		return times{}, &fault{codeField, s.rule(field, value)}
	}
	sentValue := tr.shared.sent
	if jsonscan.IsNull(sentValue) || isEmptyText(sentValue) {
		sentValue = e.sent
	}
	sent, sentState := parseTime(sentValue)
	if sentState != dateGood && sentState != dateAbsent {
		tr.warn(codeField, sentState.rule("sentAt", sentValue)+"; the event's time was taken as it is")
		sent = time.Time{}
	}
	t := times{event: original, original: original, sent: sent}
	switch {
	case s == dateAbsent:
		t.event, t.original = tr.call.Received, time.Time{}
	case sent.IsZero() || tr.call.Method == Import:
	default:
		if at, s := inRange(tr.call.Received.Add(-sent.Sub(original)).UTC()); s == dateGood {
			t.event = at
		}
	}
	return t, nil
}

// maxWarnings bounds those of one event.
const maxWarnings = 20

// message writes the message of an entry into the buffer.
func (tr *Translation) message(index int, id string, e *event) *fault {
	start, warned := len(tr.buf), len(tr.Warnings)
	tr.current = current{index: index, id: id, warned: warned}
	kind, f := tr.write(id, e)
	if f != nil {
		tr.buf, tr.Warnings = tr.buf[:start], tr.Warnings[:warned]
		return f
	}
	tr.spans = append(tr.spans, span{len(tr.Items), start, len(tr.buf)})
	tr.Items = append(tr.Items, intake.Item{Kind: kind, Source: tr.call.Source, ID: id})
	return nil
}

// warn says what was left out of the event that is being written.
func (tr *Translation) warn(code, detail string) {
	if c := tr.current; len(tr.Warnings)-c.warned < maxWarnings {
		tr.Warnings = append(tr.Warnings, Verdict{Index: c.index, MessageID: c.id, Code: code, Detail: detail})
	}
}

func (tr *Translation) write(id string, e *event) (wire.Kind, *fault) {
	name, f := e.eventName()
	if f != nil {
		return "", f
	}
	when, f := tr.clock(e)
	if f != nil {
		return "", f
	}
	if e.integrations != nil && e.integrations[0] != '{' {
		tr.warn(codeField, "field \"integrations\" must be an object, not "+jsonscan.Type(e.integrations)+"; it was left out")
		e.integrations = nil
	}
	facts := tr.readFacts(e.context)
	kind, order := wire.Behaviour, []byte(nil)
	if e.kind == "track" && orderType(name) != "" {
		if order = readOrder(orderType(name), e.properties, tr); order != nil {
			kind = wire.Transaction
		}
	}
	b := append(tr.buf, `{"id":`...)
	b = jsonscan.AppendText(b, id)
	b = jsonscan.AppendText(append(b, `,"name":`...), name)
	if kind == wire.Behaviour {
		b = append(append(append(b, `,"type":"`...), e.kind...), '"')
	}
	b = jsonscan.AppendText(append(b, `,"source":`...), tr.call.Source)
	b = appendTimes(b, when)
	if b, f = tr.appendIdentifiers(b, e, &facts); f != nil {
		return "", f
	}
	if b, f = tr.appendProperties(b, e); f != nil {
		return "", f
	}
	if e.kind == "identify" {
		traits := e.traits
		if traits == nil {
			traits = facts.traits
		}
		if traits != nil {
			b = append(append(b, `,"traits":`...), traits...)
		}
	}
	b = tr.appendContext(b, e, &facts)
	if order != nil {
		b = append(append(b, `,"transaction":`...), order...)
	}
	tr.buf = append(b, '}')
	return kind, nil
}

func appendTimes(b []byte, t times) []byte {
	b = appendTime(append(b, `,"time":"`...), t.event)
	if t.original.IsZero() {
		b = append(b, `,"undated":true`...)
	} else {
		b = appendTime(append(b, `,"original_time":"`...), t.original)
	}
	if !t.sent.IsZero() {
		b = appendTime(append(b, `,"sent_time":"`...), t.sent)
	}
	return b
}

// appendTime appends milliseconds in UTC and the closing quote.
func appendTime(b []byte, t time.Time) []byte {
	return append(t.UTC().Truncate(time.Millisecond).AppendFormat(b, time.RFC3339Nano), '"')
}

// appendProperties appends the member "properties" of a message, with what the
// call says beside them.
func (tr *Translation) appendProperties(b []byte, e *event) ([]byte, *fault) {
	type extra struct {
		name  string
		value []byte
	}
	var extras [2]extra
	switch e.kind {
	case "page", "screen":
		extras = [2]extra{{"name", e.name}, {"category", e.category}}
		if has := tr.keysOf(e.properties); e.name != nil || e.category != nil {
			for i := range extras {
				if has([]byte(extras[i].name)) {
					extras[i].value = nil
				}
			}
		}
	case "group":
		text, ok := textOrNumber(e.groupID)
		switch {
		case !ok:
			return b, faultf(codeField, "field \"groupId\" must be a string or a number, not %s", jsonscan.Type(e.groupID))
		case len(text) == 0:
			return b, faultf(codeMissing, "field \"groupId\" is required")
		case len(text) > maxGroupID:
			return b, faultf(codeField, "field \"groupId\" has %d bytes; the limit is %d", len(text), maxGroupID)
		}
		extras = [2]extra{{"groupId", e.groupID}, {"traits", e.traits}}
	case "alias":
		if isEmptyText(e.previousID) {
			return b, faultf(codeMissing, "field \"previousId\" is required")
		}
		extras[0] = extra{"previousId", e.previousID}
	}
	if extras[0].value == nil && extras[1].value == nil {
		if e.properties != nil {
			b = append(append(b, `,"properties":`...), e.properties...)
		}
		return b, nil
	}
	b, first := append(b, `,"properties":{`...), true
	for _, x := range extras {
		if x.value != nil {
			b = append(append(append(comma(b, &first), '"'), x.name...), `":`...)
			b = append(b, x.value...)
		}
	}
	b, _ = tr.appendMembers(b, first, nil, e.properties)
	return append(b, '}'), nil
}

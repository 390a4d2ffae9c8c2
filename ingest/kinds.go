package ingest

import (
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Parts are the typed parts of the kinds beyond transaction. At most one of the
// pointers is set: that of the event's kind. They share memory with the decoded
// message and, like the event, never change.
type Parts struct {
	Social   *wire.Post
	Location *wire.Fix
	Support  *wire.SupportContact
	Feedback *wire.Answer
	Sensor   *wire.Reading
	Contact  *wire.Outreach
	Entry    *Entry
	// Text is what is known of the words of a social, support or feedback event.
	Text Understanding
}

// Entry is the typed part of a catalogue event with its amounts read.
type Entry struct {
	wire.Entry
	Cost, Price *Amount // per unit; nil when the event names none
}

// kinds reads the typed part of every kind but behaviour and transaction into
// ev, with the defaults of the contract filled in. It refuses what breaks the
// rules of the kind, and parts of other kinds.
func kinds(kind wire.Kind, msg *wire.Message, ev *Event) *fault {
	if kind == wire.Behaviour || kind == wire.Transaction {
		return strayPart(msg)
	}
	if faults := msg.Check(kind); len(faults) > 0 {
		return &fault{reason: Reason(faults[0].Code), detail: faults[0].Detail}
	}
	p := &ev.Parts
	switch kind {
	case wire.Social:
		p.Social = post(msg.Social)
	case wire.Location:
		p.Location = msg.Location
	case wire.Support:
		p.Support = supportContact(msg.Support)
	case wire.Feedback:
		p.Feedback = answer(msg.Feedback)
	case wire.Sensor:
		p.Sensor = msg.Sensor
	case wire.Contact:
		p.Contact = msg.Contact
	case wire.Catalogue:
		e, f := entry(msg.Catalogue)
		if f != nil {
			return f
		}
		p.Entry = e
	}
	p.understand()
	return nil
}

// strayPart refuses the typed parts of the kinds below in other messages.
func strayPart(msg *wire.Message) *fault {
	for _, part := range [...]struct {
		kind    wire.Kind
		present bool
	}{
		{wire.Social, msg.Social != nil},
		{wire.Location, msg.Location != nil},
		{wire.Support, msg.Support != nil},
		{wire.Feedback, msg.Feedback != nil},
		{wire.Sensor, msg.Sensor != nil},
		{wire.Contact, msg.Contact != nil},
		{wire.Catalogue, msg.Catalogue != nil},
	} {
		if part.present {
			return faultf(ReasonField, "field %q belongs to %s events only", part.kind, part.kind)
		}
	}
	return nil
}

func post(in *wire.Post) *wire.Post {
	out := *in
	out.Direction, out.Visibility = or(out.Direction, "inbound"), or(out.Visibility, "public")
	return &out
}

func supportContact(in *wire.SupportContact) *wire.SupportContact {
	out := *in
	out.Direction = or(out.Direction, "inbound")
	return &out
}

// answer states the bounds of the score where the event leaves them to the
// instrument.
func answer(in *wire.Answer) *wire.Answer {
	out := *in
	if low, high, ok := out.Scale(); ok {
		out.ScaleMin, out.ScaleMax = &low, &high
	}
	return &out
}

func entry(in *wire.Entry) (*Entry, *fault) {
	out := &Entry{Entry: *in}
	for _, a := range []struct {
		field, text string
		to          **Amount
	}{{"price", string(in.Price), &out.Price}, {"cost", string(in.Cost), &out.Cost}} {
		if a.text == "" {
			continue
		}
		v, err := ParseAmount(a.text)
		if err != nil {
			return nil, faultf(ReasonField, "field \"catalogue.%s\" is %s", a.field, err)
		}
		*a.to = &v
	}
	return out, nil
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

package ingest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Consent is one statement of a person: what they agree to, or refuse.
type Consent struct {
	Purpose string // such as marketing
	Channel string // such as email; empty for all
	Address identity.Key
	Granted bool
	Origin  string // ConsentTraits, …
	Proof   string
}

// Where in an event a statement stands.
const (
	ConsentTraits  = "traits"  // traits.consent
	ConsentContext = "context" // context.consent.categoryPreferences, of Segment's libraries
	ConsentEvent   = "event"   // properties.consent
	ConsentContact = "contact" // an address that unsubscribed, or complained
)

// The purpose of a statement that names none.
const marketing = "marketing"

// maxConsents bounds the statements of one event.
const maxConsents = 100

// consents returns what the event states of consent, in order. It says where:
//
//   - traits.consent and properties.consent are an object or a list. An object has
//     a member per purpose, true or false, or an object of channels; what is named
//     like a channel is one, of marketing. A list has objects with purpose, channel,
//     address (namespace:value), granted and proof.
//   - context.consent.categoryPreferences has a member per purpose.
//   - a contact event of an address that unsubscribed or complained refuses marketing
//     by its channel.
//
// A statement about a channel is about the one address of that channel in the event,
// where it has one.
func (e *Event) consents(key func(identity.Identifier) identity.Key, normalize Normalize) []Consent {
	r := consentReader{event: e, key: key, normalize: normalize}
	r.values(member(e.Traits, "consent"), ConsentTraits)
	r.preferences(member(e.Context, "consent"))
	r.values(member(e.Properties, "consent"), ConsentEvent)
	if p := e.Parts.Contact; p != nil && slices.Contains([]string{"unsubscribed", "complained"}, p.Action) {
		r.add(marketing, p.Channel, "", false, ConsentContact, "")
	} else if e.Kind != wire.Contact && strings.EqualFold(e.Name, "Email Unsubscribed") {
		r.add(marketing, "email", "", false, ConsentContact, "")
	}
	return r.list
}

// member returns a member of a JSON object, nil for none. Events without it are
// nearly all, and cost a look for its name.
func member(object json.RawMessage, name string) json.RawMessage {
	if !bytes.Contains(object, []byte(name)) {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(object, &all) != nil {
		return nil
	}
	return all[name]
}

type consentReader struct {
	event     *Event
	key       func(identity.Identifier) identity.Key
	normalize Normalize
	list      []Consent
}

// channels are the names that are those of channels, with the namespace of their
// addresses.
var channels = map[string]identity.Namespace{
	"email": identity.Email, "sms": identity.Phone, "phone": identity.Phone, "call": identity.Phone, "whatsapp": identity.Phone,
	"push": identity.PushToken, "post": identity.Address, "mail": identity.Address,
}

func (r *consentReader) values(raw json.RawMessage, origin string) {
	if len(raw) == 0 {
		return // Most events: to find that nothing is no JSON would be a twentieth of their cost.
	}
	var list []struct {
		Purpose string `json:"purpose"`
		Channel string `json:"channel"`
		Address string `json:"address"`
		Granted *bool  `json:"granted"`
		Proof   string `json:"proof"`
	}
	if json.Unmarshal(raw, &list) == nil {
		for _, x := range list {
			if x.Granted != nil {
				r.add(x.Purpose, x.Channel, x.Address, *x.Granted, origin, x.Proof)
			}
		}
		return
	}
	for _, m := range sorted(raw) {
		if granted, ok := truth(m.value); ok {
			purpose, channel := m.name, ""
			if _, ok := channels[strings.ToLower(m.name)]; ok {
				purpose, channel = marketing, m.name
			}
			r.add(purpose, channel, "", granted, origin, "")
			continue
		}
		for _, c := range sorted(m.value) {
			if granted, ok := truth(c.value); ok {
				r.add(m.name, c.name, "", granted, origin, "")
			}
		}
	}
}

func (r *consentReader) preferences(consent json.RawMessage) {
	for _, m := range sorted(member(consent, "categoryPreferences")) {
		if granted, ok := truth(m.value); ok {
			r.add(m.name, "", "", granted, ConsentContext, "")
		}
	}
}

// named is a member of an object.
type named struct {
	name  string
	value json.RawMessage
}

// sorted are the members of an object by name; none of what is no object.
func sorted(raw json.RawMessage) (list []named) {
	if len(raw) == 0 {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	for name, value := range all {
		list = append(list, named{name, value})
	}
	slices.SortFunc(list, func(a, b named) int { return strings.Compare(a.name, b.name) })
	return list
}

func truth(raw json.RawMessage) (granted, ok bool) {
	switch strings.Trim(string(raw), `" `) {
	case "true", "granted", "yes", "opted_in", "subscribed":
		return true, true
	case "false", "denied", "no", "opted_out", "unsubscribed":
		return false, true
	}
	return false, false
}

// add adds a statement whose names can be kept; others, which no rule could name, are
// left in the event alone.
func (r *consentReader) add(purpose, channel, address string, granted bool, origin, proof string) {
	if purpose == "" {
		purpose = marketing
	}
	purpose, channel = strings.ToLower(purpose), strings.ToLower(channel)
	if len(purpose) > 100 || len(channel) > 100 || len(r.list) >= maxConsents {
		return
	}
	c := Consent{Purpose: purpose, Channel: channel, Granted: granted, Origin: origin, Proof: truncate(proof, 1000)}
	if raw, err := identity.ParseIdentifier(address); err == nil {
		id, ok, err := r.normalize(raw.Namespace, raw.Value)
		if !ok || err != nil {
			return // About an address that there cannot be.
		}
		c.Address = r.key(id)
	} else if id, ok := r.addressOf(channel); ok {
		c.Address = r.key(id)
	}
	r.list = append(r.list, c)
}

// addressOf returns the address of a channel in the event, where there is one.
func (r *consentReader) addressOf(channel string) (found identity.Identifier, ok bool) {
	ns, known := channels[channel]
	for _, id := range r.event.Identifiers {
		if known && id.Namespace == ns {
			if ok {
				return found, false // Of two the statement does not say which.
			}
			found, ok = id, true
		}
	}
	return found, ok
}

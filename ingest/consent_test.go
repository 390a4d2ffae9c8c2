package ingest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

func TestConsents(t *testing.T) {
	keyer := identity.NewKeyer(identity.Secret{1}, "main")
	mail := identity.Identifier{Namespace: identity.Email, Value: "ana@example.com"}
	other := identity.Identifier{Namespace: identity.Email, Value: "work@example.com"}
	plain := func(ns identity.Namespace, v string) (identity.Identifier, bool, error) {
		return identity.Identifier{Namespace: ns, Value: v}, true, nil
	}
	said := func(purpose, channel string, granted bool, origin string, address ...identity.Identifier) Consent {
		c := Consent{Purpose: purpose, Channel: channel, Granted: granted, Origin: origin}
		if len(address) > 0 {
			c.Address = keyer.Key(address[0])
		}
		return c
	}
	for _, c := range []struct {
		name string
		e    Event
		want []Consent
	}{
		{"nothing", Event{Traits: []byte(`{"name":"Ana"}`)}, nil},
		{"channels of marketing", Event{Traits: []byte(`{"consent":{"email":true,"SMS":false}}`), Identifiers: []identity.Identifier{mail}}, []Consent{said("marketing", "sms", false, "traits"), said("marketing", "email", true, "traits", mail)}},
		{"purposes", Event{Traits: []byte(`{"consent":{"analytics":"granted","marketing":{"email":false,"push":true}}}`)}, []Consent{said("analytics", "", true, "traits"), said("marketing", "email", false, "traits"), said("marketing", "push", true, "traits")}},
		{"of two addresses none", Event{Traits: []byte(`{"consent":{"email":true}}`), Identifiers: []identity.Identifier{mail, other}}, []Consent{said("marketing", "email", true, "traits")}},
		{"Segment", Event{Context: []byte(`{"consent":{"categoryPreferences":{"Advertising":true,"Functional":false}}}`)}, []Consent{said("advertising", "", true, "context"), said("functional", "", false, "context")}},
		{"a list", Event{Properties: []byte(`{"consent":[{"purpose":"news","channel":"email","address":"email:work@example.com","granted":true,"proof":"v3"},{"purpose":"x"}]}`)}, []Consent{{Purpose: "news", Channel: "email", Address: keyer.Key(other), Granted: true, Origin: "event", Proof: "v3"}}},
		{"unsubscribed", Event{Kind: wire.Contact, Identifiers: []identity.Identifier{mail}, Parts: Parts{Contact: &wire.Outreach{Action: "unsubscribed", Channel: "email"}}}, []Consent{said("marketing", "email", false, "contact", mail)}},
		{"delivered", Event{Kind: wire.Contact, Parts: Parts{Contact: &wire.Outreach{Action: "delivered", Channel: "email"}}}, nil},
		{"by name", Event{Kind: wire.Behaviour, Name: "Email Unsubscribed", Identifiers: []identity.Identifier{mail}}, []Consent{said("marketing", "email", false, "contact", mail)}},
		{"rubbish", Event{Traits: []byte(`{"consent":7}`), Context: []byte(`{"consent":[]}`), Properties: []byte(`{"consent":[1,{"granted":"yes"}]}`)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, c.e.consents(keyer.Key, plain)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

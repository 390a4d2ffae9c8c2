package profiles_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

func TestMaskIdentifier(t *testing.T) {
	f := func(namespace identity.Namespace, value, want string) {
		t.Helper()
		if got := profiles.MaskIdentifier(identity.Identifier{Namespace: namespace, Value: value}); got != want {
			t.Errorf("%s:%s is shown as %q, want %q", namespace, value, got, want)
		}
	}
	f("email", "ana@example.com", "a***@example.com")
	f("email", "çelik@example.com", "ç***@example.com")
	f("email", "a@b@example.com", "a***@example.com")
	f("user_id", "ana@example.com", "a***@example.com")
	f("phone", "+351911111199", "***99")
	f("user_id", "351 911 111 199", "***99")
	f("phone", "112", "***")
	f("user_id", "12748", "1***")
	f("user_id", "42", "***")
	f("anonymous_id", "cookie-of-ana", "c***")
	f("record", "crm/7", "c***")
	f("device", "", "")
}

func TestMaskTrait(t *testing.T) {
	f := func(name, value, want string) {
		t.Helper()
		if got := string(profiles.MaskTrait(name, json.RawMessage(value))); got != want {
			t.Errorf("%s %s is shown as %s, want %s", name, value, got, want)
		}
	}
	f("email", `"ana@example.com"`, `"a***@example.com"`)
	f("note_to_self", `"ana@example.com"`, `"a***@example.com"`)
	f("channel", `"write to ana@example.com"`, `"***"`)
	f("phone", `"+351 911-111-199"`, `"***99"`)
	f("backup", `"(351) 911.111.199"`, `"***99"`)
	f("phone", `351911111199`, `"***"`)
	f("backup", `351911111199`, `"***"`)
	f("First Name", `"Mariana"`, `"M***"`)
	f("first_name", `"Ana"`, `"***"`)
	f("lastName", `"Silva"`, `"S***"`)
	f("address.street", `"Rua Augusta 1"`, `"R***"`)
	f("address.city", `"Lisboa"`, `"Lisboa"`)
	f("birthday", `"1984-03-01"`, `"1***"`)
	f("birthday", `19840301`, `"***"`)
	f("member_since", `"2020-03-01"`, `"2020-03-01"`)
	f("country", `"PT"`, `"PT"`)
	f("plan", `"pro <b>"`, `"pro \u003cb\u003e"`)
	f("age", `41`, `41`)
	f("revenue", `-12.5`, `-12.5`)
	f("vip", `true`, `true`)
	f("gone", `null`, `null`)
	f("address", `{"city":"Lisboa"}`, `"***"`)
	f("tags", `["ana@example.com"]`, `"***"`)
	f("broken", `"half`, `"***"`)
	f("none", ``, ``)
}

// TestMaskedProfile: everything that may be personal is masked, and the profile
// itself, which caches share, is not.
func TestMaskedProfile(t *testing.T) {
	p := &profiles.Profile{
		ID:          7,
		Identifiers: []profiles.Identifier{{Identifier: identity.Identifier{Namespace: "email", Value: "secret-of-ana@example.com"}, Sources: []string{"web"}}},
		Traits:      []profiles.Trait{{Name: "firstName", Value: []byte(`"secret-of-ana"`)}, {Name: "plan", Value: []byte(`"pro"`)}},
		Recent: []profiles.Event{
			{Name: "View", Properties: []byte(`{"email":"secret-of-ana@example.com","sku":"a1","to":{"name":"secret-of-ana"}}`)},
			{Name: "Odd", Properties: []byte(`["secret-of-ana"]`)},
			{Name: "Bare"},
		},
	}
	before := fmt.Sprintf("%+v", p)
	masked := p.Masked()
	text, err := json.Marshal(masked)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "secret-of") {
		t.Errorf("a masked profile shows %s", text)
	}
	if got := string(masked.Recent[0].Properties); got != `{"email":"s***@example.com","sku":"a1","to":"***"}` {
		t.Errorf("properties are shown as %s", got)
	}
	if string(masked.Traits[1].Value) != `"pro"` || masked.Identifiers[0].Sources[0] != "web" || masked.ID != 7 {
		t.Errorf("what is not personal is gone: %s", text)
	}
	if fmt.Sprintf("%+v", p) != before {
		t.Error("the profile itself was changed")
	}
}

func TestPersonalTraits(t *testing.T) {
	for name, want := range map[string]bool{
		"email": true, "E-Mail": true, "address.postal_code": true, "Phone Number": true, "": false, "country": false, "emails_sent": false, "a.b.dob": true, "dob.": false,
	} {
		if got := profiles.PersonalTrait(name); got != want {
			t.Errorf("PersonalTrait(%q) = %t", name, got)
		}
	}
}

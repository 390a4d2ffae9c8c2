package matching

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// said is what the traits of one event make of a record.
func saidBy(t *testing.T, traits ...string) map[string]string {
	t.Helper()
	cfg := DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	r := &reader{fields: newFieldMap(cfg.Fields)}
	b, rec := newBatch(), &record{values: make([]string, len(cfg.Fields))}
	for i := 0; i < len(traits); i += 2 {
		r.state(b, rec, traits[i], traits[i+1], place{time: 7, hash: 9})
	}
	r.fields.settle(rec.values)
	got := map[string]string{}
	for i, v := range rec.values {
		if v != "" {
			got[cfg.Fields[i].Column] = v
		}
	}
	return got
}

// TestTraits: spellings, objects and whole names come to the same fields, whatever
// the order of the traits of an event.
func TestTraits(t *testing.T) {
	f := func(want map[string]string, traits ...string) {
		t.Helper()
		if diff := cmp.Diff(want, saidBy(t, traits...)); diff != "" {
			t.Errorf("%v:\n%s", traits, diff)
		}
		var turned []string
		for i := len(traits) - 2; i >= 0; i -= 2 {
			turned = append(turned, traits[i], traits[i+1])
		}
		if diff := cmp.Diff(want, saidBy(t, turned...)); diff != "" {
			t.Errorf("%v:\n%s", turned, diff)
		}
	}
	f(map[string]string{"first_name": "Ana", "last_name": "Silva"}, "firstName", `"Ana"`, "last_name", `" Silva "`)
	f(map[string]string{"first_name": "ana", "last_name": "van der berg jr"}, "name", `"Ana van der Berg Jr."`)
	f(map[string]string{"first_name": "Ana"}, "name", `"Ana Silva"`, "firstName", `"Ana"`)
	f(map[string]string{"street": "Rua A 1", "city": "Porto", "postal_code": "4000"},
		"address", `{"street":"Rua A 1","city":"Porto","postalCode":4000,"more":{"x":1}}`)
	f(map[string]string{"street": "Rua A 1"}, "address", `"Rua A 1"`)
	f(map[string]string{"city": "Porto"}, "address.city", `"Porto"`, "plan", `"gold"`)
	f(map[string]string{"first_name": "Ana"}, "givenName", `"Maria"`, "firstName", `"Ana"`)
	f(map[string]string{"first_name": "Maria"}, "givenName", `"Maria"`, "firstName", `""`)
	f(map[string]string{}, "firstName", "null", "birthday", "true", "email", `{"a":1}`, "phone", `["1"]`, "address", "null")
}

// TestFaultyFields names every fault.
func TestFaultyFields(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Fields = append(cfg.Fields, Field{"email", "nothing", []string{"E-Mail"}}, Field{"x", "text", []string{"--"}})
	err := cfg.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{`field "email" must have a name of its own`, `"nothing" is no type`, `trait "E-Mail"`, `trait "--"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

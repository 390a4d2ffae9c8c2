package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// TestRoleByColumn is the table of what each role sees of each part of a profile.
func TestRoleByColumn(t *testing.T) {
	f := newFixture()
	p := f.people.add("main",
		identity.Identifier{Namespace: "email", Value: "maria@example.com"},
		identity.Identifier{Namespace: "phone", Value: "+351911111199"},
		identity.Identifier{Namespace: "user_id", Value: "maria-7"},
	)
	p.Traits = []profiles.Trait{
		{Name: "address.street", Value: []byte(`"Rua Augusta 1"`)},
		{Name: "age", Value: []byte(`41`)},
		{Name: "backup", Value: []byte(`"maria@example.net"`)},
		{Name: "birthday", Value: []byte(`"1984-03-01"`)},
		{Name: "country", Value: []byte(`"PT"`)},
		{Name: "firstName", Value: []byte(`"Maria"`)},
	}
	p.Recent = []profiles.Event{{MessageID: "m", Kind: "behaviour", Name: "View", Source: "web", Time: noon, Properties: []byte(`{"email":"maria@example.com","sku":"a1"}`)}}
	p.Scores = []profiles.Score{{Name: "churn", Value: .25}}
	p.Group = &profiles.Group{Stage: "at_risk", Persona: "p3", PersonaName: "Frequent buyers", ModelVersion: "m", Recency: 5, Frequency: 4, Money: 3}
	h := f.server(t).Handler()
	for _, c := range []struct{ column, plain, marketer string }{
		{"identifiers/0/value", `"maria@example.com"`, `"m***@example.com"`},
		{"identifiers/1/value", `"+351911111199"`, `"***99"`},
		{"identifiers/2/value", `"maria-7"`, `"m***"`},
		{"identifiers/0/namespace", `"email"`, `"email"`},
		{"traits/address.street/value", `"Rua Augusta 1"`, `"R***"`},
		{"traits/age/value", `41`, `41`},
		{"traits/backup/value", `"maria@example.net"`, `"m***@example.net"`},
		{"traits/birthday/value", `"1984-03-01"`, `"1***"`},
		{"traits/country/value", `"PT"`, `"PT"`},
		{"traits/firstName/value", `"Maria"`, `"M***"`},
		{"recent/0/name", `"View"`, `"View"`},
		{"recent/0/properties/email", `"maria@example.com"`, `"m***@example.com"`},
		{"recent/0/properties/sku", `"a1"`, `"a1"`},
		{"scores/churn/value", `0.25`, `0.25`},
		{"stage", `"at_risk"`, `"at_risk"`},
		{"persona", `{"id":"p3","model_version":"m","name":"Frequent buyers"}`, `{"id":"p3","model_version":"m","name":"Frequent buyers"}`},
		{"rfm", `{"frequency":4,"money":3,"recency":5}`, `{"frequency":4,"money":3,"recency":5}`},
	} {
		for role, want := range map[api.Role]string{api.RoleRead: c.plain, api.RoleAdmin: c.plain, api.RoleMarketer: c.marketer} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/profiles/email:maria@example.com", http.NoBody)
			r.Header.Set("Authorization", "Bearer live-"+string(role))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			var v any
			if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
				t.Fatal(err)
			}
			for _, name := range strings.Split(c.column, "/") {
				if list, ok := v.([]any); ok {
					v = list[name[0]-'0']
				} else {
					v = v.(map[string]any)[name]
				}
			}
			if got, err := json.Marshal(v); err != nil || string(got) != want {
				t.Errorf("%s of a profile is %s for the role %s, want %s", c.column, got, role, want)
			}
		}
	}
	// Nobody sees a mask of another's in a shared answer: what the cache holds is whole.
	if got := string(p.Traits[5].Value); got != `"Maria"` {
		t.Errorf("masking changed the profile itself: %s", got)
	}
}

// TestMarketersSeeNoValues asks for everything that a marketer may ask, and looks for
// the values that the people of the fixture have.
func TestMarketersSeeNoValues(t *testing.T) {
	h := newFixture().server(t).Handler()
	asked := 0
	for _, o := range operations() {
		if o.role != "read" || !o.may("marketer") {
			continue
		}
		for _, id := range []string{"user_id:42", "email:ana%40example.com"} {
			path := strings.NewReplacer("{id}", id, "{plan}", "web").Replace(o.path)
			r := httptest.NewRequestWithContext(t.Context(), o.method, path+"?a=user_id:42&b=user_id:stranger", strings.NewReader(`{"definition":`+definition+`}`))
			r.Header.Set("Authorization", "Bearer marketer-dev")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code == http.StatusOK {
				asked++
			}
			for _, value := range []string{"cookie-of-ana", "a+b c/d%e", "urn:x:1", "olá 世界", "crm/ana", "ben@"} {
				if strings.Contains(w.Body.String(), value) {
					t.Errorf("%s %s shows a marketer %q:\n%s", o.method, path, value, w.Body)
				}
			}
			if id == "user_id:42" && strings.Contains(w.Body.String(), "ana@example.com") {
				t.Errorf("%s %s shows a marketer who was not named:\n%s", o.method, path, w.Body)
			}
		}
	}
	if asked < 15 {
		t.Errorf("only %d answers were looked at", asked)
	}
}

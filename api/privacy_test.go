package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/privacy"
)

// privacyKeeper knows the erasures of some ids.
type privacyKeeper struct {
	known map[string]*privacy.Status
	err   error
}

func (k *privacyKeeper) Erasure(_ context.Context, workspace, id string) (*privacy.Status, error) {
	if s := k.known[workspace+" "+id]; s != nil {
		return s, k.err
	}
	return nil, privacy.ErrNoErasure
}

func (k *privacyKeeper) Access(_ context.Context, _ string, p *profiles.Profile, out io.Writer) error {
	if k.err != nil {
		return k.err
	}
	_, err := io.WriteString(out, `{"profile_id":"`+p.ID.String()+`","tables":{"events":[{"name":"Viewed"}]}}`)
	return err
}

func (k *privacyKeeper) Held(_ context.Context, _ string, anchors []identity.AnchorID) (map[string]uint64, error) {
	return map[string]uint64{"events": uint64(10 * len(anchors))}, k.err
}

func (k *privacyKeeper) Consent(context.Context, string, *profiles.Profile) (*privacy.Consent, error) {
	said := privacy.Statement{Purpose: "marketing", Channel: "email", Address: "email:ana@example.com", Time: noon, Source: "web", Origin: "traits", MessageID: "m1"}
	return &privacy.Consent{Current: []privacy.Statement{said}, History: []privacy.Statement{said, said}}, k.err
}

func TestErasure(t *testing.T) {
	f := newFixture()
	f.privacy.known = map[string]*privacy.Status{"main e1": {
		State: privacy.Done, ErasedAt: noon, Identifiers: 4, Shared: 1, Sets: 2, Steps: []privacy.Step{{Name: "events", Rows: 7, Time: noon}},
		Signed: &privacy.Signed{IssuedAt: noon, Certificate: "{}", Signature: "c2ln", PublicKey: "a2V5"},
	}}
	h := f.server(t).Handler()
	post := func(name, key, body string, status int, want ...string) scenario {
		return scenario{name: name, method: http.MethodPost, path: "/v1/privacy/erasure", key: key, body: body, status: status, want: want}
	}
	for _, sc := range []scenario{
		post("no body", "admin-dev", `{}`, 400, "identifier"),
		post("for readers", "read-dev", `{"identifier":"user_id:42"}`, 403),
		post("given again", "admin-dev", `{"identifier":"user_id:gone","id":"e1"}`, 200, `"status":"done"`, `"identifiers_shared":1`, `"signature":"c2ln"`, `"rows":7`),
		post("of an id that nobody has", "admin-dev", `{"identifier":"00000000000000ff"}`, 404),
		post("of another field", "admin-dev", `{"identifier":"user_id:42","force":true}`, 400),
		{name: "how far", path: "/v1/privacy/erasure/e1", key: "admin-dev", status: 200, want: []string{`"step":"events"`}},
		{name: "of another workspace", path: "/v1/privacy/erasure/e2", key: "admin-dev", status: 404},
		{name: "for writers", path: "/v1/privacy/erasure/e1", key: "write-dev", status: 403},
		{name: "access", path: "/v1/privacy/access/email:ANA@example.com", key: "admin-dev", status: 200, want: []string{`"events":[{"name":"Viewed"}]`}},
		{name: "access of nobody", path: "/v1/privacy/access/email:nobody@example.com", key: "admin-dev", status: 404},
		{name: "access for readers", path: "/v1/privacy/access/user_id:42", key: "read-dev", status: 403},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	f.privacy.known["main e9"] = &privacy.Status{State: privacy.Masked, ErasedAt: noon}
	delete(f.privacy.known, "main e9")
	post("masked", "admin-dev", `{"identifier":"email:ANA@example.com","id":"e9","reason":"asked"}`, 404).run(t, h) // The fake has no row of it yet.
	if n := len(f.commands.taken); n != 1 || f.commands.taken[0].Kind != identity.Erase || f.commands.taken[0].Identifiers[0].Value != "ana@example.com" {
		t.Errorf("%d commands: %+v", n, f.commands.taken)
	}
	f.commands.code = identity.RefusedShared
	post("by a tablet", "admin-dev", `{"identifier":"device:tablet"}`, 409, `"code":"shared"`, "dry run").run(t, h)
}

func TestCorrection(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	post := func(name, key, id, body string, status int) scenario {
		return scenario{name: name, method: http.MethodPost, path: "/v1/privacy/correction/" + id, key: key, body: body, status: status}
	}
	for _, sc := range []scenario{
		post("of nobody", "admin-dev", "user_id:nobody", `{"traits":{"name":"Ana"}}`, 404),
		post("of nothing", "admin-dev", "user_id:42", `{"traits":{}}`, 400),
		post("for writers", "write-dev", "user_id:42", `{"traits":{"name":"Ana"}}`, 403),
		post("stated", "admin-dev", "user_id:42", `{"traits":{"name":"Ana","age":null}}`, 202),
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	if len(f.events.events) != 1 || !strings.Contains(f.events.events[0], `"traits":{"age":null,"name":"Ana"}`) || !strings.Contains(f.events.events[0], `"type":"identify"`) {
		t.Errorf("events: %v", f.events.events)
	}
}

func TestConsent(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	for _, sc := range []scenario{
		{name: "for readers", path: "/v1/profiles/user_id:42/consent", key: "read-dev", status: 200, want: []string{`"granted":false`, `"history":[`, `"message_id":"m1"`}, not: []string{"ana@example.com"}},
		{name: "for admins", path: "/v1/profiles/user_id:42/consent", key: "admin-dev", status: 200, want: []string{`"address":"email:ana@example.com"`}},
		{name: "of nobody", path: "/v1/profiles/user_id:nobody/consent", key: "read-dev", status: 404},
		{name: "stated", method: http.MethodPost, path: "/v1/profiles/user_id:42/consent", key: "write-dev", status: 202, body: `{"purpose":"marketing","channel":"email","address":"email:ANA@example.com","granted":false,"proof":"call"}`, want: []string{"message_id"}},
		{name: "not said", method: http.MethodPost, path: "/v1/profiles/user_id:42/consent", key: "write-dev", status: 400, body: `{"purpose":"marketing"}`, want: []string{"/granted"}},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	var event struct {
		Identifiers []identity.Identifier
		Properties  struct{ Consent []map[string]any }
	}
	if len(f.events.events) != 1 || json.Unmarshal([]byte(f.events.events[0]), &event) != nil {
		t.Fatalf("events: %v", f.events.events)
	}
	said := event.Properties.Consent[0]
	if event.Identifiers[0].Value != "42" || said["address"] != "email:ana@example.com" || said["granted"] != false || !strings.Contains(f.events.events[0], "Consent Stated") {
		t.Errorf("event %s", f.events.events[0])
	}
	var _ api.Privacy = f.privacy
}

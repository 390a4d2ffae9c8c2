package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
)

const (
	keyID     = "0011223344556677"
	keySecret = "kdr_the-secret"
)

// keyKeeper has one key.
type keyKeeper struct {
	err   error
	asked []string
}

func (k *keyKeeper) key() *api.ManagedKey {
	return &api.ManagedKey{ID: keyID, Name: "shop", Role: api.RoleWrite, Source: "web", Status: "live", Created: noon, Expires: &noon, Changed: noon, By: "ana", Revision: 3}
}

func (k *keyKeeper) note(format string, args ...any) error {
	k.asked = append(k.asked, fmt.Sprintf(format, args...))
	return k.err
}

func (k *keyKeeper) List(_ context.Context, workspace string) ([]api.ManagedKey, error) {
	return []api.ManagedKey{*k.key()}, k.note("list %s", workspace)
}

func (k *keyKeeper) Create(_ context.Context, workspace, actor string, n api.NewKey) (*api.ManagedKey, string, error) {
	return k.key(), keySecret, k.note("create %s %s %s %s %s %t %g %d", workspace, actor, n.Name, n.Role, n.Source, n.Person, n.Rate, n.Burst)
}

func (k *keyKeeper) Revoke(_ context.Context, workspace, actor, id string) (*api.ManagedKey, error) {
	if id != keyID || workspace != "main" {
		return nil, api.ErrNoKey
	}
	return k.key(), k.note("revoke %s %s", workspace, actor)
}

func (k *keyKeeper) Rotate(_ context.Context, workspace, actor, id string, grace time.Duration) (*api.ManagedKey, string, error) {
	if id != keyID || workspace != "main" {
		return nil, "", api.ErrNoKey
	}
	return k.key(), keySecret, k.note("rotate %s %s %s", workspace, actor, grace)
}

func TestManagedKeys(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	post := func(name, path, body string, status int, want ...string) scenario {
		return scenario{name: name, method: http.MethodPost, path: "/v1/keys" + path, key: "admin-dev", body: body, status: status, want: want}
	}
	for _, sc := range []scenario{
		{name: "list", path: "/v1/keys", key: "admin-dev", status: 200, want: []string{`"id":"` + keyID, `"status":"live"`}, not: []string{"kdr_"}},
		post("create", "", `{"name":"shop","role":"write","source":"web","rate":2.5,"burst":9,"expires_at":"2100-01-01T00:00:00Z"}`, 200, `"secret":"`+keySecret),
		post("create for a person", "", `{"name":"ana","role":"read","person":true}`, 200),
		post("nameless", "", `{"role":"owner","source":"x","rate":-1}`, 400, `"/name"`, `"/role"`, `"/source"`, `"/rate"`),
		post("too late", "", `{"name":"x","role":"read","expires_at":"2001-01-01T00:00:00Z"}`, 400, `"/expires_at"`),
		post("of another workspace", "", `{"name":"x","role":"read","workspace":"other"}`, 400),
		post("revoke", "/"+keyID+"/revoke", "", 200, keyID),
		post("revoke none", "/7766554433221100/revoke", "", 404, "key-not-found"),
		post("rotate", "/"+keyID+"/rotate", `{"grace_seconds":60}`, 200, keySecret),
		post("rotate at once", "/"+keyID+"/rotate", "", 200, keySecret),
		post("rotate for long", "/"+keyID+"/rotate", `{"grace_seconds":2592001}`, 400, `"/grace_seconds"`),
		as("admin-other", post("rotate another's", "/"+keyID+"/rotate", "", 404)),
		as("marketer-dev", post("as marketer", "", `{"name":"x","role":"admin"}`, 403)),
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	want := []string{
		"list main", "create main name-of-admin-dev shop write web false 2.5 9", "create main name-of-admin-dev ana read  true 0 0",
		"revoke main name-of-admin-dev", "rotate main name-of-admin-dev 1m0s", "rotate main name-of-admin-dev 0s",
	}
	if got := strings.Join(f.keys.asked, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("asked for:\n%s", got)
	}
	if strings.Contains(f.logs.String(), keySecret) {
		t.Error("a secret is in the log")
	}
	f.keys.err = &api.Refused{Conflict: true, Detail: "the key was revoked"}
	post("refused", "/"+keyID+"/rotate", "", 409, "was revoked").run(t, h)
	f.keys.err = api.ErrPending
	post("pending", "", `{"name":"x","role":"read"}`, 503, "pending").run(t, h)
}

// recorder keeps entries in memory.
type recorder struct {
	mu      sync.Mutex // Protects the fields below.
	begun   []api.AuditEntry
	noted   []api.AuditEntry
	begin   error
	note    error
	asked   []api.AuditFilter
	cursors []string
}

func (r *recorder) Begin(_ context.Context, e api.AuditEntry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun = append(r.begun, e)
	return r.begin
}

func (r *recorder) Note(_ context.Context, e api.AuditEntry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noted = append(r.noted, e)
	return r.note
}

func (r *recorder) List(_ context.Context, workspace string, f api.AuditFilter, cursor string, limit int) ([]api.AuditEntry, string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked, r.cursors = append(r.asked, f), append(r.cursors, fmt.Sprint(workspace, " ", cursor, " ", limit))
	return []api.AuditEntry{{ID: "e1", Time: noon, Role: api.RoleMarketer, Action: "read", Method: "GET", Route: "/v1/profiles/:id", Status: 200}}, "more", nil
}

// take returns what was recorded since the last time, as short texts.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for i, entries := range [][]api.AuditEntry{r.begun, r.noted} {
		for _, e := range entries {
			list = append(list, fmt.Sprint([]string{"begun", "noted"}[i], " ", e.Action, " ", e.KeyID, "/", e.Actor, " ", e.Method, " ", e.Route, " ", e.Resource, " ", len(e.Subjects), " ", e.Status))
		}
	}
	r.begun, r.noted = nil, nil
	return list
}

func TestAudit(t *testing.T) {
	f := newFixture()
	f.ring.add(api.Key{ID: "analyst", Role: api.RoleRead, Person: true})
	h := f.server(t).Handler()
	f2 := func(sc scenario, want ...string) {
		t.Helper()
		sc.run(t, h)
		if got := f.audit.take(); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s with %s is on record as:\n%s\nwant:\n%s", sc.path, sc.key, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	const ana = "/v1/profiles/email:ana@example.com"
	f2(scenario{path: ana, key: "read-dev", status: 200})
	f2(scenario{path: ana, key: "marketer-dev", status: 200, header: map[string]string{"X-Kindred-Actor": " Carla\x80 "}}, "noted read name-of-marketer-dev/Carla GET /v1/profiles/:id  1 200")
	f2(scenario{path: ana, key: "analyst", status: 200}, "noted read analyst/ GET /v1/profiles/:id  1 200")
	f2(scenario{path: "/v1/profiles/user_id:nobody", key: "admin-dev", status: 404}, "noted read name-of-admin-dev/ GET /v1/profiles/:id  1 404")
	f2(scenario{path: "/v1/identity/why?a=email:ana@example.com&b=user_id:42", key: "admin-dev", status: 200}, "noted read name-of-admin-dev/ GET /v1/identity/why  2 200")
	f2(scenario{path: "/v1/plans", key: "admin-dev", status: 200})
	f2(scenario{method: http.MethodPost, path: "/v1/segments/preview", key: "marketer-dev", body: `{"definition":` + definition + `}`, status: 200}, "noted read name-of-marketer-dev/ POST /v1/segments/preview  1 200")
	f2(scenario{path: "/v1/dead-letters", key: "marketer-dev", status: 403}, "noted read name-of-marketer-dev/ GET /v1/dead-letters  0 403")
	f2(scenario{method: http.MethodPost, path: "/v1/events/behaviour", key: "write-dev", body: `{}`, status: 200})
	f2(command("block", "block", `{"identifiers":["email:ana@example.com","user_id:42"]}`, 200), "begun change name-of-admin-dev/ POST /v1/identity/block  0 0", "noted change name-of-admin-dev/ POST /v1/identity/block  2 200")
	f2(scenario{method: http.MethodPut, path: "/v1/plans/web", key: "admin-dev", body: `{}`, status: 400}, "begun change name-of-admin-dev/ PUT /v1/plans/:plan web 0 0", "noted change name-of-admin-dev/ PUT /v1/plans/:plan web 0 400")
	f.people.mu.Lock()
	f.people.hook = func() { panic("of the store") }
	f.people.mu.Unlock()
	f2(scenario{path: ana, key: "marketer-dev", status: 500}, "noted read name-of-marketer-dev/ GET /v1/profiles/:id  1 500")
	for _, e := range []string{"ana@", "Carla"} {
		if strings.Contains(f.logs.String(), e) {
			t.Errorf("the log has %q", e)
		}
	}
}

// A change that cannot be put on record is not made; an outcome that cannot be is
// counted and logged.
func TestAuditFails(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	f.audit.begin = errors.New("no store")
	scenario{method: http.MethodDelete, path: "/v1/plans/web?expected_revision=7", key: "admin-dev", status: 503, want: []string{"audit-unavailable"}}.run(t, h)
	if len(f.plans.asked) > 0 {
		t.Errorf("the plan was changed: %v", f.plans.asked)
	}
	f.audit.begin, f.audit.note = nil, errors.New("full")
	scenario{method: http.MethodDelete, path: "/v1/plans/web?expected_revision=7", key: "admin-dev", header: map[string]string{"X-Request-Id": "r-7"}, status: 200}.run(t, h)
	if logs := f.logs.String(); !strings.Contains(logs, "outcome is not put on record") || !strings.Contains(logs, `"request_id":"r-7"`) {
		t.Errorf("the log says nothing of a lost outcome: %s", logs)
	}
	scenario{path: "/metrics", status: 200, want: []string{"kindred_api_audit_lost_total 1"}}.run(t, h)
}

func TestAuditList(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	for _, sc := range []scenario{
		{path: "/v1/audit?key_id=k&actor=Carla&action=read&route=/v1/profiles/:id&request_id=r&since=2025-01-01T00:00:00Z&until=2025-02-01T00:00:00Z&limit=7&cursor=c", key: "admin-dev", status: 200, want: []string{`"id":"e1"`, `"subjects":[]`, `"next":"more"`}},
		{path: "/v1/audit?profile=email:ana@example.com", key: "admin-dev", status: 200},
		{path: "/v1/audit?profile=email:gone@example.com", key: "admin-dev", status: 200},
		{path: "/v1/audit?profile=nonsense", key: "admin-dev", status: 400},
		{path: "/v1/audit?action=write", key: "admin-dev", status: 400},
		{path: "/v1/audit?limit=1001", key: "admin-dev", status: 400},
		{path: "/v1/audit?since=yesterday", key: "admin-dev", status: 400},
		{path: "/v1/audit", key: "marketer-dev", status: 403},
	} {
		sc.run(t, h)
	}
	if len(f.audit.asked) != 3 || f.audit.cursors[0] != "main c 7" || f.audit.asked[0].Actor != "Carla" {
		t.Fatalf("asked for %+v, %v", f.audit.asked, f.audit.cursors)
	}
	k := keyer("main")
	of := func(ns identity.Namespace, v string) identity.Key {
		return k.Key(identity.Identifier{Namespace: ns, Value: v})
	}
	var found bool
	for _, key := range f.audit.asked[1].Subjects {
		found = found || key == of("user_id", "42")
	}
	if !found {
		t.Error("a person is looked for under one identifier alone")
	}
	if got := f.audit.asked[2].Subjects; len(got) != 1 || got[0] != of("email", "gone@example.com") {
		t.Errorf("who is gone is looked for as %v", got)
	}
}

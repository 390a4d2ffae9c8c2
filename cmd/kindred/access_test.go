package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/deploy/embedded"
	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

const (
	accessKeys = "write/web:main:write-dev,read:main:read-dev,marketer:main:marketer-dev,admin:main:admin-dev," +
		"write/web:other:write-other,read:other:read-other,marketer:other:marketer-other,admin:other:admin-other"
	plantedMail  = "planted-ana@planted.example"
	plantedPhone = "+351939393939"
)

// startLogged starts a Kindred whose ClickHouse keeps a query log, and which logs
// all it can; its name in the URL of the SQL interface is that of the admin.
func startLogged(t *testing.T, env ...string) (k *running, sql func(query string) string) {
	t.Helper()
	library, err := enginetest.Library()
	if err != nil {
		if os.Getenv("KINDRED_REQUIRE_SERVICES") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	port := enginetest.FreePorts(t, 1)[0]
	cfg := embedded.DefaultClickHouseConfig()
	cfg.Library, cfg.DataDir, cfg.Database, cfg.TCPPort, cfg.HTTPPort = library, t.TempDir(), "kindred", 0, port
	cfg.QueryLog, cfg.AdminPassword, cfg.AnalystPassword = true, "of-the-test", devAnalyst
	cfg.AnalystGrants = warehouse.AnalystGrants("kindred")
	engine, err := embedded.NewClickHouse(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		err := engine.Run(ctx, func(dsn string) error { ready <- dsn; return nil })
		close(ready)
		ended <- err
	}()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections() // The engine waits for those who are connected.
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	dsn, ok := <-ready
	if !ok {
		t.Fatal("the engine does not start")
	}
	k = startKindred(t, append([]string{"KINDRED_CLICKHOUSE_URL=" + dsn, "KINDRED_API_KEYS=" + accessKeys, "KINDRED_LOG_LEVEL=debug"}, env...)...)
	k.sql = strconv.Itoa(port)
	return k, func(query string) string {
		return k.queryAs(embedded.AdminUser, "of-the-test", query)
	}
}

// ask sends a request and returns status and body.
func (k *running) ask(method, path, key, body string) (int, string) {
	k.t.Helper()
	r, err := http.NewRequestWithContext(k.t.Context(), method, "http://"+k.api+path, strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Kindred-Actor", "planted-actor")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// plant sends the same person into a workspace: what they are, did and bought, a
// message that is refused, and a plan.
func (k *running) plant(workspace, write, admin string) {
	k.t.Helper()
	for _, call := range []struct{ path, body string }{
		{"/v1/batch", `{"batch":[
			{"type":"identify","messageId":"m1","timestamp":"2026-05-04T09:00:00Z","userId":"u-planted","anonymousId":"a-planted","traits":{"email":"` + plantedMail + `","phone":"` + plantedPhone + `","firstName":"Planted","country":"PT","address":{"street":"planted street 1"}}},
			{"type":"page","messageId":"m2","timestamp":"2026-05-04T09:01:00Z","anonymousId":"a-planted","name":"Home","properties":{"url":"https://shop.example/planted?q=planted","search":"planted"}},
			{"type":"track","messageId":"m3","timestamp":"2026-05-04T09:02:00Z","userId":"u-planted","event":"Order Completed","properties":{"order_id":"o-1","currency":"EUR","revenue":20,"email":"` + plantedMail + `"}},
			{"type":"identify","messageId":"m4","timestamp":"2026-05-04T09:03:00Z","userId":"u-second","traits":{"country":"BR"}}]}`},
		{"/v1/events/behaviour", `{"id":"bad","name":"View","source":"web","time":"planted","identifiers":[{"namespace":"email","value":"` + plantedMail + `"}]}`},
	} {
		if status, text := k.ask(http.MethodPost, call.path, write, call.body); status != 200 && status != 400 {
			k.t.Fatalf("%s answers %d: %s", call.path, status, text)
		}
	}
	if status, text := k.ask(http.MethodPut, "/v1/plans/web", admin, `{"expected_revision":0,"definition":{"sources":["web"],"events":[{"name":"View","version":"1","mode":"warn","schema":{"type":"object"}}]}}`); status != 200 {
		k.t.Fatalf("plan: %d %s", status, text)
	}
	k.until(workspace+" has the person", func() bool {
		_, text := k.ask(http.MethodGet, "/v1/profiles/email:"+plantedMail, admin, "")
		_, letters := k.ask(http.MethodGet, "/v1/dead-letters/summary", admin, "")
		_, second := k.ask(http.MethodGet, "/v1/profiles/user_id:u-second", admin, "")
		return strings.Contains(text, `"total":3`) && strings.Contains(text, `"identifier_count":4`) && strings.Contains(letters, `"total":1`) && strings.Contains(second, `"total":1`)
	})
}

// operations are those of the document that it serves.
func (k *running) operations() (list []struct{ method, path, role string }) {
	k.t.Helper()
	_, text := k.ask(http.MethodGet, "/openapi.json", "", "")
	var document struct {
		Paths map[string]map[string]struct {
			Role string `json:"x-kindred-role"`
		}
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		k.t.Fatal(err)
	}
	for path, item := range document.Paths {
		for method, o := range item {
			list = append(list, struct{ method, path, role string }{strings.ToUpper(method), path, o.Role})
		}
	}
	slices.SortFunc(list, func(a, b struct{ method, path, role string }) int {
		return strings.Compare(a.path+a.method, b.path+b.method)
	})
	return list
}

// volatile are what answers have of the time at which they were made.
var volatile = regexp.MustCompile(`"(as_of|computed_at|elapsed_ms|rows_read|bytes_read|received|changed_at|since|revision|position|declared_at|request_id)":("[^"]*"|[0-9.]+)`)

// answers asks everything that the document has to read, as an admin.
func (k *running) answers(workspace string) map[string]string {
	k.t.Helper()
	key, all := "admin-"+map[string]string{"main": "dev", "other": "other"}[workspace], map[string]string{}
	ids := map[string]string{"profiles": "email:" + plantedMail, "dead-letters": k.letter(key), "commands": "c-1"}
	for _, o := range k.operations() {
		path := o.path
		if o.method != http.MethodGet || o.role == "" || o.role == "write" || path == "/v1/audit" || path == "/v1/keys" {
			continue
		}
		address := strings.NewReplacer("{plan}", "web", "{version}", "none", "{space}", workspace, "{collection}", "users").Replace(path)
		for part, id := range ids {
			address = strings.ReplaceAll(address, "/"+part+"/{id}", "/"+part+"/"+id)
		}
		switch path {
		case "/v1/profiles":
			address += "?identifier=email:planted"
		case "/v1/identity/why":
			address += "?" + url.Values{"a": {"email:" + plantedMail}, "b": {"user_id:u-planted"}}.Encode()
		}
		status, body := k.ask(http.MethodGet, address, key, "")
		all["GET "+path] = strconv.Itoa(status) + " " + volatile.ReplaceAllString(body, `"$1":0`)
	}
	status, body := k.ask(http.MethodPost, "/v1/segments/preview", key, `{"definition":{"trait":"email","op":"eq","value":"`+plantedMail+`"}}`)
	all["POST /v1/segments/preview"] = strconv.Itoa(status) + " " + volatile.ReplaceAllString(body, `"$1":0`)
	return all
}

// letter is the id of the one dead letter, or of none.
func (k *running) letter(key string) string {
	_, text := k.ask(http.MethodGet, "/v1/dead-letters", key, "")
	if m := regexp.MustCompile(`"id":"([0-9a-f]{32})"`).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return strings.Repeat("0", 32)
}

// views sums up what each view shows an analyst of a workspace.
func (k *running) views(workspace string) map[string]string {
	all := map[string]string{}
	for _, grant := range warehouse.AnalystGrants("kindred") {
		view, ok := strings.CutPrefix(grant, "GRANT SELECT ON kindred.")
		if !ok || strings.HasPrefix(view, "unresolved_") || slices.Contains([]string{"identity_epochs", "identity_versions"}, view) { // Written as time goes by.
			continue
		}
		columns := k.query("SELECT count() FROM system.columns WHERE database = 'kindred' AND table = '" + view + "' AND name = 'workspace'")
		if columns == "1" {
			all[view] = k.query("SELECT count(), groupBitXor(cityHash64(tuple(*))) FROM " + view + " WHERE workspace = '" + workspace + "'")
		}
	}
	return all
}

// TestWorkspacesNeverMeet gives two workspaces the same person, one after the other.
// The second sees nothing of the first, on any route and in any view; and the first
// answers the same before and after the second has come.
func TestWorkspacesNeverMeet(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	t.Parallel()
	k, admin := startLogged(t)
	k.plant("main", "write-dev", "admin-dev")
	if status, text := k.ask(http.MethodPost, "/v1/identity/block", "admin-dev", `{"id":"c-1","identifiers":["user_id:u-second"],"reason":"planted reason"}`); status != 200 {
		t.Fatalf("block: %d %s", status, text)
	}
	before, viewsBefore := k.answers("main"), k.views("main")
	if len(before) < 15 || len(viewsBefore) < 20 || !strings.Contains(before["GET /v1/profiles/{id}"], plantedMail) {
		t.Fatalf("%d answers and %d views, or nobody in them: %v", len(before), len(viewsBefore), before)
	}
	for operation, answer := range k.answers("other") {
		_, echo, _ := strings.Cut(answer, `"parameters":`) // Of the request itself.
		if strings.Contains(strings.ReplaceAll(answer, echo, ""), "lanted") && operation != "GET /v1/identity/why" || strings.Contains(answer, `"m1"`) {
			t.Errorf("%s shows another workspace what is not its own: %s", operation, answer)
		}
	}
	for view, rows := range k.views("other") {
		if !strings.HasPrefix(rows, "0\t") {
			t.Errorf("the view %s has rows of a workspace without data: %s", view, rows)
		}
	}
	k.meddle()
	k.plant("other", "write-other", "admin-other")
	if d := cmp.Diff(before, k.answers("main")); d != "" {
		t.Errorf("answers to main change with another workspace, -before +after:\n%s", d)
	}
	if d := cmp.Diff(viewsBefore, k.views("main")); d != "" {
		t.Errorf("views of main change with another workspace, -before +after:\n%s", d)
	}
	other := k.answers("other")
	if !strings.Contains(other["GET /v1/profiles/{id}"], plantedMail) || before["GET /v1/profiles/{id}"] == other["GET /v1/profiles/{id}"] {
		t.Errorf("the other workspace has no person of its own: %s", other["GET /v1/profiles/{id}"])
	}
	t.Run("nothing planted", func(t *testing.T) { k.plantedNowhere(admin) })
	t.Run("keys", func(t *testing.T) { k.lifeOfAKey(admin) })
}

// meddle tries to change, from another workspace, what the first one has: every
// change of the document that names something. Its outcome is in the answers to main.
func (k *running) meddle() {
	k.t.Helper()
	_, text := k.ask(http.MethodPost, "/v1/keys", "admin-dev", `{"name":"of main","role":"read"}`)
	var made struct{ Key api.ManagedKey }
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.Key.ID == "" {
		k.t.Fatalf("key: %v, %s", err, text)
	}
	both := `{"identifiers":["email:` + plantedMail + `","user_id:u-planted"],"reason":"x"}`
	one := `{"identifiers":["email:` + plantedMail + `"],"from":"user_id:u-planted","reason":"x"}`
	tried := 0
	for _, o := range k.operations() {
		body := map[string]string{
			"/v1/identity/unmerge": one, "/v1/identity/link": both, "/v1/identity/separate": both, "/v1/identity/block": `{"identifiers":["email:` + plantedMail + `"]}`,
			"/v1/identity/unblock": `{"identifiers":["user_id:u-second"]}`, "/v1/identity/undo": `{"target":"c-1"}`, "/v1/identity/commands": `{"kind":"undo","target":"c-1"}`,
			"/v1/identity/review/{pair}/decision": `{"answer":"same"}`,
			"/v1/plans/{plan}":                    `{"expected_revision":1,"definition":{"events":[]}}`,
			"/v1/dead-letters/{id}/edit":          `{"reason":"x","value":{"id":"y"}}`, "/v1/dead-letters/{id}/replay": `{"reason":"x"}`,
			"/v1/dead-letters/{id}/discard": `{"reason":"x"}`, "/v1/dead-letters/{id}/note": `{"reason":"x"}`,
			"/v1/dead-letters/replay": `{"filter":{},"reason":"x"}`, "/v1/dead-letters/discard": `{"filter":{},"reason":"x"}`,
			"/v1/keys/{id}/revoke": `{}`, "/v1/keys/{id}/rotate": `{}`,
		}[o.path]
		if o.role != "admin" || o.method == http.MethodGet || body == "" {
			continue
		}
		tried++
		id := k.letter("admin-dev")
		if strings.HasPrefix(o.path, "/v1/keys") {
			id = made.Key.ID
		}
		path := strings.NewReplacer("{id}", id, "{plan}", "web", "{pair}", "0000000000000001-0000000000000002").Replace(o.path)
		if o.method == http.MethodDelete {
			path += "?expected_revision=1"
		}
		// Nobody has asked the graph of the other workspace for anything yet.
		if status, text := k.ask(o.method, path, "admin-other", body); status < 400 && !strings.Contains(text, `"matched":0`) || status >= 500 && !strings.Contains(text, "identity_not_here") {
			k.t.Errorf("%s %s of another workspace answers %d: %s", o.method, path, status, text)
		}
	}
	if tried < 15 {
		k.t.Errorf("only %d changes were tried", tried)
	}
	if _, text := k.ask(http.MethodGet, "/v1/keys", "admin-dev", ""); !strings.Contains(text, `"status":"live"`) {
		k.t.Errorf("the key of main is %s", text)
	}
}

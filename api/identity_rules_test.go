package api_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
)

// ruleKeeper has rules of version 4 and knows one fault.
type ruleKeeper struct{ err error }

func (r *ruleKeeper) InForce(_ context.Context, workspace string) (*api.RuleFile, error) {
	return &api.RuleFile{Version: 4, JSON: []byte(`{"version":4}`), TOML: []byte("# of " + workspace + "\nversion = 4\n")}, r.err
}

func (r *ruleKeeper) Read(text []byte, version int) (*api.RuleFile, error) {
	if bytes.Contains(text, []byte("limt")) {
		return nil, &api.Refused{Detail: "the rule file breaks rules", Faults: []api.PlacedFault{{Pointer: "/namespaces/email/limt", Detail: "line 3: is not a key of the rules"}}}
	}
	return &api.RuleFile{Version: version, JSON: fmt.Appendf(nil, `{"version":%d,"of":%q}`, version, text)}, r.err
}

func (r *ruleKeeper) Diff(from, to *api.RuleFile) ([]string, error) {
	return []string{fmt.Sprintf("version: from %d to %d", from.Version, to.Version)}, nil
}

func TestRules(t *testing.T) {
	h := newFixture().server(t).Handler()
	get := func(name, key, accept string, status int, want string, headers map[string]string) scenario {
		return scenario{name: name, path: "/v1/identity/rules", key: key, header: map[string]string{"Accept": accept}, status: status, want: []string{want}, headers: headers}
	}
	for _, sc := range []scenario{
		get("as JSON", "read-dev", "", 200, `{"version":4}`, map[string]string{"Content-Type": "application/json", "Vary": "Accept"}),
		get("as a file", "read-dev", "application/toml", 200, "# of main\nversion = 4", nil),
		get("as a file of several", "admin-dev", "text/html, application/toml;q=0.5", 200, "# of main", nil),
		get("as anything", "read-dev", "*/*", 200, `{"version":4}`, nil),
		get("as nonsense", "read-dev", ";;;,/", 200, `{"version":4}`, nil),
		get("as writer", "write-dev", "", 403, "forbidden", nil),
		get("as nobody", "", "", 401, "unauthorized", nil),
	} {
		if strings.HasPrefix(sc.want[0], "#") {
			sc.not = []string{"{"}
		}
		t.Run(sc.name, func(t *testing.T) { runRules(t, sc, h) })
	}
}

// runRules runs a scenario whose answer may be a TOML file.
func runRules(t *testing.T, sc scenario, h http.Handler) {
	t.Helper()
	answer := sc.run(t, h)
	if tag := answer.Header.Get("ETag"); sc.status == 200 {
		again := sc
		again.header = map[string]string{"Accept": sc.header["Accept"], "If-None-Match": tag}
		again.status, again.want, again.headers = http.StatusNotModified, nil, nil
		again.run(t, h)
	}
}

func TestDryRun(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	post := func(name, key, media, body string, status int, want ...string) scenario {
		return scenario{name: name, method: http.MethodPost, path: "/v1/identity/dry-run", key: key, header: map[string]string{"Content-Type": media}, body: body, status: status, want: want}
	}
	const toml = "[namespaces.email]\nlimit = 3\n"
	for _, sc := range []scenario{
		post("JSON", "admin-dev", "application/json", `{"caps":{}}`, 200, `"version":4`, `"changes":["version: from 4 to 5"]`, `"before":{"profiles":10,"merges":5}`, `"split":1`, `"joins":[]`,
			`"value":"a***@example.com","before":"0000000000000007"`, `"more":2`,
			`"moves":[{"key":"000000000000000c","namespace":"user_id","before":"0000000000000007","after":"000000000000000c"}]`),
		post("TOML", "admin-dev", "application/toml", toml, 200, `"moved":1`),
		post("fault", "admin-dev", "application/toml", "limt = 3", 400, `"pointer":"/namespaces/email/limt"`, "line 3"),
		post("empty", "admin-dev", "application/toml", " \n", 400, "the body is empty"),
		post("odd type", "admin-dev", "application/xml", "<rules/>", 415, "application/toml"),
		post("huge", "admin-dev", "application/toml", "# "+strings.Repeat("x", 1<<20), 413),
		post("as reader", "read-dev", "application/toml", toml, 403),
		post("as nobody", "", "application/toml", toml, 401),
	} {
		t.Run(sc.name, func(t *testing.T) { sc.not = []string{"ana@"}; sc.run(t, h) })
	}
	if got := strings.Join(f.graph.asked, "\n"); !strings.Contains(got, `limit = 3`) {
		t.Errorf("rules tried: %s", got)
	}
	f.graph.err = identity.ErrTrialRunning
	busy := post("", "admin-dev", "application/toml", toml, 409, "dry-run-running", `"code":"dry_run_running"`, "one of a workspace runs at a time")
	busy.headers = map[string]string{"Retry-After": "5"}
	busy.run(t, h)
	f.graph.err = nil
	get := func(key string, status int, want ...string) scenario {
		return scenario{path: "/v1/identity/dry-run", key: key, status: status, want: want}
	}
	get("read-dev", 200, `{"running":true,"started_at":"2026-07-25T17:20:00Z","rows":7}`).run(t, h)
	get("write-dev", 403).run(t, h)
	f.graph.asked = nil
	get("read-dev", 200, `{"running":false,"rows":7}`).run(t, h)
	f.graph.refused = "rename: must not name source web"
	post("", "admin-dev", "application/toml", toml, 422, `"code":"rules"`, "must not name source web").run(t, h)
	f.graph.err = context.DeadlineExceeded
	post("", "admin-dev", "application/toml", toml, 503, "timeout").run(t, h)
}

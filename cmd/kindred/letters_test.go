package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// answers is an API that answers by method and path, and notes what it was sent.
type answers struct {
	byPath map[string]string
	asked  []string
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.asked = append(a.asked, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization")+" "+string(body))
	name := r.Method + " " + r.URL.Path
	answer, ok := a.byPath[name+" dry"]
	if !ok || !bytes.Contains(body, []byte(`"dry_run":true`)) {
		answer, ok = a.byPath[name]
	}
	if !ok {
		w.WriteHeader(http.StatusConflict)
		answer = `{"title":"It has changed","detail":"the letter's last action is revision 4","errors":[{"pointer":"/a","detail":"b"}]}`
	}
	_, _ = io.WriteString(w, answer)
}

// command runs a command of the program against an API and returns what it prints.
func (a *answers) command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	server := httptest.NewServer(a)
	defer server.Close()
	top := &cobra.Command{Use: "kindred", SilenceErrors: true, SilenceUsage: true}
	addSettings(top.PersistentFlags())
	top.AddCommand(lettersCommand(), plansCommand(), identityCommand())
	top.SetArgs(append(args, "--api-address", strings.TrimPrefix(server.URL, "http://")))
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdout
	os.Stdout = out
	defer func() { os.Stdout = before }()
	failed := top.ExecuteContext(t.Context())
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text), failed
}

func TestLetterCommands(t *testing.T) {
	const id = "00112233445566778899aabbccddeeff"
	a := &answers{byPath: map[string]string{
		"GET /v1/dead-letters":                    `{"letters":[{"id":"` + id + `","received":"2026-05-04T09:00:00Z","status":"open","kind":"behaviour","source":"we\u001b[31mb","reason":"invalid_field","detail":"` + strings.Repeat("x", 200) + `"}]}`,
		"GET /v1/dead-letters/summary":            `{"counts":[{"letters":12,"reason":"invalid_field","status":"open","first":"2026-05-04T09:00:00Z","last":"2026-05-04T10:00:00Z"}]}`,
		"POST /v1/dead-letters/replay":            `{"matched":7,"letters":["` + id + `"],"applied":6,"revision":9,"refused":[{"letter":"` + id + `","detail":"edit it first"}]}`,
		"POST /v1/dead-letters/" + id + "/replay": `{"revision":5}`,
		"GET /v1/plans":                           `{"plans":[{"name":"web","revision":7,"events":3,"changed_at":"2026-05-04T09:00:00Z","changed_by":"ana"}]}`,
		"PUT /v1/plans/web":                       `{"revision":8}`,
		"PUT /v1/plans/app":                       `{"revision":9}`,
		"POST /v1/plans/check":                    `{"stored":false,"violations":[{"plan":"web","rule":"type","pointer":"/properties/revenue","detail":"is string, must be number","block":true}]}`,
	}}
	file := filepath.Join(t.TempDir(), "app.json")
	if err := os.WriteFile(file, []byte(`{"events":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(args, want, sent, fails string) {
		t.Helper()
		a.asked = nil
		out, err := a.command(t, strings.Fields(args)...)
		if (err == nil) != (fails == "") || err != nil && !strings.Contains(err.Error(), fails) {
			t.Errorf("%s: error %v, want %q", args, err, fails)
		}
		if !strings.Contains(out, want) || strings.Contains(out, "\x1b") {
			t.Errorf("%s prints, without %q:\n%s", args, want, out)
		}
		if asked := strings.Join(a.asked, "\n"); !strings.Contains(asked, sent) || asked != "" && !strings.Contains(asked, "Bearer admin-dev") {
			t.Errorf("%s asks, without %q:\n%s", args, sent, asked)
		}
	}
	f("letters list --reason invalid_field --status open,failed", id+"  2026-05-04 09:00:00  open    behaviour  we·[31mb", "reason=invalid_field&status=open%2Cfailed", "")
	f("letters summary", "12       invalid_field", "summary?", "")
	f("letters replay "+id+" --note again", "replay of letter "+id+" is revision 5", `"reason":"again"`, "")
	f("letters replay --source web --dry-run", "would replay 1 of 7 letters", `"dry_run":true,"filter":{"source":"web","status":["open","failed"]},"limit":100`, "")
	f("letters replay --source web", "6 of 7 letters, 1 refused, revision 9", `"dry_run":false`, "")
	f("letters replay", "", "", "say --all")
	f("letters replay --all", "revision 9", `"status":["open","failed"]`, "")
	f("letters replay "+id+" --source web", "", "", "not both")
	f("letters discard "+id, "", "POST", "revision 4\n  /a b")
	f("letters edit "+id+" "+file, "", `"value":{"events":[]}`, "revision 4")
	f("letters edit "+id+" "+file+"x", "", "", "no such file")
	f("plans list", "web   7         3       2026-05-04 09:00:00  ana", "", "")
	f("plans apply "+file, "plan app is at revision 9", `{"definition":{"events":[]},"expected_revision":0}`, "")
	f("plans apply "+file+" --name web", "plan web is at revision 8", `"expected_revision":7`, "")
	f("plans apply "+file+" --name web --revision 3", "revision 8", `"expected_revision":3`, "")
	f("plans check "+file, "event 1: block  plan web: type at /properties/revenue", `"kind":"behaviour"`, "1 of 1 events would become dead letters")
}

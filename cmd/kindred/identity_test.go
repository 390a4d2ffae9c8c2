package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity/rulefile"
)

var update = flag.Bool("update", false, "write the golden files")

// identityAnswers are those of a Kindred that knows ana and ben.
func identityAnswers() map[string]string {
	applied := func(kind string) string {
		return `{"id":"c7","kind":"` + kind + `","status":"applied","received_at":"2026-05-04T09:00:00Z","decisions":3,"pairs":2,"moved":4,"epoch":1,"sequence":9,"actor":"admin-3","reason":"a shared tablet"}`
	}
	return map[string]string{
		"GET /v1/identity/why": `{"same":true,"a":{"namespace":"email","value":"ana@example.com","profile":"00000000000000a7"},"b":{"namespace":"user_id","value":"42","profile":"00000000000000a7"},
			"path":[{"from":{"namespace":"email","value":"ana@example.com"},"to":{"namespace":"anonymous_id","value":"c\u001b[31m1"},"kind":"follows","rule":"a cookie follows the e-mail it was first seen with",
			"evidence":[{"source":"web","rule":"event","quarter":"2026-Q2","first_event":"2026-05-04T09:00:00Z","last_event":"2026-06-01","message_id":"m1","witness_time":"2026-05-04T09:00:00Z"}]},
			{"from":{"namespace":"anonymous_id","value":"c1"},"to":{"namespace":"record","value":"crm/7"},"kind":"record_link","rule":"the records agree","weight":1250,"link":{"model":"m1","weight":1250,"probability":0.99983,"scored_at":"2026-05-04T09:00:00Z","contributions":[{"field":"prior","weight":-910},{"field":"surname","level":"equal","weight":1640},{"field":"birth date","level":"one digit off","weight":520}]}},
			{"from":{"namespace":"record","value":"crm/7"},"to":{"namespace":"user_id","value":"42"},"kind":"must_link","rule":"an operator fused them","decision":"c1"}]}`,
		"GET /v1/profiles/user_id:42/identity": `{"profile":"00000000000000a7","household":"h1","identifiers":[{"namespace":"email","value":"ana@example.com","key":"00000000000000a7","first_seen":"2026-05-04T09:00:00Z","founder":true},
			{"namespace":"user_id","value":"42","key":"00000000000000b7","first_seen":"2026-05-05T09:00:00Z","state":"crowded","founder":false,"follows":"email:ana@example.com"}],
			"pairs":[{"a":{"namespace":"email","value":"ana@example.com"},"b":{"namespace":"user_id","value":"42"},"links":true,"state":"linking","first_seen":"2026-05-04T09:00:00Z","last_seen":"2026-06-01"}],"truncated":true}`,
		"GET /v1/identity/health": `{"identifiers":50,"profiles":20,"merges":30,"pairs":44,"blocked":1,"generic":1,"density":1.25,"sizes":[{"from":1,"to":1,"profiles":10},{"from":2,"to":3,"profiles":0},{"from":4,"to":7,"profiles":10}],
			"largest":[{"profile":"00000000000000a7","identifiers":7,"pairs":9}],"weakest":[{"profile":"00000000000000a7","a":{"key":"00000000000000a7","namespace":"email","value":"ana@example.com"},"b":{"key":"00000000000000b7"},"smaller":2}],
			"generic_values":[{"key":"00000000000000c7","namespace":"email","value":"info@example.com","neighbours":2000}],"conflicts":{"limit":3,"cannot_link":1}}`,
		"GET /v1/identity/review": `{"model":"m1","review_threshold":200,"link_threshold":700,"waiting":41,"next":"3ff8000000000000","standing":"waiting","pair":"00000000000000a7-00000000000000b7","questions":[
			{"pair":"00000000000000a7-00000000000000b7","worth":12.9,"uncertainty":1,"stake":12.9,"a":{"record":{"namespace":"record","value":"crm/7"},"key":"00000000000000a7","profile":"00000000000000a7","identifiers":3,"events":1,"value":0},
			"b":{"record":{"namespace":"record","value":"shop/4\u001b[31m1"},"key":"00000000000000b7","profile":"00000000000000b9","identifiers":1,"events":40,"value":12.5},
			"link":{"model":"m1","weight":1250,"probability":0.99983,"scored_at":"2026-05-04T09:00:00Z","contributions":[{"field":"prior","weight":-910},{"field":"surname","level":"equal","weight":1640},{"field":"birth date","level":"one digit off","weight":520}]},
			"barrier":{"kind":"limit","detail":"the profile would hold 2 of user_id, and may hold 1"},
			"traits":[{"trait":"birthday","relation":"differ","a":"1970-01-01","b":"1970-10-01"},{"trait":"city","relation":"agree","a":"Lisboa","b":"LIS\u001b[31mBOA"},{"trait":"points","relation":"only_b","b":12}]},
			{"pair":"00000000000000c7-00000000000000d7","worth":1.01,"uncertainty":0.503,"stake":2,"a":{"record":{"namespace":"record","value":"crm/8"},"key":"00000000000000c7","profile":"00000000000000c7","identifiers":1,"events":0,"value":0},
			"b":{"record":{"namespace":"record","value":"shop/42"},"key":"00000000000000d7","profile":"00000000000000d7","identifiers":1,"events":0,"value":0},"link":{"model":"m1","weight":300,"probability":0.8889},"barrier":{"kind":"weight","detail":"not alike enough"},"traits":[]}]}`,
		"POST /v1/identity/review/00000000000000a7-00000000000000b7/decision":     applied("separate"),
		"POST /v1/identity/review/00000000000000a7-00000000000000b7/decision dry": `{"id":"c10","kind":"link","dry_run":true,"decisions":1,"pairs":0,"moved":1,"epoch":1,"sequence":9,"rejected":[],"decided":[{"kind":"must_link","a":{"namespace":"record","value":"crm/7"},"b":{"namespace":"record","value":"shop/41"},"on":true}],"moves":[],"profiles":[]}`,
		"GET /v1/identity/rules":       string(rulefile.FormatJSON(rulefile.Default())),
		"GET /v1/identity/commands/c7": applied("unmerge"),
		"GET /v1/identity/commands/c8": `{"id":"c8","kind":"link","status":"refused","code":"limit","detail":"user_id allows 1","received_at":"2026-05-04T09:00:00Z"}`,
		"POST /v1/identity/unmerge":    applied("unmerge"),
		"POST /v1/identity/link":       applied("link"),
		"POST /v1/identity/block":      applied("block"),
		"POST /v1/identity/unblock":    `{"id":"c9","kind":"unblock","status":"pending"}`,
		"POST /v1/identity/undo":       applied("undo"),
		"POST /v1/identity/rules":      applied("rules"),
		"POST /v1/identity/dry-run": `{"version":1,"changes":["email.limit: from 5 to 3"],"before":{"profiles":20,"merges":30},"after":{"profiles":21,"merges":29},"split":1,"joined":0,"moved":1,"splits":[{"profile":"00000000000000a7","more":1,"identifiers":[{"key":"00000000000000a7","namespace":"email","value":"a***@example.com","before":"00000000000000a7","after":"00000000000000a7"},
			{"key":"00000000000000b7","namespace":"user_id","before":"00000000000000a7","after":"00000000000000b7"}]}],"joins":[],"moves":[]}`,
		"POST /v1/identity/unmerge dry": `{"id":"c9","kind":"unmerge","dry_run":true,"decisions":4,"pairs":2,"moved":1,"epoch":1,"sequence":9,
			"rejected":[{"a":{"namespace":"device","value":"tablet-7"},"b":{"namespace":"user_id","value":"42"}},{"a":{"namespace":"device","value":"tablet-7"},"b":{"namespace":"email","value":"a\u001b[31m@example.com"}}],
			"decided":[{"kind":"cannot_link","a":{"namespace":"device","value":"tablet-7"},"b":{"namespace":"user_id","value":"42"},"on":true},{"kind":"must_link","a":{"namespace":"device","value":"tablet-7"},"b":{"namespace":"user_id","value":"42"},"on":false}],
			"moves":[{"namespace":"device","value":"tablet-7","before":"00000000000000a7","after":"00000000000000c7"}],
			"profiles":[{"profile":"00000000000000a7","before":7,"after":6},{"profile":"00000000000000c7","before":0,"after":1}]}`,
		"POST /v1/identity/block dry":    `{"id":"c10","kind":"block","dry_run":true,"decisions":1,"pairs":0,"moved":0,"epoch":1,"sequence":9,"rejected":[],"decided":[{"kind":"block","a":{"namespace":"email","value":"info@example.com"},"on":true}],"moves":[],"profiles":[]}`,
		"GET /v1/profiles/00a7/identity": `{`,
	}
}

// TestIdentityCommands compares what the commands print and ask for with a file
// that reads like a session.
func TestIdentityCommands(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("rules.toml", "[namespaces.email]\nlimit = 3\n")
	write("same.toml", "version = 1\n")
	write("faulty.toml", "[namespaces.email]\nlimt = 3\nlimit_window = \"a month\"\n")
	var session strings.Builder
	run := func(args ...string) {
		t.Helper()
		a := &answers{byPath: identityAnswers()}
		out, err := a.command(t, append([]string{"identity"}, args...)...)
		if strings.Contains(out, "\x1b") {
			t.Errorf("%v prints an escape of a terminal", args)
		}
		fmt.Fprintf(&session, "$ kindred identity %s\n%s", strings.Join(args, " "), out)
		if err != nil {
			fmt.Fprintf(&session, "kindred: %v\n", err)
		}
		for _, asked := range a.asked {
			fmt.Fprintf(&session, "> %s\n", strings.TrimSpace(strings.ReplaceAll(asked, " Bearer admin-dev", "")))
		}
		session.WriteString("\n")
	}
	run("why", "email:Ana+x@Example.com", "user_id:42")
	run("show", "user_id:42")
	run("show", "user_id:a/b c%d")
	run("health")
	run("unmerge", "device:tablet-7", "email:ben@example.com", "--from", "user_id:42", "--reason", "a shared tablet")
	run("unmerge", "device:tablet-7", "--from", "user_id:42", "--dry-run")
	run("block", "email:info@example.com", "--dry-run")
	run("unmerge", "device:tablet-7")
	run("link", "user_id:42", "crm_id:C-7", "--override", "--reason", "she called", "--id", "l-1")
	run("link", "user_id:42", "crm_id:C-7", "--override")
	run("review", "--limit", "2")
	run("review", "record:crm/7", "record:shop/41")
	run("review", "00000000000000a7-00000000000000b7")
	run("review", "--different", "record:crm/7", "record:shop/41", "--reason", "father and son")
	run("review", "--same", "00000000000000a7-00000000000000b7", "--override", "--reason", "she called", "--dry-run")
	run("review", "--same", "00000000000000c7-00000000000000d7")
	run("review", "--same", "record:crm/7")
	run("review", "--same")
	run("review", "--same", "--different", "record:crm/7", "record:shop/41")
	run("review", "--different", "--override", "record:crm/7", "record:shop/41")
	run("review", "--reason", "x")
	run("separate", "record:crm/7", "record:shop/41")
	run("link", "record:crm/7", "record:shop/41", "--override", "--whole", "--reason", "she called")
	run("block", "email:info@example.com")
	run("unblock", "email:info@example.com")
	run("undo", "c7")
	run("status", "c8")
	run("status", "c0")
	run("status")
	run("why", "user_id:42")
	run("link", "a", "b", "c")
	run("unmerge")
	run("block")
	run("rules", "apply")
	run("rules", "check", "rules.toml")
	run("rules", "check", "same.toml")
	run("rules", "check", "faulty.toml")
	run("rules", "diff", "rules.toml")
	run("rules", "diff", "same.toml", "--json")
	run("rules", "dry-run", "rules.toml")
	run("rules", "apply", "rules.toml", "--reason", "families share three")
	run("rules", "apply", "rules.toml", "--expected", "7")
	run("rules", "apply", "faulty.toml")
	run("undo", "c7", "--json")
	golden(t, "identity.session", session.String())
}

// TestNotOneProfile prints every barrier with what to do about it.
func TestNotOneProfile(t *testing.T) {
	var session strings.Builder
	for _, kind := range []string{"nothing_known", "blocked", "generic", "cannot_link", "limit", "stronger"} {
		ends := `,"from":{"namespace":"device","value":"tablet"},"to":{"namespace":"email","value":"ben@example.com"}`
		if kind == "nothing_known" {
			ends = ""
		}
		a := &answers{byPath: map[string]string{"GET /v1/identity/why": `{"same":false,"a":{"namespace":"email","value":"ana@example.com","profile":"00000000000000a7"},"b":{"namespace":"email","value":"ben@example.com"},"path":[],
			"barrier":{"kind":"` + kind + `","detail":"the rule in plain words"` + ends + `}}`}}
		out, err := a.command(t, "identity", "why", "email:ana@example.com", "email:ben@example.com")
		if err != nil {
			t.Fatal(err)
		}
		session.WriteString(out + "\n")
	}
	golden(t, "barriers.session", session.String())
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(goldenDir, name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (write it with -update):\n%s", name, diff)
	}
}

// goldenDir is absolute, because a test changes the folder.
var goldenDir = func() string {
	dir, err := filepath.Abs("testdata")
	if err != nil {
		panic(err)
	}
	return dir
}()

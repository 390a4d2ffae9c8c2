package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// commandTaker applies or refuses every command, and keeps what it has done.
type commandTaker struct {
	code   identity.RefusalCode
	detail string
	err    error
	done   map[string]*profiles.Command
	taken  []identity.Command
}

func newCommandTaker() *commandTaker { return &commandTaker{done: map[string]*profiles.Command{}} }

func (t *commandTaker) Do(ctx context.Context, c identity.Command) (*profiles.Command, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t.err != nil {
		return nil, t.err
	}
	t.taken = append(t.taken, c)
	name := c.Workspace + " " + c.ID
	if t.done[name] == nil {
		t.done[name] = &profiles.Command{
			Outcome: identity.Outcome{ID: c.ID, Workspace: c.Workspace, Code: t.code, Detail: t.detail, Decisions: 2, Pairs: 1, Moved: 1, Epoch: 3, Sequence: 17},
			Kind:    c.Kind, ReceivedAt: noon, Actor: c.Actor, Reason: c.Reason,
		}
	}
	return t.done[name], nil
}

func (t *commandTaker) Get(_ context.Context, workspace, id string) (*profiles.Command, error) {
	if c := t.done[workspace+" "+id]; c != nil {
		return c, t.err
	}
	return nil, profiles.ErrNoCommand
}

func command(name, path, body string, status int, want ...string) scenario {
	return scenario{name: name, method: http.MethodPost, path: "/v1/identity/" + path, key: "admin-dev", body: body, status: status, want: want}
}

func as(key string, sc scenario) scenario { sc.key = key; return sc }

func many(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"user_id:u%d"`, i)
	}
	return strings.Join(list, ",")
}

func TestCommandsAreChecked(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	for _, sc := range []scenario{
		command("unmerge", "unmerge", `{"identifiers":["email:ana@example.com"],"reason":"a shared tablet"}`, 200, `"status":"applied"`, `"kind":"unmerge"`, `"pairs":1`, `"sequence":17`, `"actor":"name-of-admin-dev"`),
		command("by the common route", "commands", `{"kind":"block","identifiers":["email:info@example.com"],"id":"b-1"}`, 200, `"id":"b-1"`),
		command("again", "commands", `{"kind":"block","identifiers":["email:info@example.com"],"id":"b-1"}`, 200, `"id":"b-1"`),
		command("id of another kind", "unblock", `{"identifiers":["email:info@example.com"],"id":"b-1"}`, 409, "command-id-reused", `"code":"id_reused"`, `"/id"`),
		command("kind said twice", "unblock", `{"kind":"unblock","identifiers":["email:info@example.com"]}`, 200),
		command("a thousand", "block", `{"identifiers":[`+many(1000)+`]}`, 200),
		command("more", "block", `{"identifiers":[`+many(1001)+`]}`, 400, "/identifiers", "1001", "limit is 1000"),
		command("separate", "separate", `{"identifiers":["record:a/1","record:b/2"],"reason":"father and son"}`, 200, `"kind":"separate"`),
		command("separate one", "separate", `{"identifiers":["record:a/1"]}`, 400, `"/identifiers"`, "two different"),
		command("override of a separation", "separate", `{"identifiers":["record:a/1","record:b/2"],"override":true,"reason":"x"}`, 400, `"/override"`),
		command("whole", "link", `{"identifiers":["record:a/1","record:b/2"],"whole":true}`, 200, `"kind":"link"`),
		command("whole block", "block", `{"identifiers":["user_id:1"],"whole":true}`, 400, `"/whole"`),
		command("no kind", "commands", `{"identifiers":["user_id:1"]}`, 400, `"/kind"`, "unmerge"),
		command("odd kind", "commands", `{"kind":"merge","identifiers":["user_id:1"]}`, 400, `"/kind"`),
		command("kind of another path", "link", `{"kind":"undo","target":"x"}`, 400, `"/kind"`),
		command("odd id", "undo", `{"id":"a/b","target":"b-1"}`, 400, `"/id"`),
		command("long id", "undo", `{"id":"`+strings.Repeat("x", 101)+`","target":"b-1"}`, 400, `"/id"`),
		command("no identifiers", "unmerge", `{}`, 400, `"/identifiers"`, "missing"),
		command("one of two", "link", `{"identifiers":["user_id:1"]}`, 400, `"/identifiers"`, "two different"),
		command("the same twice", "link", `{"identifiers":["email:Ana@example.com","email:ana@EXAMPLE.com"]}`, 400, "two different"),
		command("three", "link", `{"identifiers":["user_id:1","user_id:2","user_id:3"]}`, 400, "two different"),
		command("bad ones", "block", `{"identifiers":["user_id:1","secret-of-ana",{"namespace":"User","value":"secret-of-ana"},{"namespace":"email"},7,null,["user_id:1"],{"namespace":"a:b","value":"c"},"user_id:",""]}`, 400,
			`"/identifiers/1"`, `"/identifiers/2"`, `"/identifiers/3"`, `"/identifiers/4"`, `"/identifiers/5"`, `"/identifiers/6"`, `"/identifiers/7"`, `"/identifiers/8"`, `"/identifiers/9"`),
		command("huge one", "block", `{"identifiers":["user_id:`+strings.Repeat("x", 2000)+`"]}`, 400, `"/identifiers/0"`, "1024"),
		command("huge body", "block", `{"reason":"`+strings.Repeat("x", 1<<20)+`"}`, 413),
		command("override without a reason", "link", `{"identifiers":["user_id:1","user_id:2"],"override":true,"reason":" "}`, 400, `"/reason"`, "override"),
		command("override of a block", "block", `{"identifiers":["user_id:1"],"override":true,"reason":"x"}`, 400, `"/override"`),
		command("long reason", "block", `{"identifiers":["user_id:1"],"reason":"`+strings.Repeat("x", 1001)+`"}`, 400, `"/reason"`),
		command("undo nothing", "undo", `{}`, 400, `"/target"`, "missing"),
		command("undo oddly", "undo", `{"target":"a b"}`, 400, `"/target"`),
		command("undo with identifiers", "undo", `{"target":"b-1","identifiers":["user_id:1"]}`, 400, `"/identifiers"`, "kind undo"),
		command("from for a link", "link", `{"identifiers":["user_id:1","user_id:2"],"from":"user_id:3"}`, 400, `"/from"`),
		command("rules", "rules", `{"rules":{"caps":{}},"expected":4}`, 200, `"kind":"rules"`),
		command("rules as text", "rules", `{"rules":"[caps]\nunit = 10\n","expected":4}`, 200),
		command("no rules", "rules", `{"expected":4}`, 400, `"/rules"`),
		command("no version", "rules", `{"rules":{}}`, 400, `"/expected"`),
		command("odd version", "rules", `{"rules":{},"expected":0}`, 400, `"/expected"`),
		command("faulty rules", "rules", `{"rules":{"limt":1},"expected":4}`, 400, `"/rules/namespaces/email/limt"`, "line 3"),
		command("rules for a block", "block", `{"identifiers":["user_id:1"],"rules":{},"expected":1}`, 400, `"/rules"`, `"/expected"`),
		command("unknown field", "block", `{"identifier":"user_id:1"}`, 400, "not known: identifier"),
		command("unknown field that may be a value", "block", `{"secret-of-ana":"user_id:1"}`, 400, "not known"),
		command("wrong type", "block", `{"identifiers":"user_id:1"}`, 400, `"/identifiers"`, "must be a list, and is text"),
		command("number for text", "block", `{"identifiers":["user_id:1"],"reason":7}`, 400, `"/reason"`, "must be text, and is another number"),
		command("fraction", "rules", `{"rules":{},"expected":1.5}`, 400, `"/expected"`, "must be a whole number, and is another number"),
		command("text for a boolean", "link", `{"identifiers":["user_id:1","user_id:2"],"override":"true"}`, 400, `"/override"`, "must be true or false"),
		command("a list", "block", `[]`, 400, "must be an object, and is a list"),
		command("null", "block", `null`, 400, `"/identifiers"`, "missing"),
		command("two values", "block", `{} {}`, 400, "one JSON value"),
		command("null among identifiers", "block", `{"identifiers":[null]}`, 400, `"/identifiers/0"`),
		command("deep", "block", `{"identifiers":[`+strings.Repeat("[", 20000)+`]}`, 400),
		command("no UTF-8", "block", "{\"identifiers\":[\"user_id:1\"],\"reason\":\"\xff\"}", 400, "UTF-8"),
		command("no body", "block", ``, 400),
		command("not JSON", "block", `{`, 400),
		command("odd path", "shout", `{}`, 404, "no-such-route"),
		as("read-dev", command("as reader", "unmerge", `{"identifiers":["email:ana@example.com"]}`, 403)),
		as("write-dev", command("as writer", "commands", `{"kind":"undo","target":"x"}`, 403)),
		as("", command("as nobody", "rules", `{}`, 401)),
	} {
		t.Run(sc.name, func(t *testing.T) {
			sc.not = append(sc.not, "secret-of-ana")
			sent := len(f.commands.taken)
			sc.run(t, h)
			if sc.status >= 400 && sc.name != "id of another kind" && len(f.commands.taken) != sent {
				t.Error("what was refused here was sent")
			}
		})
	}
	if strings.Contains(f.logs.String(), "example.com") || strings.Contains(f.logs.String(), "shared tablet") {
		t.Error("the log holds what commands say")
	}
}

// TestCommandIsNormalised compares what the owner is sent with what was asked.
func TestCommandIsNormalised(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	command("", "link", `{"id":"l:1","identifiers":["email:Ana@Example.com",{"namespace":"user_id","value":"a+b c/d%e:ü"}],"override":true,"reason":"she called"}`, 200).run(t, h)
	command("", "unmerge", `{"id":"u1","identifiers":["phone:+351 912 345 678","phone:00351912345678"]}`, 200).run(t, h)
	command("", "rules", `{"id":"r1","rules":"version = 9","expected":4}`, 200).run(t, h)
	command("", "undo", `{"target":"l:1"}`, 200).run(t, h)
	last := &f.commands.taken[3]
	if len(last.ID) != 24 {
		t.Errorf("made id %q", last.ID)
	}
	last.ID = ""
	actor := "name-of-admin-dev"
	want := []identity.Command{
		{ID: "l:1", Workspace: "main", Kind: identity.Link, Override: true, Actor: actor, Reason: "she called", Identifiers: []identity.Identifier{anaMail, {Namespace: "user_id", Value: "a+b c/d%e:ü"}}},
		{ID: "u1", Workspace: "main", Kind: identity.Unmerge, Actor: actor, Identifiers: []identity.Identifier{{Namespace: "phone", Value: "+351912345678"}}},
		{ID: "r1", Workspace: "main", Kind: identity.Redeclare, Actor: actor, Rules: `{"version":1,"of":"version = 9"}`, Expected: 4},
		{Workspace: "main", Kind: identity.Undo, Actor: actor, Target: "l:1"},
	}
	if diff := cmp.Diff(want, f.commands.taken); diff != "" {
		t.Error(diff)
	}
}

// TestUnmergeFrom names the profile that is left: nothing is sent where the
// published profiles say otherwise.
func TestUnmergeFrom(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	ana := identity.ProfileID(keyer("main").Key(anaMail)).String()
	for _, sc := range []scenario{
		command("by identifier", "unmerge", `{"identifiers":["user_id:42"],"from":"email:ANA@example.com"}`, 200),
		command("by profile id", "unmerge", `{"identifiers":["user_id:42"],"from":"`+ana+`"}`, 200),
		command("percent signs", "unmerge", `{"identifiers":["user_id:42"],"from":"user_id:a%2Fb"}`, 200),
		command("who leaves", "unmerge", `{"identifiers":["user_id:42"],"from":"user_id:42"}`, 400, `"/from"`, "must stay"),
		command("odd", "unmerge", `{"identifiers":["user_id:42"],"from":"ana"}`, 400, `"/from"`),
		command("nobody", "unmerge", `{"identifiers":["user_id:42"],"from":"user_id:nobody"}`, 404, "profile-not-found"),
		command("stranger", "unmerge", `{"identifiers":["user_id:42","user_id:stranger"],"from":"email:ana@example.com"}`, 409, `"code":"not_merged"`, `"/identifiers/1"`, "is of another profile"),
		command("never seen", "unmerge", `{"identifiers":["user_id:42","user_id:ghost"],"from":"email:ana@example.com"}`, 422, `"code":"unknown"`, `"/identifiers/1"`, "was never seen"),
		command("by its own id", "unmerge", `{"id":"u-7","identifiers":["user_id:42"],"from":"email:ana@example.com"}`, 200),
		command("again when they have left", "unmerge", `{"id":"u-7","identifiers":["user_id:stranger"],"from":"email:ana@example.com"}`, 200, `"id":"u-7"`),
		command("both", "unmerge", `{"identifiers":["user_id:ghost","user_id:stranger"],"from":"email:ana@example.com"}`, 409, "was never seen", "is of another profile"),
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	if len(f.commands.taken) != 5 {
		t.Errorf("%d commands were sent", len(f.commands.taken))
	}
}

// TestTrials says what commands would do: nothing is sent, and what would be
// refused is refused.
func TestTrials(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	for _, sc := range []scenario{
		command("unmerge", "unmerge", `{"identifiers":["user_id:42"],"from":"email:ana@example.com","dry_run":true,"id":"u-1"}`, 200, `"id":"u-1"`, `"kind":"unmerge"`, `"dry_run":true`, `"pairs":1`,
			`"rejected":[{"a":{"namespace":"anonymous_id","value":"cookie-of-ana"},"b":{"namespace":"email","value":"ben@example.com"}}]`,
			`{"kind":"cannot_link","a":{"namespace":"email","value":"ana@example.com"},"b":{"namespace":"email","value":"ben@example.com"},"on":true}`,
			`{"kind":"block","a":{"namespace":"anonymous_id","value":"cookie-of-ana"},"on":true}`,
			`"moves":[{"namespace":"email","value":"ben@example.com","before":"0000000000000007","after":"0000000000000009"}]`,
			`"profiles":[{"profile":"0000000000000007","before":4,"after":3},{"profile":"0000000000000009","before":0,"after":1}]`),
		command("by the common route", "commands", `{"kind":"link","identifiers":["user_id:1","user_id:2"],"dry_run":true}`, 200, `"kind":"link"`),
		command("block", "block", `{"identifiers":["user_id:1"],"dry_run":true}`, 200),
		command("undo", "undo", `{"target":"c","dry_run":true}`, 200),
		command("would be refused", "block", `{"identifiers":["user_id:nobody"],"dry_run":true}`, 422, `"code":"unknown"`, "never seen"),
		command("of another profile", "unmerge", `{"identifiers":["user_id:stranger"],"from":"email:ana@example.com","dry_run":true}`, 409, `"code":"not_merged"`),
		command("rules", "rules", `{"rules":{},"expected":4,"dry_run":true}`, 400, `"/dry_run"`, "/v1/identity/dry-run"),
		command("wrong type", "block", `{"identifiers":["user_id:1"],"dry_run":"yes"}`, 400, `"/dry_run"`, "must be true or false, and is text"),
		as("read-dev", command("as reader", "block", `{"identifiers":["user_id:1"],"dry_run":true}`, 403)),
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	if len(f.commands.taken) != 0 {
		t.Errorf("%d commands were sent", len(f.commands.taken))
	}
	f.graph.err = api.ErrIdentityNotHere
	command("", "block", `{"identifiers":["user_id:1"],"dry_run":true}`, 503, "identity-not-here").run(t, h)
}

func TestRefusedCommands(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	for code, status := range map[identity.RefusalCode]int{
		identity.RefusedMalformed: 422, identity.RefusedUnknown: 422, identity.RefusedWhole: 422, identity.RefusedRules: 422,
		identity.RefusedNotMerged: 409, identity.RefusedMerged: 409, identity.RefusedLimit: 409, identity.RefusedCannotLink: 409,
		identity.RefusedBlocked: 409, identity.RefusedStanding: 409, identity.RefusedVersion: 409, identity.RefusedReused: 409, "of a later release": 409,
	} {
		f.commands.code, f.commands.detail = code, "user_id allows 1"
		id := strings.ReplaceAll(string(code), " ", "-")
		command("", "link", `{"id":"`+id+`","identifiers":["user_id:1","user_id:2"]}`, status,
			`"code":"`+string(code)+`"`, `"command":"`+id+`"`, "user_id allows 1", "identity-refused").run(t, h)
		if code == "of a later release" {
			continue
		}
		scenario{path: "/v1/identity/commands/" + id, key: "read-dev", status: 200, want: []string{`"status":"refused"`, `"code":"` + string(code) + `"`}}.run(t, h)
	}
}

func TestGetCommand(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	command("", "block", `{"id":"b:1","identifiers":["user_id:1"],"reason":"of ana"}`, 200).run(t, h)
	get := func(name, key, id string, status int, want ...string) scenario {
		return scenario{name: name, path: "/v1/identity/commands/" + id, key: key, status: status, want: want}
	}
	for _, sc := range []scenario{
		get("as admin", "admin-dev", "b:1", 200, `"reason":"of ana"`, `"actor":"name-of-admin-dev"`, `"received_at":"2025-03-01T12:00:00Z"`),
		get("escaped", "admin-dev", "%62%3A1", 200),
		get("none", "read-dev", "b:2", 404, "command-not-found"),
		get("of another workspace", "read-other", "b:1", 404),
		get("odd", "read-dev", "a%20b", 400),
		get("path", "read-dev", "..%2fb:1", 400),
		get("long", "read-dev", strings.Repeat("x", 101), 400),
		get("as writer", "write-dev", "b:1", 403),
		get("as nobody", "", "b:1", 401),
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	reader := get("", "read-dev", "b:1", 200, `"kind":"block"`)
	reader.not = []string{"of ana", "name-of"}
	reader.run(t, h)
}

// slowOwner accepts commands and never applies one.
type slowOwner struct{ *commandTaker }

func (slowOwner) Do(ctx context.Context, _ identity.Command) (*profiles.Command, error) {
	<-ctx.Done()
	return nil, api.ErrPending
}

func TestPendingCommand(t *testing.T) {
	f := newFixture()
	f.cfg.CommandWait = time.Millisecond
	f.owner = slowOwner{}
	h := f.server(t).Handler()
	command("", "undo", `{"id":"u-1","target":"b-1"}`, 202).run(t, h)
	answer := scenario{
		method: http.MethodPost, path: "/v1/identity/undo", key: "admin-dev", body: `{"target":"b-1"}`, status: 202,
		want: []string{`"status":"pending"`, `"kind":"undo"`}, headers: map[string]string{"Retry-After": "1"},
	}.run(t, h)
	if place := answer.Header.Get("Location"); len(place) != len("/v1/identity/commands/")+24 {
		t.Errorf("location %q", place)
	}
}

func TestCommandThatWasNotSent(t *testing.T) {
	f := newFixture()
	f.commands.err = errBroken
	h := f.server(t).Handler()
	sc := command("", "undo", `{"target":"b-1"}`, 500)
	sc.not = []string{"pipe"}
	sc.run(t, h)
	f.commands.err = api.ErrCommandReused
	command("", "undo", `{"target":"b-1"}`, 409, "command-id-reused", `"pointer":"/id"`).run(t, h)
	f.commands.err = &api.Refused{Detail: "the command has 2 MB"}
	command("", "undo", `{"target":"b-1"}`, 400, "2 MB").run(t, h)
}

package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/api"
)

const letterID = "00112233445566778899aabbccddeeff"

// letterKeeper has one letter.
type letterKeeper struct {
	err   error
	bytes []byte
	asked []string
}

func (l *letterKeeper) note(format string, args ...any) error {
	l.asked = append(l.asked, fmt.Sprintf(format, args...))
	return l.err
}

func (l *letterKeeper) letter() api.Letter {
	return api.Letter{ID: letterID, Received: noon, Kind: "behaviour", Source: "web", Reason: "invalid_field", Detail: `field "time" is before 1900`, Status: "open", Bytes: 9}
}

func (l *letterKeeper) List(_ context.Context, workspace string, f api.LetterFilter, cursor string, limit int) ([]api.Letter, string, error) {
	return []api.Letter{l.letter()}, "next-page", l.note("list %s %s %s %s %v %s %d", workspace, f.Reason, f.Source, f.Kind, f.Statuses, cursor, limit)
}

func (l *letterKeeper) Summary(_ context.Context, workspace string, f api.LetterFilter) ([]api.LetterCount, error) {
	return []api.LetterCount{{Reason: "invalid_field", Status: "open", Letters: 2, First: noon, Last: noon}, {Reason: "id_reused", Status: "stored", Letters: 3, First: noon, Last: noon}}, l.note("summary %s %s", workspace, f.Since)
}

func (l *letterKeeper) Get(_ context.Context, workspace, id string) (*api.WholeLetter, error) {
	if id != letterID || workspace != "main" {
		return nil, api.ErrNoLetter
	}
	return &api.WholeLetter{
		Letter: l.letter(), Value: l.bytes, MessageID: "m1",
		History: []api.LetterEvent{{Time: noon, Revision: 4, What: "edit", Actor: "ana"}, {Time: noon, Revision: 5, What: "failed", Reason: "invalid_field"}},
	}, l.note("get")
}

func (l *letterKeeper) Act(_ context.Context, workspace, actor, action, id string, r api.LetterAction) (uint64, error) {
	if id != letterID {
		return 0, api.ErrNoLetter
	}
	if r.Expected != nil && *r.Expected != 4 {
		return 0, &api.Refused{Conflict: true, Detail: "the letter's last action is revision 4"}
	}
	return 5, l.note("%s %s %s %s %s %t", action, workspace, actor, r.Reason, r.Value, r.NewID)
}

func (l *letterKeeper) ActAll(_ context.Context, workspace, actor, action string, b api.LetterBulk) (*api.LetterBulkDone, error) {
	return &api.LetterBulkDone{Matched: 12, Letters: []string{letterID}}, l.note("all %s %s %s %s %d %t", action, workspace, actor, b.Filter.Reason, b.Limit, b.DryRun)
}

func TestDeadLetters(t *testing.T) {
	f := newFixture()
	f.letters.bytes = []byte("not json")
	h := f.server(t).Handler()
	const one = "/v1/dead-letters/" + letterID
	post := func(name, path, body string, status int, want ...string) scenario {
		return scenario{name: name, method: http.MethodPost, path: path, key: "admin-dev", body: body, status: status, want: want}
	}
	as := func(key string, sc scenario) scenario { sc.key = key; return sc }
	for _, sc := range []scenario{
		{name: "list", path: "/v1/dead-letters?reason=invalid_field&source=web&status=open,failed&cursor=abc", key: "read-dev", status: 200, want: []string{letterID, `"next":"next-page"`}, not: []string{"not json", `"value"`}},
		{name: "list oddly", path: "/v1/dead-letters?limit=501", key: "read-dev", status: 400},
		{name: "list since", path: "/v1/dead-letters?since=0000-01-01T00:00:00Z", key: "read-dev", status: 400},
		{name: "summary", path: "/v1/dead-letters/summary", key: "read-dev", status: 200, want: []string{`"total":5`, `"letters":3`}},
		{name: "get", path: one, key: "admin-dev", status: 200, want: []string{`"value":"not json"`, `"what":"failed"`}},
		{name: "bytes are not for readers", path: one, key: "read-dev", status: 403, not: []string{"not json"}},
		{name: "get none", path: "/v1/dead-letters/" + strings.Repeat("0", 32), key: "admin-dev", status: 404, want: []string{"letter-not-found"}},
		post("edit", one+"/edit", `{"expected_revision":4,"reason":"typo","value":{"id":"m1"}}`, 200, `{"revision":5}`),
		post("edit stale", one+"/edit", `{"expected_revision":3,"value":{"id":"m1"}}`, 409, "revision 4"),
		post("edit unknown field", one+"/edit", `{"letters":["x"]}`, 400),
		post("replay", one+"/replay", `{"new_id":true}`, 200),
		post("replay none", "/v1/dead-letters/x/replay", `{}`, 404),
		as("read-dev", post("replay as reader", one+"/replay", `{}`, 403)),
		as("write-dev", post("replay as writer", one+"/replay", `{}`, 403)),
		as("", post("replay as nobody", one+"/replay", `{}`, 401)),
		post("discard", one+"/discard", `{"reason":"a test"}`, 200),
		post("note", one+"/note", `{"reason":"asked"}`, 200),
		post("shout", one+"/shout", `{}`, 404),
		post("bulk", "/v1/dead-letters/replay", `{"filter":{"reason":"plan_violation"},"dry_run":true}`, 200, `"matched":12`, `"applied":0`, `"refused":[]`),
		post("bulk without a body", "/v1/dead-letters/discard", ``, 400),
		post("bulk without a filter", "/v1/dead-letters/discard", `{"reason":"x"}`, 400, `"/filter"`),
		post("bulk wrong", "/v1/dead-letters/discard", `{"filter":{"status":"open"}}`, 400, `"/filter/status"`),
		as("read-dev", post("bulk as reader", "/v1/dead-letters/discard", `{"filter":{}}`, 403)),
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	asked := strings.Join(f.letters.asked, "\n")
	for _, want := range []string{
		"list main invalid_field web  [open failed] abc 50", `edit main name-of-admin-dev typo {"id":"m1"} false`, "replay main name-of-admin-dev   true",
		"all replay main name-of-admin-dev plan_violation 100 true",
	} {
		if !strings.Contains(asked, want) {
			t.Errorf("nobody asked for %q:\n%s", want, asked)
		}
	}
	f.letters.bytes = []byte{0xff, 0x00}
	scenario{path: one, key: "admin-dev", status: 200, want: []string{`"value_base64":"/wA="`}, not: []string{`"value":`}}.run(t, h)
	f.letters.err = &api.Refused{Detail: `field "limit" must be 1 to 1000`}
	post("", "/v1/dead-letters/replay", `{"filter":{},"limit":5000}`, 400, "limit").run(t, h)
}

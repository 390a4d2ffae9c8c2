package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/segments"
)

// segmentKeeper has one segment of main, "loyal", at revision 7, with two members.
type segmentKeeper struct {
	asked  []string
	exited bool // its change is that of who left
}

func (k *segmentKeeper) note(format string, args ...any) {
	k.asked = append(k.asked, fmt.Sprintf(format, args...))
}

func (k *segmentKeeper) loyal() segments.Segment {
	return segments.Segment{
		ID: "loyal", Revision: 7, ChangedAt: noon, Actor: "ana", Description: "came back", Definition: json.RawMessage(`{"identifier":"email"}`),
		State: segments.State{EvaluatedAt: noon, Revision: 7, Members: 2, Error: "code 159"},
	}
}

func (k *segmentKeeper) List(context.Context, string) ([]segments.Segment, error) {
	return []segments.Segment{k.loyal()}, nil
}

func (k *segmentKeeper) Get(_ context.Context, workspace string, id segments.ID) (*segments.Segment, error) {
	if workspace != "main" || id != "loyal" {
		return nil, segments.ErrNoSegment
	}
	g := k.loyal()
	return &g, nil
}

func (k *segmentKeeper) Versions(context.Context, string, segments.ID) ([]segments.Segment, error) {
	return []segments.Segment{{ID: "loyal", Revision: 8, ChangedAt: noon, Archived: true}, k.loyal()}, nil
}

func (k *segmentKeeper) Members(_ context.Context, _ string, _ segments.ID, at time.Time, after identity.ProfileID, limit int) ([]segments.Member, error) {
	k.note("members %t after %s", at.IsZero(), after)
	var list []segments.Member
	for _, id := range []identity.ProfileID{1 << 62, 1<<62 + 1} {
		if id > after && len(list) < limit {
			list = append(list, segments.Member{Profile: id, Since: noon})
		}
	}
	return list, nil
}

func (k *segmentKeeper) Changes(_ context.Context, _ string, _ segments.ID, block uint64, after identity.ProfileID, _ int) ([]segments.Change, error) {
	k.note("changes after %d %s", block, after)
	if block > 0 {
		return nil, nil
	}
	return []segments.Change{{Segment: "loyal", Profile: 5, Block: 3, Entered: !k.exited, Time: noon, Cause: segments.ByData, Revision: 7}}, nil
}

func (k *segmentKeeper) Of(context.Context, string, identity.ProfileID) ([]segments.Membership, error) {
	return []segments.Membership{{Segment: "loyal", Since: noon}}, nil
}

func (k *segmentKeeper) Change(_ context.Context, workspace, actor string, id segments.ID, change api.SegmentChange) (uint64, error) {
	if change.Expected != 7 {
		return 0, &api.Refused{Conflict: true, Detail: "the segment is at revision 7"}
	}
	if !change.Archive {
		if _, err := segments.Parse(change.Definition); err != nil {
			return 0, err
		}
	}
	k.note("change %s %s %s %t %s", workspace, actor, id, change.Archive, change.Definition)
	return 8, nil
}

func TestLiveSegments(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	body := func(expected int, definition string) string {
		return fmt.Sprintf(`{"expected_revision":%d,"definition":%s}`, expected, definition)
	}
	email := `{"identifier":"email"}`
	for _, sc := range []scenario{
		{name: "list", path: "/v1/segments", key: "marketer-dev", status: 200, want: []string{`"id":"loyal"`, `"members":2`, `"error":"code 159"`, `"good_at":null`}, not: []string{"identifier"}},
		{name: "get", path: "/v1/segments/loyal", key: "marketer-dev", status: 200, want: []string{`"definition":` + email, `"revision":7`}},
		{name: "another workspace's", path: "/v1/segments/loyal", key: "read-other", status: 404, want: []string{"segment-not-found"}},
		{name: "members of another workspace's", path: "/v1/segments/loyal/members", key: "read-other", status: 404},
		{name: "changes of none", path: "/v1/segments/nope/changes", key: "read-dev", status: 404},
		{name: "no key", path: "/v1/segments", status: 401},
		{name: "put", method: http.MethodPut, path: "/v1/segments/loyal", key: "admin-dev", body: body(7, email), status: 200, want: []string{`{"revision":8}`}},
		{name: "put as reader", method: http.MethodPut, path: "/v1/segments/loyal", key: "read-dev", body: body(7, email), status: 403},
		{name: "put over a change", method: http.MethodPut, path: "/v1/segments/loyal", key: "admin-dev", body: body(6, email), status: 409, want: []string{"at revision 7"}},
		{name: "put nonsense", method: http.MethodPut, path: "/v1/segments/loyal", key: "admin-dev", body: body(7, `{"all":[]}`), status: 400, want: []string{"/definition/all"}},
		{name: "put without a revision", method: http.MethodPut, path: "/v1/segments/loyal", key: "admin-dev", body: `{"definition":{}}`, status: 400, want: []string{"/expected_revision"}},
		{name: "archive", method: http.MethodDelete, path: "/v1/segments/loyal?expected_revision=7", key: "admin-dev", status: 200},
		{name: "archive unseen", method: http.MethodDelete, path: "/v1/segments/loyal", key: "admin-dev", status: 400},
		{name: "versions", path: "/v1/segments/loyal/versions", key: "read-dev", status: 200, want: []string{`"archived":true`, `"revision":7`}},
		{name: "members", path: "/v1/segments/loyal/members", key: "read-dev", status: 200, want: []string{"4000000000000000", "4000000000000001"}, not: []string{"next"}},
		{name: "members then", path: "/v1/segments/loyal/members?at=2025-01-01T00:00:00Z", key: "read-dev", status: 200},
		{name: "a cursor made up", path: "/v1/segments/loyal/members?cursor=AAAAAAAAAAAAAAAA", key: "read-dev", status: 400},
		{name: "changes", path: "/v1/segments/loyal/changes", key: "read-dev", status: 200, want: []string{`"change":"entered"`, `"cause":"data"`, `"next":"`}},
		{name: "export", path: "/v1/segments/loyal/export", key: "read-dev", status: 200, want: []string{"profile,since\n4000000000000000,2025-03-01T12:00:00Z\n"}},
		{name: "export of nonsense", path: "/v1/segments/loyal/export?columns=shoe", key: "read-dev", status: 400},
		{name: "export in no form", path: "/v1/segments/loyal/export?format=xls", key: "read-dev", status: 400},
		{name: "export of none", path: "/v1/segments/nope/export", key: "read-dev", status: 404},
		{name: "of a profile", path: "/v1/profiles/email:ana@example.com/segments", key: "marketer-dev", status: 200, want: []string{`"segment":"loyal"`}},
		{name: "of nobody", path: "/v1/profiles/email:nobody@example.com/segments", key: "read-dev", status: 404},
		{name: "previews have their path", path: "/v1/segments/preview", key: "read-dev", status: 405, headers: map[string]string{"Allow": "POST"}},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
}

// TestSegmentCursorsGoOn follows members page by page, and changes past their end.
func TestSegmentCursorsGoOn(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	next := func(path string) string {
		t.Helper()
		var answer struct{ Next string }
		body := scenarioBody(t, h, path)
		if err := json.Unmarshal(body, &answer); err != nil || answer.Next == "" {
			t.Fatalf("no cursor in %s: %v", body, err)
		}
		return answer.Next
	}
	cursor := next("/v1/segments/loyal/members?limit=1")
	next("/v1/segments/loyal/members?limit=1&cursor=" + cursor)
	cursor = next("/v1/segments/loyal/changes")
	if again := next("/v1/segments/loyal/changes?cursor=" + cursor); again != cursor {
		t.Errorf("behind the last change the cursor moves from %s to %s", cursor, again)
	}
	want := fmt.Sprint([]string{
		"members true after 0000000000000000", "members true after 4000000000000000",
		"changes after 0 0000000000000000", "changes after 3 0000000000000005",
	})
	if got := fmt.Sprint(f.live.asked); got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

func scenarioBody(t *testing.T, h http.Handler, path string) []byte {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.test"+path, http.NoBody)
	r.Header.Set("Authorization", "Bearer read-dev")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Body.Bytes()
}

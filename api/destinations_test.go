package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/activation"
)

// destinationKeeper has one destination of main, "crm", at revision 7, with a letter.
type destinationKeeper struct{ asked []string }

const crm = `{"kind":"webhook","segments":["loyal"],"url":"https://crm.example.com/hooks/key-in-path","headers":{"X-Team":"blue"},"traits":["city"]}`

func (k *destinationKeeper) List(context.Context, string) ([]activation.Destination, error) {
	d, err := activation.Parse([]byte(crm))
	return []activation.Destination{{Workspace: "main", ID: "crm", Revision: 7, ChangedAt: noon, Actor: "ana", Definition: *d, State: activation.State{At: noon, Delivered: 3, Error: "unreachable"}}}, err
}

func (k *destinationKeeper) Get(ctx context.Context, workspace string, id activation.ID) (*activation.Destination, error) {
	if workspace != "main" || id != "crm" {
		return nil, activation.ErrNoDestination
	}
	list, err := k.List(ctx, workspace)
	return &list[0], err
}

func (k *destinationKeeper) Put(_ context.Context, workspace, actor string, id activation.ID, w activation.Wish) (uint64, string, error) {
	if w.Expected != 7 {
		return 0, "", &api.Refused{Conflict: true, Detail: "the destination is at revision 7"}
	}
	if _, err := activation.Parse(w.Definition); err != nil {
		return 0, "", err
	}
	k.asked = append(k.asked, fmt.Sprint("put ", workspace, actor, id, len(w.SecretHeaders), w.Rotate))
	if w.Rotate {
		return 8, "kds_new", nil
	}
	return 8, "", nil
}

func (k *destinationKeeper) Archive(context.Context, string, string, activation.ID, uint64) (uint64, error) {
	return 8, nil
}

func (k *destinationKeeper) Preview(ctx context.Context, workspace string, id activation.ID, definition json.RawMessage, p *profiles.Profile, segment segments.ID, entered bool) (*activation.Preview, error) {
	if _, err := k.Get(ctx, workspace, id); err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{"email": p.Identifiers[0].Value, "segment": segment, "in": entered})
	return &activation.Preview{Outcome: activation.PreviewSent, Method: "POST", URL: "https://crm.example.com/hooks/key-in-path", Header: http.Header{"Authorization": {"***"}}, Body: body}, err
}

func (k *destinationKeeper) Letters(_ context.Context, _ string, _ activation.ID, state, after string, limit int) ([]activation.Letter, error) {
	k.asked = append(k.asked, fmt.Sprint("letters ", state, after, limit))
	if after != "" {
		return nil, nil
	}
	c := segments.Change{Segment: "loyal", Block: 3, Profile: identity.ProfileID(5), Entered: true, Time: noon}
	return []activation.Letter{{ID: activation.Key(c), Change: c, Time: noon, State: activation.LetterDead, Reason: "rejected", Status: 422, Attempts: 1, Answer: "no such list"}}, nil
}

func (k *destinationKeeper) Redeliver(_ context.Context, _, _ string, _ activation.ID, letters []string) (int, error) {
	k.asked = append(k.asked, fmt.Sprint("redeliver ", letters))
	return 1, nil
}

func (k *destinationKeeper) Sync(_ context.Context, _, _ string, _ activation.ID, ask activation.Sync) (uint64, error) {
	k.asked = append(k.asked, fmt.Sprint("sync ", ask.Everybody))
	return 9, nil
}

func TestDestinations(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	body := func(expected int, definition, more string) string {
		return fmt.Sprintf(`{"expected_revision":%d,"definition":%s%s}`, expected, definition, more)
	}
	const one = "/v1/destinations/crm"
	for _, sc := range []scenario{
		{name: "list", path: "/v1/destinations", key: "marketer-dev", status: 200, want: []string{`"id":"crm"`, `"delivered":3`, `"error":"unreachable"`}, not: []string{"crm.example.com", "blue"}},
		{name: "get as admin", path: one, key: "admin-dev", status: 200, want: []string{"key-in-path", "blue"}},
		{name: "get as marketer", path: one, key: "marketer-dev", status: 200, want: []string{"https://crm.example.com/***"}, not: []string{"key-in-path", "blue"}},
		{name: "get as reader", path: one, key: "read-dev", status: 200, not: []string{"key-in-path", "blue"}},
		{name: "another workspace's", path: one, key: "read-other", status: 404, want: []string{"destination-not-found"}},
		{name: "no key", path: one, status: 401},
		{name: "put", method: http.MethodPut, path: one, key: "admin-dev", body: body(7, crm, `,"secret_headers":{"Authorization":"Bearer x"}`), status: 200, want: []string{`{"revision":8}`}},
		{name: "put with another secret", method: http.MethodPut, path: one, key: "admin-dev", body: body(7, crm, `,"rotate_secret":true`), status: 200, want: []string{`"secret":"kds_new"`}},
		{name: "put as reader", method: http.MethodPut, path: one, key: "read-dev", body: body(7, crm, ""), status: 403},
		{name: "put over a change", method: http.MethodPut, path: one, key: "admin-dev", body: body(6, crm, ""), status: 409},
		{name: "put nonsense", method: http.MethodPut, path: one, key: "admin-dev", body: body(7, `{"kind":"pigeon","segments":[]}`, ""), status: 400, want: []string{"/definition/kind", "/definition/segments"}},
		{name: "put without a revision", method: http.MethodPut, path: one, key: "admin-dev", body: `{"definition":{}}`, status: 400},
		{name: "put nothing", method: http.MethodPut, path: one, key: "admin-dev", body: `{"expected_revision":7}`, status: 400},
		{name: "archive", method: http.MethodDelete, path: one + "?expected_revision=7", key: "admin-dev", status: 200},
		{name: "archive unseen", method: http.MethodDelete, path: one, key: "admin-dev", status: 400},
		{name: "test as admin", method: http.MethodPost, path: one + "/test", key: "admin-dev", body: `{"profile":"email:ana@example.com","segment":"loyal"}`, status: 200, want: []string{"ana@example.com", "key-in-path", `"in":true`}},
		{name: "test as marketer", method: http.MethodPost, path: one + "/test", key: "marketer-dev", body: `{"profile":"email:ana@example.com","segment":"loyal","change":"exited"}`, status: 200, want: []string{`"in":false`}, not: []string{"ana@example.com", "key-in-path"}},
		{name: "test of nobody", method: http.MethodPost, path: one + "/test", key: "admin-dev", body: `{"profile":"email:nobody@example.com","segment":"loyal"}`, status: 404},
		{name: "test of nonsense", method: http.MethodPost, path: one + "/test", key: "admin-dev", body: `{"profile":"email:ana@example.com","segment":"No","change":"moved"}`, status: 400},
		{name: "letters", path: one + "/letters?state=dead&limit=1", key: "read-dev", status: 200, want: []string{`"id":"loyal/3/0000000000000005"`, `"answer":"no such list"`, `"next":"`}},
		{name: "letters as marketer", path: one + "/letters", key: "marketer-dev", status: 403},
		{name: "letters of none", path: "/v1/destinations/nope/letters", key: "read-dev", status: 404},
		{name: "redeliver", method: http.MethodPost, path: one + "/redeliver", key: "admin-dev", body: `{"letters":["loyal/3/0000000000000005"]}`, status: 200, want: []string{`{"letters":1}`}},
		{name: "redeliver all", method: http.MethodPost, path: one + "/redeliver", key: "admin-dev", status: 200},
		{name: "sync", method: http.MethodPost, path: one + "/sync", key: "admin-dev", body: `{"everybody":true}`, status: 200, want: []string{`{"revision":9}`}},
		{name: "sync as reader", method: http.MethodPost, path: one + "/sync", key: "read-dev", status: 403},
		{name: "sync of none", method: http.MethodPost, path: "/v1/destinations/nope/sync", key: "admin-dev", status: 404},
		{name: "redeliver as reader", method: http.MethodPost, path: one + "/redeliver", key: "read-dev", status: 403},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
}

package api_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// restrictionKeeper is api.Restrictions in memory.
type restrictionKeeper struct {
	keys   []identity.Key
	ground string
	err    error
}

func (k *restrictionKeeper) Find(_ context.Context, workspace string, keys ...identity.Key) (*api.Restriction, error) {
	if workspace == "main" && slices.ContainsFunc(keys, func(x identity.Key) bool { return slices.Contains(k.keys, x) }) {
		return &api.Restriction{ID: "9f3c2d11aa07b6e4", Since: noon, Ground: k.ground, Actor: "name-of-admin-dev"}, k.err
	}
	return nil, k.err
}

func (k *restrictionKeeper) Any(string) bool { return len(k.keys) > 0 || k.err != nil }

func (k *restrictionKeeper) Restrict(_ context.Context, _, _, ground string, keys []identity.Key) error {
	if ground == "whim" {
		return &api.Refused{Detail: "the ground must be one of article 18"}
	}
	k.keys, k.ground = append(k.keys, keys...), ground
	return k.err
}

func (k *restrictionKeeper) Release(_ context.Context, _, _ string, keys []identity.Key) (bool, error) {
	n := len(k.keys)
	k.keys = slices.DeleteFunc(k.keys, func(x identity.Key) bool { return slices.Contains(keys, x) })
	return len(k.keys) < n, k.err
}

// TestRestriction restricts Ana by one identifier, asks for her by another in every way
// that there is, and releases her.
func TestRestriction(t *testing.T) {
	f := newFixture()
	ana := f.ana()
	ana.Accounts = []profiles.AccountLink{{ID: "acme"}}
	// The fake finds profiles of these ids by prefix and as members.
	found := *ana
	found.ID = 0x42
	f.people.profiles[0x42], f.people.profiles[2] = &found, ana
	// A member and a change are of ids from before a merge.
	for id, now := range map[identity.ProfileID]*profiles.Profile{1 << 62: ana, 5: ana, 1<<62 + 1: {ID: 1<<62 + 1}} {
		f.people.byKey[storeKey("main", identity.Key(id))], f.people.profiles[now.ID] = now.ID, now
	}
	f.people.profiles[1], f.people.profiles[3] = &profiles.Profile{ID: 1}, &profiles.Profile{ID: 3}
	h := f.server(t).Handler()
	const pattern = "/v1/privacy/restriction"
	ask := func(sc scenario) { t.Helper(); t.Run(sc.name, func(t *testing.T) { sc.run(t, h) }) }
	const her = "email:ANA@example.com"
	for _, sc := range []scenario{
		{name: "for readers", method: http.MethodPost, path: pattern, key: "read-dev", body: `{"identifier":"user_id:42"}`, status: 403},
		{name: "of nothing", method: http.MethodPost, path: pattern, key: "admin-dev", body: `{}`, status: 400, want: []string{"/identifier"}},
		{name: "of nobody", method: http.MethodPost, path: pattern, key: "admin-dev", body: `{"identifier":"user_id:nobody"}`, status: 422},
		{name: "on another ground", method: http.MethodPost, path: pattern, key: "admin-dev", body: `{"identifier":"user_id:42","ground":"whim"}`, status: 400},
		{name: "not yet", path: pattern + "/user_id:42", key: "admin-dev", status: 200, want: []string{`"restriction":null`}},
		{name: "release of who is not", method: http.MethodDelete, path: pattern + "/user_id:42", key: "admin-dev", status: 404, want: []string{"not-restricted"}},
		{name: "restricted", method: http.MethodPost, path: pattern, key: "admin-dev", body: `{"identifier":"user_id:42","ground":"objection"}`, status: 200, want: []string{`"profile":"0000000000000007"`, `"ground":"objection"`}},
		{name: "stands", path: pattern + "/" + her, key: "admin-dev", status: 200, want: []string{`"since":"2025-03-01T12:00:00Z"`}},
	} {
		ask(sc)
	}
	for _, key := range []string{"read-dev", "marketer-dev", "admin-dev"} {
		for _, part := range append(slices.Clone(everyPart), "/consent", "/identity") {
			sc := scenario{name: key + part, path: "/v1/profiles/" + her + part, key: key, status: 403, want: []string{"problem:restricted"}}
			if key == "admin-dev" && (part == "" || part == "/identifiers") {
				sc.status, sc.want, sc.not = 200, []string{`"ana@example.com"`}, []string{"PT", "churn", "View", "acme"}
				if part == "" {
					sc.want = append(sc.want, `"restriction":{"id":"9f3c2d11aa07b6e4"`, `"traits":{}`)
				}
			}
			if part == "/identity" && key == "admin-dev" {
				continue // Shown, and of a graph that the fixture makes up.
			}
			ask(sc)
		}
		space := "/v1/spaces/main/collections/users/profiles/user_id:42/"
		for _, part := range []string{"traits", "external_ids", "events", "metadata", "links"} {
			ask(scenario{name: key + " space " + part, path: space + part, key: key, status: 403})
		}
		ask(scenario{name: key + " batch", method: http.MethodPost, path: "/v1/profiles/batch", key: key, body: `{"ids":["user_id:42","user_id:stranger"]}`, status: 200, want: []string{`"status":403`, `"status":200`}, not: []string{"PT"}})
		ask(scenario{name: key + " account", path: "/v1/accounts/acme%20ltd%2F1%2B%25", key: key, status: 200, want: []string{"0000000000000001", "0000000000000003"}, not: []string{"0000000000000002"}})
		// Members and changes of before are read from a history; that she left is told.
		ask(scenario{name: key + " members", path: "/v1/segments/loyal/members?at=2025-01-01T00:00:00Z", key: key, status: 200, want: []string{"4000000000000001"}, not: []string{"4000000000000000"}})
		ask(scenario{name: key + " changes", path: "/v1/segments/loyal/changes", key: key, status: 200, want: []string{`"changes":[]`}, not: []string{"0000000000000005"}})
		f.live.exited = true
		ask(scenario{name: key + " exits", path: "/v1/segments/loyal/changes", key: key, status: 200, want: []string{"0000000000000005", "exited"}})
		f.live.exited = false
		for _, columns := range []string{"profile", "profile,trait.country"} {
			ask(scenario{name: key + " export of " + columns, path: "/v1/segments/loyal/export?format=csv&columns=" + columns, key: key, status: 200, want: []string{"4000000000000001"}, not: []string{"4000000000000000", "PT"}})
		}
		if key == "marketer-dev" {
			continue // They search nothing.
		}
		ask(scenario{name: key + " prefix", path: "/v1/profiles?identifier=ana@", key: key, status: 200, want: []string{`"profiles":[]`}})
		ask(scenario{name: key + " search", path: "/v1/profiles?trait=country&value=PT", key: key, status: 200, want: []string{`"profiles":[]`}})
	}
	for _, sc := range []scenario{
		{name: "another", path: "/v1/profiles/user_id:stranger", key: "read-dev", status: 200, not: []string{"restriction"}},
		{name: "of another workspace", path: "/v1/profiles/email:ana@example.com", key: "read-other", status: 200},
		{name: "the right of access stays", path: "/v1/privacy/access/" + her, key: "admin-dev", status: 200},
		{name: "so does that of correction", method: http.MethodPost, path: "/v1/privacy/correction/" + her, key: "admin-dev", body: `{"traits":{"name":"Ana"}}`, status: 202},
		{name: "released", method: http.MethodDelete, path: pattern + "/" + her, key: "admin-dev", status: 200, want: []string{`"restriction":null`}},
		{name: "found again", path: "/v1/profiles?identifier=ana@", key: "read-dev", status: 200, want: []string{"ana@example.com"}},
		{name: "there again", path: "/v1/profiles/" + her, key: "read-dev", status: 200, want: []string{"PT"}, not: []string{"restriction"}},
	} {
		ask(sc)
	}
	f.limits.err = context.DeadlineExceeded
	ask(scenario{name: "not known", path: "/v1/profiles/" + her, key: "read-dev", status: 503, not: []string{"PT"}})
	ask(scenario{name: "timeline not known", path: "/v1/profiles/" + her + "/timeline", key: "read-dev", status: 503})
	if logs := f.logs.String(); strings.Contains(logs, "ana@example") {
		t.Error("the log names her")
	}
}

// ana is the profile that most tests ask for.
func (f *fixture) ana() *profiles.Profile {
	return f.people.profiles[identity.ProfileID(keyer("main").Key(identity.Identifier{Namespace: "email", Value: "ana@example.com"}))]
}

package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

const users = "/v1/spaces/main/collections/users/profiles/"

// TestSegmentProfileAPI holds the answers against the contract of Segment's
// Profile API, with unescaped and with escaped identifiers.
func TestSegmentProfileAPI(t *testing.T) {
	f := newFixture()
	f.shelf.events = 3
	h := f.server(t).Handler()
	ana := identity.ProfileID(keyer("main").Key(identity.Identifier{Namespace: "email", Value: "ana@example.com"}))
	f.people.profiles[ana].Traits = append(f.people.profiles[ana].Traits, profiles.Trait{Name: "orders_30d", Value: []byte("3"), Rule: profiles.Computed, Time: noon})
	f.people.profiles[ana].Accounts = []profiles.AccountLink{{ID: "acme", First: noon, Last: noon, Events: 1}}
	const accounts = "/v1/spaces/main/collections/accounts/profiles/group_id:acme%20ltd%2F1+%25/"
	for _, sc := range []scenario{
		{path: users + "email:ana@example.com/traits", want: []string{`{"traits":{"country":"PT","orders_30d":3},"cursor":{"url":"/v1/spaces/main/collections/users/profiles/email:ana@example.com/traits","has_more":false,"next":"","limit":10}}`}},
		{path: users + "user_id:42/traits?class=computed_trait", want: []string{`{"traits":{"orders_30d":3}`}},
		{path: users + "user_id:42/traits?class=audience", want: []string{`{"traits":{}`}},
		{path: users + "user_id:42/traits?include=country,x&verbose=true", want: []string{`{"traits":{"country":{"value":"PT","source_id":"web","updated_at":"2025-03-01T12:00:00Z"}}`}},
		{path: users + "user_id:42/traits?limit=1", want: []string{`"has_more":true,"next":"`, `"limit":1`}},
		{path: users + "user_id:42/external_ids?include=email", want: []string{`{"data":[{"source_id":"web","collection":"users","id":"ana@example.com","type":"email","created_at":"2025-03-01T12:00:00Z","encoding":"none"`}},
		{path: users + "user_id:42/events?limit=2", want: []string{`"type":"track"`, `"event":"Page"`, `"related":{"users":"use_` + ana.String(), `"has_more":true`, `"context":{}`}},
		{path: users + "user_id:42/events?start=2020-01-01T00:00:00Z&end=2030-01-01T00:00:00Z&sort=asc&include=a,b&exclude=c", want: []string{`"data":[`}},
		{path: users + "user_id:42/metadata", want: []string{`{"metadata":{"created_at":"2025-03-01T11:59:00Z"`, `"expires_at":null`, `"first_message_id":"m1"`}},
		{path: users + "user_id:42/links", want: []string{`{"data":[{"to_collection":"accounts","external_ids":[{"source_id":"","collection":"accounts","id":"acme","type":"group_id"`}},
		{path: users + "use_" + ana.String() + "/traits", want: []string{`"country":"PT"`}},
		{path: accounts + "traits", want: []string{`{"traits":{"plan":"gold"}`}},
		{path: accounts + "external_ids", want: []string{`"id":"acme ltd/1+%"`}},
		{path: accounts + "events", want: []string{`{"data":[]`}},
		{path: accounts + "metadata", want: []string{`"created_at":"2025-03-01T12:00:00Z"`}},
	} {
		sc.key, sc.status = "read-dev", 200
		t.Run(sc.path, func(t *testing.T) { sc.run(t, h) })
	}
	for _, value := range []string{"a+b c/d%e", "a%2Fb", "..%2f..%2fetc", "olá 世界", "urn:x:1", "?a=b&c#d"} {
		for _, id := range []string{url.PathEscape("user_id:" + value), everyByte("user_id:" + value)} {
			scenario{path: users + id + "/traits", key: "read-dev", status: 200, want: []string{`"country":"PT"`}}.run(t, h)
		}
	}
}

func TestSegmentProfileErrors(t *testing.T) {
	h := newFixture().server(t).Handler()
	for _, sc := range []scenario{
		{name: "nobody", path: users + "user_id:nobody/traits", key: "read-dev", status: 404, want: []string{`{"error":{"code":"not_found","message":"Profile was not found."}}`}},
		{name: "another space", path: strings.Replace(users, "main", "other", 1) + "user_id:42/traits", key: "read-dev", status: 404, want: []string{"not_found"}},
		{name: "another collection", path: strings.Replace(users, "users", "things", 1) + "user_id:42/traits", key: "read-dev", status: 404},
		{name: "no key", path: users + "user_id:42/traits", status: 401, want: []string{"authentication_error"}},
		{name: "basic", path: users + "user_id:42/traits", header: map[string]string{"Authorization": "Basic cmVhZC1kZXY6"}, status: 200},
		{name: "not allowed", path: users + "user_id:42/traits", key: "write-dev", status: 403, want: []string{"authentication_error"}},
		{name: "limit", path: users + "user_id:42/traits?limit=201", key: "read-dev", status: 400, want: []string{"validation_error"}},
		{name: "sort", path: users + "user_id:42/events?sort=up", key: "read-dev", status: 400, want: []string{"validation_error"}},
		{name: "cursor", path: users + "user_id:42/traits?next=abc", key: "read-dev", status: 400, want: []string{"validation_error"}},
		{name: "unreadable", path: users + "user_id:%ff/traits", key: "read-dev", status: 400, want: []string{"validation_error"}},
		{name: "account by a person's", path: strings.Replace(users, "users", "accounts", 1) + "user_id:42/traits", key: "read-dev", status: 400},
		{name: "no account", path: strings.Replace(users, "users", "accounts", 1) + "group_id:nobody/traits", key: "read-dev", status: 404, want: []string{"not_found"}},
	} {
		t.Run(sc.name, func(t *testing.T) {
			answer := sc.run(t, h)
			if answer.Header.Get("Request-Id") == "" {
				t.Error("no Request-Id")
			}
		})
	}
}

// TestSegmentPages follows next= to the end.
func TestSegmentPages(t *testing.T) {
	f := newFixture()
	f.shelf.events = 5
	h := f.server(t).Handler()
	for what, want := range map[string]int{"events": 5, "external_ids": 8} {
		seen, next := map[string]bool{}, ""
		for {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%suser_id:42/%s?limit=2&next=%s", users, what, next), http.NoBody)
			r.Header.Set("Authorization", "Bearer read-dev")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			var body struct {
				Data []struct {
					ID, Type  string
					MessageID string `json:"message_id"`
				}
				Cursor struct {
					HasMore bool `json:"has_more"`
					Next    string
				}
			}
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != 200 {
				t.Fatalf("%s: %d %s", what, w.Code, w.Body)
			}
			for _, d := range body.Data {
				seen[d.MessageID+d.Type+d.ID] = true
			}
			if next = body.Cursor.Next; !body.Cursor.HasMore {
				break
			}
		}
		if len(seen) != want {
			t.Errorf("%s: %d entries, want %d", what, len(seen), want)
		}
	}
}

package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// shelf answers for what a whole view holds the newest of.
type shelf struct {
	*people
	events int // of every profile
	err    error
}

func (h *shelf) Timeline(ctx context.Context, workspace string, id identity.ProfileID, q profiles.TimelineQuery) ([]profiles.Event, error) {
	if _, err := h.Load(ctx, workspace, id); err != nil {
		return nil, err
	}
	from := 0
	if q.After.Key != "" {
		_, _ = fmt.Sscan(q.After.Key, &from)
	}
	var list []profiles.Event
	for i := from + 1; i <= h.events && len(list) < q.Limit; i++ {
		at := noon.Add(-time.Duration(i) * time.Minute)
		list = append(list, profiles.Event{Position: profiles.Position{Time: at, Key: fmt.Sprint(i)}, MessageID: fmt.Sprintf("m%d", i), Kind: "behaviour", Name: "Page", Source: "web", Time: at, Detail: json.RawMessage(`{"a":1}`)})
	}
	return list, h.err
}

func (h *shelf) Contacts(context.Context, string, identity.ProfileID, profiles.PageQuery) ([]profiles.Contact, error) {
	return []profiles.Contact{{Position: profiles.Position{Time: noon, Key: "1"}, MessageID: "m", Channel: "email", Actions: map[string]time.Time{"sent": noon}}}, h.err
}

func (h *shelf) Products(context.Context, string, identity.ProfileID, profiles.PageQuery) ([]profiles.Product, error) {
	return []profiles.Product{{
		Position: profiles.Position{Time: noon, Key: "cup"}, ID: "cup", Orders: 1, Bought: decimal.New(2, 0), Held: decimal.New(1, 0),
		Spent: map[string]decimal.Decimal{"EUR": decimal.New(205, -1)},
	}}, h.err
}

func (h *shelf) AllIdentifiers(ctx context.Context, workspace string, id identity.ProfileID) ([]profiles.Identifier, error) {
	p, err := h.Load(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	all := append([]profiles.Identifier{}, p.Identifiers...)
	slices.SortFunc(all, func(a, b profiles.Identifier) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Value, b.Value))
	})
	return all, h.err
}

func (h *shelf) Account(_ context.Context, workspace, id string, after identity.ProfileID, limit int) (*profiles.Account, error) {
	if workspace != "main" || id != "acme ltd/1+%" {
		return nil, profiles.ErrNoAccount
	}
	a := &profiles.Account{ID: id, First: noon, Last: noon, Traits: []profiles.AccountTrait{{Name: "plan", Value: []byte(`"gold"`), Source: "web", Time: noon}}}
	for m := after + 1; m <= 3 && len(a.Members) < limit; m++ {
		a.Members = append(a.Members, profiles.AccountMember{ID: m, First: noon, Last: noon, Events: 1})
	}
	return a, h.err
}

func (h *shelf) ByPrefix(_ context.Context, _ string, ns identity.Namespace, prefix string, _ profiles.SearchQuery) ([]profiles.Match, error) {
	var list []profiles.Match
	for _, p := range h.profiles {
		for _, i := range p.Identifiers {
			if strings.HasPrefix(i.Value, prefix) && (ns == "" || ns == i.Namespace) && p.ID == 0x42 {
				list = append(list, profiles.Match{Profile: p.ID, Identifier: i.Identifier, Place: i.Value})
			}
		}
	}
	return list, h.err
}

func (h *shelf) ByTrait(_ context.Context, workspace, trait string, values []string, _ profiles.SearchQuery) ([]profiles.Match, error) {
	var list []profiles.Match
	for _, p := range h.profiles {
		if h.byKey[storeKey(workspace, identity.Key(p.ID))] == p.ID {
			list = append(list, profiles.Match{Profile: p.ID, Place: p.ID.String()})
		}
	}
	return list, h.err
}

// everyPart are the operations on one profile.
var everyPart = []string{"", "/traits", "/scores", "/household", "/accounts", "/identifiers", "/timeline", "/products", "/contacts"}

// TestEveryPartTakesEveryIdentifier asks each operation on a profile by hostile
// identifiers, by its id, by one of before a merge, and by those that find nobody.
func TestEveryPartTakesEveryIdentifier(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	ana := identity.ProfileID(keyer("main").Key(identity.Identifier{Namespace: "email", Value: "ana@example.com"}))
	old := identity.ProfileID(keyer("main").Key(identity.Identifier{Namespace: "user_id", Value: "42"}))
	for _, part := range everyPart {
		t.Run(part, func(t *testing.T) {
			ids := []string{ana.String(), strings.ToUpper(ana.String()), old.String(), "email:%20ANA@Example.com"}
			for _, value := range []string{"a+b c/d%e", "a%2Fb", "..%2f..%2fetc", "olá 世界", "urn:x:1", "?a=b&c#d"} {
				ids = append(ids, url.PathEscape("user_id:"+value), everyByte("user_id:"+value))
			}
			for _, id := range ids {
				scenario{path: "/v1/profiles/" + id + part, key: "read-dev", status: 200, want: []string{`"id":"` + ana.String()}, headers: map[string]string{"Content-Location": "/v1/profiles/" + ana.String() + part}}.run(t, h)
			}
			scenario{path: "/v1/profiles/user_id:nobody" + part, key: "read-dev", status: 404, want: []string{"profile-not-found"}}.run(t, h)
			scenario{path: "/v1/profiles/" + ana.String() + part, key: "read-other", status: 404}.run(t, h)
			scenario{path: "/v1/profiles/user_id:%ff" + part, key: "read-dev", status: 400}.run(t, h)
			scenario{path: "/v1/profiles/ana" + part, key: "read-dev", status: 400}.run(t, h)
			answer := scenario{path: "/v1/profiles/user_id:42" + part, key: "read-dev", status: 200}.run(t, h)
			scenario{path: "/v1/profiles/user_id:42" + part, key: "read-dev", header: map[string]string{"If-None-Match": answer.Header.Get("ETag")}, status: 304}.run(t, h)
		})
	}
}

func TestParts(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	for _, sc := range []scenario{
		{path: "/v1/profiles/user_id:42/traits", want: []string{`"traits":{"country":{"value":"PT"`}},
		{path: "/v1/profiles/user_id:42/traits?include=x&include=country", want: []string{`"country"`}},
		{path: "/v1/profiles/user_id:42/traits?include=x", want: []string{`"traits":{}`}},
		{path: "/v1/profiles/user_id:42/scores", want: []string{`"scores":{"churn":{"value":0.25`}},
		{path: "/v1/profiles/user_id:42/household", want: []string{`"profiles":["00000000000000cd"]`}},
		{path: "/v1/profiles/user_id:stranger/household", want: []string{`"household":null`}},
		{path: "/v1/profiles/user_id:stranger/accounts", want: []string{`"accounts":[]`}},
		{path: "/v1/profiles/user_id:42/products", want: []string{`"held":"1"`, `"spent":{"EUR":"20.5"}`}, not: []string{"next"}},
		{path: "/v1/profiles/user_id:42/contacts", want: []string{`"actions":{"sent":"2025-03-01T12:00:00Z"}`}},
		{path: "/v1/accounts/acme%20ltd%2F1+%25", want: []string{`"plan":{"value":"gold"`, `"members":[{"id":"0000000000000001"`}, not: []string{"next"}},
	} {
		sc.key, sc.status = "read-dev", 200
		t.Run(sc.path, func(t *testing.T) { sc.run(t, h) })
	}
	scenario{path: "/v1/accounts/nobody", key: "read-dev", status: 404, want: []string{"account-not-found"}}.run(t, h)
	scenario{path: "/v1/accounts/acme%20ltd%2F1+%25", key: "read-other", status: 404}.run(t, h)
	f.shelf.err = profiles.ErrTooExpensive
	scenario{path: "/v1/profiles?identifier=ana", key: "read-dev", status: 422}.run(t, h)
}

// page decodes a list with its cursor.
func page(t *testing.T, h http.Handler, path string) (events []string, next string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	r.Header.Set("Authorization", "Bearer read-dev")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var body struct {
		Events []struct {
			ID string `json:"message_id"`
		} `json:"events"`
		Identifiers []struct{ Value string } `json:"identifiers"`
		Members     []struct{ ID string }    `json:"members"`
		Next        string                   `json:"next"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != 200 {
		t.Fatalf("%s: %d %s %v", path, w.Code, w.Body, err)
	}
	for _, e := range body.Events {
		events = append(events, e.ID)
	}
	for _, i := range body.Identifiers {
		events = append(events, i.Value)
	}
	for _, m := range body.Members {
		events = append(events, m.ID)
	}
	return events, body.Next
}

// TestCursors follows lists to their end, and takes cursors where they do not belong.
func TestCursors(t *testing.T) {
	f := newFixture()
	f.shelf.events = 7
	h := f.server(t).Handler()
	follow := func(path string, want int) {
		t.Helper()
		seen := map[string]bool{}
		next, pages := "", 0
		for {
			list, cursor := page(t, h, path+"&cursor="+next)
			for _, e := range list {
				if seen[e] {
					t.Errorf("%s: %s again", path, e)
				}
				seen[e] = true
			}
			if pages++; cursor == "" {
				break
			}
			next = cursor
		}
		if len(seen) != want || pages < 2 {
			t.Errorf("%s: %d entries on %d pages, want %d", path, len(seen), pages, want)
		}
	}
	follow("/v1/profiles/user_id:42/timeline?limit=3", 7)
	follow("/v1/profiles/user_id:42/timeline?limit=3&kind=behaviour&order=asc", 7)
	follow("/v1/profiles/user_id:42/identifiers?limit=3", 8)
	follow("/v1/accounts/acme%20ltd%2F1+%25?limit=2", 3)

	_, cursor := page(t, h, "/v1/profiles/user_id:42/timeline?limit=3&name=a&name=b")
	for name, path := range map[string]string{
		"other filters":       "/v1/profiles/user_id:42/timeline?name=a&cursor=" + cursor,
		"filters that add up": "/v1/profiles/user_id:42/timeline?name=a&source=b&cursor=" + cursor,
		"another order":       "/v1/profiles/user_id:42/timeline?name=a&name=b&order=asc&cursor=" + cursor,
		"another list":        "/v1/profiles/user_id:42/contacts?cursor=" + cursor,
		"changed":             "/v1/profiles/user_id:42/timeline?name=a&name=b&cursor=B" + cursor[1:],
		"nonsense":            "/v1/profiles/user_id:42/timeline?cursor=%20x",
		"limit":               "/v1/profiles/user_id:42/timeline?limit=501",
		"no limit":            "/v1/profiles/user_id:42/timeline?limit=0",
		"order":               "/v1/profiles/user_id:42/timeline?order=up",
		"time":                "/v1/profiles/user_id:42/timeline?from=yesterday",
		"filters":             "/v1/profiles/user_id:42/timeline?" + strings.Repeat("kind=a&", 51),
	} {
		t.Run(name, func(t *testing.T) { scenario{path: path, key: "read-dev", status: 400}.run(t, h) })
	}
	scenario{path: "/v1/profiles/email:ana@example.com/timeline?name=a&name=b&cursor=" + cursor, key: "read-other", status: 400}.run(t, h)
}

func TestBatch(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	post := func(body string, status int, want ...string) {
		t.Helper()
		scenario{method: http.MethodPost, path: "/v1/profiles/batch", key: "read-dev", body: body, status: status, want: want}.run(t, h)
	}
	post(`{"ids":["user_id:nobody","email:Ana@Example.com","x","user_id:a+b c/d%e"]}`, 200,
		`{"profiles":[{"status":404,"problem":{"type":"urn:kindred:problem:profile-not-found"`, `{"status":200,"profile":{"id":"`, `{"status":400,"problem":`)
	post(`{"ids":[]}`, 400, "/ids")
	post(`{"ids":[`+strings.Repeat(`"user_id:42",`, 100)+`"user_id:42"]}`, 400, "1 to 100")
	post(`{"ids":[`+strings.Repeat(`"user_id:42",`, 99)+`"user_id:42"]}`, 200)
	post(`{}`, 400)
	f.people.err = errBroken
	post(`{"ids":["user_id:42"]}`, 500)
}

func TestSearchProfiles(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	get := func(query string, status int, want ...string) {
		t.Helper()
		scenario{path: "/v1/profiles?" + query, key: "read-dev", status: status, want: want}.run(t, h)
	}
	get("trait=country&value=PT", 200, `"trait":{"name":"country","value":"PT"}`)
	get("trait=country&value=%22PT%22", 200, `"trait":{"name":"country","value":"PT"}`)
	get("trait=country&value=ES", 200, `{"profiles":[]}`)
	get("identifier=nob", 200, `{"profiles":[]}`)
	get("identifier=a", 400, "two characters")
	get("identifier=email:a", 400, "two characters")
	get("", 400)
	get("trait=country", 400)
	get("identifier=ana&trait=country&value=PT", 400)
	get("trait=&value=PT", 400)
	get("identifier=%ff%ff", 400)
	get("identifier=ana&limit=101", 400)
}

// TestGzip packs long answers for those who can unpack them, and no others.
func TestGzip(t *testing.T) {
	f := newFixture()
	f.shelf.events = 100
	h := f.server(t).Handler()
	ask := func(path, accept string) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		r.Header.Set("Authorization", "Bearer read-dev")
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	const long = "/v1/profiles/user_id:42/timeline"
	plain := ask(long, "")
	whole, _ := io.ReadAll(plain.Body)
	for accept, packed := range map[string]bool{"gzip": true, "br, GZIP;q=0.5": true, "*": true, "gzip;q=0": false, "gzip; q=0, *": false, "identity": false, "br": false} {
		answer := ask(long, accept)
		if got := answer.Header.Get("Content-Encoding") == "gzip"; got != packed {
			t.Errorf("Accept-Encoding %q: packed %t", accept, got)
		}
		if packed {
			body, _ := io.ReadAll(answer.Body)
			if unpacked := unpack(t, body); string(unpacked) != string(whole) || len(body) > len(whole)/3 {
				t.Errorf("%q: %d bytes unpack to %d, not to %d", accept, len(body), len(unpacked), len(whole))
			}
			if answer.Header.Get("ETag") == plain.Header.Get("ETag") || answer.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%q: headers %v", accept, answer.Header)
			}
		}
	}
	if short := ask("/v1/profiles/user_id:stranger/traits", "gzip"); short.Header.Get("Content-Encoding") != "" {
		t.Error("a short answer is packed")
	}
	scenario{path: long, key: "read-dev", header: map[string]string{"Accept-Encoding": "gzip", "If-None-Match": plain.Header.Get("ETag")}, status: 304}.run(t, h)
}

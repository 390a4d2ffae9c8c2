package api_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/api"
)

// ring has managed keys of every role, one of each state.
type ring struct {
	mu     sync.Mutex // Protects the fields below.
	keys   map[[sha256.Size]byte]api.Key
	closed bool // nothing is loaded
}

func newRing() *ring {
	r := &ring{keys: map[[sha256.Size]byte]api.Key{}}
	for _, role := range api.Roles() {
		r.add(api.Key{ID: "live-" + string(role), Role: role})
		r.add(api.Key{ID: "expired-" + string(role), Role: role, Expires: time.Unix(1, 0)})
		r.add(api.Key{ID: "revoked-" + string(role), Role: role, Revoked: true})
	}
	return r
}

// add takes a key whose secret is its id.
func (r *ring) add(k api.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k.Name, k.Workspace, k.Hash = "name-of-"+k.ID, "main", api.HashSecret(k.ID)
	r.keys[k.Hash] = k
}

func (r *ring) Find(hash [sha256.Size]byte) (api.Key, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, ok := r.keys[hash]
	return k, ok && !r.closed
}

// Admits is that of keys.Ring, of keys that never expire.
func (r *ring) Admits(origin string, _ time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.keys {
		if !k.Revoked && k.Role == api.RolePublic && slices.ContainsFunc(k.Origins, func(o string) bool { return o == "*" || o == origin }) {
			return true
		}
	}
	return r.closed
}

func (r *ring) Loaded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.closed
}

// operation is one of the document, as a client reads it.
type operation struct{ method, path, role, personal string }

func operations() []operation {
	var list []operation
	for pattern, item := range at(document(), "paths").(map[string]any) {
		for method, o := range item.(map[string]any) {
			role, _ := at(o, "x-kindred-role").(string)
			personal, _ := at(o, "x-kindred-personal").(string)
			list = append(list, operation{strings.ToUpper(method), pattern, role, personal})
		}
	}
	slices.SortFunc(list, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return list
}

// may is the rule of the document in a few words.
func (o operation) may(role string) bool {
	switch role {
	case o.role, "admin":
		return true
	case "public": // Of all that keys of role write may, it sends events alone.
		return o.role == "write" && !strings.Contains(o.path, "{id}")
	case "marketer":
		return o.role == "read" && o.personal != "whole"
	}
	return false
}

// ask sends the operation with a key.
func (o operation) ask(t *testing.T, h http.Handler, key string) *httptest.ResponseRecorder {
	path := strings.NewReplacer("{id}", "user_id:42", "{key}", "write-dev", "{method}", "track?data=e30", "{plan}", "web").Replace(o.path)
	r := httptest.NewRequestWithContext(t.Context(), o.method, path, strings.NewReader(`{"definition":`+definition+`}`))
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestEveryRouteByEveryKey tries each operation of the document without a key, with
// one that nobody gave, and with keys of every role that live, have expired, were
// revoked, or are of another workspace.
func TestEveryRouteByEveryKey(t *testing.T) {
	h := newFixture().server(t).Handler()
	cases := 0
	for _, o := range operations() {
		check := func(key string, want int) {
			t.Helper()
			cases++
			got := o.ask(t, h, key).Code
			if want == http.StatusOK && o.role != "" && (got == http.StatusBadRequest || got == http.StatusNotFound || got == http.StatusConflict) {
				return // The key may; the body and the id are those of another operation.
			}
			if got != want {
				t.Errorf("%s %s (%s, %s) with key %q: %d, want %d", o.method, o.path, o.role, o.personal, key, got, want)
			}
		}
		refused := http.StatusUnauthorized
		if o.role == "" {
			refused = http.StatusOK
		}
		check("", refused)
		check("nobody-gave-this", refused)
		for _, role := range api.Roles() {
			want := http.StatusForbidden
			if o.role == "" || o.may(string(role)) {
				want = http.StatusOK
			}
			for _, key := range []string{"%s-dev", "%s-other", "live-%s"} {
				check(fmt.Sprintf(key, role), want)
			}
			check("expired-"+string(role), refused)
			check("revoked-"+string(role), refused)
		}
	}
	if cases < 1000 {
		t.Errorf("only %d cases", cases)
	}
}

// TestPagesOfOtherOrigins: a browser may read answers of the tracking API from
// anywhere, and of nothing else.
func TestPagesOfOtherOrigins(t *testing.T) {
	h := newFixture().server(t).Handler()
	open := 0
	for _, o := range operations() {
		tracking := o.role == "write" && o.path != "/v1/events/{kind}" && o.path != "/v1/profiles/{id}/consent" || o.path == "/v1/m" || strings.HasPrefix(o.path, "/v1/projects/")
		for _, method := range []string{o.method, http.MethodOptions} {
			r := httptest.NewRequestWithContext(t.Context(), method, strings.NewReplacer("{id}", "user_id:42", "{key}", "write-dev", "{method}", "track").Replace(o.path), http.NoBody)
			r.Header.Set("Origin", "https://elsewhere.example")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := w.Header().Get("Access-Control-Allow-Origin"); (got == "*") != tracking || got != "" && got != "*" || w.Header().Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s %s allows the origin %q", method, o.path, got)
			}
			for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": ""} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s %s: %s is %q", method, o.path, header, got)
				}
			}
		}
		if tracking {
			open++
		}
	}
	if open < 15 {
		t.Errorf("only %d operations are for browsers", open)
	}
}

func TestUnknownKeysWaitForTheRing(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	f.ring.closed = true
	scenario{name: "managed", path: "/v1/plans", key: "live-read", status: 503, want: []string{"keys-not-loaded"}, headers: map[string]string{"Retry-After": "1"}}.run(t, h)
	scenario{name: "tracking", method: http.MethodPost, path: "/v1/track", key: "live-write", body: `{}`, status: 503}.run(t, h)
	scenario{name: "of the settings", path: "/v1/plans", key: "read-dev", status: 200}.run(t, h)
	f.ring.closed = false
	scenario{name: "then", path: "/v1/plans", key: "live-read", status: 200}.run(t, h)
	for key, status := range map[string]int{"live-write": 200, "revoked-write": 404, "expired-write": 404, "live-read": 404} {
		scenario{path: "/v1/projects/" + key + "/settings", status: status}.run(t, h)
	}
	for key, why := range map[string]string{"revoked-read": "was revoked", "expired-read": "has expired", "nobody-gave-this": "not known"} {
		scenario{name: key, path: "/v1/plans", key: key, status: 401, want: []string{why}, not: []string{key}}.run(t, h)
	}
}

// TestExpiry: a key ends in the moment that it names.
func TestExpiry(t *testing.T) {
	f := newFixture()
	now := noon
	f.now = func() time.Time { return now }
	f.ring.add(api.Key{ID: "until-noon", Role: api.RoleRead, Expires: noon})
	h := f.server(t).Handler()
	now = noon.Add(-time.Millisecond)
	scenario{path: "/v1/plans", key: "until-noon", status: 200}.run(t, h)
	now = noon
	scenario{path: "/v1/plans", key: "until-noon", status: 401, want: []string{"has expired"}}.run(t, h)
}

func TestRateLimits(t *testing.T) {
	f := newFixture()
	now := noon
	f.now = func() time.Time { return now }
	f.cfg.RateLimit, f.cfg.RateBurst = 2, 3
	f.ring.add(api.Key{ID: "slow", Role: api.RoleRead, Rate: .25, Burst: 1})
	h := f.server(t).Handler()
	many := func(key string, n, want int) {
		t.Helper()
		passed := 0
		for range n {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/plans", http.NoBody)
			r.Header.Set("Authorization", "Bearer "+key)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code == http.StatusOK {
				passed++
			}
		}
		if passed != want {
			t.Errorf("%d of %d requests with %s pass, want %d", passed, n, key, want)
		}
	}
	many("read-dev", 10, 3)
	many("live-read", 10, 3) // A bucket of its own.
	scenario{path: "/v1/plans", key: "read-dev", status: 429, want: []string{"urn:kindred:problem:rate-limited"}, headers: map[string]string{"Retry-After": "1"}}.run(t, h)
	now = now.Add(time.Second)
	many("read-dev", 10, 2)
	now = now.Add(-time.Hour) // A clock that goes back gives nothing.
	many("read-dev", 10, 0)
	now = now.Add(2 * time.Hour)
	many("read-dev", 10, 3)
	many("slow", 2, 1)
	scenario{path: "/v1/plans", key: "slow", status: 429, headers: map[string]string{"Retry-After": "4"}}.run(t, h)
	scenario{method: http.MethodPost, path: "/v1/track", key: "write-dev", body: `{"event":"x"}`, status: 200}.run(t, h)
	many("nobody-gave-this", 5, 0) // 401, and no bucket.
}

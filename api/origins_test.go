package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/api"
)

// shopFixture has one public key, of the pages of a shop, and no key of role write.
func shopFixture(origins ...string) *fixture {
	f := newFixture()
	f.cfg.Keys = slices.DeleteFunc(f.cfg.Keys, func(k api.Key) bool { return k.Role == api.RoleWrite || k.Role == api.RolePublic })
	f.ring = &ring{keys: map[[32]byte]api.Key{}}
	f.ring.add(api.Key{ID: "shop", Role: api.RolePublic, Source: "public/web", Origins: origins})
	return f
}

// hostileOrigins are what other pages may be called to look like those of
// https://shop.example and http://localhost:3000.
var hostileOrigins = []string{
	"null", "", "https://evil.example", "https://shop.example.evil.example", "https://evilshop.example", "https://shop.exampl",
	"https://a.shop.example", "http://shop.example", "https://shop.example:8443", "https://shop.example:443", "https://SHOP.example",
	"HTTPS://shop.example", "https://shop.example/", "https://shop.example.", "https://shop.example, https://evil.example",
	"https://evil.example https://shop.example", "https://evil.example@shop.example", "*", "https://shop.example#", "https://shop.example?",
	" https://shop.example", "http://localhost", "http://localhost:30000", "http://localhost:3000.evil.example", "https://localhost:3000",
	"//shop.example", "shop.example", "https://shop%2eexample", "https://xn--shop-.example", "file://",
}

// TestOriginsOfPublicKeys: pages of other origins are refused by the server, on every
// way in, and are told so by preflights; those of its list, and programs, are not.
func TestOriginsOfPublicKeys(t *testing.T) {
	f := shopFixture("https://shop.example", "http://localhost:3000")
	h := f.server(t).Handler()
	ask := func(method, path, body string, origins ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		for _, origin := range origins {
			r.Header.Add("Origin", origin)
		}
		if method == http.MethodOptions {
			r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		} else if !strings.Contains(body, "writeKey") && !strings.Contains(path, "shop") {
			r.Header.Set("Authorization", "Bearer shop")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	ways := []struct{ method, path, body string }{
		{http.MethodPost, "/v1/t", `{"event":"View","userId":"1"}`},
		{http.MethodPost, "/v1/batch", `{"writeKey":"shop","batch":[]}`},
		{http.MethodGet, "/v1/pixel/track?data=e30", ""},
		{http.MethodPost, "/v1/events/behaviour", `{"id":"1"}`},
		{http.MethodGet, "/v1/projects/shop/settings", ""},
	}
	refused := 0
	for _, way := range ways {
		taken := func() int { return len(f.tracking.calls) + len(f.events.events) }
		for _, origins := range [][]string{nil, {"https://shop.example"}, {"http://localhost:3000"}} {
			if w := ask(way.method, way.path, way.body, origins...); w.Code >= 300 || w.Header().Get("Access-Control-Allow-Origin") != "*" && way.path != "/v1/events/behaviour" {
				t.Errorf("%s from %v: %d %s %v", way.path, origins, w.Code, w.Body, w.Header())
			}
		}
		before := taken()
		for _, origins := range append(single(hostileOrigins), []string{"https://shop.example", "https://evil.example"}, []string{"https://shop.example", "https://shop.example"}) {
			w := ask(way.method, way.path, way.body, origins...)
			if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "origin-not-allowed") || w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s from %q: %d %s %v", way.path, origins, w.Code, w.Body, w.Header())
			}
			refused++
		}
		if taken() != before {
			t.Errorf("%s: something from another page was taken in", way.path)
		}
	}
	scenario{path: "/metrics", status: 200, want: []string{fmt.Sprintf("kindred_api_foreign_origin_total %d", refused)}}.run(t, h)
	for _, origin := range append(slices.Clone(hostileOrigins), "https://shop.example", "http://localhost:3000") {
		w := ask(http.MethodOptions, "/v1/t", "", origin)
		want := ""
		if !slices.Contains(hostileOrigins, origin) {
			want = "*"
		}
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != want || w.Code != http.StatusNoContent || w.Header().Get("Vary") != "Origin" || want == "" && w.Header().Get("Access-Control-Allow-Methods") != "" {
			t.Errorf("preflight from %q: %d %v", origin, w.Code, w.Header())
		}
	}
}

func single(list []string) (all [][]string) {
	for _, x := range list {
		all = append(all, []string{x})
	}
	return all
}

// TestOpenPublicKey: * is for every page, and a key of role write too; keys that read are
// for none.
func TestOpenPublicKey(t *testing.T) {
	preflight := func(f *fixture) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "/v1/t", http.NoBody)
		r.Header.Set("Origin", "null")
		w := httptest.NewRecorder()
		f.server(t).Handler().ServeHTTP(w, r)
		return w.Header().Get("Access-Control-Allow-Origin")
	}
	f := shopFixture("*")
	if preflight(f) != "*" {
		t.Error("a preflight is refused where a key is for all pages")
	}
	f.metrics = prometheus.NewRegistry()
	scenario{method: http.MethodPost, path: "/v1/t", key: "shop", body: "{}", header: map[string]string{"Origin": "null"}, status: 200}.run(t, f.server(t).Handler())
	f = shopFixture("https://shop.example")
	f.ring.closed = true // Nothing is loaded.
	if preflight(f) != "*" {
		t.Error("a preflight is refused before the keys are known")
	}
	if preflight(shopFixture("https://shop.example")) != "" {
		t.Error("a preflight is answered that no key allows")
	}
	if preflight(newFixture()) != "*" {
		t.Error("a preflight is refused where a key is bound to no page")
	}
}

// TestNewPublicKey: what a key that everybody can read must say.
func TestNewPublicKey(t *testing.T) {
	h := newFixture().server(t).Handler()
	for name, sc := range map[string]scenario{
		"listed":              {body: `{"name":"x","role":"public","source":"web","origins":["https://shop.example"]}`, status: 200},
		"open":                {body: `{"name":"x","role":"public","source":"web","origins":["*"]}`, status: 200},
		"without origins":     {body: `{"name":"x","role":"public","source":"web"}`, status: 400, want: []string{`"/origins"`}},
		"without a source":    {body: `{"name":"x","role":"public","origins":["*"]}`, status: 400, want: []string{`"/source"`}},
		"a path":              {body: `{"name":"x","role":"public","source":"web","origins":["https://shop.example/a"]}`, status: 400, want: []string{`"/origins"`}},
		"null":                {body: `{"name":"x","role":"public","source":"web","origins":["null"]}`, status: 400, want: []string{`"/origins"`}},
		"of another role":     {body: `{"name":"x","role":"write","source":"web","origins":["https://shop.example"]}`, status: 400, want: []string{`"/origins"`}},
		"origins are no list": {body: `{"name":"x","role":"public","source":"web","origins":"*"}`, status: 400},
	} {
		sc.method, sc.path, sc.key = http.MethodPost, "/v1/keys", "admin-dev"
		t.Run(name, func(t *testing.T) { sc.run(t, h) })
	}
}

package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

func TestGetProfile(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	ana := identity.ProfileID(keyer("main").Key(identity.Identifier{Namespace: "email", Value: "ana@example.com"}))
	old := identity.ProfileID(keyer("main").Key(identity.Identifier{Namespace: "user_id", Value: "42"}))
	id := `"id":"` + ana.String() + `"`
	none := []string{"ana", "goroutine"}
	rows := []scenario{
		{name: "by e-mail", path: "/v1/profiles/email:ana@example.com", key: "read-dev", status: 200, want: []string{
			id, `"country":{"value":"PT","rule":"newest","source":"web"`, `"revenue":"12.4"`, `"total":3`, `"View <b>"`,
			`"churn":{"value":0.25`, `"properties":{"sku":"a"}`, `"last_seen":"2025-03-01"`,
		}, headers: map[string]string{"Content-Location": "/v1/profiles/" + ana.String(), "Content-Type": "application/json"}},
		{name: "e-mail in another spelling", path: "/v1/profiles/email:%20ANA@Example.com", key: "read-dev", status: 200, want: []string{id}},
		{name: "by id", path: "/v1/profiles/" + ana.String(), key: "read-dev", status: 200, want: []string{id}},
		{name: "by id in upper case", path: "/v1/profiles/" + strings.ToUpper(ana.String()), key: "read-dev", status: 200, want: []string{id}},
		{name: "by an id of before a merge", path: "/v1/profiles/" + old.String(), key: "read-dev", status: 200, want: []string{id}},
		{name: "colon escaped", path: "/v1/profiles/email%3Aana%40example.com", key: "read-dev", status: 200, want: []string{id}},
		{name: "admin may read", path: "/v1/profiles/user_id:42", key: "admin-dev", status: 200, want: []string{id}},
		{name: "basic, key as user", path: "/v1/profiles/user_id:42", header: map[string]string{"Authorization": "Basic cmVhZC1kZXY6"}, status: 200, want: []string{id}},
		{name: "household", path: "/v1/profiles/user_id:42", key: "read-dev", status: 200, want: []string{`"household":{"id":"00000000000000ab","profiles":["00000000000000cd"]}`}},
		{name: "no household", path: "/v1/profiles/email:ana@example.com", key: "read-other", status: 200, not: []string{"household"}},
		{name: "query is ignored", path: "/v1/profiles/user_id:42?verbose=true", key: "read-dev", status: 200, want: []string{id}},

		{name: "no key", path: "/v1/profiles/user_id:42", status: 401, want: []string{"urn:kindred:problem:unauthorized"}, not: none, headers: map[string]string{"WWW-Authenticate": `Bearer realm="kindred"`}},
		{name: "wrong key", path: "/v1/profiles/user_id:42", key: "read-de", status: 401, not: none},
		{name: "key in another case", path: "/v1/profiles/user_id:42", key: "READ-DEV", status: 401, not: none},
		{name: "hash as key", path: "/v1/profiles/user_id:42", key: fmt.Sprintf("%x", hashOf("read-dev")), status: 401, not: none},
		{name: "empty bearer", path: "/v1/profiles/user_id:42", header: map[string]string{"Authorization": "Bearer "}, status: 401, not: none},
		{name: "unknown scheme", path: "/v1/profiles/user_id:42", header: map[string]string{"Authorization": "Digest read-dev"}, status: 401, not: none},
		{name: "write key", path: "/v1/profiles/user_id:42", key: "write-dev", status: 403, want: []string{"role read"}, not: none},
		{name: "unknown identifier", path: "/v1/profiles/email:nobody@example.com", key: "read-dev", status: 404, want: []string{"profile-not-found"}, not: []string{"nobody"}},
		{name: "unknown id", path: "/v1/profiles/0123456789abcdef", key: "read-dev", status: 404},
		{name: "id of another workspace", path: "/v1/profiles/" + ana.String(), key: "read-other", status: 404, not: none},
		{name: "same identifier, other workspace", path: "/v1/profiles/email:ana@example.com", key: "read-other", status: 200, not: []string{ana.String(), "PT"}},
		{name: "no colon, no id", path: "/v1/profiles/ana", key: "read-dev", status: 400, not: none},
		{name: "id with bit 63", path: "/v1/profiles/ffffffffffffffff", key: "read-dev", status: 400},
		{name: "id zero", path: "/v1/profiles/0000000000000000", key: "read-dev", status: 400},
		{name: "bad namespace", path: "/v1/profiles/E-Mail:ana", key: "read-dev", status: 400, not: none},
		{name: "empty value", path: "/v1/profiles/email:", key: "read-dev", status: 400},
		{name: "value that is none", path: "/v1/profiles/user_id:null", key: "read-dev", status: 400},
		{name: "value damaged by a decoder", path: "/v1/profiles/email:ana%EF%BF%BD@example.com", key: "read-dev", status: 400, not: none},
		{name: "not UTF-8", path: "/v1/profiles/user_id:%ff%fe", key: "read-dev", status: 400},
		{name: "too long", path: "/v1/profiles/user_id:" + strings.Repeat("a", 1100), key: "read-dev", status: 400, not: []string{"aaaa"}},
		{name: "URL too long", path: "/v1/profiles/user_id:" + strings.Repeat("a", 5000), key: "read-dev", status: 414, not: []string{"aaaa"}},
		{name: "slash not escaped", path: "/v1/profiles/social:instagram/ana", key: "read-dev", status: 404, want: []string{"%2F"}, not: none},
		{name: "nothing", path: "/v1/profiles/", key: "read-dev", status: 404},
		{name: "wrong method", method: http.MethodDelete, path: "/v1/profiles/user_id:42", key: "admin-dev", status: 405, headers: map[string]string{"Allow": "GET"}},
		{name: "invented method", method: "BREW", path: "/v1/profiles/user_id:42", key: "admin-dev", status: 405},
		{name: "wrong version", path: "/v2/profiles/user_id:42", key: "read-dev", status: 404},
	}
	for _, sc := range rows {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	for _, personal := range []string{"ana", "nobody", "user_id", "e-mail", "country"} {
		if strings.Contains(strings.ToLower(f.logs.String()), personal) {
			t.Errorf("log holds %s:\n%s", personal, f.logs.String())
		}
	}
	if !strings.Contains(f.logs.String(), `"route":"/v1/profiles/:id"`) || !strings.Contains(f.logs.String(), `"key":"name-of-read-dev"`) {
		t.Errorf("log lacks route or name of the key:\n%s", f.logs.String())
	}
}

// TestHostileIdentifiers sends identifiers in every spelling that a client may
// choose; each must find the same person, and none may be understood otherwise.
func TestHostileIdentifiers(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	for _, value := range []string{"a+b c/d%e", "a%2Fb", "..%2f..%2fetc", "olá 世界", "urn:x:1", "?a=b&c#d"} {
		for name, path := range map[string]string{
			"path escape":  url.PathEscape("user_id:" + value),
			"query escape": strings.ReplaceAll(url.QueryEscape("user_id:"+value), "+", "%20"),
			"every byte":   everyByte("user_id:" + value),
		} {
			t.Run(value+" "+name, func(t *testing.T) {
				scenario{path: "/v1/profiles/" + path, key: "read-dev", status: 200, want: []string{`"identifier_count":8`}}.run(t, h)
			})
		}
	}
	// A plus sign is itself in a path, never a space.
	scenario{path: "/v1/profiles/user_id:a%20b%20c%2Fd%25e", key: "read-dev", status: 404}.run(t, h)
}

func everyByte(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02x", s[i])
	}
	return b.String()
}

func TestETag(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	path := "/v1/profiles/user_id:42"
	first := scenario{path: path, key: "read-dev", status: 200}.run(t, h)
	tag := first.Header.Get("ETag")
	scenario{path: path, key: "read-dev", header: map[string]string{"If-None-Match": `"x", W/` + tag}, status: 304, not: []string{"id"}}.run(t, h)
	scenario{path: path, key: "read-dev", header: map[string]string{"If-None-Match": `"x"`}, status: 200}.run(t, h)
	f.people.mu.Lock()
	for _, p := range f.people.profiles {
		p.IdentifierCount++
	}
	f.people.mu.Unlock()
	scenario{path: path, key: "read-dev", header: map[string]string{"If-None-Match": tag}, status: 200}.run(t, h)
	scenario{path: path, key: "write-dev", header: map[string]string{"If-None-Match": "*"}, status: 403}.run(t, h)
}

func TestStoreFailures(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	for name, row := range map[string]struct {
		err    error
		status int
	}{
		"broken":   {errBroken, 500},
		"deadline": {context.DeadlineExceeded, 503},
		"gone":     {context.Canceled, 499},
	} {
		t.Run(name, func(t *testing.T) {
			f.people.err = row.err
			scenario{path: "/v1/profiles/user_id:42", key: "read-dev", status: row.status, not: []string{"ana", "pipe"}}.run(t, h)
		})
	}
	f.people.err, f.people.hook = nil, func() { panic(errBroken) }
	scenario{path: "/v1/profiles/user_id:42", key: "read-dev", status: 500, want: []string{"urn:kindred:problem:internal"}, not: []string{"ana", "pipe", "panic"}}.run(t, h)
	if !strings.Contains(f.logs.String(), "panic in a handler") || strings.Contains(f.logs.String(), `"panic":"broken pipe`) {
		t.Errorf("log of the panic:\n%s", f.logs.String())
	}
	scenario{path: "/metrics", status: 200, want: []string{"kindred_api_panics_total 1", `kindred_api_requests_total{code="500",method="GET",route="/v1/profiles/:id"} 2`}, not: []string{"user_id"}}.run(t, h)
}

package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestDocs holds the reference page against the routes: every operation is on it,
// every link leads somewhere, and nothing is fetched from elsewhere or run.
func TestDocs(t *testing.T) {
	s := newFixture().server(t)
	answer := scenario{path: "/docs", status: 200}.run(t, s.Handler())
	if got := answer.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	policy := answer.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") {
		t.Errorf("policy %q", policy)
	}
	page := fetchDocs(t, s.Handler())
	for _, o := range s.Operations() {
		if !strings.Contains(page, `<span class="method">`+o.Method+`</span> <code>`+o.Path+`</code>`) {
			t.Errorf("%s %s is not on the page", o.Method, o.Path)
		}
	}
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	if sum := sha256.Sum256([]byte(style)); !strings.Contains(policy, base64.StdEncoding.EncodeToString(sum[:])) {
		t.Error("browsers refuse the style: its hash is not that of the policy")
	}
	there := map[string]bool{}
	for _, m := range regexp.MustCompile(`id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if there[m[1]] {
			t.Errorf("id %q twice", m[1])
		}
		there[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if target, inside := strings.CutPrefix(m[1], "#"); inside && !there[target] || !inside && m[1] != "/openapi.json" {
			t.Errorf("link to %q", m[1])
		}
	}
	for _, forbidden := range []string{"<script", "<img", "src=", "<link", "ZgotmplZ", "%!"} {
		if strings.Contains(page, forbidden) {
			t.Errorf("the page holds %q", forbidden)
		}
	}
}

func fetchDocs(t *testing.T, h http.Handler) string {
	t.Helper()
	w := ask(t, h, "/docs")
	defer func() { _ = w.Body.Close() }()
	page, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

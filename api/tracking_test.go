package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/api"
)

// trackTaker notes the calls and answers with what it is told.
type trackTaker struct {
	mu      sync.Mutex // Protects the fields below.
	calls   []api.TrackingCall
	receipt api.TrackingReceipt
	err     error
	hook    func()
}

func (t *trackTaker) WriteKey(body []byte) string {
	_, rest, _ := strings.Cut(string(body), `"writeKey":"`)
	key, _, _ := strings.Cut(rest, `"`)
	return key
}

func (t *trackTaker) PixelBody(data string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(data, "="))
}

func (t *trackTaker) Track(_ context.Context, call api.TrackingCall) (api.TrackingReceipt, error) {
	if t.hook != nil {
		t.hook()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	call.Body = bytes.Clone(call.Body) // The server uses the buffer again.
	t.calls = append(t.calls, call)
	return t.receipt, t.err
}

func (t *trackTaker) last() api.TrackingCall {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls[len(t.calls)-1]
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, text)
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTrackingPathsAndKeys(t *testing.T) {
	f := newFixture()
	f.cfg.Keys[1].Source = "web"
	f.tracking.receipt = api.TrackingReceipt{Received: 1, Accepted: 1}
	h := f.server(t).Handler()
	basic := func(text string) map[string]string {
		return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(text))}
	}
	const good = `{"success":true,"received":1,"accepted":1,"errors":[]}`
	for path, method := range map[string]string{
		"/v1/track": "track", "/v1/t": "track", "/v1/page": "page", "/v1/p": "page", "/v1/screen": "screen", "/v1/s": "screen",
		"/v1/identify": "identify", "/v1/i": "identify", "/v1/group": "group", "/v1/g": "group", "/v1/alias": "alias", "/v1/a": "alias",
		"/v1/batch": "batch", "/v1/b": "batch", "/v1/import": "import",
	} {
		scenario{method: http.MethodPost, path: path, header: basic("write-dev:"), body: "{}", status: 200, want: []string{good}}.run(t, h)
		if call := f.tracking.last(); call.Method != method || call.Source != "web" || call.Workspace != "main" || call.Address != "192.0.2.1" {
			t.Errorf("%s: call %+v", path, call)
		}
	}
	post := func(header map[string]string, body string, status int) {
		t.Helper()
		scenario{method: http.MethodPost, path: "/v1/t", header: header, body: body, status: status}.run(t, h)
	}
	post(basic("write-dev"), "{}", 200) // Old clients leave out the colon.
	post(map[string]string{"Authorization": "Basic d3JpdGUtZGV2Og"}, "{}", 200)
	post(map[string]string{"Authorization": "bearer write-dev"}, "{}", 200)
	post(basic("admin-dev:"), "{}", 200)
	post(nil, `{"writeKey":"write-dev"}`, 200)
	post(map[string]string{"Authorization": "Bearer oauth-token"}, `{"writeKey":"write-dev"}`, 200)
	post(map[string]string{"Content-Type": "text/plain"}, `{"writeKey":"write-dev"}`, 200)
	post(map[string]string{"Content-Type": ""}, `{"writeKey":"write-dev"}`, 200)
	post(map[string]string{"Content-Type": "application/octet-stream"}, `{"writeKey":"write-dev"}`, 200)
	before := len(f.tracking.calls)
	post(nil, `{}`, 401)
	post(nil, `{"writeKey":"unknown"}`, 401)
	post(basic("unknown:"), `{}`, 401)
	post(basic(":"), `{}`, 401)
	post(map[string]string{"Authorization": "Basic %%%"}, `{}`, 401)
	post(basic("read-dev:"), `{}`, 403)
	post(nil, `{"writeKey":"read-dev"}`, 403)
	if len(f.tracking.calls) != before {
		t.Error("a call without a key was taken in")
	}
}

func TestTrackingBodies(t *testing.T) {
	f := newFixture()
	f.cfg.MaxTracking = 1000
	f.tracking.receipt = api.TrackingReceipt{Received: 1, Accepted: 1}
	h := f.server(t).Handler()
	post := func(encoding, body string, status int, cut bool, want string) {
		t.Helper()
		before := len(f.tracking.calls)
		scenario{method: http.MethodPost, path: "/v1/b", key: "write-dev", header: map[string]string{"Content-Encoding": encoding}, body: body, status: status}.run(t, h)
		if want == "" {
			if len(f.tracking.calls) != before {
				t.Errorf("%q: was taken in", body[:min(len(body), 20)])
			}
			return
		}
		if call := f.tracking.last(); string(call.Body) != want || call.Cut != cut {
			t.Errorf("body of %d bytes, cut %v; want %d bytes, %v", len(call.Body), call.Cut, len(want), cut)
		}
	}
	whole := `{"a":"` + strings.Repeat("x", 900) + `"}`
	long := strings.Repeat("y", 5000)
	post("", whole, 200, false, whole)
	post("identity", whole, 200, false, whole)
	post("gzip", zipped(t, whole), 200, false, whole)
	post("GZIP", zipped(t, whole), 200, false, whole)
	post("", zipped(t, whole), 200, false, whole)
	post("", long, 200, true, long[:1000])
	post("gzip", zipped(t, long), 200, true, long[:1000])
	post("gzip", zipped(t, strings.Repeat("0", 100_000)), 200, true, strings.Repeat("0", 1000))
	post("gzip", zipped(t, whole)[:30], 400, false, "")
	post("gzip", "no gzip", 400, false, "")
	post("gzip", zipped(t, whole)+"rest", 400, false, "")
	post("br", whole, 415, false, "")
	post("gzip, gzip", whole, 415, false, "")
}

// TestTrackingMemory holds that calls are told to come again when the bodies of
// others fill the memory, and are taken when those are done.
func TestTrackingMemory(t *testing.T) {
	f := newFixture()
	f.cfg.MaxTracking, f.cfg.MaxTrackingBytes = 1000, 1500
	entered, leave := make(chan struct{}), make(chan struct{})
	f.tracking.hook = sync.OnceFunc(func() { close(entered); <-leave })
	h := f.server(t).Handler()
	post := func(status int) {
		scenario{method: http.MethodPost, path: "/v1/b", key: "write-dev", body: strings.Repeat("x", 900), status: status}.run(t, h)
	}
	done := make(chan struct{})
	go func() { defer close(done); post(200) }()
	<-entered
	post(429)
	close(leave)
	<-done
	f.tracking.hook = nil
	f.tracking.err = errBroken
	for range 3 {
		post(500)
	}
	f.tracking.err = nil
	post(200)
}

func TestTrackingAnswers(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	post := func(strict string, status int, want ...string) *http.Response {
		t.Helper()
		return scenario{method: http.MethodPost, path: "/v1/batch", key: "write-dev", header: map[string]string{"X-Strict-Mode": strict}, body: "{}", status: status, want: want}.run(t, h)
	}
	refused := api.TrackingVerdict{Index: 3, MessageID: "m3", Code: "missing_field", Detail: `field "event" is required`}
	verdict := `"received":5,"accepted":4,"errors":[{"index":3,"messageId":"m3","code":"missing_field","detail":"field \"event\" is required"}]`
	f.tracking.receipt = api.TrackingReceipt{Received: 5, Accepted: 4, Refused: []api.TrackingVerdict{refused}}
	post("", 200, `{"success":true,`+verdict)
	post("0", 200, `{"success":true,`+verdict)
	post("1", 400, `"verdict":{"success":false,`+verdict, "urn:kindred:problem:events-refused")
	f.tracking.receipt = api.TrackingReceipt{Received: 1, Accepted: 1, Warnings: []api.TrackingVerdict{refused}}
	post("1", 200, `"success":true`, `"errors":[]`, `"warnings":[{"index":3`)
	f.tracking.receipt = api.TrackingReceipt{Received: 1, Whole: &api.TrackingVerdict{Code: "invalid_json", Detail: "the body is not JSON"}}
	post("", 400, "the body is not JSON")
	f.tracking.receipt.Whole.Code = "too_large"
	post("", 413)

	f.tracking.err = fmt.Errorf("submit: %w", api.Busy{After: 1500 * time.Millisecond})
	answer := post("", 429)
	if answer.Header.Get("Retry-After") != "2" || answer.Header.Get("X-RateLimit-Reset") != "2" {
		t.Errorf("headers of 429: %v", answer.Header)
	}
	f.tracking.err = api.ErrClosing
	if answer := post("", 503); answer.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	f.tracking.err = errBroken
	post("", 500)
}

func TestPixel(t *testing.T) {
	f := newFixture()
	f.tracking.receipt = api.TrackingReceipt{Received: 1, Refused: []api.TrackingVerdict{{Code: "missing_field", Detail: "d"}}}
	h := f.server(t).Handler()
	body := `{"writeKey":"write-dev","event":"Opened"}`
	data := base64.StdEncoding.EncodeToString([]byte(body))
	answer := scenario{
		path: "/v1/pixel/track?data=" + data, header: map[string]string{"User-Agent": "Mail"}, status: 200, want: []string{"GIF89a"},
		headers: map[string]string{"Content-Type": "image/gif", "Cross-Origin-Resource-Policy": "cross-origin"},
	}.run(t, h)
	if answer.ContentLength > 100 {
		t.Errorf("image of %d bytes", answer.ContentLength)
	}
	if call := f.tracking.last(); string(call.Body) != body || call.Method != "track" || !call.Pixel || call.UserAgent != "Mail" {
		t.Errorf("call %+v", call)
	}
	scenario{path: "/v1/pixel/track?data=" + data, header: map[string]string{"X-Strict-Mode": "1"}, status: 400, want: []string{"missing_field"}}.run(t, h)
	scenario{path: "/v1/pixel/batch?data=" + data, status: 404}.run(t, h)
	scenario{path: "/v1/pixel/track?data=%25", key: "write-dev", status: 200}.run(t, h)
	if call := f.tracking.last(); string(call.Body) != "%" {
		t.Errorf("what was no base64 became %q", call.Body)
	}
	scenario{path: "/v1/pixel/track?data=%25", status: 401}.run(t, h)
	scenario{path: "/v1/pixel/track", status: 401}.run(t, h)
}

func TestProjectSettings(t *testing.T) {
	h := newFixture().server(t).Handler()
	scenario{
		path: "/v1/projects/write-dev/settings", status: 200, want: []string{`"integrations":{"Segment.io":{"apiKey":"write-dev","apiHost":"api.test/v1","protocol":"http"}}`},
		headers: map[string]string{"Access-Control-Allow-Origin": "*"},
	}.run(t, h)
	scenario{path: "/v1/projects/write-dev/settings", header: map[string]string{"X-Forwarded-Proto": "https"}, status: 200, want: []string{`"protocol":"https"`}}.run(t, h)
	scenario{path: "/v1/projects/unknown/settings", status: 404}.run(t, h)
	scenario{path: "/v1/projects/read-dev/settings", status: 404}.run(t, h)
	scenario{method: http.MethodPost, path: "/v1/m", body: `{"series":[]}`, status: 200}.run(t, h)
}

// TestOtherOrigins holds that pages of other origins may use the tracking API,
// and nothing else.
func TestOtherOrigins(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	preflight := func(path string) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, path, http.NoBody)
		r.Header.Set("Origin", "https://shop.example")
		r.Header.Set("Access-Control-Request-Method", "POST")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	for _, path := range []string{"/v1/t", "/v1/b", "/v1/batch", "/v1/m", "/v1/pixel/track", "/v1/projects/write-dev/settings"} {
		answer := preflight(path)
		if answer.StatusCode != http.StatusNoContent || answer.Header.Get("Access-Control-Allow-Origin") != "*" ||
			!strings.Contains(answer.Header.Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Errorf("preflight of %s: %d %v", path, answer.StatusCode, answer.Header)
		}
	}
	for _, path := range []string{"/v1/profiles/user_id:42", "/v1/segments/preview", "/v1/events/behaviour", "/metrics", "/v1/projects/", "/v1/tracks"} {
		answer := preflight(path)
		if answer.StatusCode < 400 || answer.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("preflight of %s: %d %v", path, answer.StatusCode, answer.Header)
		}
	}
	// Refusals can be read by pages too, and so can the time to wait.
	f.tracking.err = api.Busy{After: time.Second}
	answer := scenario{method: http.MethodPost, path: "/v1/t", key: "write-dev", body: "{}", status: 429}.run(t, h)
	if answer.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(answer.Header.Get("Access-Control-Expose-Headers"), "Retry-After") {
		t.Errorf("429 hides itself from pages: %v", answer.Header)
	}
}

// TestTrackingLogsNoKeys holds that neither the key in a path nor a body reaches
// the log.
func TestTrackingLogsNoKeys(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	scenario{path: "/v1/projects/write-dev/settings", status: 200}.run(t, h)
	scenario{method: http.MethodPost, path: "/v1/t", body: `{"writeKey":"write-dev","userId":"ana@example.com"}`, status: 200}.run(t, h)
	if logs := f.logs.String(); strings.Contains(strings.ReplaceAll(logs, "name-of-write-dev", ""), "write-dev") || strings.Contains(logs, "ana@") {
		t.Errorf("the log tells secrets:\n%s", logs)
	}
}

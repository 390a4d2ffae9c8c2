package api_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/api"
)

func TestOpenRoutes(t *testing.T) {
	f := newFixture()
	f.checks = []api.Check{{Name: "clickhouse", Check: func(context.Context) error { return nil }}}
	h := f.server(t).Handler()
	for _, sc := range []scenario{
		{name: "alive", path: "/healthz", status: 200, want: []string{`"status":"ok"`}},
		{name: "ready", path: "/readyz", status: 200, want: []string{`{"status":"ready","checks":[{"name":"clickhouse","status":"ok"}]}`}},
		{name: "document", path: "/openapi.json", status: 200, want: []string{`"openapi": "3.1.0"`}},
		{name: "metrics", path: "/metrics", status: 200, want: []string{"kindred_api_requests_in_flight 1"}},
		{name: "head", method: http.MethodPost, path: "/healthz", status: 405},
		{name: "root", path: "/", status: 404},
		{name: "dots", path: "/v1/../healthz", status: 404},
		{name: "encoded slash", path: "/v1%2Fsegments%2Fpreview", status: 404},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
}

func TestNotReady(t *testing.T) {
	f := newFixture()
	calls := 0
	f.cfg.CheckEvery = time.Hour
	f.checks = []api.Check{
		{Name: "clickhouse", Check: func(context.Context) error { return nil }},
		{Name: "kafka", Check: func(context.Context) error { calls++; return errors.New("no broker at 127.0.0.1:9092") }},
	}
	h := f.server(t).Handler()
	for range 3 {
		scenario{path: "/readyz", status: 503, want: []string{`"status":"not_ready"`, `"name":"kafka","status":"failing","reason":"no broker at 127.0.0.1:9092"`}}.run(t, h)
	}
	if calls != 1 {
		t.Errorf("checks ran %d times within their interval", calls)
	}
}

func TestSlowCheckIsCutOff(t *testing.T) {
	f := newFixture()
	f.cfg.CheckTimeout = 10 * time.Millisecond
	f.checks = []api.Check{{Name: "slow", Check: func(ctx context.Context) error { <-ctx.Done(); return errors.New("no answer in time") }}}
	scenario{path: "/readyz", status: 503, want: []string{"no answer in time"}}.run(t, f.server(t).Handler())
}

func TestRequestID(t *testing.T) {
	h := newFixture().server(t).Handler()
	scenario{path: "/healthz", header: map[string]string{"X-Request-Id": "abc-1.2_3"}, status: 200, headers: map[string]string{"X-Request-Id": "abc-1.2_3"}}.run(t, h)
	for _, hostile := range []string{"ana@example.com", strings.Repeat("a", 65), "a b", "a\"b"} {
		answer := scenario{path: "/nowhere", header: map[string]string{"X-Request-Id": hostile}, status: 404, not: []string{hostile}}.run(t, h)
		if got := answer.Header.Get("X-Request-Id"); got == hostile || len(got) != 24 {
			t.Errorf("request id %q for %q", got, hostile)
		}
	}
}

func TestConfig(t *testing.T) {
	f := func(name, want string, change func(*api.Config)) {
		t.Helper()
		cfg := newFixture().cfg
		change(&cfg)
		err := cfg.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	f("as it is", "", func(*api.Config) {})
	f("no keys on loopback", "", func(c *api.Config) { c.Keys = nil })
	f("localhost", "", func(c *api.Config) { c.Keys, c.Address = nil, "localhost:1" })
	f("IPv6 loopback", "", func(c *api.Config) { c.Keys, c.Address = nil, "[::1]:1" })
	f("keys elsewhere", "", func(c *api.Config) { c.Address = "0.0.0.0:80" })
	f("no keys elsewhere", "not loopback", func(c *api.Config) { c.Keys, c.Address = nil, "0.0.0.0:80" })
	f("no keys on all", "not loopback", func(c *api.Config) { c.Keys, c.Address = nil, ":80" })
	f("no keys on a name", "not loopback", func(c *api.Config) { c.Keys, c.Address = nil, "api.example.com:80" })
	f("no port", "host:port", func(c *api.Config) { c.Address = "127.0.0.1" })
	f("secret twice", "twice", func(c *api.Config) { c.Keys = append(c.Keys, c.Keys[0]) })
	f("role", "role must be", func(c *api.Config) { c.Keys[0].Role = "owner" })
	f("timeouts", "positive", func(c *api.Config) { c.DrainTimeout = 0 })
	f("half of a certificate", "both", func(c *api.Config) { c.TLSCert = "cert.pem" })
	f("rate", "rate limit", func(c *api.Config) { c.RateLimit = -1 })
	f("rate of a key", "negative", func(c *api.Config) { c.Keys[0].Rate = -1 })
	f("limits", "limits", func(c *api.Config) { c.MaxBody = 0 })
}

func TestParseKey(t *testing.T) {
	k := api.Key{Name: "crm", Hash: api.HashSecret("s"), Role: api.RoleWrite, Workspace: "main"}
	if got, err := api.ParseKey(k.String()); err != nil || !reflect.DeepEqual(got, k) {
		t.Errorf("round trip: %v, %v", got, err)
	}
	for _, bad := range []string{"", "secret-of-ana", "a:read:main:secret-of-ana", "a:owner:main:" + strings.Repeat("0", 64), ":read:main:" + strings.Repeat("0", 64)} {
		if _, err := api.ParseKey(bad); err == nil || strings.Contains(err.Error(), "secret-of-ana") {
			t.Errorf("key %q: %v", bad, err)
		}
	}
}

// TestRunDrains stops a server with a request in flight: the request ends well,
// later ones are refused, and Run returns without an error.
func TestRunDrains(t *testing.T) {
	f := newFixture()
	f.cfg.Address = "127.0.0.1:0"
	entered, leave := make(chan struct{}), make(chan struct{})
	f.people.hook = func() { close(entered); <-leave }
	s := f.server(t)
	ctx, cancel := context.WithCancel(t.Context())
	address, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() { done <- s.Run(ctx, func(a net.Addr) { address <- a }) }()
	base := "http://" + (<-address).String()

	answer := make(chan int, 1)
	go func() { answer <- get(t, base+"/v1/profiles/user_id:42") }()
	<-entered
	cancel()
	for get(t, base+"/healthz") != 0 {
		// The listener closes first; only then is it a request in flight.
	}
	close(leave)
	if status := <-answer; status != http.StatusOK {
		t.Errorf("request in flight ended with %d", status)
	}
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	if status := get(t, base+"/healthz"); status != 0 {
		t.Errorf("stopped server answers %d", status)
	}
}

// get returns the status, 0 when nobody answers.
func get(t *testing.T, url string) int {
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Error(err)
		return 0
	}
	r.Header.Set("Authorization", "Bearer read-dev")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode
}

func TestRunNamesABusyPort(t *testing.T) {
	var lc net.ListenConfig
	taken, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	f := newFixture()
	f.cfg.Address = taken.Addr().String()
	if err := f.server(t).Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("run on a busy port: %v", err)
	}
}

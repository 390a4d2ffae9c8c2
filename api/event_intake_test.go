package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/api"
)

// eventTaker takes each line of a body for an event.
type eventTaker struct {
	got    api.EventBody
	events []string
	out    *api.EventOutcome
	err    error
	block  bool // until ctx ends
}

func (e *eventTaker) Take(ctx context.Context, b api.EventBody) (api.EventOutcome, error) {
	e.got = b
	if e.block {
		<-ctx.Done()
		return api.EventOutcome{Accepted: 1}, ctx.Err()
	}
	lines := bufio.NewScanner(b.Reader)
	for lines.Scan() {
		e.events = append(e.events, lines.Text())
	}
	if e.err == nil {
		e.err = lines.Err()
	}
	if e.out != nil {
		return *e.out, e.err
	}
	return api.EventOutcome{Accepted: int64(len(e.events))}, e.err
}

func TestPostEvents(t *testing.T) {
	refusal := api.EventRefusal{Index: 1, ID: "b", Code: "missing_field", Pointer: "/name", Detail: `field "name" is required`}
	some := &api.EventOutcome{Accepted: 1, Rejected: 3, Refusals: []api.EventRefusal{refusal}}
	const listed = `"errors":[{"index":1,"id":"b","code":"missing_field","pointer":"/name","detail":"field \"name\" is required"}]`
	post := func(sc scenario) scenario {
		sc.method, sc.key = http.MethodPost, "write-dev"
		if sc.path == "" {
			sc.path = "/v1/events/social"
		}
		if sc.body == "" {
			sc.body = `{"name":"n"}`
		}
		return sc
	}
	for _, c := range []struct {
		scenario
		taker eventTaker
	}{
		{scenario{name: "all accepted", status: 200, want: []string{`{"accepted":1,"rejected":0}`}}, eventTaker{}},
		{scenario{name: "some refused", status: 200, want: []string{`{"accepted":1,"rejected":3,` + listed + `,"errors_omitted":2}`}}, eventTaker{out: some}},
		{scenario{name: "some refused, strictly", status: 400, header: map[string]string{"X-Strict-Mode": "1"}, want: []string{"events-refused", `"accepted":1,"rejected":3`, listed}}, eventTaker{out: some}},
		{scenario{name: "none accepted", status: 400, want: []string{"No event was accepted", `"rejected":1`}}, eventTaker{out: &api.EventOutcome{Rejected: 1, Refusals: []api.EventRefusal{refusal}}}},
		{scenario{name: "damaged", status: 400, want: []string{"cut off", `"accepted":7`}}, eventTaker{out: &api.EventOutcome{Accepted: 7, Damage: "the array is cut off"}}},
		{scenario{name: "nothing sent", status: 200, want: []string{`"accepted":0`}}, eventTaker{out: &api.EventOutcome{}}},
		{scenario{name: "unknown kind", path: "/v1/events/dreams", status: 404}, eventTaker{err: api.ErrUnknownKind}},
		{scenario{name: "unknown encoding", status: 415, header: map[string]string{"Content-Encoding": "br"}, want: []string{"gzip, zstd or identity"}}, eventTaker{err: fmt.Errorf("take: %w", api.ErrEncoding)}},
		{scenario{name: "media type", status: 415, header: map[string]string{"Content-Type": "text/csv"}}, eventTaker{}},
		{scenario{name: "busy", status: 429, headers: map[string]string{"Retry-After": "3"}, want: []string{`"accepted":5`}}, eventTaker{out: &api.EventOutcome{Accepted: 5}, err: fmt.Errorf("submit: %w", api.Busy{After: 2500 * time.Millisecond})}},
		{scenario{name: "broken", status: 500, not: []string{"ana@example.com"}}, eventTaker{err: errBroken}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture()
			f.events = &c.taker
			post(c.scenario).run(t, f.server(t).Handler())
		})
	}
}

func TestEventsAreOfTheKey(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	scenario{method: http.MethodPost, path: "/v1/events/sensor", key: "write-dev", status: 200, body: "{}\n{}", header: map[string]string{
		"Content-Type": "application/x-ndjson; charset=utf-8", "Content-Encoding": "gzip",
	}}.run(t, h)
	got := f.events.got
	got.Reader = nil
	if want := (api.EventBody{Workspace: "main", Source: "name-of-write-dev", Kind: "sensor", Encoding: "gzip", Lines: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	scenario{method: http.MethodPost, path: "/v1/events/sensor", key: "read-dev", status: 403, body: "{}"}.run(t, h)
	scenario{method: http.MethodPost, path: "/v1/events/sensor", status: 401, body: "{}"}.run(t, h)
}

// serve runs the server on a real connection.
func serve(t *testing.T, f *fixture) string {
	t.Helper()
	f.cfg.Address = "127.0.0.1:0"
	s := f.server(t)
	ctx, cancel := context.WithCancel(t.Context())
	address := make(chan net.Addr, 1)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, func(a net.Addr) { address <- a }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return (<-address).String()
}

// TestStreamsOutliveTheTimeouts sends a body that is longer than MaxBody and
// takes longer than every timeout, and goes on all the time.
func TestStreamsOutliveTheTimeouts(t *testing.T) {
	f := newFixture()
	f.cfg.MaxBody, f.cfg.ReadTimeout, f.cfg.RequestTimeout = 100, time.Second, time.Second
	r, w := io.Pipe()
	tick := time.NewTicker(60 * time.Millisecond)
	defer tick.Stop()
	go func() {
		for range 25 { // A second and a half, and no pause near a second of its own.
			<-tick.C
			_, _ = io.WriteString(w, `{"name":"n"}`+"\n")
		}
		_ = w.Close()
	}()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+serve(t, f)+"/v1/events/social", r)
	req.Header.Set("Authorization", "Bearer write-dev")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode != 200 || !strings.Contains(string(body), `"accepted":25`) {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
}

// TestPausesEndStreams tries a client that stops in the middle, and an intake
// that does.
func TestPausesEndStreams(t *testing.T) {
	f := newFixture()
	f.cfg.ReadTimeout, f.cfg.RequestTimeout = 100*time.Millisecond, 200*time.Millisecond
	address := serve(t, f)
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "POST /v1/events/social HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer write-dev\r\nContent-Length: 100\r\n\r\n{}\n")
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if answer, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 499") {
		t.Errorf("a client that pauses: %q, %v", answer, err)
	}
	f = newFixture()
	f.cfg.RequestTimeout = 50 * time.Millisecond
	f.events.block = true
	begun := time.Now()
	defer func() {
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("the request ended after %v", took)
		}
	}()
	scenario{method: http.MethodPost, path: "/v1/events/social", key: "write-dev", body: "{}", status: 503, want: []string{"timeout", `"accepted":1`}}.run(t, f.server(t).Handler())
}

// hook is a webhook intake with one answer.
type hook struct {
	got   api.WebhookDelivery
	reply api.WebhookReply
	err   error
}

func (h *hook) Deliver(_ context.Context, d api.WebhookDelivery) (api.WebhookReply, error) {
	h.got = d
	return h.reply, h.err
}

func TestWebhooks(t *testing.T) {
	for _, c := range []struct {
		scenario
		hook hook
	}{
		{scenario{name: "taken", status: 200, want: []string{`{"accepted":2,"rejected":1}`}}, hook{reply: api.WebhookReply{Accepted: 2, Rejected: 1}}},
		{scenario{name: "again", status: 200, want: []string{`"duplicate":true`}}, hook{reply: api.WebhookReply{Duplicate: true}}},
		{scenario{name: "challenge", method: http.MethodGet, path: "/v1/webhooks/meta?hub.challenge=17", status: 200, want: []string{"17"}, headers: map[string]string{"Content-Type": "text/plain"}}, hook{reply: api.WebhookReply{ContentType: "text/plain", Body: []byte("17")}}},
		{scenario{name: "unknown", status: 404}, hook{err: api.ErrUnknownWebhook}},
		{scenario{name: "signature", status: 401, want: []string{"bad-signature", "does not match"}}, hook{err: fmt.Errorf("%w does not match", api.ErrSignature)}},
		{scenario{name: "busy", status: 429, headers: map[string]string{"Retry-After": "1"}}, hook{err: api.Busy{}}},
		{scenario{name: "broken", status: 500, not: []string{"ana"}}, hook{err: errBroken}},
		{scenario{name: "too long", status: 413, body: strings.Repeat("x", 1<<20+1)}, hook{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture()
			f.webhooks = &c.hook
			if c.scenario.method == "" {
				c.scenario.method = http.MethodPost
			}
			if c.path == "" {
				c.path = "/v1/webhooks/meta"
			}
			if c.body == "" && c.scenario.method == http.MethodPost {
				c.body = "{}"
			}
			c.scenario.run(t, f.server(t).Handler())
			if c.status != 413 && (c.hook.got.Name != "meta" || c.hook.got.Method != c.scenario.method || string(c.hook.got.Body) != c.body) {
				t.Errorf("delivered %+v", c.hook.got)
			}
		})
	}
}

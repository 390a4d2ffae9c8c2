package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

// nobody is a store and a previewer without people.
type nobody struct{}

func (nobody) Resolve(context.Context, string, identity.Key) (identity.ProfileID, error) {
	return 0, profiles.ErrNotFound
}

func (nobody) Load(context.Context, string, identity.ProfileID) (*profiles.Profile, error) {
	return nil, profiles.ErrNotFound
}

func (nobody) Preview(context.Context, string, segments.Definition, int) (*segments.Preview, error) {
	return nil, profiles.ErrNotFound
}

// taken is a submitter that decodes what it is given as ingest will.
type taken struct {
	t       testing.TB
	decoder *ingest.Decoder
	mu      sync.Mutex // Protects the fields below.
	events  []*ingest.Event
	letters []*ingest.DeadLetter
}

func (s *taken) Submit(_ context.Context, workspace string, items []intake.Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range items {
		m := kafka.Message{Topic: it.Kind.Topic(), Value: bytes.Clone(it.Value), Time: time.Now(), Headers: []kafka.Header{{Key: wire.HeaderWorkspace, Value: []byte(workspace)}}}
		if r := it.Reject; r != nil {
			for k, v := range map[string]string{wire.HeaderReject: r.Detail, wire.HeaderReason: r.Reason, wire.HeaderSource: it.Source, wire.HeaderPosition: r.Position} {
				m.Headers = append(m.Headers, kafka.Header{Key: k, Value: []byte(v)})
			}
		}
		ev, letter := s.decoder.Decode(it.Kind, &m)
		if ev != nil {
			s.events = append(s.events, ev)
		}
		if letter != nil {
			s.letters = append(s.letters, letter)
			if it.Reject == nil {
				s.t.Errorf("the intake accepted what ingest refuses: %s", letter.Detail)
			}
			if letter.Reason == "" || letter.Detail == "" || strings.Contains(letter.Detail, "SECRET") {
				s.t.Errorf("letter says %q, %q", letter.Reason, letter.Detail)
			}
		}
	}
	return nil
}

func (s *taken) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events, s.letters = nil, nil
}

// trackingServer is the API with the real translation behind it.
func trackingServer(t testing.TB, log io.Writer) (http.Handler, *taken) {
	t.Helper()
	s := &taken{t: t, decoder: ingest.NewDecoder(identity.Secret{1}, normalizeWire(normalize.Normalizer{}))}
	tracking, err := newTracker(normalize.Normalizer{}, s)
	if err != nil {
		t.Fatal(err)
	}
	cfg := api.DefaultConfig()
	cfg.Keys = []api.Key{{Name: "w", Hash: api.HashSecret("write"), Role: api.RoleWrite, Workspace: "main", Source: "web"}}
	registry := prometheus.NewRegistry()
	server, err := api.New(cfg, api.Deps{
		Profiles: nobody{}, Preview: nobody{}, Tracking: tracking,
		Keyer: func(w string) identity.Keyer { return identity.NewKeyer(identity.Secret{1}, w) }, Normalize: normalize.Identifier,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: now, Registerer: registry, Gatherer: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	return server.Handler(), s
}

// hostile is one input, the status that its sender gets, and what is kept of it.
type hostile struct {
	name            string
	path            string // POST, or GET of a pixel
	header          map[string]string
	body            string
	status          int
	events, letters int
}

func (h hostile) send(t *testing.T, handler http.Handler, strict bool) int {
	t.Helper()
	method := http.MethodPost
	if strings.HasPrefix(h.path, "/v1/pixel/") {
		method = http.MethodGet
	}
	r := httptest.NewRequestWithContext(t.Context(), method, h.path, strings.NewReader(h.body))
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("write:")))
	for k, v := range h.header {
		r.Header.Set(k, v)
	}
	if strict {
		r.Header.Set("X-Strict-Mode", "1")
	}
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() { defer close(done); handler.ServeHTTP(w, r) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: no answer", h.name)
	}
	if strings.Contains(w.Body.String(), "SECRET") {
		t.Errorf("%s: the answer repeats a value: %.300s", h.name, w.Body.String())
	}
	if ct := w.Header().Get("Content-Type"); strings.Contains(ct, "json") && !json.Valid(w.Body.Bytes()) {
		t.Errorf("%s: the answer is no JSON: %.300s", h.name, w.Body.String())
	}
	return w.Code
}

// TestHostileInput sends the corpus: each input gets the status that the
// contract says, and what was readable is kept as an event or as a dead letter.
func TestHostileInput(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	var log bytes.Buffer
	handler, kept := trackingServer(t, &log)
	corpus := hostileInputs(t)
	if len(corpus) < 120 {
		t.Errorf("the corpus has %d inputs", len(corpus))
	}
	seen := map[string]bool{}
	for _, h := range corpus {
		if seen[h.name] {
			t.Errorf("two inputs are called %s", h.name)
		}
		seen[h.name] = true
		kept.reset()
		if status := h.send(t, handler, false); status != h.status || len(kept.events) != h.events || len(kept.letters) != h.letters {
			t.Errorf("%s: status %d, %d events, %d letters; want %d, %d, %d", h.name, status, len(kept.events), len(kept.letters), h.status, h.events, h.letters)
		}
		want := h.status
		if want == http.StatusOK && h.letters > 0 {
			want = http.StatusBadRequest
		}
		kept.reset()
		if status := h.send(t, handler, true); status != want && h.status == http.StatusOK || len(kept.letters) != h.letters {
			t.Errorf("%s, strictly: status %d, want %d", h.name, status, want)
		}
	}
	if strings.Contains(log.String(), "SECRET") || strings.Contains(log.String(), "panic") {
		t.Error("the log holds a value or a panic")
	}
	t.Logf("%d inputs", len(corpus))
}

// refusing is a submitter that answers every submission with an error.
type refusing struct{ err error }

func (r refusing) Submit(context.Context, string, []intake.Item) error { return r.err }

// TestIntakeErrors holds the words of the intake against those of the API.
func TestIntakeErrors(t *testing.T) {
	f := func(err, want error) {
		t.Helper()
		tracking, newErr := newTracker(normalize.Normalizer{}, refusing{err})
		if newErr != nil {
			t.Fatal(newErr)
		}
		_, got := tracking.Track(t.Context(), api.TrackingCall{Method: "track", Source: "web", Body: []byte(goodEvent)})
		if !errors.Is(got, want) {
			t.Errorf("%v becomes %v, want %v", err, got, want)
		}
	}
	f(fmt.Errorf("submit: %w", intake.Overloaded{After: time.Second}), api.Busy{After: time.Second})
	f(fmt.Errorf("submit: %w", intake.ErrClosed), api.ErrClosing)
	f(io.ErrUnexpectedEOF, io.ErrUnexpectedEOF)
}

func TestAPIKeysNameTheirSource(t *testing.T) {
	list, err := apiKeys("write/shop-web:main:a,write:main:b,read:main:c")
	if err != nil || list[0].Source != "shop-web" || list[0].Role != api.RoleWrite || list[1].Source != defaultSource {
		t.Errorf("keys %+v, %v", list, err)
	}
	for _, bad := range []string{"write/:main:k", "write/" + strings.Repeat("s", 101) + ":main:k"} {
		if _, err := apiKeys(bad); err == nil {
			t.Errorf("apiKeys(%q) succeeds", bad)
		}
	}
}

// BenchmarkTracking is the work of the intake's HTTP side for a batch of 100
// events of 750 bytes, without the network and without Kafka.
func BenchmarkTracking(b *testing.B) {
	tracking, err := newTracker(normalize.Normalizer{}, refusing{})
	if err != nil {
		b.Fatal(err)
	}
	cfg := api.DefaultConfig()
	cfg.Keys = []api.Key{{Name: "w", Hash: api.HashSecret("write"), Role: api.RoleWrite, Workspace: "main", Source: "web"}}
	registry := prometheus.NewRegistry()
	server, err := api.New(cfg, api.Deps{
		Profiles: nobody{}, Preview: nobody{}, Tracking: tracking,
		Keyer: func(w string) identity.Keyer { return identity.NewKeyer(identity.Secret{1}, w) }, Normalize: normalize.Identifier,
		Log: slog.New(slog.DiscardHandler), Now: now, Registerer: registry, Gatherer: registry,
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, events := range []int{1, 100} {
		b.Run(fmt.Sprint(events), func(b *testing.B) {
			one := `{"type":"track","event":"Product Viewed","messageId":"ajs-next-1767225600123-0190a1b2","userId":"17850","timestamp":"2026-03-01T11:59:59.345Z","properties":{"a":"` + strings.Repeat("x", 300) + `"},"context":{"page":{"url":"https://shop.example/` + strings.Repeat("y", 200) + `"}}}`
			body := []byte(`{"batch":[` + strings.Repeat(one+",", events-1) + one + `]}`)
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/v1/batch", bytes.NewReader(body))
				r.Header.Set("Authorization", "Bearer write")
				w := httptest.NewRecorder()
				server.Handler().ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
			b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/cache"
	"github.com/kindred-cdp/kindred/profiles/views"
)

// hollow is a writer of answers that go nowhere.
type hollow struct {
	header http.Header
	status int
}

func (h *hollow) Header() http.Header         { return h.header }
func (h *hollow) Write(b []byte) (int, error) { return len(b), nil }
func (h *hollow) WriteHeader(status int)      { h.status = status }

// copies are people of whom each read makes another profile, as those of tables do.
type copies struct{ *people }

func (c copies) Load(ctx context.Context, workspace string, id identity.ProfileID) (*profiles.Profile, error) {
	found, err := c.people.Load(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	p := *found
	return &p, nil
}

// cachedHandler is the API before a cache that runs until the test ends.
func cachedHandler(t testing.TB, f *fixture) http.Handler {
	t.Helper()
	cached, err := cache.New(cache.DefaultConfig(), cache.Deps{
		Store: copies{f.people}, Now: time.Now, Registerer: prometheus.NewRegistry(), Form: &cache.Form{Pack: views.Pack, Unpack: views.Unpack},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error)
	go func() { done <- cached.Run(ctx, func() { close(ready) }) }()
	<-ready
	t.Cleanup(func() { stop(); <-done })
	s, err := api.New(f.cfg, api.Deps{
		Profiles: cached, Preview: f.preview, Keyer: keyer, Normalize: normalize.Identifier, Restrictions: f.limits, Consistency: f.watch, Events: f.events, Audit: f.audit, Keyring: f.ring,
		Log: discardLog(), Now: time.Now, Registerer: prometheus.NewRegistry(), Gatherer: f.metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler()
}

// BenchmarkCachedProfile is what a whole view costs that the cache has, through all of
// the middleware and without the connection.
func BenchmarkCachedProfile(b *testing.B) {
	f := newFixture()
	p := f.people.profiles[identity.ProfileID(keyer("main").Key(identity.Identifier{Namespace: "email", Value: "ana@example.com"}))]
	for i := range 10 {
		p.Recent = append(p.Recent, profiles.Event{MessageID: fmt.Sprint("bench-", i), Kind: "behaviour", Name: "Product Viewed", Type: "track", Source: "bench", Time: noon, Properties: []byte(`{"product_id":"P00001","category":"Home & Garden","name":"Hanging heart t-light holder","price":12.50,"quantity":2,"currency":"EUR","position":4,"coupon":""}`)})
	}
	h := cachedHandler(b, f)
	r := httptest.NewRequest(http.MethodGet, "/v1/profiles/email:ana@example.com", nil)
	r.Header.Set("Authorization", "Bearer read-dev")
	b.ReportAllocs()
	for b.Loop() {
		w := &hollow{header: make(http.Header, 16)}
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			b.Fatal(w.status)
		}
	}
}

// TestViewAtHand asks for a view until its answer is kept, and then as everybody who
// must not get it: it is for who may see all, of the same workspace, as long as the
// person is not restricted and the reader demands no newer one.
func TestViewAtHand(t *testing.T) {
	f := newFixture()
	f.events.out = &api.EventOutcome{Accepted: 1, Positions: "kindred.behaviour/0:7"}
	newer := newPeople()
	f.watch = &watch{fresh: newer}
	for _, p := range newer.profiles {
		p.Traits = []profiles.Trait{{Name: "newer", Value: []byte("true"), Rule: profiles.Newest, Time: noon}}
	}
	h := cachedHandler(t, f)
	view := scenario{path: "/v1/profiles/email:ana@example.com", key: "read-dev", status: http.StatusOK, want: []string{"ana@example.com"}, not: []string{"newer"}}
	for range 3 {
		view.run(t, h)
	}
	f.people.mu.Lock()
	f.people.err = errBroken // From here on nothing is read.
	f.people.mu.Unlock()
	view.run(t, h)
	token := scenario{method: http.MethodPost, path: "/v1/events/behaviour", key: "write-dev", body: `{}`, status: http.StatusOK}.run(t, h).Header.Get("X-Kindred-Consistency")
	other := func(change func(*scenario)) {
		t.Helper()
		s := view
		change(&s)
		s.run(t, h)
	}
	other(func(s *scenario) {
		s.key, s.want, s.not = "marketer-dev", []string{"a***@example.com"}, []string{"ana@example.com"}
	})
	other(func(s *scenario) {
		s.key, s.status, s.want, s.not = "read-other", 500, nil, []string{"ana@example.com"}
	})
	other(func(s *scenario) {
		s.header, s.want, s.not = map[string]string{"X-Kindred-Consistency": token}, []string{"newer"}, nil
	})
	f.limits.keys = []identity.Key{keyer("main").Key(identity.Identifier{Namespace: "user_id", Value: "42"})}
	other(func(s *scenario) { s.status, s.want, s.not = http.StatusForbidden, nil, []string{"ana@example.com"} })
	f.limits.keys = nil
	view.run(t, h)
}

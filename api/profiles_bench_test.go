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

// BenchmarkCachedProfile is what a whole view costs that the cache has, through all of
// the middleware and without the connection.
func BenchmarkCachedProfile(b *testing.B) {
	f := newFixture()
	p := f.people.profiles[identity.ProfileID(keyer("main").Key(identity.Identifier{Namespace: "email", Value: "ana@example.com"}))]
	for i := range 10 {
		p.Recent = append(p.Recent, profiles.Event{MessageID: fmt.Sprint("bench-", i), Kind: "behaviour", Name: "Product Viewed", Type: "track", Source: "bench", Time: noon, Properties: []byte(`{"product_id":"P00001","category":"Home & Garden","name":"Hanging heart t-light holder","price":12.50,"quantity":2,"currency":"EUR","position":4,"coupon":""}`)})
	}
	cached, err := cache.New(cache.DefaultConfig(), cache.Deps{Store: copies{f.people}, Now: time.Now, Registerer: prometheus.NewRegistry()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error)
	go func() { done <- cached.Run(ctx, func() { close(ready) }) }()
	<-ready
	defer func() { stop(); <-done }()
	s, err := api.New(f.cfg, api.Deps{
		Profiles: cached, Preview: f.preview, Keyer: keyer, Normalize: normalize.Identifier, Restrictions: f.limits, Audit: f.audit, Keyring: f.ring,
		Log: discardLog(), Now: time.Now, Registerer: prometheus.NewRegistry(), Gatherer: f.metrics,
	})
	if err != nil {
		b.Fatal(err)
	}
	h := s.Handler()
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

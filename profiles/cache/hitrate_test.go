package cache

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// crowd is a store of people of whom each has one identifier and some text.
type crowd struct{ text []byte }

func (c crowd) Resolve(_ context.Context, _ string, key identity.Key) (identity.ProfileID, error) {
	return identity.ProfileID(key), nil
}

func (c crowd) Load(_ context.Context, _ string, id identity.ProfileID) (*profiles.Profile, error) {
	return &profiles.Profile{ID: id, Keys: []identity.Key{identity.Key(id)}, Traits: []profiles.Trait{{Name: "text", Value: c.text}}}, nil
}

// TestHitRate reads people by Zipf's law, with room for every tenth of them. A cache that
// knew the future would answer as many reads as the first tenth gets; this one is to come
// near. With a counter for each 256 bytes instead of 64, it comes to 93 % of that. Where
// the machine is busy the cache loses some of what it counts, so the best of three counts.
func TestHitRate(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	reached := 0.0
	for seed := uint64(7); seed < 10 && reached < .96; seed++ {
		reached = max(reached, hitRate(t, seed))
	}
	if reached < .96 {
		t.Errorf("%.1f %% of the best possible", 100*reached)
	}
}

// hitRate is the part of the best possible rate that a cache reaches.
func hitRate(t *testing.T, seed uint64) float64 {
	t.Helper()
	const people, reads = 20_000, 150_000
	p := crowd{make([]byte, 2000)}
	cfg := DefaultConfig()
	one, _ := p.Load(t.Context(), "main", 1)
	const slot = 56 // Ristretto adds this for itself.
	each := (&entry{profile: one, keys: []identity.Key{1, 1}}).cost() + slot
	cfg.MaxBytes = each * people / 10 * answersShare / (answersShare - 1)
	c := run(t, cfg, Deps{Store: p, Now: time.Now, Registerer: prometheus.NewRegistry()})
	random := rand.New(rand.NewPCG(seed, seed))
	hits, best := 0.0, 0
	for n := range 2 * reads { // The first half warms the cache.
		rank := min(people, uint64(math.Exp(random.Float64()*math.Log(people+1)))) - 1
		if _, err := profiles.Find(t.Context(), c, "main", identity.Key(1+rank)); err != nil {
			t.Fatal(err)
		}
		if n%64 == 0 {
			c.settle()
		}
		if n == reads-1 {
			c.settle()
			hits = testutil.ToFloat64(c.metrics.outcomes[loading].hit)
		}
		if n >= reads && rank < people/10 {
			best++
		}
	}
	c.settle()
	hits = testutil.ToFloat64(c.metrics.outcomes[loading].hit) - hits
	t.Logf("%.1f %% of reads hit, of %.1f %% at best; seed %d", 100*hits/reads, 100*float64(best)/reads, seed)
	if n := c.held(); n < people/11 || n > people/10 {
		t.Errorf("%d profiles are held, and there is room for %d", n, people/10)
	}
	return hits / float64(best)
}

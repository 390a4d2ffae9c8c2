package ledger

import (
	"math/rand/v2"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// TestWalk asks a snapshot for keys that ascend and for some that do not, of those it
// has, between them, before and after all: a walk answers as a search does.
func TestWalk(t *testing.T) {
	const seed = 6
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 6))
	for _, keys := range []uint64{0, 1, 2, 100} {
		s := &snapshot{}
		for k := range keys * 3 {
			if r.IntN(3) == 0 {
				s.keys, s.profiles = append(s.keys, identity.Key(k+2)), append(s.profiles, identity.ProfileID(1000+k))
			}
		}
		walk := s.walk()
		for k := identity.Key(0); k < identity.Key(keys*3+4); k++ {
			ask := k
			if r.IntN(5) == 0 {
				ask = identity.Key(r.Uint64N(keys*3 + 5))
			}
			if got, want := walk(ask), s.profile(ask); got != want {
				t.Fatalf("of %d keys: profile of %d is %d, want %d", len(s.keys), ask, got, want)
			}
		}
	}
}

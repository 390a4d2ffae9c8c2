package cache

import (
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// TestInvalidateWhatIsShared: what happens to an identifier that was a profile's
// once, or to its household, forgets the profile, and no other profile for it:
// that the identifier is another's contradicts nothing.
func TestInvalidateWhatIsShared(t *testing.T) {
	for name, test := range map[string]struct {
		key   identity.Key
		loads int64 // of three profiles, once more
	}{
		"an identifier that was two profiles' and is another's": {6, 6},
		"a household of two":               {106, 5},
		"an identifier of one":             {2, 4},
		"what neither holds nor ever held": {8, 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.shared = map[identity.ProfileID]identity.Key{2: 6, 4: 6}
			c := start(t, DefaultConfig(), w)
			load := func() {
				for _, id := range []identity.ProfileID{2, 4, 6} {
					if _, err := c.Load(t.Context(), "main", id); err != nil {
						t.Fatal(err)
					}
					c.settle()
				}
			}
			load()
			load()
			if n := w.loads.Load(); n != 3 {
				t.Fatalf("%d loads of three profiles", n)
			}
			c.Invalidate("main", test.key)
			load()
			if n := w.loads.Load(); n != test.loads {
				t.Errorf("%d loads after it was named, want %d", n, test.loads)
			}
			if test.key != 8 {
				return
			}
			c.Invalidate("main", 2, 4, 6)
			if len(c.sharers)+len(c.holders) != 0 {
				t.Errorf("%d sharers and %d holders are left", len(c.sharers), len(c.holders))
			}
		})
	}
}

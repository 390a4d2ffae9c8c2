package graph

import (
	"math/rand/v2"
	"testing"
)

// TestIndexEqualsMap adds and removes at random; hashes are few, so that
// probes are long and gaps many.
func TestIndexEqualsMap(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 4))
		hashes := map[ref]uint64{}
		x := &index{}
		x.hash = func(i ref) uint64 { return hashes[i] }
		spread := uint64(1 + r.IntN(100))
		for i := ref(1); i < 4000; i++ {
			h := mix(r.Uint64N(spread))>>(64-shardBits)<<(64-shardBits) | r.Uint64N(40)<<38 | r.Uint64N(64)
			hashes[i] = h
			x.add(h, i)
			if r.IntN(3) == 0 {
				j := 1 + ref(r.IntN(int(i)))
				if h, ok := hashes[j]; ok {
					x.remove(h, j)
					delete(hashes, j)
				}
			}
		}
		for i := ref(1); i < 4000; i++ {
			h, ok := hashes[i]
			got := x.find(h, func(j ref) bool { return j == i })
			if ok != (got == i) {
				t.Fatalf("seed %d: find %d is %d", seed, i, got)
			}
		}
	}
}

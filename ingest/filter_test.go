package ingest

import (
	"math/rand/v2"
	"testing"
)

func TestFilterNeverForgets(t *testing.T) {
	const n = 200_000
	r := rand.New(rand.NewPCG(1, 2))
	f := newFilter(n * 10 / 8) // ten bits a hash
	hashes := make([]Hash, n)
	for i := range hashes {
		hashes[i] = Hash{r.Uint64(), r.Uint64()}
		f.add(hashes[i])
	}
	for i, h := range hashes {
		if !f.has(h) {
			t.Fatalf("hash %d was added and is not there", i)
		}
	}
	false1 := 0
	for range n {
		if f.has(Hash{r.Uint64(), r.Uint64()}) {
			false1++
		}
	}
	// The greatest power of two below gives 5.2 bits a hash.
	if rate := float64(false1) / n; rate > .15 {
		t.Errorf("false hits %.3f, want at most .15", rate)
	}
}

package linkage

import "math/rand/v2"

// stream returns random numbers for one purpose, so that one purpose drawing
// more of them never changes another.
func stream(seed uint64, purpose string) *rand.Rand {
	h := uint64(14695981039346656037)
	for i := range len(purpose) {
		h = (h ^ uint64(purpose[i])) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h))
}

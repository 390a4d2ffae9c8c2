package personas

import "math"

// Silhouette returns the mean silhouette width (Rousseeuw 1987) of points of d
// numbers under labels 0 to k-1: how much nearer the own group is than the next,
// from -1 to 1. A point that is alone in its group counts 0.
func Silhouette(values []float64, d int, labels []int, k int) float64 {
	p := points{d, values}
	sizes := make([]float64, k)
	for _, l := range labels {
		sizes[l]++
	}
	total := 0.0
	sums := make([]float64, k)
	for i, own := range labels {
		if sizes[own] < 2 {
			continue
		}
		clear(sums)
		for j, l := range labels {
			sums[l] += math.Sqrt(squared(p.at(i), p.at(j)))
		}
		within, next := sums[own]/(sizes[own]-1), math.Inf(1)
		for c, n := range sizes {
			if c != own && n > 0 {
				next = min(next, sums[c]/n)
			}
		}
		if most := max(within, next); most > 0 && !math.IsInf(next, 0) {
			total += (next - within) / most
		}
	}
	return total / float64(max(1, len(labels)))
}

// AdjustedRand returns the adjusted Rand index (Hubert and Arabie 1985) of two
// partitions of the same things: 1 where they are the same but for the names of
// their groups, 0 on average where they have nothing to do with each other.
func AdjustedRand(a, b []int) float64 {
	type pair struct{ a, b int }
	both, left, right := map[pair]float64{}, map[int]float64{}, map[int]float64{}
	for i := range a {
		both[pair{a[i], b[i]}]++
		left[a[i]]++
		right[b[i]]++
	}
	// Sums of whole numbers below 2^53, so their order does not matter.
	pairs := func(n float64) float64 { return n * (n - 1) / 2 }
	index, first, second := 0.0, 0.0, 0.0
	for _, n := range both {
		index += pairs(n)
	}
	for _, n := range left {
		first += pairs(n)
	}
	for _, n := range right {
		second += pairs(n)
	}
	all := pairs(float64(len(a)))
	if all == 0 {
		return 1
	}
	expected, greatest := first*second/all, (first+second)/2
	if greatest == expected {
		return 1 // Both have one group, or both only groups of one.
	}
	return (index - expected) / (greatest - expected)
}

package insights

import (
	"cmp"
	"math"
	"slices"
)

// Number is a value with the profiles that have it.
type Number struct {
	Value float64
	Counts
}

// Range is a part of the numbers: from From up to, and without, To; nil is open.
type Range struct {
	From, To *float64
	Counts
}

// parts is into how many parts of equal size numbers are cut.
const parts = 10

// Split returns the range between two deciles of numbers that distinguishes the members
// best: with the highest bound of those that at least least members have. It is all of the
// numbers only where they are all equal. It returns false where there is none. The order of the numbers does not matter; equal ones may
// stand several times.
func Split(numbers []Number, all Counts, least uint64) (best Range, ok bool) {
	cuts, bins := deciles(numbers)
	highest := math.Inf(-1)
	for from := range bins {
		var sum Counts
		for to := from; to < len(bins); to++ {
			sum.Members, sum.Others = sum.Members+bins[to].Members, sum.Others+bins[to].Others
			_, bound := Bound(sum, all)
			if whole := from == 0 && to == len(bins)-1; sum.Members < least || bound <= highest || whole && len(bins) > 1 {
				continue
			}
			highest, ok = bound, true
			best = Range{Counts: sum}
			if from > 0 {
				best.From = &cuts[from-1]
			}
			if to < len(bins)-1 {
				best.To = &cuts[to]
			}
		}
	}
	return best, ok
}

// deciles cuts numbers into parts that have as many profiles each as equal values
// allow: bins, and the values between them, which belong to the upper bin.
func deciles(numbers []Number) (cuts []float64, bins []Counts) {
	sorted := slices.Clone(numbers)
	slices.SortFunc(sorted, func(a, b Number) int { return cmp.Compare(a.Value, b.Value) })
	var total, before uint64
	for _, n := range sorted {
		total += n.Members + n.Others
	}
	next := uint64(1)
	for i, n := range sorted {
		if i == 0 || n.Value != sorted[i-1].Value && before*parts >= next*total {
			if i > 0 {
				cuts = append(cuts, n.Value)
			}
			bins = append(bins, Counts{})
			for next*total <= before*parts {
				next++
			}
		}
		last := &bins[len(bins)-1]
		last.Members, last.Others = last.Members+n.Members, last.Others+n.Others
		before += n.Members + n.Others
	}
	return cuts, bins
}

package insights

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/segments"
)

// Rank works out how telling features are, leaves out those that tell nothing or that
// fewer than segments.MinInsight members have, and returns the best, the most telling
// first: most of them, and as many again that the definition itself asks for.
func Rank(list []segments.Feature, all Counts, most int) []segments.Feature {
	ranked := []segments.Feature{}
	for _, f := range list {
		f.Lift, f.Bound = Bound(Counts{f.Members, f.Others}, all)
		if f.Bound > 0 && f.Members >= segments.MinInsight {
			ranked = append(ranked, f)
		}
	}
	slices.SortStableFunc(ranked, func(a, b segments.Feature) int {
		return cmp.Or(cmp.Compare(b.Bound, a.Bound), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Within, b.Within), slices.Compare(a.Value, b.Value))
	})
	kept := map[bool]int{}
	return slices.DeleteFunc(ranked, func(f segments.Feature) bool {
		kept[f.Defining]++
		return kept[f.Defining] > most
	})
}

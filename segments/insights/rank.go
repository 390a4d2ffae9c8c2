package insights

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/segments"
)

// Rank works out how telling features are, leaves out those that tell nothing or that
// fewer than segments.MinInsight members have, and returns the best, the most telling
// first: of each kind at most most, and as many again that the definition itself asks
// for, so that a hundred products do not hide a country. Of windows of one thing the
// better one is told.
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
	type group struct {
		kind     segments.FeatureKind
		defining bool
	}
	type thing struct {
		kind        segments.FeatureKind
		name, value string
	}
	kept, told := map[group]int{}, map[thing]bool{}
	return slices.DeleteFunc(ranked, func(f segments.Feature) bool {
		g, t := group{f.Kind, f.Defining}, thing{f.Kind, f.Name, string(f.Value)}
		if told[t] || kept[g] == most {
			return true
		}
		told[t] = true
		kept[g]++
		return false
	})
}

package evaluate

import "github.com/kindred-cdp/kindred/identity"

// Quality says how well profiles agree with the truth on pairs of identifiers.
type Quality struct {
	// Precision is the share of pairs in one profile that have one owner, and 1
	// when no profile holds a pair.
	Precision float64
	// Recall is the share of pairs of one owner that are in one profile, and 1
	// when no owner has a pair.
	Recall float64
	// F1 is the harmonic mean of Precision and Recall.
	F1 float64
	// TruePairs have one owner, FoundPairs one profile, CommonPairs both.
	TruePairs, FoundPairs, CommonPairs int64
	// Identifiers is the number of those whose pairs were counted.
	Identifiers int64
}

// Pairwise counts pairs of distinct identifiers that have exactly one true
// owner and are counted (not blocked). owner gives the true owner of each; an
// identifier that is absent or has the owner "" is shared or unknown, and in no
// pair. profile gives the profile to judge; an identifier of profile 0 is in
// none, and so in no found pair. The time is linear in the number of owners'
// identifiers.
func Pairwise(owner map[identity.Key]string, profile func(identity.Key) identity.ProfileID, counted func(identity.Key) bool) Quality {
	type cell struct {
		owner   string
		profile identity.ProfileID
	}
	byOwner := map[string]int64{}
	byProfile := map[identity.ProfileID]int64{}
	byBoth := map[cell]int64{}
	var q Quality
	for k, person := range owner {
		if person == "" || !counted(k) {
			continue
		}
		q.Identifiers++
		byOwner[person]++
		if id := profile(k); id != 0 {
			byProfile[id]++
			byBoth[cell{person, id}]++
		}
	}
	q.TruePairs, q.FoundPairs, q.CommonPairs = pairs(byOwner), pairs(byProfile), pairs(byBoth)
	q.Precision, q.Recall = share(q.CommonPairs, q.FoundPairs), share(q.CommonPairs, q.TruePairs)
	if q.Precision+q.Recall > 0 {
		q.F1 = 2 * q.Precision * q.Recall / (q.Precision + q.Recall)
	}
	return q
}

// pairs returns the number of pairs inside the cells of a partition.
func pairs[K comparable](sizes map[K]int64) (n int64) {
	for _, size := range sizes {
		n += size * (size - 1) / 2
	}
	return n
}

func share(part, whole int64) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

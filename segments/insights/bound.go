package insights

import "math"

// Deviations is the half width of the intervals in standard deviations.
const Deviations = 4

// prior is how many average profiles each side gets, and half of one more that has the
// feature and half of one that has not: of what nobody of many has, the interval would
// have no end otherwise, and what half of the members have and none of the others would
// not be told.
const (
	prior = 10
	half  = .5
)

// Counts are the two sides: of profiles that were looked at, or that have a feature.
type Counts struct{ Members, Others uint64 }

// Bound returns how many times as frequent a feature that have have is among the
// members of all, drawn towards 1 where there are few, and the lower end of the interval
// of the logarithm of the odds ratio. Both are those of no difference, 1 and 0, for what
// everybody or nobody has, and where a side is empty.
func Bound(have, all Counts) (lift, bound float64) {
	a, of, b, others := float64(have.Members), float64(all.Members), float64(have.Others), float64(all.Others)
	average := (a + b) / (of + others)
	if of == 0 || others == 0 || average <= 0 || average >= 1 {
		return 1, 0
	}
	a, of, b, others = a+prior*average+half, of+prior+2*half, b+prior*average+half, others+prior+2*half
	ratio := math.Log(a/(of-a)) - math.Log(b/(others-b))
	deviation := math.Sqrt(1/a + 1/(of-a) + 1/b + 1/(others-b))
	return (a / of) / (b / others), ratio - Deviations*deviation
}

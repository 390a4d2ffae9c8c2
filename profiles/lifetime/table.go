package lifetime

import (
	"math"
	"slices"
)

// group is a distinct (x, t_x, T) with the number of customers who have it: the
// likelihood depends on nothing else, so it is summed over groups.
type group struct {
	count       float64
	ix, it, iag int32 // x in the xs of a table, recency and age in its times
}

// table is the data of a fit: the distinct histories, in order, and the distinct
// values of each of their parts, so that the special functions are taken once each.
type table struct {
	groups    []group
	xs        []float64
	xCount    []float64
	times     []float64 // distinct recencies and ages, scaled
	customers int
	repeaters int
	scale     float64 // units of scaled time per unit of time
	purchases float64 // sum of x
}

// scaledAge is the age to which the oldest customer is scaled for the fit, so
// that all parameters are of order one whatever the unit.
const scaledAge = 10

// past is what a customer's purchase times tell a fit: (x, t_x, T).
type past struct {
	x            int
	recency, age float64
}

// newTable groups and sorts the customers that can inform a fit, and counts the
// others by reason.
func newTable(customers []Customer) (*table, map[Reason]int) {
	rejected := map[Reason]int{}
	counts := map[past]float64{}
	t := &table{}
	oldest := 0.0
	for i := range customers {
		c := &customers[i]
		reason := c.Check()
		if reason == "" && c.Age == 0 {
			reason = Newborn
		}
		if reason != "" {
			rejected[reason]++
			continue
		}
		counts[past{c.Frequency, c.Recency, c.Age}]++
		oldest = math.Max(oldest, c.Age)
		t.purchases += float64(c.Frequency)
		t.customers++
		if c.Frequency > 0 {
			t.repeaters++
		}
	}
	if t.customers > 0 {
		t.index(counts, scaledAge/oldest)
	}
	return t, rejected
}

func comparePasts(a, b past) int {
	switch {
	case a.x != b.x:
		return a.x - b.x
	case a.recency != b.recency:
		return sign(a.recency - b.recency)
	default:
		return sign(a.age - b.age)
	}
}

func sign(v float64) int {
	switch {
	case v < 0:
		return -1
	case v > 0:
		return 1
	}
	return 0
}

// index sorts the histories, scales the times and gives every distinct value a
// number.
func (t *table) index(counts map[past]float64, scale float64) {
	pasts := make([]past, 0, len(counts))
	for p := range counts {
		pasts = append(pasts, p)
	}
	slices.SortFunc(pasts, comparePasts)
	t.scale, t.groups = scale, make([]group, len(pasts))
	byTime := map[float64]int32{}
	timeIndex := func(v float64) int32 {
		i, ok := byTime[v]
		if !ok {
			i = int32(len(t.times))
			byTime[v] = i
			t.times = append(t.times, v)
		}
		return i
	}
	for i, p := range pasts {
		n := counts[p]
		if last := len(t.xs) - 1; last < 0 || t.xs[last] != float64(p.x) {
			t.xs, t.xCount = append(t.xs, float64(p.x)), append(t.xCount, 0)
		}
		ix := len(t.xs) - 1
		t.xCount[ix] += n
		t.groups[i] = group{n, int32(ix), timeIndex(p.recency * scale), timeIndex(p.age * scale)}
	}
}

// rate is the mean rate of repeat purchases per unit of scaled time: the one
// quantity from which the searches start.
func (t *table) rate() float64 {
	exposure := 0.0
	for i := range t.groups {
		exposure += t.groups[i].count * t.times[t.groups[i].iag]
	}
	return t.purchases / exposure
}

// groupSums adds up what f returns for each part of the groups, N numbers.
func groupSums[N [3]float64 | [5]float64](t *table, f func(groups []group) N) (total N) {
	sums := make([]N, parts(len(t.groups)))
	inParts(len(t.groups), func(i, from, to int) { sums[i] = f(t.groups[from:to]) })
	for i := range sums {
		for k := range len(total) {
			total[k] += sums[i][k]
		}
	}
	return total
}

package lifetime

import (
	"math"
	"slices"
)

// group is a distinct (x, t_x, T) with the number of customers who have it: the
// likelihood depends on nothing else, so it is summed over groups.
type group struct {
	x           int
	recency     float64
	age         float64
	count       float64
	ix, it, iag int // indexes of x, recency and age in a table's distinct values
}

// table is the data of a fit: the distinct histories, and the distinct values
// of each of their parts, so that the special functions are taken once each.
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

// newTable sorts and groups the customers that can inform a fit, and counts the
// others by reason.
func newTable(customers []Customer) (*table, map[Reason]int) {
	rejected := map[Reason]int{}
	rows := make([]group, 0, len(customers))
	t := &table{}
	oldest := 0.0
	for _, c := range customers {
		reason := c.Check()
		if reason == "" && c.Age == 0 {
			reason = Newborn
		}
		if reason != "" {
			rejected[reason]++
			continue
		}
		rows = append(rows, group{x: c.Frequency, recency: c.Recency, age: c.Age, count: 1})
		oldest = math.Max(oldest, c.Age)
		t.purchases += float64(c.Frequency)
		if c.Frequency > 0 {
			t.repeaters++
		}
	}
	t.customers = len(rows)
	if len(rows) == 0 {
		return t, rejected
	}
	slices.SortFunc(rows, compareGroups)
	for _, g := range rows {
		if n := len(t.groups); n > 0 && compareGroups(t.groups[n-1], g) == 0 {
			t.groups[n-1].count++
			continue
		}
		t.groups = append(t.groups, g)
	}
	t.index(scaledAge / oldest)
	return t, rejected
}

func compareGroups(a, b group) int {
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

// index scales the times and gives every distinct value a number.
func (t *table) index(scale float64) {
	t.scale = scale
	byX, byTime := map[int]int{}, map[float64]int{}
	timeIndex := func(v float64) int {
		i, ok := byTime[v]
		if !ok {
			i = len(t.times)
			byTime[v] = i
			t.times = append(t.times, v)
		}
		return i
	}
	for i := range t.groups {
		g := &t.groups[i]
		g.recency *= scale
		g.age *= scale
		ix, ok := byX[g.x]
		if !ok {
			ix = len(t.xs)
			byX[g.x] = ix
			t.xs = append(t.xs, float64(g.x))
			t.xCount = append(t.xCount, 0)
		}
		t.xCount[ix] += g.count
		g.ix, g.it, g.iag = ix, timeIndex(g.recency), timeIndex(g.age)
	}
}

// rate is the mean rate of repeat purchases per unit of scaled time: the one
// quantity from which the searches start.
func (t *table) rate() float64 {
	exposure := 0.0
	for i := range t.groups {
		exposure += t.groups[i].count * t.groups[i].age
	}
	return t.purchases / exposure
}

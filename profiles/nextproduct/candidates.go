package nextproduct

import (
	"cmp"
	"math"
	"slices"

	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// features are the names of what is known of a candidate, in order.
var features = []string{"times_bought", "own_weight", "since_bought", "due", "bought_together", "popularity", "baskets_90d", "since_last", "days_between", "basket_size"}

// candidate is a product that a customer may buy.
type candidate struct {
	product  int32
	own      own // times is 0 where they have not bought it
	together float64
	with     int32 // what it is mostly bought with; -1 for none
	numbers  [10]float64
}

// counts of candidates by where they come from.
const (
	mostOwn, mostTogether, mostPopular = 60, 40, 20
)

// candidates are those of a customer with a past; none without one.
func (x *index) candidates(history []Basket) []candidate {
	list := past(history, x.until)
	if len(list) == 0 {
		return nil
	}
	at := map[int32]int{}
	var out []candidate
	add := func(p int32) *candidate {
		i, known := at[p]
		if !known {
			i = len(out)
			at[p], out = i, append(out, candidate{product: p, with: -1})
		}
		return &out[i]
	}
	for _, o := range list[:min(len(list), mostOwn)] {
		add(o.product).own = o
	}
	together, with := x.together(list)
	for _, p := range best(together, mostTogether) {
		add(x.order[p])
	}
	for _, p := range x.order[:min(mostPopular, len(x.order))] {
		add(p)
	}
	bought := map[int32]own{}
	for _, o := range list {
		bought[o.product] = o
	}
	customer := x.customer(history)
	for i := range out {
		c := &out[i]
		c.own = bought[c.product]
		if r := x.rank[c.product]; r >= 0 {
			c.together, c.with = together[r], with[r]
		}
		c.describe(x, customer)
	}
	return out
}

// together sums, by place, how likely each product follows from what was bought.
func (x *index) together(list []own) (sums []float64, with []int32) {
	sums, with = make([]float64, x.places), make([]int32, x.places)
	most := make([]float64, x.places)
	for i := range with {
		with[i] = -1
	}
	for _, o := range list[:min(len(list), remembered)] {
		i := x.rank[o.product]
		if i < 0 {
			continue
		}
		weight := fade(x.until-o.last, ownDecay)
		for j, p := range x.pairs[int(i)*x.places:][:x.places] {
			v := weight * float64(p)
			sums[j] += v
			if v > most[j] {
				most[j], with[j] = v, o.product
			}
		}
	}
	return sums, with
}

// best are the places of the greatest values above zero.
func best(values []float64, n int) []int {
	var places []int
	for i, v := range values {
		if v > 0 {
			places = append(places, i)
		}
	}
	slices.SortFunc(places, func(a, b int) int { return cmp.Or(cmp.Compare(values[b], values[a]), cmp.Compare(a, b)) })
	return places[:min(n, len(places))]
}

// customer is what is known of how a customer buys at all: baskets lately, days since
// the last, days between them, and their size.
func (x *index) customer(history []Basket) [4]float64 {
	lately, baskets, sizes, first, last := 0, 0, 0, math.MaxInt, math.MinInt
	for _, b := range history {
		if b.Day > x.until {
			continue
		}
		baskets++
		sizes += len(b.Products)
		first, last = min(first, b.Day), max(last, b.Day)
		if x.until-b.Day < 90 {
			lately++
		}
	}
	between := math.NaN()
	if baskets > 1 {
		between = float64(last-first) / float64(baskets-1)
	}
	return [4]float64{math.Log1p(float64(lately)), float64(x.until - last), between, math.Log1p(float64(sizes) / float64(baskets))}
}

func (c *candidate) describe(x *index, customer [4]float64) {
	since, due, weight := math.NaN(), math.NaN(), 0.0
	if c.own.times > 0 {
		age := x.until - c.own.last
		since, weight = float64(age), float64(c.own.times)*fade(age, ownDecay)
		if c.own.times > 1 {
			due = float64(age) * float64(c.own.times-1) / float64(c.own.last-c.own.first)
		}
	}
	c.numbers = [10]float64{
		math.Log1p(float64(c.own.times)), math.Log1p(weight), since, due, math.Log(1e-4 + c.together), math.Log(1e-2 + x.popular[c.product]),
		customer[0], customer[1], customer[2], customer[3],
	}
}

// table is the features of candidates as examples.
func table(list []candidate) *propensity.Table {
	t := &propensity.Table{Rows: len(list)}
	for k, name := range features {
		column := propensity.Column{Name: name, Kind: propensity.Numeric, Numbers: make([]float64, len(list))}
		for i := range list {
			column.Numbers[i] = list[i].numbers[k]
		}
		t.Columns = append(t.Columns, column)
	}
	return t
}

package nextproduct

import (
	"math"

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

// finder finds the candidates of one customer after another in the same memory. One
// goroutine at a time may use it.
type finder struct {
	x *index
	reader
	place  []int32 // in list by product, plus 1
	list   []candidate
	sums   []float64 // of what is bought together, by place
	most   []float64
	with   []int32
	places []int
}

func newFinder(x *index) *finder {
	n := len(x.popular)
	return &finder{
		x: x, reader: *newReader(n), place: make([]int32, n),
		sums: make([]float64, x.places), most: make([]float64, x.places), with: make([]int32, x.places),
	}
}

// add returns the candidate of a product, which may be a new one.
func (f *finder) add(p int32) *candidate {
	if f.place[p] == 0 {
		f.list = append(f.list, candidate{product: p, with: -1})
		f.place[p] = int32(len(f.list))
	}
	return &f.list[f.place[p]-1]
}

// candidates are those of a customer with a past; none without one. They are
// overwritten by the next call.
func (f *finder) candidates(history []Basket) []candidate {
	x := f.x
	bought := f.past(history, x.until)
	f.list = f.list[:0]
	if len(bought) == 0 {
		return nil
	}
	for _, o := range bought[:min(len(bought), mostOwn)] {
		f.add(o.product)
	}
	f.together(bought)
	for _, p := range f.best(mostTogether) {
		f.add(x.order[p])
	}
	for _, p := range x.order[:min(mostPopular, len(x.order))] {
		f.add(p)
	}
	for _, o := range bought {
		if i := f.place[o.product]; i > 0 {
			f.list[i-1].own = o
		}
	}
	customer := x.customer(history)
	for i := range f.list {
		c := &f.list[i]
		f.place[c.product] = 0
		if r := x.rank[c.product]; r >= 0 {
			c.together, c.with = f.sums[r], f.with[r]
		}
		c.describe(x, customer)
	}
	return f.list
}

// together sums, by place, how likely each product follows from what was bought.
func (f *finder) together(bought []own) {
	x := f.x
	clear(f.sums)
	clear(f.most)
	for i := range f.with {
		f.with[i] = -1
	}
	sums, most, with := f.sums[:x.places], f.most[:x.places], f.with[:x.places]
	for _, o := range bought[:min(len(bought), remembered)] {
		i := x.rank[o.product]
		if i < 0 {
			continue
		}
		weight := ownFading.of(x.until - int(o.last))
		for j, p := range x.pairs[int(i)*x.places:][:x.places] {
			v := weight * float64(p)
			sums[j] += v
			if v > most[j] {
				most[j], with[j] = v, o.product
			}
		}
	}
}

// best are the places of the n greatest sums above zero, the first of equal ones.
func (f *finder) best(n int) []int {
	list := f.places[:0]
	for i, v := range f.sums {
		if !(v > 0) || len(list) == n && v <= f.sums[list[n-1]] {
			continue
		}
		if len(list) < n {
			list = append(list, i)
		}
		at := len(list) - 1
		for ; at > 0 && f.sums[list[at-1]] < v; at-- {
			list[at] = list[at-1]
		}
		list[at] = i
	}
	f.places = list
	return list
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
		age := x.until - int(c.own.last)
		since, weight = float64(age), float64(c.own.times)*ownFading.of(age)
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
	t := &propensity.Table{}
	for _, name := range features {
		t.Columns = append(t.Columns, propensity.Column{Name: name, Kind: propensity.Numeric})
	}
	fill(t, list)
	return t
}

// fill puts other candidates into a table.
func fill(t *propensity.Table, list []candidate) {
	t.Rows = len(list)
	for k := range t.Columns {
		numbers := t.Columns[k].Numbers[:0]
		for i := range list {
			numbers = append(numbers, list[i].numbers[k])
		}
		t.Columns[k].Numbers = numbers
	}
}

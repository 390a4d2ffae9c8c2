package nextproduct

import (
	"cmp"
	"math"
	"slices"
)

// Basket is what a customer bought on a day.
type Basket struct {
	// Day counts days since 1970-01-01 UTC.
	Day int
	// Products are numbers from 0 on; one that is named twice counts once.
	Products []int32
}

const (
	// related is the number of products, by popularity, of which it is known what is
	// bought with them: their table is dense.
	related = 2000
	// remembered is how many products of a customer, the latest, count as what others
	// buy something with.
	remembered = 60
	// shrinkage is how many customers without j each n(i,j)/n(i) is held against.
	shrinkage = 10
	// The days in which the weight of a purchase falls to 1/e: of popularity, of a
	// customer's past, and between two purchases.
	popularDecay, ownDecay, pairDecay = 60, 90, 30
)

// own is what a customer has done with a product.
type own struct {
	product int32
	times   int32 // days
	first   int32
	last    int32
}

// index is what was known of all customers at the end of a day.
type index struct {
	until   int
	popular []float64 // weight by product
	order   []int32   // products that were ever bought, the most popular first
	rank    []int32   // place in the table of pairs, -1 for none
	places  int
	pairs   []float32 // probability of j after i, by place
}

// fading are the weights of purchases by their age in days.
type fading struct {
	decay float64
	known [1024]float64
}

func newFading(decay float64) *fading {
	f := &fading{decay: decay}
	for days := range f.known {
		f.known[days] = math.Exp(-float64(days) / decay)
	}
	return f
}

func (f *fading) of(days int) float64 {
	if days >= 0 && days < len(f.known) {
		return f.known[days]
	}
	return math.Exp(-float64(days) / f.decay)
}

var popularFading, ownFading, pairFading = newFading(popularDecay), newFading(ownDecay), newFading(pairDecay)

// reader reads what customers bought, one after another, into the same memory.
type reader struct {
	at  []int32 // place in all by product, plus 1
	all []own
}

func newReader(products int) *reader { return &reader{at: make([]int32, products)} }

// past returns a customer's products up to a day, the latest first. They are
// overwritten by the next call.
func (r *reader) past(history []Basket, until int) []own {
	r.all = r.all[:0]
	for i := range history {
		b := &history[i]
		if b.Day > until {
			continue
		}
		day := int32(b.Day)
		for _, p := range b.Products {
			if r.at[p] == 0 {
				r.all = append(r.all, own{product: p, first: day, last: day - 1})
				r.at[p] = int32(len(r.all))
			}
			o := &r.all[r.at[p]-1]
			if o.times == 0 || day != o.last {
				o.times++
			}
			o.first, o.last = min(o.first, day), max(o.last, day)
		}
	}
	for i := range r.all {
		r.at[r.all[i].product] = 0
	}
	slices.SortFunc(r.all, func(a, b own) int { return cmp.Or(cmp.Compare(b.last, a.last), cmp.Compare(a.product, b.product)) })
	return r.all
}

// newIndex counts what customers did up to the end of a day.
func newIndex(customers [][]Basket, products, until int) *index {
	x := &index{until: until, popular: make([]float64, products), rank: make([]int32, products)}
	r := newReader(products)
	for _, history := range customers {
		for _, o := range r.past(history, until) {
			x.popular[o.product] += popularFading.of(until - int(o.last))
		}
	}
	for p, w := range x.popular {
		x.rank[p] = -1
		if w > 0 {
			x.order = append(x.order, int32(p))
		}
	}
	slices.SortFunc(x.order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(x.popular[b], x.popular[a]), cmp.Compare(a, b))
	})
	x.places = min(related, len(x.order))
	for i, p := range x.order[:x.places] {
		x.rank[p] = int32(i)
	}
	x.count(customers, r)
	return x
}

// count fills the table of pairs.
func (x *index) count(customers [][]Basket, r *reader) {
	x.pairs = make([]float32, x.places*x.places)
	buyers := make([]float32, x.places)
	for _, history := range customers {
		list := r.past(history, x.until)
		list = list[:min(len(list), remembered)]
		for _, a := range list {
			i := x.rank[a.product]
			if i < 0 {
				continue
			}
			buyers[i]++
			row := x.pairs[int(i)*x.places:][:x.places]
			for _, b := range list {
				// Of j the first purchase counts that can be with or after i's first.
				if j := x.rank[b.product]; j >= 0 && j != i && b.last >= a.first {
					row[j] += float32(pairFading.of(int(max(0, b.first-a.first))))
				}
			}
		}
	}
	// What follows from anything as well is no relation: the mean over all i is taken
	// off, so that a product that everybody buys does not follow from all others.
	usual, all := make([]float32, x.places), float32(0)
	for i, n := range buyers {
		all += n + shrinkage
		for j, v := range x.pairs[i*x.places:][:x.places] {
			usual[j] += v
		}
	}
	for i, n := range buyers {
		row := x.pairs[i*x.places:][:x.places]
		for j := range row {
			row[j] = max(0, row[j]/(n+shrinkage)-usual[j]/all)
		}
	}
}

package nextproduct

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
)

func heavy() bool { return os.Getenv("KINDRED_TEST_COUNT") != "" }

// town is a shop in which everybody needs milk (0) each week, bread buyers (1) take
// butter (2) some days later, and the rest is chance.
func town(r *rand.Rand, people, days int) [][]Basket {
	customers := make([][]Basket, people)
	for i := range customers {
		for day := r.IntN(7); day < days; day += 5 + r.IntN(5) {
			b := Basket{Day: day, Products: []int32{int32(3 + r.IntN(40))}}
			if i%2 == 0 {
				b.Products = append(b.Products, 0)
			}
			customers[i] = append(customers[i], b)
		}
		if i%5 == 0 {
			day := r.IntN(days)
			customers[i] = append(customers[i], Basket{day, []int32{1}}, Basket{day + 3 + r.IntN(9), []int32{2}})
		}
	}
	return customers
}

func TestNextProducts(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and other tests see its goroutines")
	}
	const seed = 5
	t.Logf("seed %d", seed)
	customers := town(rand.New(rand.NewPCG(seed, 1)), 500, 200)
	cfg := DefaultConfig()
	cfg.Horizon = 14
	m, err := Fit(customers, 43, 190, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", m.Report)
	if r := m.Report; r.Model.NDCG10 < max(r.Baselines["popular"].NDCG10, r.Baselines["last_bought"].NDCG10) || r.Model.Hit1 < r.Baselines["last_bought"].Hit1 || math.Abs(r.Expected/float64(r.Bought)-1) > .15 {
		t.Errorf("%+v", r)
	}
	// Who buys milk buys it again.
	milk := m.Next(customers[2], 3)
	if len(milk) != 3 || milk[0].Product != 0 || milk[0].Why != Again || milk[0].Times < 15 || milk[0].Days > 10 || milk[0].Probability < .7 {
		t.Errorf("milk: %+v", milk)
	}
	// Who has bought bread is told of butter.
	rank := func(history []Basket, product int32) (Product, int) {
		for i, p := range m.Next(history, 50) {
			if p.Product == product {
				return p, i
			}
		}
		return Product{}, -1
	}
	bread, place := rank(append(within190(customers[7]), Basket{189, []int32{1}}), 2)
	other, _ := rank(append(within190(customers[7]), Basket{189, []int32{7}}), 2)
	if place < 0 || bread.Why != Together || bread.With != 1 || bread.Probability < 1.5*other.Probability {
		t.Errorf("butter after bread: %+v at place %d, else %+v", bread, place, other)
	}
	if none := m.Next(nil, 5); none != nil {
		t.Errorf("without a past: %+v", none)
	}
	if later := m.Next([]Basket{{191, []int32{0}}}, 5); later != nil {
		t.Errorf("of what is not known yet: %+v", later)
	}
	again, err := Fit(customers, 43, 190, cfg)
	if err != nil || !reflect.DeepEqual(again.Report, m.Report) {
		t.Errorf("the same again: %+v, %v", again, err)
	}
}

func within190(history []Basket) (out []Basket) {
	for _, b := range history {
		if b.Day <= 188 {
			out = append(out, b)
		}
	}
	return out
}

// Nothing after the day is looked at, and what is judged by has not taught.
func TestFitSeesNoFuture(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and other tests see its goroutines")
	}
	customers := town(rand.New(rand.NewPCG(8, 1)), 250, 160)
	cfg := DefaultConfig()
	cfg.Horizon = 14
	whole, err := Fit(customers, 43, 140, cfg)
	if err != nil {
		t.Fatal(err)
	}
	cut := make([][]Basket, len(customers))
	for i, history := range customers {
		for _, b := range history {
			if b.Day <= 140 {
				cut[i] = append(cut[i], b)
			}
		}
	}
	known, err := Fit(cut, 43, 140, cfg)
	if err != nil || !reflect.DeepEqual(known.Report, whole.Report) || !reflect.DeepEqual(known.Next(cut[0], 9), whole.Next(customers[0], 9)) {
		t.Errorf("%+v, and without the future %+v, %v", whole.Report, known, err)
	}
}

func TestRefusals(t *testing.T) {
	customers := town(rand.New(rand.NewPCG(9, 1)), 60, 100)
	if _, err := Fit(customers, 43, 90, DefaultConfig()); !errors.Is(err, ErrNotEnoughData) {
		t.Errorf("60 customers: %v", err)
	}
	if _, err := Fit(nil, 0, 90, DefaultConfig()); !errors.Is(err, ErrNotEnoughData) {
		t.Errorf("no customer: %v", err)
	}
	if _, err := Fit(nil, 0, 90, Config{}); err == nil || errors.Is(err, ErrNotEnoughData) {
		t.Errorf("no configuration: %v", err)
	}
}

// Ranked for many at once everybody is told what they are told alone, in order.
func TestRankInOrder(t *testing.T) {
	const seed = 12
	t.Logf("seed %d", seed)
	customers := town(rand.New(rand.NewPCG(seed, 1)), 250, 160)
	cfg := DefaultConfig()
	cfg.Horizon = 14
	m, err := Fit(customers, 43, 140, cfg)
	if err != nil {
		t.Fatal(err)
	}
	many := make([][]Basket, 3*rankedTogether+5)
	for i := range many {
		if i%7 > 0 { // Others never bought.
			many[i] = customers[i%len(customers)]
		}
	}
	place := 0
	if err := m.RankInOrder(t.Context(), many, 4, func(i int, next []Product) error {
		if i != place || i%100 < 5 && !reflect.DeepEqual(next, m.Next(many[i], 4)) {
			return fmt.Errorf("customer %d after %d others: %+v", i, place, next)
		}
		place++
		return nil
	}); err != nil || place != len(many) {
		t.Errorf("%d in order, %v", place, err)
	}
	enough := errors.New("enough")
	if err := m.RankInOrder(t.Context(), many, 4, func(int, []Product) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("ended: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := m.RankInOrder(stopped, many, 4, func(int, []Product) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The greatest sums are those of a sort, also where some are equal or none.
func TestBest(t *testing.T) {
	const seed = 13
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 500 {
		f := &finder{sums: make([]float64, r.IntN(60))}
		var want []int
		for i := range f.sums {
			if f.sums[i] = float64(r.IntN(12)); f.sums[i] > 0 {
				want = append(want, i)
			}
		}
		slices.SortStableFunc(want, func(a, b int) int { return cmp.Compare(f.sums[b], f.sums[a]) })
		n := 1 + r.IntN(20)
		if got := f.best(n); !slices.Equal(got, want[:min(n, len(want))]) {
			t.Fatalf("%d of %v: %v, want %v", n, f.sums, got, want)
		}
	}
}

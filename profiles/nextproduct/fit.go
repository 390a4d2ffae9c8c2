package nextproduct

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// Config says what is foretold, and from how much.
type Config struct {
	// Horizon is the number of days in which a product is bought or not. Default 30.
	Horizon int
	// MinCustomers is the least number of customers with a past who buy something in a
	// horizon. Default 100.
	MinCustomers int
	// MaxCustomers bounds the customers whose candidates are learnt from. Default 5000.
	MaxCustomers int
}

// DefaultConfig returns the defaults named at the fields.
func DefaultConfig() Config { return Config{Horizon: 30, MinCustomers: 100, MaxCustomers: 5000} }

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var faults []error
	if c.Horizon < 1 || c.Horizon > 365 {
		faults = append(faults, errors.New("horizon must be 1 to 365 days"))
	}
	if c.MinCustomers < 10 || c.MaxCustomers < c.MinCustomers {
		faults = append(faults, errors.New("at least 10 customers, and no fewer at most"))
	}
	return errors.Join(faults...)
}

// ErrNotEnoughData is matched by the refusal to fit to too little.
var ErrNotEnoughData = errors.New("not enough data")

// Model ranks products. It is immutable and safe for concurrent use.
type Model struct {
	// Report says how good it was.
	Report Report

	index *index
	model *propensity.Model
}

// Fit learns from what customers bought up to the end of the day until, and judges by
// the last horizon before it. The baskets of a customer stand in the order of their
// days; products lie below the number of products.
func Fit(customers [][]Basket, products, until int, cfg Config) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cut := until - cfg.Horizon
	before, then, now := indexes(customers, products, cut-cfg.Horizon, cut, until)
	judged, err := learn(before, customers, cfg)
	if err != nil {
		return nil, err
	}
	judged.index = then
	report, err := judged.judge(customers, until, cfg)
	if err != nil {
		return nil, err
	}
	m, err := learn(then, customers, cfg)
	if err != nil {
		return nil, err
	}
	m.Report, m.index = report, now
	m.Report.Weights = m.model.Weights()
	return m, nil
}

// indexes counts what was known at the end of three days, at once.
func indexes(customers [][]Basket, products int, days ...int) (a, b, c *index) {
	var wait sync.WaitGroup
	for i, to := range []**index{&a, &b, &c} {
		wait.Go(func() { *to = newIndex(customers, products, days[i]) })
	}
	wait.Wait()
	return a, b, c
}

// learn learns from candidates as of the day of an index and what was bought in the
// horizon after.
func learn(x *index, customers [][]Basket, cfg Config) (*Model, error) {
	cut, f := x.until, newFinder(x)
	var list []candidate
	var y []bool
	known, buyers := 0, 0
	step := 1 + (len(customers)-1)/cfg.MaxCustomers
	for i := 0; i < len(customers); i += step {
		mine := f.candidates(customers[i])
		if len(mine) == 0 {
			continue
		}
		known++
		after := within(customers[i], cut, cut+cfg.Horizon)
		buyers += min(1, len(after))
		for _, c := range mine {
			list, y = append(list, c), append(y, after[c.product])
		}
	}
	if buyers*step < cfg.MinCustomers {
		return nil, fmt.Errorf("%w: %d customers with a past bought something in the %d days that teach, at least %d are needed", ErrNotEnoughData, buyers*step, cfg.Horizon, cfg.MinCustomers)
	}
	train := propensity.DefaultConfig()
	train.Model = propensity.Logistic
	rows := make([]int32, len(list))
	for i := range rows {
		rows[i] = int32(i)
	}
	m, err := propensity.Train(table(list), rows, y, nil, train)
	if errors.Is(err, propensity.ErrNotEnoughData) {
		return nil, fmt.Errorf("%w: %w", ErrNotEnoughData, err)
	}
	if err != nil {
		return nil, fmt.Errorf("learn next products: %w", err)
	}
	return &Model{index: x, model: m}, nil
}

// within is what was bought in (from, to].
func within(history []Basket, from, to int) map[int32]bool {
	var all map[int32]bool
	for _, b := range history {
		if b.Day <= from || b.Day > to {
			continue
		}
		for _, p := range b.Products {
			if all == nil {
				all = map[int32]bool{}
			}
			all[p] = true
		}
	}
	return all
}

// Reason says why a product may be next.
type Reason string

// The reasons.
const (
	// Again is that the customer buys it.
	Again Reason = "bought_before"
	// Together is that others buy it with, or after, something that the customer bought.
	Together Reason = "bought_together"
	// Popular is that many buy it.
	Popular Reason = "popular"
)

// Product is a product that a customer may buy next.
type Product struct {
	Product int32
	// Probability that they buy it within the horizon.
	Probability float64
	Why         Reason
	// Times and Days are, of Again, on how many days they bought it and how long ago
	// they did last.
	Times, Days int
	// With is, of Together, the product that it follows from most; else -1.
	With int32
}

// Ranker ranks products for one customer after another, in the same memory. One
// goroutine at a time may use it.
type Ranker struct {
	m    *Model
	f    *finder
	rows []int32
	t    *propensity.Table
}

// Ranker returns a new Ranker of the model.
func (m *Model) Ranker() *Ranker { return &Ranker{m: m, f: newFinder(m.index), t: table(nil)} }

// Next ranks at most n products for a customer with this history, the likeliest first;
// none for one without a past.
func (r *Ranker) Next(history []Basket, n int) []Product {
	list, popular := r.f.candidates(history), r.m.index.popular
	if len(list) == 0 {
		return nil
	}
	fill(r.t, list)
	r.rows = r.rows[:0]
	for i := range list {
		r.rows = append(r.rows, int32(i))
	}
	p := r.m.model.Predict(r.t, r.rows)
	slices.SortFunc(r.rows, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p[b], p[a]), cmp.Compare(popular[list[b].product], popular[list[a].product]), cmp.Compare(list[a].product, list[b].product))
	})
	out := make([]Product, 0, min(n, len(list)))
	for _, i := range r.rows[:min(n, len(r.rows))] {
		out = append(out, r.m.product(list[i], p[i]))
	}
	return out
}

// Next is that of a new Ranker, which is better where there are many customers.
func (m *Model) Next(history []Basket, n int) []Product { return m.Ranker().Next(history, n) }

// leastTogether is how likely it must be that a product follows from a customer's, for
// that to be a reason.
const leastTogether = .02

func (m *Model) product(c candidate, p float64) Product {
	out := Product{Product: c.product, Probability: p, Why: Popular, With: -1}
	switch {
	case c.own.times > 0:
		out.Why, out.Times, out.Days = Again, int(c.own.times), m.index.until-int(c.own.last)
	case c.with >= 0 && c.together >= leastTogether:
		out.Why, out.With = Together, c.with
	}
	return out
}

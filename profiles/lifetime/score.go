package lifetime

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Estimate is a number with its interval.
type Estimate struct {
	Value float64 `json:"value"`
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
}

// Score is what is known of one customer's future. The package documentation
// says what each interval covers.
type Score struct {
	// Alive is the probability that the customer has not dropped out.
	Alive Estimate
	// Purchases are the purchase days expected within each horizon asked for.
	Purchases []Estimate
	// Spend is the expected amount per purchase day, and Value the discounted
	// lifetime value; both are meaningful only with HasMoney.
	Spend, Value Estimate
	// HasMoney is false when there is no model of spend (Fitted.SpendError).
	HasMoney bool
	// Clamped counts results that rounding had put outside their range, and
	// that were put at its end.
	Clamped int
}

// ErrOutOfRange is returned for a customer whose score cannot be computed: more
// than 100 000 purchase days would be expected within a horizon, or an amount
// exceeds a float64.
var ErrOutOfRange = errors.New("score is out of range")

// Scorer scores customers by a fit: which horizons and terms is decided once.
// It holds buffers, so one goroutine at a time may use it.
type Scorer struct {
	fitted   *Fitted
	horizons []float64
	terms    Terms
	low      float64
	high     float64
	z        float64
	longest  float64 // of the horizons and that of the terms
	series   []float64
	counts   []float64
	sums     *sums
	// nu caches, per number of amounts, the quantiles of their rate (of rate 1).
	nu map[int][2]float64
	// once caches what is known of customers without repeat purchases by age: they
	// are most of all customers, and only the first amount tells them apart, in
	// which all money is linear.
	once map[float64]perRate
	// outlooks caches what only purchases and age decide, as long as that is no
	// more than maxKept numbers.
	outlooks map[lifespan]*outlook
	kept     int
}

// lifespan is what of a history decides the future of a customer who is alive.
type lifespan struct {
	x   int
	age float64
}

// outlook is the future of those with one lifespan who are alive: only P(alive) and
// amounts tell them apart.
type outlook struct {
	// counts and expected are of the purchase days within each horizon.
	counts   [][]float64
	expected []float64
	// discounted are the purchases of the terms, worth those over the undiscounted
	// times the margin: 0 where there are none.
	discounted, worth float64
	money             amounts
}

// perRate is a score whose money is that of amounts of rate 1, but for the means:
// they are worth, the discounted purchases, times the expected spend.
type perRate struct {
	Score
	worth float64
}

// maxCached bounds each of the caches of a Scorer, and maxKept the numbers in its
// outlooks.
const (
	maxCached = 4096
	maxKept   = 1 << 21
)

// Scorer returns a Scorer for purchase horizons (in the unit of the fit, not
// negative) and the terms of the lifetime value.
func (f *Fitted) Scorer(horizons []float64, terms Terms) (*Scorer, error) {
	faults := []error{terms.Validate()}
	for _, h := range horizons {
		if !(h >= 0 && h <= maxAge) {
			faults = append(faults, fmt.Errorf("horizon %v is not between 0 and %v", h, float64(maxAge)))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("scorer: %w", err)
	}
	low := (1 - f.cfg.Confidence) / 2
	longest := slices.Max(append([]float64{float64(terms.Horizon)}, horizons...))
	p := 1.0
	if f.Spend != nil {
		p = f.Spend.P
	}
	return &Scorer{
		sums: newSums(p), nu: map[int][2]float64{}, once: map[float64]perRate{}, outlooks: map[lifespan]*outlook{},
		fitted: f, horizons: append([]float64(nil), horizons...), terms: terms,
		low: low, high: 1 - low, z: normalQuantile(1 - low), longest: longest,
		series: make([]float64, terms.Horizon),
	}, nil
}

// Score scores one customer. The error is an *InvalidError when the history
// contradicts itself, and ErrOutOfRange when the score cannot be computed.
func (s *Scorer) Score(c Customer) (Score, error) {
	if reason := c.Check(); reason != "" {
		return Score{}, &InvalidError{Reason: reason}
	}
	if c.Frequency > 0 {
		out, err := s.score(c)
		if err != nil {
			return Score{}, err
		}
		return s.priced(out, c)
	}
	out, ok := s.once[c.Age]
	if !ok {
		var err error
		if out, err = s.score(c); err != nil {
			return Score{}, err
		}
		if len(s.once) < maxCached {
			s.once[c.Age] = out
		}
	}
	out.Purchases = slices.Clone(out.Purchases)
	return s.priced(out, c)
}

// score scores a customer whose history has been checked, all but the amounts.
func (s *Scorer) score(c Customer) (perRate, error) {
	var out perRate
	out.Alive = s.alive(s.fitted.Purchases, c)
	alive := out.Alive.Value
	o := s.outlook(c)
	if o == nil {
		return out, ErrOutOfRange
	}
	out.Purchases = make([]Estimate, len(s.horizons))
	for i, counts := range o.counts {
		out.Purchases[i] = Estimate{
			Value: alive * o.expected[i],
			Lower: countQuantile(counts, alive, s.low),
			Upper: countQuantile(counts, alive, s.high),
		}
	}
	if spend := s.fitted.Spend; spend != nil {
		out.HasMoney = true
		s.money(&out, spend, c, o)
	}
	return out, nil
}

// outlook returns that of a customer; nil where it is out of range.
func (s *Scorer) outlook(c Customer) *outlook {
	key := lifespan{c.Frequency, c.Age}
	if o, ok := s.outlooks[key]; ok {
		return o
	}
	future := s.fitted.Purchases.posterior(c)
	if !(future.unbroken(s.longest) <= maxCounts/2) {
		return nil
	}
	o := &outlook{counts: make([][]float64, len(s.horizons)), expected: make([]float64, len(s.horizons))}
	size := 0
	for i, h := range s.horizons {
		s.counts = future.counts(h, tailMass, s.counts[:0])
		o.counts[i], o.expected[i] = slices.Clone(s.counts), future.expected(h)
		size += len(s.counts)
	}
	if spend := s.fitted.Spend; spend != nil {
		future.series(1, s.series)
		o.discounted = discounted(s.series, s.terms.periodRate(s.fitted.cfg.Unit))
		if total := s.series[len(s.series)-1]; total > 0 {
			// The quantiles of the money are discounted like its mean.
			o.worth = o.discounted / total * s.terms.Margin
			s.counts = future.counts(float64(s.terms.Horizon), tailMass, s.counts[:0])
			n, _ := spend.Kind.amounts(c)
			shape, _ := spend.posterior(n, 0)
			o.money = newAmounts(slices.Clone(s.counts), spend.P, shape, s.sums)
			size += len(s.counts)
		}
	}
	if s.kept+size <= maxKept {
		s.outlooks[key] = o
		s.kept += size + outlookSize
	}
	return o
}

// outlookSize is what an outlook takes beside its counts, in numbers.
const outlookSize = 64

// priced puts in the amounts of the customer.
func (s *Scorer) priced(out perRate, c Customer) (Score, error) {
	if out.HasMoney {
		spend := s.fitted.Spend
		_, rate := spend.posterior(spend.Kind.amounts(c))
		out.Spend.Value = spend.Expected(c)
		out.Value.Value = out.worth * out.Spend.Value
		for _, v := range []*float64{&out.Spend.Lower, &out.Spend.Upper, &out.Value.Lower, &out.Value.Upper} {
			*v *= rate
		}
	}
	return out.Score, out.settle()
}

// alive returns P(alive) with its interval by the delta method on its logit.
// Without a covariance nothing is known of it, and the interval says so.
func (s *Scorer) alive(model Model, c Customer) Estimate {
	p := model.Alive(c)
	gradient := model.aliveGradient(c)
	if gradient == nil {
		return Estimate{p, p, p}
	}
	covariance := s.fitted.covariance
	if covariance == nil {
		return Estimate{p, 0, 1}
	}
	variance := 0.0
	for i, gi := range gradient {
		for j, gj := range gradient {
			variance += gi * gj * covariance.At(i, j)
		}
	}
	if p <= 0 || p >= 1 || !(variance >= 0) {
		return Estimate{p, p, p}
	}
	logit := math.Log(p) - math.Log1p(-p)
	half := s.z * math.Sqrt(variance)
	return Estimate{p, logistic(logit - half), logistic(logit + half)}
}

// money fills in the intervals of the spend and the value, for amounts of rate 1,
// and what the value is per unit of spend.
func (s *Scorer) money(out *perRate, spend *GammaGamma, c Customer, o *outlook) {
	n, _ := spend.Kind.amounts(c)
	nu, ok := s.nu[n]
	if !ok {
		shape, _ := spend.posterior(n, 0)
		nu[0], nu[1] = gammaQuantiles(shape, s.low, s.high)
		if len(s.nu) < maxCached {
			s.nu[n] = nu
		}
	}
	out.Spend.Lower, out.Spend.Upper = spend.P/nu[1], spend.P/nu[0]
	alive := out.Alive.Value
	out.worth = alive * o.discounted * s.terms.Margin
	if o.worth > 0 {
		out.Value.Lower = o.worth * o.money.quantile(alive, s.low)
		out.Value.Upper = o.worth * o.money.quantile(alive, s.high)
	}
}

// settle makes sure that every number is finite, not negative, and that
// probabilities are at most 1. Rounding below zero is put right and counted;
// anything that is not finite is an error.
func (o *Score) settle() error {
	ok := o.keep(&o.Alive, 1)
	for i := range o.Purchases {
		ok = o.keep(&o.Purchases[i], math.MaxFloat64) && ok
	}
	if o.HasMoney {
		ok = o.keep(&o.Spend, math.MaxFloat64) && ok
		ok = o.keep(&o.Value, math.MaxFloat64) && ok
	}
	if !ok {
		*o = Score{}
		return ErrOutOfRange
	}
	return nil
}

func (o *Score) keep(e *Estimate, most float64) bool {
	for _, v := range []*float64{&e.Value, &e.Lower, &e.Upper} {
		if !finite(*v) {
			return false
		}
		if clamped := math.Min(math.Max(*v, 0), most); clamped != *v {
			*v = clamped
			o.Clamped++
		}
	}
	return true
}

package lifetime

import (
	"errors"
	"math"
)

// SpendKind names a model of the amounts. All are Gamma-Gamma; they differ in
// the purchase days that count and in how the parameters are found.
type SpendKind string

// The models of spend.
const (
	// SpendRepeat counts the repeat days alone, as note 025 does: the first
	// purchase may be unlike the others. By maximum likelihood.
	SpendRepeat SpendKind = "gammagamma"
	// SpendAll counts every purchase day, the first one too, so that most
	// customers, who bought once, have a spend of their own. By maximum
	// likelihood.
	SpendAll SpendKind = "gammagamma_all"
	// SpendMoments counts every purchase day; the parameters are those at which
	// the model's moments are the data's. The expected spend is then Bühlmann's
	// credibility estimate (1967, ASTIN Bulletin 4(3), 199-207): the past mean,
	// shrunken to that of all by the variation within and between customers. It
	// does not trust the shape of the distribution.
	SpendMoments SpendKind = "credibility"
)

// spendFits are the ways to find the parameters, in units of the mean.
var spendFits = map[SpendKind]func(customers []Customer, t *spendTable, cfg Config) (optimum, error){
	SpendRepeat: likeliestSpend, SpendAll: likeliestSpend, SpendMoments: momentSpend,
}

// minQ is the least Q whose mean is taken from the model: below it the tail
// above a few giants decides a mean that is almost infinite.
const minQ = 1.1

// leastQ is the least Q with which any figure of spend is given: below it even
// the interval of a customer's mean spend covers every amount there is.
const leastQ = 0.1

// errSpendSpread is the SpendError of such data.
var errSpendSpread = errors.New("amounts differ too much between customers for a mean spend")

// amounts returns the number of days that count and their mean.
func (k SpendKind) amounts(c Customer) (x int, m float64) {
	if k != SpendAll && k != SpendMoments {
		return c.Frequency, c.Spend
	}
	n := float64(c.Frequency)
	return c.Frequency + 1, c.First/(n+1) + c.Spend*(n/(n+1))
}

// fitSpend fits the model to the customers with positive mean spend.
func fitSpend(customers []Customer, cfg Config) (*GammaGamma, error) {
	kind := cfg.Spend
	if kind == "" {
		kind = SpendRepeat
	}
	t := newSpendTable(customers, kind)
	if t.repeaters < cfg.MinRepeaters {
		return nil, &NotEnoughDataError{What: "repeat customers with spend", Have: t.repeaters, Need: cfg.MinRepeaters}
	}
	best, err := spendFits[kind](customers, t, cfg)
	if err != nil {
		return nil, err
	}
	g := &GammaGamma{
		Kind: kind,
		P:    math.Exp(best.theta[0]), Q: math.Exp(best.theta[1]), Gamma: math.Exp(best.theta[2]) * t.scale,
		Customers: t.n, Excluded: t.excluded,
		// The density of m, not of m/scale.
		LogLikelihood: best.value - float64(t.n)*math.Log(t.scale),
		Errors:        best.errors(),
	}
	if g.Q < leastQ {
		return nil, errSpendSpread
	}
	mean, correlation := t.moments()
	g.Correlation = correlation
	g.PopulationMean = g.P * g.Gamma / (g.Q - 1)
	if g.Q < minQ || !finite(g.PopulationMean) {
		g.HeavyTail, g.PopulationMean = true, mean*t.scale
	}
	return g, nil
}

// likeliestSpend is maximum likelihood.
func likeliestSpend(_ []Customer, t *spendTable, cfg Config) (optimum, error) {
	starts := [][]float64{{math.Log(1.5), math.Log(3), 0}, {math.Log(6), math.Log(4), 0}, {0, math.Log(1.5), -1}}
	return maximise(t.likelihood(), starts, cfg.PriorSD, float64(t.n))
}

// errSpendMoments is the SpendError where the moments of no Gamma-Gamma are those
// of the data.
var errSpendMoments = errors.New("amounts of one customer vary no less than those of different customers")

// momentSpend finds p, q and gamma from the customers who came back, whose first
// day's amount z and mean m of the others are two looks at one rate nu. With
// E[z m] = p^2 E[1/nu^2], E[z^2] = p(p+1) E[1/nu^2] and nu gamma (q, gamma),
//
//	1/p = E[z^2]/E[z m] - 1, 1/(q-2) = E[z m]/(E[z] E[m]) - 1, gamma = E[m](q-1)/p,
//
// with E[m] in gamma the mean of all days of all customers.
func momentSpend(customers []Customer, t *spendTable, _ Config) (optimum, error) {
	var count, z, m, zz, zm float64
	for _, c := range customers {
		if c.Check() == "" && c.Frequency > 0 && c.First > 0 && c.Spend > 0 {
			first, later := c.First/t.scale, c.Spend/t.scale
			count++
			z, m, zz, zm = z+first, m+later, zz+first*first, zm+first*later
		}
	}
	within, between := zz/zm-1, zm*count/(z*m)-1
	if !(within > 0 && between > 0) || !finite(within) || !finite(between) {
		return optimum{}, errSpendMoments
	}
	p, q := 1/within, 2+1/between
	mean, _ := t.moments()
	theta := []float64{math.Log(p), math.Log(q), math.Log(mean * (q - 1) / p)}
	return optimum{theta: theta, value: t.likelihood()(theta, make([]float64, 3))}, nil
}

package lifetime

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// GammaGamma is the model of spend (note 025): the amounts of a customer's
// purchase days are gamma (shape P, rate nu), and nu differs between customers
// by a gamma distribution (shape Q, rate Gamma in money). How much is spent is
// taken to be independent of how often.
type GammaGamma struct {
	P, Q, Gamma float64
	// PopulationMean is the expected spend of a customer without repeat
	// purchases: P Gamma/(Q-1), or the mean over the repeat customers when
	// HeavyTail says that the model's mean does not exist.
	PopulationMean float64
	// HeavyTail reports that Q is too near 1 for the model's mean to be known.
	HeavyTail bool
	// Customers is the number of repeat customers with spend in the fit.
	Customers int
	// Correlation is that of frequency and mean spend among them; the model
	// assumes that it is near zero.
	Correlation float64
	// LogLikelihood is that of the fit.
	LogLikelihood float64
	// Errors are the standard errors of ln P, ln Q and ln Gamma; nil where they
	// cannot be estimated.
	Errors []float64
}

// minQ is the least Q whose mean is taken from the model: below it the tail
// above a few giants decides a mean that is almost infinite.
const minQ = 1.1

// leastQ is the least Q with which any figure of spend is given: below it even
// the interval of a customer's mean spend covers every amount there is.
const leastQ = 0.1

// errSpendSpread is the SpendError of such data.
var errSpendSpread = errors.New("amounts differ too much between customers for a mean spend")

// Parameters lists p, q and gamma (in money).
func (g GammaGamma) Parameters() []Parameter {
	return []Parameter{{"p", g.P}, {"q", g.Q}, {"gamma", g.Gamma}}
}

// Mean returns the expected spend per purchase day of a customer with x repeat
// days of mean spend m: equation (5) of note 025.
func (g GammaGamma) Mean(x int, m float64) float64 {
	if x == 0 {
		return g.PopulationMean
	}
	shape, rate := g.posterior(x, m)
	if shape <= 1 {
		return g.PopulationMean
	}
	// Divided first: rate may be as large as x times the largest amount.
	return rate / (shape - 1) * g.P
}

// posterior returns shape and rate of the gamma distribution of nu.
func (g GammaGamma) posterior(x int, m float64) (shape, rate float64) {
	return g.P*float64(x) + g.Q, g.Gamma + float64(x)*m
}

// spendRow is a distinct (x, m) with its number of customers.
type spendRow struct{ x, m, count float64 }

// fitSpend fits the model to the repeat customers with positive mean spend.
func fitSpend(customers []Customer, cfg Config) (*GammaGamma, error) {
	rows, n, scale := spendRows(customers)
	if n < cfg.MinRepeaters {
		return nil, &NotEnoughDataError{What: "repeat customers with spend", Have: n, Need: cfg.MinRepeaters}
	}
	likelihood := spendLikelihood(rows)
	starts := [][]float64{{math.Log(1.5), math.Log(3), 0}, {math.Log(6), math.Log(4), 0}, {0, math.Log(1.5), -1}}
	best, err := maximise(likelihood, starts, cfg.PriorSD, float64(n))
	if err != nil {
		return nil, err
	}
	g := &GammaGamma{
		P: math.Exp(best.theta[0]), Q: math.Exp(best.theta[1]), Gamma: math.Exp(best.theta[2]) * scale,
		Customers: n,
		// The density of m, not of m/scale.
		LogLikelihood: best.value - float64(n)*math.Log(scale),
		Errors:        best.errors(),
	}
	if g.Q < leastQ {
		return nil, errSpendSpread
	}
	mean, correlation := spendMoments(rows)
	g.Correlation = correlation
	g.PopulationMean = g.P * g.Gamma / (g.Q - 1)
	if g.Q < minQ || !finite(g.PopulationMean) {
		g.HeavyTail, g.PopulationMean = true, mean*scale
	}
	return g, nil
}

// spendRows groups the repeat customers by (x, m), with m in units of its mean.
func spendRows(customers []Customer) (rows []spendRow, n int, scale float64) {
	for _, c := range customers {
		if c.Check() == "" && c.Frequency > 0 && c.Spend > 0 {
			rows = append(rows, spendRow{float64(c.Frequency), c.Spend, 1})
		}
	}
	n = len(rows)
	slices.SortFunc(rows, func(a, b spendRow) int {
		if d := sign(a.x - b.x); d != 0 {
			return d
		}
		return sign(a.m - b.m)
	})
	for _, r := range rows {
		scale += r.m / float64(n)
	}
	merged := rows[:0]
	for _, r := range rows {
		r.m /= scale
		if k := len(merged); k > 0 && merged[k-1].x == r.x && merged[k-1].m == r.m {
			merged[k-1].count++
			continue
		}
		merged = append(merged, r)
	}
	return merged, n, scale
}

// spendLikelihood is the log likelihood over ln p, ln q, ln gamma, with the
// functions that depend on x alone taken once per distinct x (rows are sorted).
func spendLikelihood(rows []spendRow) objective {
	return func(theta, grad []float64) float64 {
		p, q, gamma := math.Exp(theta[0]), math.Exp(theta[1]), math.Exp(theta[2])
		lq, psiQ := lgamma(q), mathext.Digamma(q)
		var value, dp, dq, dg, last, lg, psiPXQ, psiPX float64
		for _, row := range rows {
			x := row.x
			px := p * x
			if x != last {
				lg = lgamma(px+q) - lgamma(px) - lq + px*math.Log(x)
				psiPXQ, psiPX = mathext.Digamma(px+q), mathext.Digamma(px)
				last = x
			}
			logM, rate := math.Log(row.m), gamma+x*row.m
			logRate := math.Log(rate)
			value += row.count * (lg + q*theta[2] + (px-1)*logM - (px+q)*logRate)
			dp += row.count * x * (psiPXQ - psiPX + math.Log(x) + logM - logRate)
			dq += row.count * (psiPXQ - psiQ + theta[2] - logRate)
			dg += row.count * (q/gamma - (px+q)/rate)
		}
		grad[0], grad[1], grad[2] = dp*p, dq*q, dg*gamma
		return value
	}
}

// spendMoments returns the mean of m and its correlation with x.
func spendMoments(rows []spendRow) (mean, correlation float64) {
	var n, sx, sm float64
	for _, r := range rows {
		n += r.count
		sx += r.count * r.x
		sm += r.count * r.m
	}
	var xx, mm, xm float64
	for _, r := range rows {
		dx, dm := r.x-sx/n, r.m-sm/n
		xx += r.count * dx * dx
		mm += r.count * dm * dm
		xm += r.count * dx * dm
	}
	if xx > 0 && mm > 0 {
		correlation = xm / math.Sqrt(xx*mm)
	}
	return sm / n, correlation
}

package lifetime

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// GammaGamma is the model of spend (note 025): the amounts of a customer's
// purchase days are gamma (shape P, rate nu), and nu differs between customers
// by a gamma distribution (shape Q, rate Gamma in money). How much is spent is
// taken to be independent of how often.
type GammaGamma struct {
	// Kind says which days count and how the parameters were found.
	Kind        SpendKind
	P, Q, Gamma float64
	// PopulationMean is the expected spend of a customer of whom no amount is
	// known: P Gamma/(Q-1), or the mean over the customers of the fit when
	// HeavyTail says that the model's mean does not exist.
	PopulationMean float64
	// HeavyTail reports that Q is too near 1 for the model's mean to be known.
	HeavyTail bool
	// Customers is the number of customers with spend in the fit.
	Customers int
	// Correlation is that of the number of days and the mean spend among them;
	// the model assumes that it is near zero.
	Correlation float64
	// LogLikelihood is that of the fit, or of the moments.
	LogLikelihood float64
	// Errors are the standard errors of ln P, ln Q and ln Gamma; nil where they
	// cannot be estimated.
	Errors []float64
}

// Parameters lists p, q and gamma (in money).
func (g GammaGamma) Parameters() []Parameter {
	return []Parameter{{"p", g.P}, {"q", g.Q}, {"gamma", g.Gamma}}
}

// Expected returns the expected spend per purchase day of a customer.
func (g GammaGamma) Expected(c Customer) float64 { return g.Mean(g.Kind.amounts(c)) }

// Mean returns the expected spend per purchase day of a customer with x days
// of mean spend m that count: equation (5) of note 025.
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

// spendRows groups the customers with spend by (x, m), with m in units of its
// mean, scale. The number of those who bought again is repeaters.
func spendRows(customers []Customer, kind SpendKind) (rows []spendRow, n, repeaters int, scale float64) {
	for _, c := range customers {
		x, m := kind.amounts(c)
		if c.Check() == "" && x > 0 && m > 0 {
			rows = append(rows, spendRow{float64(x), m, 1})
			repeaters += min(1, c.Frequency)
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
	return merged, n, repeaters, scale
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

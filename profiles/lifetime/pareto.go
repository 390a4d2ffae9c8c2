package lifetime

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Pareto is the Pareto/NBD model (Schmittlein, Morrison, Colombo 1987):
// purchases at a gamma(R, Alpha) rate until a drop-out that happens at any time,
// at a gamma(S, Beta) rate. Alpha and Beta are in units of time.
//
// The usual closed form takes the difference of two hypergeometric functions.
// Here both the likelihood and P(alive) come from the integral behind them,
// over the time of drop-out, whose integrand is positive: nothing cancels.
type Pareto struct {
	R, Alpha, S, Beta float64
}

var _ Model = Pareto{}

// Kind implements Model.
func (Pareto) Kind() Kind { return ParetoNBD }

// Parameters implements Model.
func (m Pareto) Parameters() []Parameter {
	return []Parameter{{"r", m.R}, {"alpha", m.Alpha}, {"s", m.S}, {"beta", m.Beta}}
}

// Alive implements Model.
func (m Pareto) Alive(c Customer) float64 {
	d := m.dropout(float64(c.Frequency), c.Recency, c.Age)
	return logistic(d.alive - d.gone)
}

// aliveGradient implements Model, by ln r, ln alpha, ln s, ln beta.
func (m Pareto) aliveGradient(c Customer) []float64 {
	x := float64(c.Frequency)
	d := m.dropout(x, c.Recency, c.Age)
	if math.IsInf(d.gone, -1) {
		return nil
	}
	return []float64{
		m.R * (d.logAlpha - math.Log(m.Alpha+c.Age)),
		m.Alpha * (m.R + x) * (d.perAlpha - 1/(m.Alpha+c.Age)),
		m.S * (d.logBeta - math.Log(m.Beta+c.Age) - 1/m.S),
		m.Beta * ((m.S+1)*d.perBeta - m.S/(m.Beta+c.Age)),
	}
}

// Expected implements Model.
func (m Pareto) Expected(c Customer, t float64) float64 {
	return m.Alive(c) * m.posterior(c).expected(t)
}

func (m Pareto) posterior(c Customer) future {
	return mortal{r: m.R + float64(c.Frequency), alpha: m.Alpha + c.Age, s: m.S, beta: m.Beta + c.Age}
}

// dropout is the split of a history's likelihood (without its common factor)
// into being alive at T, (alpha+T)^-(r+x) (beta+T)^-s, and having dropped out at
// some t since the last purchase, the integral of
// s (alpha+t)^-(r+x) (beta+t)^-(s+1). Both are logarithms. The means over the
// time of drop-out serve the derivatives.
type dropout struct {
	alive, gone       float64
	logAlpha, logBeta float64 // means of ln(alpha+t), ln(beta+t)
	perAlpha, perBeta float64 // means of 1/(alpha+t), 1/(beta+t)
}

// dropout integrates in u = ln(min(alpha, beta) + t), in which the logarithm of
// the integrand is concave and its slope at most r + x + s.
func (m Pareto) dropout(x, recency, age float64) dropout {
	rx := m.R + x
	d := dropout{alive: -rx*math.Log(m.Alpha+age) - m.S*math.Log(m.Beta+age), gone: math.Inf(-1)}
	if recency >= age {
		return d
	}
	low := math.Min(m.Alpha, m.Beta)
	density := func(u float64) (log, la, lb, ta, tb float64) {
		t := math.Exp(u) - low
		ta, tb = m.Alpha+t, m.Beta+t
		la, lb = math.Log(ta), math.Log(tb)
		return u - rx*la - (m.S+1)*lb, la, lb, ta, tb
	}
	from, to := math.Log(low+recency), math.Log(low+age)
	first, _, _, _, _ := density(from)
	last, _, _, _, _ := density(to)
	if first-last > negligible {
		to = cut(density, from, to, first-negligible)
	}
	centre, half := (from+to)/2, (to-from)/2
	top := math.Inf(-1)
	var logs, la, lb, ta, tb [2 * len(legendre)]float64
	for i := range logs {
		logs[i], la[i], lb[i], ta[i], tb[i] = density(centre + half*node(i))
		top = math.Max(top, logs[i])
	}
	sum := 0.0
	for i := range logs {
		weight := legendre[i/2][1] * math.Exp(logs[i]-top)
		sum += weight
		d.logAlpha += weight * la[i]
		d.logBeta += weight * lb[i]
		d.perAlpha += weight / ta[i]
		d.perBeta += weight / tb[i]
	}
	d.gone = math.Log(m.S) + top + math.Log(half*sum)
	d.logAlpha, d.logBeta, d.perAlpha, d.perBeta = d.logAlpha/sum, d.logBeta/sum, d.perAlpha/sum, d.perBeta/sum
	return d
}

// negligible is the fall of a logarithm from which on nothing is left that a
// float64 could show.
const negligible = 45

// cut returns where the density has fallen to floor; it is concave, so it falls
// once.
func cut(density func(float64) (log, la, lb, ta, tb float64), from, to, floor float64) float64 {
	low, high := from, to
	for range 30 {
		middle := (low + high) / 2
		if v, _, _, _, _ := density(middle); v > floor {
			low = middle
		} else {
			high = middle
		}
		if high-low < 0.05*(high-from) {
			break
		}
	}
	return high
}

// likelihood returns the log likelihood over ln r, ln alpha, ln s, ln beta.
func (m Pareto) likelihood(t *table) objective {
	return func(theta, grad []float64) float64 {
		p := Pareto{R: math.Exp(theta[0]), Alpha: math.Exp(theta[1]), S: math.Exp(theta[2]), Beta: math.Exp(theta[3])}
		n := float64(t.customers)
		value := n * (p.R*theta[1] + p.S*theta[3])
		dr, dalpha, ds, dbeta := n*theta[1], n*p.R/p.Alpha, n*theta[3], n*p.S/p.Beta
		lr, pr := lgamma(p.R), mathext.Digamma(p.R)
		for i, x := range t.xs {
			value += t.xCount[i] * (lgamma(p.R+x) - lr)
			dr += t.xCount[i] * (mathext.Digamma(p.R+x) - pr)
		}
		total := groupSums(t, func(groups []group) [5]float64 { return p.histories(groups, t) })
		grad[0] = (dr - total[1]) * p.R
		grad[1] = (dalpha - total[2]) * p.Alpha
		grad[2] = (ds + total[3]) * p.S
		grad[3] = (dbeta - total[4]) * p.Beta
		return value + total[0]
	}
}

// histories sums the likelihoods of groups, alive or dropped out, and the parts of
// their derivatives by r, alpha (both to be taken off), s and beta (to be taken off).
func (m Pareto) histories(groups []group, t *table) (out [5]float64) {
	for i := range groups {
		g := &groups[i]
		x, recency, age := t.xs[g.ix], t.times[g.it], t.times[g.iag]
		d := m.dropout(x, recency, age)
		sum := d.alive
		if !math.IsInf(d.gone, -1) {
			sum = logSumExp(d.alive, d.gone)
		}
		out[0] += g.count * sum
		wa, wg := g.count*math.Exp(d.alive-sum), g.count*math.Exp(d.gone-sum)
		ta, tb := m.Alpha+age, m.Beta+age
		out[1] += wa*math.Log(ta) + wg*d.logAlpha
		out[2] += (m.R + x) * (wa/ta + wg*d.perAlpha)
		out[3] += wg/m.S - wa*math.Log(tb) - wg*d.logBeta
		out[4] += wa*m.S/tb + wg*(m.S+1)*d.perBeta
	}
	return out
}

func (m Pareto) starts(t *table) [][]float64 {
	rate := t.rate()
	at := func(r, s, beta float64) []float64 {
		return []float64{math.Log(r), math.Log(r / rate / 2), math.Log(s), math.Log(beta)}
	}
	return [][]float64{at(0.5, 0.6, 3), at(1, 1, 10), at(2, 0.3, 1)}
}

func (Pareto) fitted(theta []float64, scale float64) Model {
	return Pareto{
		R: math.Exp(theta[0]), Alpha: math.Exp(theta[1]) / scale,
		S: math.Exp(theta[2]), Beta: math.Exp(theta[3]) / scale,
	}
}

// runaway reports a drop-out rate that cannot be told from zero over the time
// observed, or that is the same for all.
func (Pareto) runaway(theta []float64) bool {
	return theta[2]-theta[3] < math.Log(1e-4/scaledAge) || theta[3] > math.Log(maxDropoutSize)
}

// mortal is the future of an alive customer in the Pareto/NBD model, with the
// customer's own parameters r+x, alpha+T, s, beta+T.
type mortal struct{ r, alpha, s, beta float64 }

func (f mortal) expected(t float64) float64 {
	e := f.s - 1
	l := math.Log1p(t / f.beta)
	part := l
	if math.Abs(e*l) > 1e-12 {
		part = -math.Expm1(-e*l) / e
	}
	return f.r * (f.beta / f.alpha) * part
}

func (f mortal) unbroken(t float64) float64 { return f.r * (t / f.alpha) }

func (f mortal) series(step float64, out []float64) {
	for k := range out {
		out[k] = f.expected(step * float64(k+1))
	}
}

// counts mixes the counts of customers who live through t with those of the
// customers who drop out at some time within it.
func (f mortal) counts(t, tail float64, out []float64) []float64 {
	survival := math.Exp(-f.s * math.Log1p(t/f.beta))
	var walks [2*len(legendre) + 1]negativeBinomial
	var weights [2*len(legendre) + 1]float64
	for i := range 2 * len(legendre) {
		// Drop-out times at equally spread quantiles of their distribution.
		u := survival + (1-survival)*(1+node(i))/2
		weights[i] = (1 - survival) * legendre[i/2][1] / 2
		walks[i] = newNegativeBinomial(f.r, f.alpha, f.beta*math.Expm1(-math.Log(u)/f.s))
	}
	last := len(walks) - 1
	weights[last], walks[last] = survival, newNegativeBinomial(f.r, f.alpha, t)
	left := 1.0
	for range maxCounts {
		p := 0.0
		for i := range walks {
			p += weights[i] * walks[i].current
			walks[i].advance()
		}
		out = append(out, p)
		if left -= p; left <= tail {
			break
		}
	}
	return out
}

// node returns the i-th node of the Gauss-Legendre rule on [-1, 1].
func node(i int) float64 {
	if i%2 == 0 {
		return legendre[i/2][0]
	}
	return -legendre[i/2][0]
}

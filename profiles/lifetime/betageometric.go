package lifetime

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// BetaGeometric is the BG/NBD model (F05), or, with Modified, the MBG/NBD. A
// customer buys at a rate that differs between customers by a gamma
// distribution (shape R, rate Alpha in units of time) until dropping out, with
// a probability after each purchase that differs by a beta distribution (A, B).
// In the modified form a customer can drop out at the first purchase already;
// in the plain form whoever bought once is alive for certain.
type BetaGeometric struct {
	R, Alpha, A, B float64
	Modified       bool
}

var _ Model = BetaGeometric{}

// Kind implements Model.
func (m BetaGeometric) Kind() Kind {
	if m.Modified {
		return MBGNBD
	}
	return BGNBD
}

// Parameters implements Model.
func (m BetaGeometric) Parameters() []Parameter {
	return []Parameter{{"r", m.R}, {"alpha", m.Alpha}, {"a", m.A}, {"b", m.B}}
}

func (m BetaGeometric) shift() float64 {
	if m.Modified {
		return 1
	}
	return 0
}

// aliveLogit returns ln(P(alive)/(1-P(alive))) and whether drop-out is possible
// at all in this history (note 021; F05 section 4.2).
func (m BetaGeometric) aliveLogit(c Customer) (logit float64, possible bool) {
	x := float64(c.Frequency)
	if c.Frequency == 0 && !m.Modified {
		return 0, false
	}
	return math.Log(m.B+x+m.shift()-1) - math.Log(m.A) -
		(m.R+x)*math.Log1p((c.Age-c.Recency)/(m.Alpha+c.Recency)), true
}

// Alive implements Model.
func (m BetaGeometric) Alive(c Customer) float64 {
	logit, possible := m.aliveLogit(c)
	if !possible {
		return 1
	}
	return logistic(logit)
}

// aliveGradient implements Model: the derivative of the logit of P(alive) by
// the logarithms of r, alpha, a, b.
func (m BetaGeometric) aliveGradient(c Customer) []float64 {
	if _, possible := m.aliveLogit(c); !possible {
		return nil
	}
	x := float64(c.Frequency)
	gap := c.Age - c.Recency
	return []float64{
		-m.R * math.Log1p(gap/(m.Alpha+c.Recency)),
		(m.R + x) * m.Alpha * gap / ((m.Alpha + c.Recency) * (m.Alpha + c.Age)),
		-1,
		m.B / (m.B + x + m.shift() - 1),
	}
}

// Expected implements Model.
func (m BetaGeometric) Expected(c Customer, t float64) float64 {
	return m.Alive(c) * m.posterior(c).expected(t)
}

// posterior implements Model: given that the customer is alive at Age, rate and
// drop-out probability are independent and again gamma and beta.
func (m BetaGeometric) posterior(c Customer) future {
	x := float64(c.Frequency)
	return geometric{r: m.R + x, alpha: m.Alpha + c.Age, a: m.A, b: m.B + x + m.shift()}
}

// likelihood returns the log likelihood of the table as a function of the
// logarithms of r, alpha (scaled), a, b: the sum over distinct histories of
// A1 + A2 + lse(A3, A4) as in note 004, A4 only where drop-out is possible.
func (m BetaGeometric) likelihood(t *table) objective {
	logs, inverse := make([]float64, len(t.times)), make([]float64, len(t.times))
	byX := make([]xTerms, len(t.xs))
	shift := m.shift()
	return func(theta, grad []float64) float64 {
		r, alpha, a, b := math.Exp(theta[0]), math.Exp(theta[1]), math.Exp(theta[2]), math.Exp(theta[3])
		for i, v := range t.times {
			logs[i], inverse[i] = math.Log(alpha+v), 1/(alpha+v)
		}
		value, dr, da, db := betaTerms(byX, t, r, a, b, shift)
		n := float64(t.customers)
		total := groupSums(t, func(groups []group) [5]float64 {
			return m.dropouts(groups, byX, logs, inverse)
		})
		grad[0] = (dr + n*theta[1] - total[1]) * r
		grad[1] = (n*r/alpha - total[2]) * alpha
		grad[2] = (da + total[3]/a) * a
		grad[3] = (db - total[4]) * b
		return value + n*r*theta[1] + total[0]
	}
}

// dropouts sums lse(A3, A4) over groups, with what it takes off the derivatives by
// r and by alpha, the probability of having dropped out, and that over b+x-1.
func (BetaGeometric) dropouts(groups []group, byX []xTerms, logs, inverse []float64) (out [5]float64) {
	value, dr, dalpha, gone, db := 0.0, 0.0, 0.0, 0.0, 0.0
	var product logProduct
	for i := range groups {
		g := &groups[i]
		x := &byX[g.ix]
		late := -x.rx * logs[g.iag]
		if x.certain {
			value += g.count * late
			dr += g.count * logs[g.iag]
			dalpha += g.count * x.rx * inverse[g.iag]
			continue
		}
		early := x.dropout - x.rx*logs[g.it]
		// Of exp(late) + exp(early) the greater counts 1, the other e.
		high, low := late, early
		if early > late {
			high, low = early, late
		}
		e := math.Exp(low - high)
		pl := g.count / (1 + e)
		pe := pl * e
		if early > late {
			pl, pe = pe, pl
		}
		value += g.count * high
		product.multiply(1+e, g.count)
		dr += pl*logs[g.iag] + pe*logs[g.it]
		dalpha += x.rx * (pl*inverse[g.iag] + pe*inverse[g.it])
		gone += pe
		db += pe * x.perB
	}
	return [5]float64{value + product.log(), dr, dalpha, gone, db}
}

// logProduct is the sum of logarithms of numbers between 1 and 2, for which it
// takes one logarithm for hundreds of them.
type logProduct struct {
	sum, product float64
	n            int
}

// multiply adds count times the logarithm of v.
func (p *logProduct) multiply(v, count float64) {
	if count != 1 {
		p.sum += count * math.Log(v)
		return
	}
	if p.n == 0 {
		p.product = 1
	}
	p.product *= v
	if p.n++; p.n == 1000 {
		p.sum, p.n = p.sum+math.Log(p.product), 0
	}
}

func (p *logProduct) log() float64 {
	if p.n == 0 {
		return p.sum
	}
	return p.sum + math.Log(p.product)
}

// xTerms holds what depends on x alone.
type xTerms struct {
	rx      float64 // r + x
	dropout float64 // ln a - ln(b + x + shift - 1)
	perB    float64 // 1/(b + x + shift - 1)
	certain bool    // nobody drops out
}

// betaTerms fills byX and returns the sum of A1 and A2 (without r ln alpha) and
// its derivatives by r, a and b.
func betaTerms(byX []xTerms, t *table, r, a, b, shift float64) (value, dr, da, db float64) {
	lr, la, lb, lab := lgamma(r), math.Log(a), lgamma(b), lgamma(a+b)
	pr, pb, pab := mathext.Digamma(r), mathext.Digamma(b), mathext.Digamma(a+b)
	for i, x := range t.xs {
		n := t.xCount[i]
		bx := b + x + shift
		value += n * (lgamma(r+x) - lr + lab + lgamma(bx) - lb - lgamma(a+bx))
		pabx := mathext.Digamma(a + bx)
		dr += n * (mathext.Digamma(r+x) - pr)
		da += n * (pab - pabx)
		db += n * (pab - pabx + mathext.Digamma(bx) - pb)
		byX[i] = xTerms{rx: r + x, dropout: la - math.Log(bx-1), perB: 1 / (bx - 1), certain: x+shift == 0}
	}
	return value, dr, da, db
}

// starts implements the three starting points, in log scaled parameters.
func (m BetaGeometric) starts(t *table) [][]float64 {
	rate := t.rate()
	at := func(r, a, b float64) []float64 {
		return []float64{math.Log(r), math.Log(r / rate), math.Log(a), math.Log(b)}
	}
	return [][]float64{at(0.3, 0.8, 2.5), at(1, 0.5, 5), at(3, 2, 2)}
}

// fitted implements the way back from log scaled parameters.
func (m BetaGeometric) fitted(theta []float64, scale float64) Model {
	m.R, m.Alpha = math.Exp(theta[0]), math.Exp(theta[1])/scale
	m.A, m.B = math.Exp(theta[2]), math.Exp(theta[3])
	return m
}

// runaway reports that the likelihood climbed towards a limit in which drop-out
// does not differ between customers (a + b without bound): if it is near zero,
// that is the NBD model.
func (BetaGeometric) runaway(theta []float64) bool {
	return math.Exp(theta[2])+math.Exp(theta[3]) > maxDropoutSize
}

// maxDropoutSize is the size of a + b from which the drop-out probability is a
// constant within 1 %, and purchases are NBD as far as the data can tell.
const maxDropoutSize = 1e4

func lgamma(v float64) float64 { l, _ := math.Lgamma(v); return l }

// logSumExp returns ln(exp(u) + exp(v)) without overflow.
func logSumExp(u, v float64) float64 {
	if u < v {
		u, v = v, u
	}
	return u + math.Log1p(math.Exp(v-u))
}

func logistic(v float64) float64 {
	if v < 0 {
		e := math.Exp(v)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-v))
}

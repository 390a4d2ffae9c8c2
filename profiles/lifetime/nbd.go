package lifetime

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Poisson is the NBD model: customers buy for ever, at a rate that differs
// between them by a gamma distribution (shape R, rate Alpha in units of time).
// It is what the other models become when no drop-out can be measured.
type Poisson struct {
	R, Alpha float64
}

var _ Model = Poisson{}

// Kind implements Model.
func (Poisson) Kind() Kind { return NBD }

// Parameters implements Model.
func (m Poisson) Parameters() []Parameter { return []Parameter{{"r", m.R}, {"alpha", m.Alpha}} }

// Alive implements Model: nobody drops out.
func (Poisson) Alive(Customer) float64 { return 1 }

func (Poisson) aliveGradient(Customer) []float64 { return nil }

// Expected implements Model.
func (m Poisson) Expected(c Customer, t float64) float64 { return m.posterior(c).expected(t) }

func (m Poisson) posterior(c Customer) future {
	return steady{r: m.R + float64(c.Frequency), alpha: m.Alpha + c.Age}
}

// likelihood of the times of purchases: gamma(r+x)/gamma(r) alpha^r (alpha+T)^-(r+x).
func (m Poisson) likelihood(t *table) objective {
	logs := make([]float64, len(t.times))
	return func(theta, grad []float64) float64 {
		r, alpha := math.Exp(theta[0]), math.Exp(theta[1])
		lr, pr := lgamma(r), mathext.Digamma(r)
		n := float64(t.customers)
		value, dr, dalpha := n*r*theta[1], n*theta[1], n*r/alpha
		for i, x := range t.xs {
			value += t.xCount[i] * (lgamma(r+x) - lr)
			dr += t.xCount[i] * (mathext.Digamma(r+x) - pr)
		}
		for i, v := range t.times {
			logs[i] = math.Log(alpha + v)
		}
		total := groupSums(t, func(groups []group) (out [3]float64) {
			for i := range groups {
				g := &groups[i]
				log, rx := logs[g.iag], r+t.xs[g.ix]
				out[0] += g.count * rx * log
				out[1] += g.count * log
				out[2] += g.count * rx / (alpha + t.times[g.iag])
			}
			return out
		})
		grad[0], grad[1] = (dr-total[1])*r, (dalpha-total[2])*alpha
		return value - total[0]
	}
}

func (m Poisson) starts(t *table) [][]float64 {
	var out [][]float64
	for _, r := range []float64{0.3, 1, 3} {
		out = append(out, []float64{math.Log(r), math.Log(r / t.rate())})
	}
	return out
}

func (Poisson) fitted(theta []float64, scale float64) Model {
	return Poisson{R: math.Exp(theta[0]), Alpha: math.Exp(theta[1]) / scale}
}

func (Poisson) runaway([]float64) bool { return false }

// steady is the future of a customer who never drops out.
type steady struct{ r, alpha float64 }

func (s steady) expected(t float64) float64 { return s.r * (t / s.alpha) }

func (s steady) unbroken(t float64) float64 { return s.r * (t / s.alpha) }

func (s steady) series(step float64, out []float64) {
	for k := range out {
		out[k] = s.expected(step * float64(k+1))
	}
}

func (s steady) counts(t, tail float64, out []float64) []float64 {
	nb := newNegativeBinomial(s.r, s.alpha, t)
	left := 1.0
	for range maxCounts {
		out = append(out, nb.current)
		left -= nb.current
		if left <= tail {
			break
		}
		nb.advance()
	}
	return out
}

package lifetime

import "math"

// geometric is the future of an alive customer in the BG and MBG models: rate
// gamma(r, alpha), drop-out after each purchase with a probability beta(a, b).
// The r, alpha and b are those of the customer (r+x, alpha+T, b+x or b+x+1).
type geometric struct {
	r, alpha, a, b float64
}

// Limits of the series. Beyond maxZ it converges too slowly; where the result is
// less than minShare of what was added up to get it, it has lost too many digits.
const (
	maxZ     = 0.95
	minShare = 1e-6
	maxTerms = 1500
)

// expected is equation (10) of F05 for an alive customer, by Euler's
// transformation, in a form that has no singularity at a = 1 or a + b = 1. With
// e = a-1, C = a+b-1, A = C-r, z = t/(alpha+t) and L = ln(1-z):
//
//	E = C (1 - exp(e L))/e - exp(e L) A sum_{n>=1} (A+1)_{n-1} (a)_{n-1} / ((C+1)_{n-1} n!) z^n
//
// which is C/e [1 - (1-z)^e 2F1(A, e; C; z)] with the factor e of every term
// but the first taken out by hand.
func (g geometric) expected(t float64) float64 {
	var out [1]float64
	g.series(t, out[:])
	return out[0]
}

func (g geometric) unbroken(t float64) float64 { return g.r * (t / g.alpha) }

// series implements future. The coefficients of the series do not depend on
// the horizon, so they are computed once, for the longest that they serve; the
// integral over the drop-out probability serves the others.
func (g geometric) series(step float64, out []float64) {
	var buffer [128]float64
	longest := math.Min(step*float64(len(out)), g.alpha*maxZ/(1-maxZ))
	terms, ok := g.terms(longest/(g.alpha+longest), buffer[:0])
	var integral []dropoutNode
	for k := range out {
		t := step * float64(k+1)
		if ok && t <= longest {
			if value, exact := g.assemble(t, terms); exact {
				out[k] = value
				continue
			}
		}
		if integral == nil {
			integral = g.dropoutNodes(step, step*float64(len(out)))
		}
		out[k] = g.integrate(integral, t)
	}
}

// terms are the coefficients of z, z^2 … of the series.
type terms struct {
	coefficients []float64
	alternate    bool // some are negative
}

// terms appends the coefficients to buffer as far as they matter at z. It
// reports whether the series has converged by then.
func (g geometric) terms(z float64, buffer []float64) (terms, bool) {
	big := g.a + g.b // C + 1
	drift := big - 1 - g.r
	coefficient, power, sum := 1.0, z, z
	out := terms{coefficients: append(buffer, coefficient)}
	for n := 1.0; n < maxTerms; n++ {
		coefficient *= (drift + n) * (g.a + n - 1) / ((big + n - 1) * (n + 1))
		power *= z
		term := math.Abs(coefficient * power)
		sum += term
		out.coefficients = append(out.coefficients, coefficient)
		out.alternate = out.alternate || coefficient < 0
		if term <= 1e-15*sum {
			return out, finite(sum)
		}
	}
	return out, false
}

// assemble puts the series and the rest of the formula together. The second
// result is false where cancellation has left too few digits.
func (g geometric) assemble(t float64, series terms) (float64, bool) {
	z := t / (g.alpha + t)
	sum := 0.0
	for i := len(series.coefficients) - 1; i >= 0; i-- {
		sum = sum*z + series.coefficients[i]
	}
	size := sum
	if series.alternate {
		size = 0
		for i := len(series.coefficients) - 1; i >= 0; i-- {
			size = size*z + math.Abs(series.coefficients[i])
		}
	}
	e, c := g.a-1, g.a+g.b-1
	l := -math.Log1p(t / g.alpha)
	less := math.Expm1(e * l)
	power := 1 + less
	if less < -0.5 {
		power = math.Exp(e * l)
	}
	head := -c * l
	if e != 0 {
		head = -c * less / e
	}
	factor := power * (c - g.r) * z
	value := head - factor*sum
	return value, finite(value) && value >= minShare*math.Max(math.Abs(head), math.Abs(factor)*size)
}

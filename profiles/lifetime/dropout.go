package lifetime

import "math"

// dropoutNode is a node of the integral over the drop-out probability p, with
// its share of the probability.
type dropoutNode struct{ p, share float64 }

// integrate computes the expectation of geometric.expected as an integral whose
// integrand is positive, so that nothing cancels whatever the parameters:
//
//	E = E_p[ (1 - (alpha/(alpha + p t))^r) / p ],  p ~ beta(a, b)
func (g geometric) integrate(nodes []dropoutNode, t float64) float64 {
	u := t / g.alpha
	sum := 0.0
	for _, n := range nodes {
		value := g.r * u
		if n.p*u > 1e-12 || n.p*u*g.r > 1e-9 {
			value = -math.Expm1(-g.r*math.Log1p(n.p*u)) / n.p
		}
		sum += n.share * value
	}
	return sum
}

// dropoutNodes lays Gauss-Legendre panels over y = logit p, in which the beta
// density falls off like exp(a y) and exp(-b y): panels of constant width where
// the integrand has its features for horizons from shortest to longest, and
// doubling ones beyond. Shares are normalised by their own sum, which needs no
// beta function.
func (g geometric) dropoutNodes(shortest, longest float64) []dropoutNode {
	centre := math.Log(g.a) - math.Log(g.b)
	deviation := math.Sqrt(1/g.a + 1/g.b)
	low := centre - negligible/g.a - 12*deviation
	high := centre + negligible/g.b + 12*deviation
	first, last := centre, centre
	for _, feature := range []float64{
		0, -math.Log(g.b), -math.Log(shortest / g.alpha), -math.Log(longest / g.alpha),
		-math.Log(g.r * longest / g.alpha), -math.Log(g.r * shortest / g.alpha),
	} {
		first, last = math.Min(first, feature), math.Max(last, feature)
	}
	first, last = math.Max(low, first-8), math.Min(high, last+8)

	var out []dropoutNode
	peak := -g.a*math.Log1p(g.b/g.a) - g.b*math.Log1p(g.a/g.b)
	total := 0.0
	panel := func(from, to float64) {
		half := (to - from) / 2
		for i := range 2 * len(legendre) {
			y := (from+to)/2 + half*node(i)
			// ln p = -ln(1 + exp(-y)) and ln(1-p) = -ln(1 + exp(y)).
			logP, logQ := -softplus(-y), -softplus(y)
			if log := g.a*logP + g.b*logQ - peak; log > -negligible {
				share := half * legendre[i/2][1] * math.Exp(log)
				total += share
				out = append(out, dropoutNode{math.Exp(logP), share})
			}
		}
	}
	width := math.Min(4, 8*deviation)
	count := math.Ceil((last - first) / width)
	for i := range int(count) {
		panel(first+(last-first)*float64(i)/count, first+(last-first)*float64(i+1)/count)
	}
	for from, size := first, width; from > low; from, size = from-size, 2*size {
		panel(math.Max(low, from-size), from)
	}
	for from, size := last, width; from < high; from, size = from+size, 2*size {
		panel(from, math.Min(high, from+size))
	}
	for i := range out {
		out[i].share /= total
	}
	return out
}

// softplus is ln(1 + exp(v)).
func softplus(v float64) float64 {
	if v > 0 {
		return v + math.Log1p(math.Exp(-v))
	}
	return math.Log1p(math.Exp(v))
}

package lifetime

import "math"

// maxCounts bounds the length of a distribution of counts.
const maxCounts = 200_000

// counts implements future: F05 equation (8), for the customer's own
// parameters. With w_n the probability of surviving n purchases and NB the
// negative binomial probability of n purchases without drop-out,
//
//	P(n) = w_n NB(n) + w_{n-1} a/(a+b+n-1) P(NB >= n)
func (g geometric) counts(t, tail float64, out []float64) []float64 {
	nb := newNegativeBinomial(g.r, g.alpha, t)
	survive, dropped, left := 1.0, 0.0, 1.0
	for n := 0; n < maxCounts; n++ {
		value := survive*nb.current + dropped*nb.atLeast
		out = append(out, value)
		left -= value
		if left <= tail {
			break
		}
		nb.advance()
		total := g.a + g.b + float64(n)
		dropped = survive * g.a / total
		survive *= (g.b + float64(n)) / total
	}
	return out
}

// negativeBinomial walks the probabilities of n = 0, 1, 2 … purchases of a
// gamma(r, alpha) mixture of Poisson processes within t.
type negativeBinomial struct {
	r, z    float64
	n       float64
	log     float64 // ln P(N = n), kept while that is too small for a float64
	current float64 // P(N = n)
	atLeast float64 // P(N >= n)
}

// leastLog is the logarithm from which on probabilities are kept as such.
const leastLog = -700

func newNegativeBinomial(r, alpha, t float64) negativeBinomial {
	b := negativeBinomial{r: r, z: t / (alpha + t), atLeast: 1}
	// For a heavy buyer no purchase at all is less likely than the smallest
	// float64, and a product that starts from zero stays zero.
	b.log = -r * math.Log1p(t/alpha)
	if b.log >= leastLog {
		b.current = math.Exp(b.log)
	}
	return b
}

// advance moves on to n + 1.
func (b *negativeBinomial) advance() {
	b.atLeast = math.Max(0, b.atLeast-b.current)
	ratio := (b.r + b.n) / (b.n + 1) * b.z
	b.current *= ratio
	b.n++
	if b.log < leastLog {
		if b.log += math.Log(ratio); b.log >= leastLog {
			b.current = math.Exp(b.log)
		}
	}
}

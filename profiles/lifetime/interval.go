package lifetime

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// tailMass is the probability that a distribution of counts may leave out.
const tailMass = 1e-5

// countQuantile returns the least n whose cumulative probability reaches q,
// where the counts hold with probability alive and are zero otherwise.
func countQuantile(counts []float64, alive, q float64) float64 {
	sum := 1 - alive
	for n, p := range counts {
		if sum += alive * p; sum >= q {
			return float64(n)
		}
	}
	return float64(len(counts) - 1)
}

// amounts is the distribution of the sums of the amounts of one customer, who is
// alive, over a time in which counts are the probabilities of n purchase days. Given
// the rate nu of the amounts a sum of n is gamma (shape p n); nu itself is gamma
// (shape, rate), so sum/rate is beta prime (p n, shape). The rate is left to the
// caller: everything here is of rate 1.
type amounts struct {
	counts   []float64
	p, shape float64
	sums     *sums
	// guess is where the search for a quantile starts, and rungs are below at it
	// times powers of 2, where every search begins; NaN where not yet known.
	guess float64
	rungs [2 * middleRung]float64
}

// middleRung is the place of the guess itself.
const middleRung = 6

func newAmounts(counts []float64, p, shape float64, s *sums) amounts {
	m := amounts{counts: counts, p: p, shape: shape, sums: s}
	mean := 0.0
	for n, probability := range counts {
		mean += float64(n) * probability
	}
	m.guess = 2 * mean * p / shape
	for i := range m.rungs {
		m.rungs[i] = math.NaN()
	}
	return m
}

// sums holds what betaPrime needs of n, for one p, and a table of the normal
// distribution.
type sums struct {
	spread []float64 // 1/(9 p n)
	root   []float64 // (p n)^(-1/3)
	normal []float64
}

const (
	// maxBins bounds the number of sums of amounts that are told apart: the
	// counts of very heavy buyers are taken together in steps of less than 1 %.
	maxBins     = 512
	normalRange = 8
	normalSteps = 256 // per standard deviation: linear in between, right within 1e-6
)

func newSums(p float64) *sums {
	s := &sums{spread: make([]float64, maxBins), root: make([]float64, maxBins)}
	for n := 1; n < maxBins; n++ {
		s.spread[n], s.root[n] = 1/(9*p*float64(n)), 1/math.Cbrt(p*float64(n))
	}
	for i := range 2*normalRange*normalSteps + 2 {
		z := float64(i)/normalSteps - normalRange
		s.normal = append(s.normal, 0.5*math.Erfc(-z/math.Sqrt2))
	}
	return s
}

// cumulative is the standard normal distribution function.
func (s *sums) cumulative(z float64) float64 {
	at := (z + normalRange) * normalSteps
	if !(at > 0) {
		return 0
	}
	if at >= 2*normalRange*normalSteps {
		return 1
	}
	i := int(at)
	return s.normal[i] + (at-float64(i))*(s.normal[i+1]-s.normal[i])
}

// quantile returns the quantile q of the money of a customer who is alive with the
// given probability, within 0.1 % of the distribution of betaPrime.
func (m *amounts) quantile(alive, q float64) float64 {
	none := 1 - alive + alive*m.counts[0]
	if none >= q {
		return 0
	}
	return solve(func(v float64) float64 { return none + alive*m.below(v) }, q, m.guess)
}

// below is the probability that something is spent, and no more than v.
func (m *amounts) below(v float64) float64 {
	share, power := math.Frexp(v / m.guess)
	rung := power - 1 + middleRung
	if share != .5 || rung < 0 || rung >= len(m.rungs) {
		return m.add(v)
	}
	if math.IsNaN(m.rungs[rung]) {
		m.rungs[rung] = m.add(v)
	}
	return m.rungs[rung]
}

// add adds up below over the numbers of purchase days.
func (m *amounts) add(v float64) (sum float64) {
	root := math.Cbrt(v * m.shape)
	step := 1 + len(m.counts)/maxBins
	if step == 1 {
		n := 1
		for ; n < len(m.counts) && (m.shape < 3 || m.p*float64(n) < 3); n++ {
			sum += m.counts[n] * m.betaPrime(v, root, float64(n))
		}
		return m.sums.add(sum, m.counts, n, root, 1/(9*m.shape))
	}
	for n := 1; n < len(m.counts); n += step {
		end, prob := min(n+step, len(m.counts)), 0.0
		for _, p := range m.counts[n:end] {
			prob += p
		}
		sum += prob * m.betaPrime(v, root, float64(n+end-1)/2)
	}
	return sum
}

// add adds what betaPrime says of n purchase days and more to sum.
func (s *sums) add(sum float64, counts []float64, n int, root, other float64) float64 {
	for ; n < len(counts); n++ {
		f := root * s.root[n]
		z := ((1-other)*f - (1 - s.spread[n])) / math.Sqrt(other*f*f+s.spread[n])
		if z < -normalRange {
			break // More purchases are still less likely to be that cheap.
		}
		sum += counts[n] * s.cumulative(z)
	}
	return sum
}

// betaPrime is P(V <= v) for V = G(p n)/G(shape), a ratio of independent gamma
// variables, with root the cube root of v times shape. Paulson's transformation
// of the F distribution to a normal one is right within .0025 from p n = 3 and
// shape = 3 on and costs a hundredth of the exact incomplete beta function,
// which serves the rest.
func (m *amounts) betaPrime(v, root, n float64) float64 {
	a := m.p * n
	if m.shape < 3 || a < 3 {
		return mathext.RegIncBeta(a, m.shape, v/(1+v))
	}
	var spread, f float64
	if i := int(n); i < maxBins && float64(i) == n {
		spread, f = m.sums.spread[i], root*m.sums.root[i]
	} else {
		spread, f = 1/(9*a), root/math.Cbrt(a)
	}
	other := 1 / (9 * m.shape)
	return m.sums.cumulative(((1-other)*f - (1 - spread)) / math.Sqrt(other*f*f+spread))
}

// solve returns where the increasing function f, less than q at zero, reaches
// q, within 0.1 %, starting from a guess: a factor of two is found, then cut
// down by false position (Illinois), or by halves where that is slow.
func solve(f func(float64) float64, q, guess float64) float64 {
	high := math.Min(math.Max(guess, smallest), math.MaxFloat64/8)
	above := f(high) - q
	for above < 0 && high < math.MaxFloat64/4 {
		high *= 2
		above = f(high) - q
	}
	low := high / 2
	under := f(low) - q
	for under >= 0 && low > smallest {
		high, above = low, under
		low /= 2
		under = f(low) - q
	}
	side := 0
	for i := 0; i < 30 && high-low > 0.001*high; i++ {
		at := (low*above - high*under) / (above - under)
		if !(at > low && at < high) || i > 10 {
			at = (low + high) / 2
		}
		v := f(at) - q
		if math.Abs(v) < 1e-6 {
			return at
		}
		if v < 0 {
			low, under = at, v
			if side < 0 {
				above /= 2
			}
			side = -1
		} else {
			high, above = at, v
			if side > 0 {
				under /= 2
			}
			side = 1
		}
	}
	return (low + high) / 2
}

// smallest is what counts as zero in the search for a quantile.
const smallest = 1e-100

// gammaQuantiles returns two quantiles of a gamma distribution of rate 1.
func gammaQuantiles(shape, low, high float64) (float64, float64) {
	return mathext.GammaIncRegInv(shape, low), mathext.GammaIncRegInv(shape, high)
}

// normalQuantile returns the standard normal quantile of q.
func normalQuantile(q float64) float64 { return distuv.UnitNormal.Quantile(q) }

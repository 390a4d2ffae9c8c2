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

// amounts is the distribution of sums of the amounts of one customer. Given the
// rate nu of the amounts a sum of n is gamma (shape p n); nu itself is gamma
// (shape, rate), so sum/rate is beta prime (p n, shape). The rate is left to the
// caller: everything here is of rate 1.
type amounts struct {
	p, shape float64
	sums     *sums
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

// quantile returns the quantile q of the money spent on N purchase days, N as in
// countQuantile, within 0.1 % of the distribution of betaPrime.
func (m amounts) quantile(counts []float64, alive, q float64) float64 {
	none := 1 - alive + alive*counts[0]
	if none >= q {
		return 0
	}
	step := 1 + len(counts)/maxBins
	below := func(v float64) float64 {
		sum, root := 0.0, math.Cbrt(v*m.shape)
		for n := 1; n < len(counts); n += step {
			if step == 1 {
				sum += counts[n] * m.betaPrime(v, root, float64(n))
				continue
			}
			end, prob := min(n+step, len(counts)), 0.0
			for _, p := range counts[n:end] {
				prob += p
			}
			middle := float64(n+end-1) / 2
			sum += prob * m.betaPrime(v, root, middle)
		}
		return none + alive*sum
	}
	mean := 0.0
	for n, p := range counts {
		mean += float64(n) * p
	}
	return solve(below, q, 2*mean*m.p/m.shape)
}

// betaPrime is P(V <= v) for V = G(p n)/G(shape), a ratio of independent gamma
// variables, with root the cube root of v times shape. Paulson's transformation
// of the F distribution to a normal one is right within .0025 from p n = 3 and
// shape = 3 on and costs a hundredth of the exact incomplete beta function,
// which serves the rest.
func (m amounts) betaPrime(v, root, n float64) float64 {
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

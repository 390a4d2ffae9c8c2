package lifetime

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// BetaBernoulli is the BG/BB model (Fader, Hardie, Shang 2010, Marketing Science
// 29(6), 1086-1108), of customers who can buy only at given moments, such as the
// yearly appeal of a charity or an annual event: each moment a customer who is alive
// takes, with a probability that differs between customers by a beta distribution
// (Alpha, Beta), and drops out before it with one that differs by another (Gamma,
// Delta).
type BetaBernoulli struct {
	Alpha, Beta, Gamma, Delta float64
}

// Moments is the history of customers who were offered N moments after the first
// purchase: they took X of them, the last of those the Last-th (0 where X is 0).
type Moments struct {
	X, Last, N int
	// Customers have this history; 0 counts as 1.
	Customers float64
}

// Check returns the reason why the history contradicts itself, or "".
func (h Moments) Check() Reason {
	switch {
	case h.X < 0 || h.Last < 0 || h.N < 0 || !(h.Customers >= 0):
		return NegativeValue
	case h.N > maxMoments || !finite(h.Customers):
		return OutOfRange
	case h.Last > h.N || h.X > h.Last:
		return RecencyAfterAge
	case h.X == 0 && h.Last > 0:
		return RecencyNoRepeat
	}
	return ""
}

// maxMoments bounds the moments of a history.
const maxMoments = 10_000

func (h Moments) count() float64 {
	if h.Customers == 0 {
		return 1
	}
	return h.Customers
}

// Parameters lists alpha, beta, gamma and delta.
func (m BetaBernoulli) Parameters() []Parameter {
	return []Parameter{{"alpha", m.Alpha}, {"beta", m.Beta}, {"gamma", m.Gamma}, {"delta", m.Delta}}
}

// FitMoments fits the model by maximum likelihood, and returns the log likelihood. It
// refuses histories that contradict themselves (*InvalidError) and fewer customers than
// DefaultConfig asks for (ErrNotEnoughData).
func FitMoments(histories []Moments) (BetaBernoulli, float64, error) {
	customers, repeaters, least := 0.0, 0.0, DefaultConfig()
	for _, h := range histories {
		if reason := h.Check(); reason != "" {
			return BetaBernoulli{}, 0, &InvalidError{Reason: reason}
		}
		if h.N > 0 {
			customers += h.count()
		}
		if h.X > 0 {
			repeaters += h.count()
		}
	}
	if customers < float64(least.MinCustomers) {
		return BetaBernoulli{}, 0, &NotEnoughDataError{What: "customers with a moment to buy at", Have: int(customers), Need: least.MinCustomers}
	}
	if repeaters < float64(least.MinRepeaters) {
		return BetaBernoulli{}, 0, &NotEnoughDataError{What: "customers with a repeat purchase", Have: int(repeaters), Need: least.MinRepeaters}
	}
	starts := [][]float64{{0, 0, -.7, .7}, {.7, 0, -1.5, 1.5}, {-.7, .7, 0, 0}}
	best, err := maximise(momentsLikelihood(histories), starts, 0, customers)
	if err != nil {
		return BetaBernoulli{}, 0, fmt.Errorf("fit moments: %w", err)
	}
	return betaBernoulli(best.theta), best.value, nil
}

func betaBernoulli(theta []float64) BetaBernoulli {
	return BetaBernoulli{math.Exp(theta[0]), math.Exp(theta[1]), math.Exp(theta[2]), math.Exp(theta[3])}
}

// momentsLikelihood is the log likelihood over the logarithms of the parameters.
func momentsLikelihood(histories []Moments) objective {
	return func(theta, grad []float64) float64 {
		m, value := betaBernoulli(theta), 0.0
		var sum [4]float64
		for _, h := range histories {
			log := m.logLikelihood(h)
			value += h.count() * log
			// Each way that a history may have come about counts by its share.
			m.ways(h, func(taken, missed, dropped, stayed float64) {
				share := h.count() * math.Exp(m.way(taken, missed, dropped, stayed)-log)
				sum[0] += share * slope(m.Alpha, m.Beta, taken, missed)
				sum[1] += share * slope(m.Beta, m.Alpha, missed, taken)
				sum[2] += share * slope(m.Gamma, m.Delta, dropped, stayed)
				sum[3] += share * slope(m.Delta, m.Gamma, stayed, dropped)
			})
		}
		grad[0], grad[1], grad[2], grad[3] = sum[0]*m.Alpha, sum[1]*m.Beta, sum[2]*m.Gamma, sum[3]*m.Delta
		return value
	}
}

// slope is the derivative of ln B(a+m, b+n) - ln B(a, b) by a.
func slope(a, b, m, n float64) float64 {
	return mathext.Digamma(a+m) - mathext.Digamma(a) - mathext.Digamma(a+b+m+n) + mathext.Digamma(a+b)
}

// way is the logarithm of the probability of one order of moments taken and missed, and
// of dropping out (0 or 1) after some that were stayed for.
func (m BetaBernoulli) way(taken, missed, dropped, stayed float64) float64 {
	return mathext.Lbeta(m.Alpha+taken, m.Beta+missed) - mathext.Lbeta(m.Alpha, m.Beta) +
		mathext.Lbeta(m.Gamma+dropped, m.Delta+stayed) - mathext.Lbeta(m.Gamma, m.Delta)
}

// ways calls f for each way in which a history may have come about: alive at the end,
// or dropped out after any moment since the last that was taken.
func (m BetaBernoulli) ways(h Moments, f func(taken, missed, dropped, stayed float64)) {
	x := float64(h.X)
	f(x, float64(h.N-h.X), 0, float64(h.N))
	for last := h.Last; last < h.N; last++ {
		f(x, float64(last-h.X), 1, float64(last))
	}
}

// logLikelihood of a history.
func (m BetaBernoulli) logLikelihood(h Moments) float64 {
	sum := math.Inf(-1)
	m.ways(h, func(taken, missed, dropped, stayed float64) {
		if log := m.way(taken, missed, dropped, stayed); !math.IsInf(log, -1) {
			sum = logSumExp(sum, log)
		}
	})
	return sum
}

// Alive returns the probability that a customer is alive at the next moment.
func (m BetaBernoulli) Alive(h Moments) (float64, error) {
	if reason := h.Check(); reason != "" {
		return 0, &InvalidError{Reason: reason}
	}
	log := m.way(float64(h.X), float64(h.N-h.X), 0, float64(h.N+1)) - m.logLikelihood(h)
	return kept(math.Exp(log), 1)
}

// Expected returns how many of the next moments a customer is expected to take: the
// sum over them of being alive and of taking one, of positive terms alone.
func (m BetaBernoulli) Expected(h Moments, next int) (float64, error) {
	if reason := h.Check(); reason != "" {
		return 0, &InvalidError{Reason: reason}
	}
	if next < 0 || next > maxMoments {
		return 0, errors.New("the next moments must be 0 or more, and not beyond number")
	}
	log, sum := m.logLikelihood(h), 0.0
	for k := 1; k <= next; k++ {
		sum += math.Exp(m.way(float64(h.X+1), float64(h.N-h.X), 0, float64(h.N+k)) - log)
	}
	return kept(sum, float64(next))
}

// kept is v within its range, or ErrOutOfRange where it is no number.
func kept(v, most float64) (float64, error) {
	if !finite(v) {
		return 0, ErrOutOfRange
	}
	return math.Min(math.Max(v, 0), most), nil
}

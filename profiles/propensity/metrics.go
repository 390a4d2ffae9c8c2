package propensity

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// leastProbability bounds every probability away from 0 and 1: nothing is
// certain, and one example must not make the log loss infinite.
const leastProbability = 1e-6

// Metrics say how good probabilities are.
type Metrics struct {
	Rows      int     `json:"rows"`
	Positives int     `json:"positives"`
	AUC       float64 `json:"auc"`
	PRAUC     float64 `json:"pr_auc"`
	LogLoss   float64 `json:"log_loss"`
	Brier     float64 `json:"brier"`
	// ECE is the expected calibration error over ten bins of equal width.
	ECE float64 `json:"ece"`
	// Lift is the rate among the tenth with the highest probabilities over that
	// of all; Lift1 and Lift5 those of the highest 1 and 5 %.
	Lift  float64 `json:"lift"`
	Lift5 float64 `json:"lift_5"`
	Lift1 float64 `json:"lift_1"`
}

// Measure compares probabilities with answers.
func Measure(p []float64, y []bool) Metrics {
	order := ranking(p)
	m := Metrics{Rows: len(p), LogLoss: logLoss(p, y), ECE: ece(Reliability(p, y, 10))}
	for i, v := range p {
		d := v
		if y[i] {
			m.Positives++
			d--
		}
		m.Brier += d * d
	}
	if m.Rows == 0 {
		return m
	}
	m.Brier /= float64(m.Rows)
	m.AUC, m.PRAUC = ranked(p, y, order, nil)
	m.Lift, m.Lift5, m.Lift1 = lift(y, p, order, .1), lift(y, p, order, .05), lift(y, p, order, .01)
	return m
}

// ranking orders the rows by probability, the highest first.
func ranking(p []float64) []int32 {
	order := make([]int32, len(p))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p[b], p[a]), cmp.Compare(a, b))
	})
	return order
}

// ranked is the area under the receiver operating characteristic, equal
// probabilities counting half, and that under precision over recall; both .5
// and 0 where there is one answer only. Weights may be nil.
func ranked(p []float64, y []bool, order []int32, weight []uint8) (auc, pr float64) {
	var positives, negatives, area float64
	for from := 0; from < len(order); {
		up, down := 0.0, 0.0
		to := from
		for ; to < len(order) && p[order[to]] == p[order[from]]; to++ {
			w := 1.0
			if weight != nil {
				w = float64(weight[order[to]])
			}
			if y[order[to]] {
				up += w
			} else {
				down += w
			}
		}
		area += down * (positives + up/2)
		positives, negatives = positives+up, negatives+down
		if total := positives + negatives; total > 0 {
			pr += up * positives / total
		}
		from = to
	}
	if positives == 0 || negatives == 0 {
		return .5, 0
	}
	return area / (positives * negatives), pr / positives
}

func logLoss(p []float64, y []bool) float64 {
	sum := 0.0
	for i := range p {
		sum += loss(p[i], y[i])
	}
	return sum / math.Max(1, float64(len(p)))
}

// loss is that of one example.
func loss(p float64, y bool) float64 {
	if !y {
		p = 1 - p
	}
	return -math.Log(math.Max(p, leastProbability))
}

// lift is that of the share with the highest probabilities. Of those that share
// the last probability, each counts in part.
func lift(y []bool, p []float64, order []int32, share float64) float64 {
	n := int(math.Max(1, math.Round(share*float64(len(order)))))
	last := p[order[n-1]]
	all, sure, tied, tiedUp := 0.0, 0.0, 0.0, 0.0
	above := 0.0
	for _, r := range order {
		up := 0.0
		if y[r] {
			up = 1
		}
		all += up
		switch {
		case p[r] > last:
			sure += up
			above++
		case p[r] == last:
			tied++
			tiedUp += up
		}
	}
	if all == 0 {
		return 0
	}
	top := sure + tiedUp*(float64(n)-above)/tied
	return top / float64(n) / (all / float64(len(order)))
}

// Bin is a line of a reliability table: of the rows whose probability lies in
// the bin, what was expected and what came.
type Bin struct {
	From     float64 `json:"from"`
	To       float64 `json:"to"`
	Rows     int     `json:"rows"`
	Expected float64 `json:"expected"`
	Observed float64 `json:"observed"`
}

// Reliability is the reliability table over bins of equal width.
func Reliability(p []float64, y []bool, bins int) []Bin {
	out := make([]Bin, bins)
	for i := range out {
		out[i].From, out[i].To = float64(i)/float64(bins), float64(i+1)/float64(bins)
	}
	for i, v := range p {
		b := &out[min(bins-1, max(0, int(v*float64(bins))))]
		b.Rows++
		b.Expected += v
		if y[i] {
			b.Observed++
		}
	}
	for i := range out {
		if n := float64(out[i].Rows); n > 0 {
			out[i].Expected /= n
			out[i].Observed /= n
		}
	}
	return out
}

func ece(bins []Bin) float64 {
	sum, n := 0.0, 0
	for _, b := range bins {
		sum += float64(b.Rows) * math.Abs(b.Expected-b.Observed)
		n += b.Rows
	}
	return sum / math.Max(1, float64(n))
}

// Interval is the range that holds a metric in 95 of 100 samples.
type Interval [2]float64

// resamples is the number of samples of Intervals.
const resamples = 200

// Intervals are 95 % intervals of AUC, log loss and Brier score by resampling
// the rows with Poisson weights.
func Intervals(p []float64, y []bool, seed uint64) map[string]Interval {
	order := ranking(p)
	var all [3][]float64
	for i := range all {
		all[i] = make([]float64, resamples)
	}
	parallel(resamples, workers(), func(k int) {
		random := rand.New(rand.NewPCG(seed, uint64(k)+1))
		weight := make([]uint8, len(p))
		n, ll, brier := 0.0, 0.0, 0.0
		for i := range weight {
			weight[i] = poisson(random.Float64())
			w := float64(weight[i])
			n += w
			ll += w * loss(p[i], y[i])
			d := p[i]
			if y[i] {
				d--
			}
			brier += w * d * d
		}
		all[0][k], _ = ranked(p, y, order, weight)
		all[1][k], all[2][k] = ll/math.Max(1, n), brier/math.Max(1, n)
	})
	out := map[string]Interval{}
	for i, name := range []string{"auc", "log_loss", "brier"} {
		slices.Sort(all[i])
		out[name] = Interval{all[i][resamples/40], all[i][resamples-1-resamples/40]}
	}
	return out
}

// poisson is a Poisson variable of mean 1 by inversion.
func poisson(u float64) uint8 {
	k, p := uint8(0), math.Exp(-1)
	for sum := p; u > sum && k < 12; sum += p {
		k++
		p /= float64(k)
	}
	return k
}

// Comparison is the mean difference of the log loss of two models on the same
// examples, and its standard error.
type Comparison struct {
	// Gain is how much lower the log loss of the challenger is.
	Gain          float64 `json:"gain"`
	StandardError float64 `json:"standard_error"`
	// Better is true where the gain is above its standard error.
	Better bool `json:"better"`
}

// Compare judges a challenger against a champion on examples that neither has
// seen. A challenger that is not Better must not replace the champion.
func Compare(champion, challenger []float64, y []bool) Comparison {
	n := float64(len(y))
	if n < 2 {
		return Comparison{}
	}
	sum, square := 0.0, 0.0
	for i := range y {
		d := loss(champion[i], y[i]) - loss(challenger[i], y[i])
		sum += d
		square += d * d
	}
	mean := sum / n
	c := Comparison{Gain: mean, StandardError: math.Sqrt(math.Max(0, square/n-mean*mean) / (n - 1))}
	c.Better = c.Gain > c.StandardError
	return c
}

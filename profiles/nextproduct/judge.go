package nextproduct

import (
	"fmt"
	"math"

	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// Ranking is how good rankings were: means over the customers who bought something.
type Ranking struct {
	// Hit1, Hit3 and Hit10 are the shares of customers who bought one of the first so
	// many products.
	Hit1  float64 `json:"hit_1"`
	Hit3  float64 `json:"hit_3"`
	Hit10 float64 `json:"hit_10"`
	// NDCG10 is the discounted gain of the first ten over that of the best possible
	// order (Järvelin and Kekäläinen 2002).
	NDCG10 float64 `json:"ndcg_10"`
}

// Report is what was seen in the last horizon.
type Report struct {
	// Customers bought something in it, of Known with a past.
	Customers int     `json:"customers"`
	Known     int     `json:"known"`
	Horizon   int     `json:"horizon_days"`
	Model     Ranking `json:"model"`
	// Baselines are popular (what sells) and last_bought (what the customer bought
	// last, the latest first, then what sells).
	Baselines map[string]Ranking `json:"baselines"`
	// Gain is the mean difference in NDCG10 to the better baseline, and StandardError
	// that of it, over customers; Better says that it is more than one of them.
	Gain          float64 `json:"gain"`
	StandardError float64 `json:"standard_error"`
	Better        bool    `json:"better"`
	// Expected is how many products of the rankings of ten were expected to be bought,
	// by all customers with a past, and Bought how many were.
	Expected float64             `json:"expected"`
	Bought   int                 `json:"bought"`
	Weights  []propensity.Weight `json:"weights,omitempty"`
}

// ranked is the length of a ranking that is judged.
const ranked = 10

// judge compares what the model, and the baselines, ranked with what was bought after
// the day of the index.
func (m *Model) judge(customers [][]Basket, until int, cfg Config) (Report, error) {
	r := Report{Horizon: cfg.Horizon, Baselines: map[string]Ranking{}}
	popular := m.index.order[:min(ranked, len(m.index.order))]
	var sums [3]Ranking
	var gains [2][]float64
	step := 1 + (len(customers)-1)/cfg.MaxCustomers
	ranker, reader := m.Ranker(), newReader(len(m.index.popular))
	for i := 0; i < len(customers); i += step {
		history := customers[i]
		next := ranker.Next(history, ranked)
		if len(next) == 0 {
			continue
		}
		r.Known++
		bought := within(history, m.index.until, until)
		mine := make([]int32, len(next))
		for k, p := range next {
			mine[k] = p.Product
			r.Expected += p.Probability
			if bought[p.Product] {
				r.Bought++
			}
		}
		if len(bought) == 0 {
			continue
		}
		r.Customers++
		model := sums[0].add(mine, bought)
		gains[0] = append(gains[0], model-sums[1].add(popular, bought))
		gains[1] = append(gains[1], model-sums[2].add(m.index.last(reader.past(history, m.index.until)), bought))
	}
	if r.Customers*step < cfg.MinCustomers {
		return r, fmt.Errorf("%w: %d customers with a past bought something in the %d days that judge, at least %d are needed", ErrNotEnoughData, r.Customers*step, cfg.Horizon, cfg.MinCustomers)
	}
	n := float64(r.Customers)
	r.Model, r.Baselines["popular"], r.Baselines["last_bought"] = sums[0].over(n), sums[1].over(n), sums[2].over(n)
	better := 0
	if sums[2].NDCG10 > sums[1].NDCG10 {
		better = 1
	}
	r.Gain, r.StandardError = mean(gains[better])
	r.Better = r.Gain > r.StandardError
	return r, nil
}

// last is the baseline of what the customer bought last, the latest first.
func (x *index) last(past []own) []int32 {
	var out []int32
	seen := map[int32]bool{}
	for _, o := range past {
		if len(out) < ranked {
			out, seen[o.product] = append(out, o.product), true
		}
	}
	for _, p := range x.order {
		if len(out) >= ranked {
			break
		}
		if !seen[p] {
			out = append(out, p)
		}
	}
	return out
}

// add counts a ranking, and returns its NDCG10.
func (r *Ranking) add(list []int32, bought map[int32]bool) float64 {
	gain, ideal := 0.0, 0.0
	first := -1
	for k, p := range list {
		if bought[p] {
			gain += 1 / math.Log2(float64(k)+2)
			if first < 0 {
				first = k
			}
		}
	}
	for k := range min(ranked, len(bought)) {
		ideal += 1 / math.Log2(float64(k)+2)
	}
	for at, hits := range map[int]*float64{1: &r.Hit1, 3: &r.Hit3, 10: &r.Hit10} {
		if first >= 0 && first < at {
			*hits++
		}
	}
	r.NDCG10 += gain / ideal
	return gain / ideal
}

func (r Ranking) over(n float64) Ranking {
	return Ranking{r.Hit1 / n, r.Hit3 / n, r.Hit10 / n, r.NDCG10 / n}
}

// mean returns the mean of values and its standard error.
func mean(values []float64) (m, se float64) {
	n := float64(len(values))
	for _, v := range values {
		m += v / n
	}
	for _, v := range values {
		se += (v - m) * (v - m)
	}
	return m, math.Sqrt(se/max(1, n-1)) / math.Sqrt(n)
}

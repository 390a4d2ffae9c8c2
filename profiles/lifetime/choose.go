package lifetime

import (
	"errors"
	"fmt"
	"math"
)

// Candidate is a model of purchase times that was tried, and how well it told
// what it had not seen, over all folds.
type Candidate struct {
	Model Kind `json:"model"`
	// LogScore is the mean logarithm of the probability that the model gave to
	// the number of purchase days that came: the higher the better.
	LogScore float64 `json:"log_score"`
	// MAE, RMSE and TotalBias are those of the expected numbers.
	MAE       float64 `json:"mae"`
	RMSE      float64 `json:"rmse"`
	TotalBias float64 `json:"total_bias"`
	// Failed says why the model is no candidate.
	Failed string `json:"failed,omitempty"`
}

// Choice says which model of purchase times was chosen, and by what.
type Choice struct {
	Model Kind `json:"model"`
	// Reason is a sentence.
	Reason string `json:"reason"`
	// Folds are the days (since 1970) at which the past was cut; empty where
	// there was too little of it.
	Folds      []Fold      `json:"folds"`
	Candidates []Candidate `json:"candidates"`
	// Spend is the choice of the model of spend beside it.
	Spend SpendChoice `json:"-"`
}

// Fold is one time split: fitted up to the day Cut, judged in (Cut, End].
type Fold struct {
	Cut       int `json:"cut_day"`
	End       int `json:"end_day"`
	Customers int `json:"customers"`
}

// chosenFrom bounds the customers that choose a model: the difference between
// the models does not hide in more.
const chosenFrom = 50_000

// candidates are the models among which is chosen, the one first that is
// preferred where nothing tells them apart: it does not say of every customer
// with one purchase that it is alive.
var candidates = []Kind{MBGNBD, ParetoNBD, BGNBD}

// Choose picks the model of purchase times for histories that are known up to
// the end of the day until, by time-split validation within them: each model is
// fitted to the beginning and judged by the log probability of what followed,
// twice. It drops every purchase after until before it looks at anything, so it
// cannot see a holdout. The model of spend is chosen after it (ChooseSpend). The
// models that cfg names are not regarded.
func Choose(histories [][]Purchase, until int, cfg Config) (Choice, error) {
	histories = seen(histories, until)
	choice := Choice{Folds: folds(histories, until, cfg)}
	var trials []trial
	for _, kind := range candidates {
		cfg.Model = kind
		trials = append(trials, try(histories, choice.Folds, cfg))
	}
	best := -1
	for i, t := range trials {
		choice.Candidates = append(choice.Candidates, t.candidate())
		if t.err == nil && t.n > 0 && (best < 0 || t.logScore > trials[best].logScore) {
			best = i
		}
	}
	if best < 0 {
		choice.Folds, choice.Candidates = []Fold{}, []Candidate{}
		choice.Model, choice.Reason = candidates[0], "too little history to split: the default of the models"
		choice.Spend = chooseSpend(trial{}, cfg)
		return choice, cfg.Validate()
	}
	choice.Model = candidates[best]
	choice.Reason = fmt.Sprintf("highest mean log score in %d time splits within the calibration period", len(choice.Folds))
	choice.Spend = chooseSpend(trials[best], cfg)
	return choice, nil
}

// seen returns at most chosenFrom histories without what came after until. The
// purchases of the caller stay as they are.
func seen(histories [][]Purchase, until int) [][]Purchase {
	step := 1 + (len(histories)-1)/chosenFrom
	var out [][]Purchase
	for i := 0; i < len(histories); i += step {
		var kept []Purchase
		for _, p := range histories[i] {
			if p.Day <= until {
				kept = append(kept, p)
			}
		}
		if len(kept) > 0 {
			out = append(out, kept)
		}
	}
	return out
}

// folds cuts the time from the first purchase to until at a half and at three
// quarters, each judged in the quarter that follows. A cut that leaves too few
// customers is none.
func folds(histories [][]Purchase, until int, cfg Config) []Fold {
	first := until
	for _, h := range histories {
		for _, p := range h {
			first = min(first, p.Day)
		}
	}
	out := []Fold{}
	quarter := (until - first) / 4
	if quarter < 1 {
		return out
	}
	for _, cut := range []int{until - 2*quarter, until - quarter} {
		customers, repeaters := 0, 0
		for _, h := range histories {
			if c, ok := Summarize(h, cut, cfg.Unit); ok && c.Age > 0 {
				customers++
				repeaters += min(1, c.Frequency)
			}
		}
		if customers >= cfg.MinCustomers && repeaters >= cfg.MinRepeaters {
			out = append(out, Fold{Cut: cut, End: cut + quarter, Customers: customers})
		}
	}
	return out
}

// trial is a model under judgement.
type trial struct {
	kind                                 Kind
	n, logScore                          float64
	absolute, square, predicted, counted float64
	err                                  error
	splits                               []split
}

// split is what a trial saw of a fold: the customers at the cut, the purchases
// expected of each, and the money that came.
type split struct {
	customers       []Customer
	expected, money []float64
}

func try(histories [][]Purchase, folds []Fold, cfg Config) trial {
	t := trial{kind: cfg.Model}
	for _, f := range folds {
		if t.err == nil {
			t.err = t.fold(histories, f, cfg)
		}
	}
	return t
}

// leastProbability is what a number of purchases counts for that a model holds
// to be next to impossible: one customer must not decide.
const leastProbability = 1e-9

// fold fits at the cut and judges what follows.
func (t *trial) fold(histories [][]Purchase, f Fold, cfg Config) error {
	customers := make([]Customer, 0, len(histories))
	var actual, money []float64
	for _, h := range histories {
		if c, ok := Summarize(h, f.Cut, cfg.Unit); ok {
			n, m := Within(h, f.Cut, f.End)
			customers, actual, money = append(customers, c), append(actual, float64(n)), append(money, m)
		}
	}
	fitted, err := Fit(customers, cfg)
	if err != nil {
		return err
	}
	horizon := float64(f.End-f.Cut) / cfg.Unit.Days()
	var counts []float64
	var s split
	for i, c := range customers {
		if c.Check() != "" {
			continue
		}
		future := fitted.Purchases.posterior(c)
		alive := fitted.Purchases.Alive(c)
		expected := alive * future.expected(horizon)
		if !finite(expected) || !(future.unbroken(horizon) <= maxCounts/2) {
			return errors.New("expected purchases are out of range")
		}
		counts = future.counts(horizon, leastProbability, counts[:0])
		t.add(probability(counts, alive, actual[i]), expected, actual[i])
		s.customers, s.expected, s.money = append(s.customers, c), append(s.expected, expected), append(s.money, money[i])
	}
	t.splits = append(t.splits, s)
	return nil
}

// probability is that of n purchases.
func probability(counts []float64, alive, n float64) float64 {
	p := 0.0
	if int(n) < len(counts) {
		p = alive * counts[int(n)]
	}
	if n == 0 {
		p += 1 - alive
	}
	return math.Max(p, leastProbability)
}

func (t *trial) add(probability, expected, actual float64) {
	t.n++
	t.logScore += math.Log(probability)
	t.absolute += math.Abs(expected - actual)
	t.square += (expected - actual) * (expected - actual)
	t.predicted += expected
	t.counted += actual
}

func (t *trial) candidate() Candidate {
	c := Candidate{Model: t.kind}
	if t.err != nil {
		c.Failed = t.err.Error()
		return c
	}
	if t.n > 0 {
		c.LogScore, c.MAE, c.RMSE = t.logScore/t.n, t.absolute/t.n, math.Sqrt(t.square/t.n)
	}
	if t.counted > 0 {
		c.TotalBias = t.predicted/t.counted - 1
	}
	return c
}

// Within returns the purchase days in (from, to] and their money.
func Within(purchases []Purchase, from, to int) (days int, money float64) {
	var in []Purchase
	for _, p := range purchases {
		if p.Day > from && p.Day <= to {
			in = append(in, p)
		}
	}
	in = MergeDays(in)
	for _, p := range in {
		money += p.Amount
	}
	return len(in), money
}

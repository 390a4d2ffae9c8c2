package lifetime

import (
	"fmt"
	"math"
)

// SpendCandidate is a model of spend that was tried, and how well it told, with
// the chosen model of purchase times, the money that it had not seen: means
// over the folds.
type SpendCandidate struct {
	Model SpendKind `json:"model"`
	// GiniMoney says how well the order of the customers by expected money was
	// that of what came (Gini): the higher the better.
	GiniMoney float64 `json:"gini_money"`
	// MAE is the mean absolute error per customer, in money, and TotalBias what
	// was expected over what came, less 1.
	MAE       float64 `json:"mae"`
	TotalBias float64 `json:"total_bias"`
	// Failed says why the model is no candidate.
	Failed string `json:"failed,omitempty"`
}

// SpendChoice says which model of spend was chosen, and by what.
type SpendChoice struct {
	Model SpendKind `json:"model"`
	// Reason is a sentence.
	Reason     string           `json:"reason"`
	Candidates []SpendCandidate `json:"candidates"`
}

// spendCandidates are the models of spend among which is chosen, the one first
// that is preferred where nothing tells them apart: the published one.
var spendCandidates = []SpendKind{SpendRepeat, SpendAll, SpendMoments}

// ChooseSpend picks the model of spend beside the model of purchase times that
// cfg names, by the same time splits as Choose and as blind to what came after
// until: the one whose expected money had most nearly the order of what came.
// Who is worth most is what a lifetime value is asked for, and money has too
// long a tail for its squared error to tell models apart.
func ChooseSpend(histories [][]Purchase, until int, cfg Config) (SpendChoice, error) {
	if err := cfg.Validate(); err != nil {
		return SpendChoice{}, err
	}
	histories = seen(histories, until)
	return chooseSpend(try(histories, folds(histories, until, cfg), cfg), cfg), nil
}

// chooseSpend judges the models of spend by the folds of a trial.
func chooseSpend(t trial, cfg Config) SpendChoice {
	choice := SpendChoice{Model: spendCandidates[0], Candidates: []SpendCandidate{}}
	choice.Reason = "too little history to split: the default of the models"
	if t.err != nil || len(t.splits) == 0 {
		return choice
	}
	best := -1
	for i, kind := range spendCandidates {
		cfg.Spend = kind
		c := trySpend(t.splits, cfg)
		choice.Candidates = append(choice.Candidates, c)
		if c.Failed == "" && (best < 0 || c.GiniMoney > choice.Candidates[best].GiniMoney) {
			best = i
		}
	}
	if best < 0 {
		choice.Reason = "no model of spend fits the beginning of the calibration period: the default of the models"
		return choice
	}
	choice.Model = spendCandidates[best]
	choice.Reason = fmt.Sprintf("highest money Gini in %d time splits within the calibration period", len(t.splits))
	return choice
}

// trySpend fits one model of spend to each beginning and judges what followed.
func trySpend(splits []split, cfg Config) SpendCandidate {
	out := SpendCandidate{Model: cfg.Spend}
	n := float64(len(splits))
	for _, s := range splits {
		spend, err := fitSpend(s.customers, cfg)
		if err != nil {
			return SpendCandidate{Model: cfg.Spend, Failed: err.Error()}
		}
		worth := make([]float64, len(s.customers))
		var total, predicted, absolute float64
		for i, c := range s.customers {
			worth[i] = s.expected[i] * spend.Expected(c)
			if !finite(worth[i]) {
				return SpendCandidate{Model: cfg.Spend, Failed: "expected money is out of range"}
			}
			total += s.money[i]
			predicted += worth[i]
			absolute += math.Abs(worth[i] - s.money[i])
		}
		out.GiniMoney += Gini(worth, s.money) / n
		out.MAE += absolute / float64(max(1, len(worth))) / n
		if total > 0 {
			out.TotalBias += (predicted/total - 1) / n
		}
	}
	return out
}

package propensity

import (
	"fmt"
	"slices"
)

// Baseline is what a model is compared with.
type Baseline struct {
	// Feature is that of the best single one.
	Feature string `json:"feature,omitempty"`
	Metrics
	// Beaten is the gain of the model in log loss over it.
	Beaten Comparison `json:"beaten"`
}

// Part is a set of rows that were judged, by a model that had not seen them.
type Part struct {
	Set       string   `json:"set"`
	Rows      int      `json:"rows"`
	Positives int      `json:"positives"`
	TrainRows int      `json:"train_rows"`
	TrainRate float64  `json:"train_rate"`
	Model     Family   `json:"model"`
	Trees     int      `json:"trees,omitempty"`
	Reason    string   `json:"reason"`
	Calibrate string   `json:"calibration"`
	AUC       float64  `json:"auc"`
	LogLoss   float64  `json:"log_loss"`
	Weights   []Weight `json:"weights"`
	// Shift is whether and how the probabilities followed the base rate.
	Shift *PriorShift `json:"prior_shift,omitempty"`
}

// Result is what an evaluation says. Predictions are by row of the table; those
// of rows that were trained on are of the model that had seen them.
type Result struct {
	Metrics     Metrics
	Intervals   map[string]Interval
	Baselines   map[string]Baseline
	Reliability []Bin
	Leaks       []Leak
	Parts       []Part
	// Split says how the rows that judge were chosen.
	Split       string
	Exclusions  []Exclusion
	Drift       []Drift
	Predictions []float64
	// Set is train, holdout, fold1 …, new, or "" for a row without a part.
	Set []string
	// NewShift is whether and how the probabilities of rows without an answer
	// followed the base rate.
	NewShift *PriorShift
	// Models are those of the parts, in their order.
	Models []*Model
}

// Examples are rows with their answers.
type Examples struct {
	Table *Table
	// Y are the answers, by row; those of rows that are not Labelled do not
	// count.
	Y []bool
	// Labelled are the rows with an answer, New those without.
	Labelled, New []int32
	// When is the time of each row; nil where it has none.
	When []int64
}

// Evaluate checks the examples, trains and judges. Where leaks stop it, the
// result has the leaks and exclusions alone and the error is a *LeakError; where no
// feature is left, it has the exclusions.
func Evaluate(e *Examples, cfg Config) (*Result, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("propensity configuration: %w", err)
	}
	if err := e.Table.Validate(); err != nil {
		return nil, fmt.Errorf("examples: %w", err)
	}
	if e.When != nil {
		cfg.Ordered = true
	}
	v := &evaluation{e: e, cfg: cfg, r: &Result{Predictions: make([]float64, e.Table.Rows), Set: make([]string, e.Table.Rows)}}
	v.rows = slices.Clone(e.Labelled)
	if e.When != nil {
		slices.SortStableFunc(v.rows, func(a, b int32) int {
			switch {
			case e.When[a] < e.When[b]:
				return -1
			case e.When[a] > e.When[b]:
				return 1
			}
			return 0
		})
	}
	if err := v.check(); err != nil {
		return nil, err
	}
	v.t, v.r.Exclusions = e.Table.usable(v.rows)
	if len(v.t.Columns) == 0 {
		return v.r, fmt.Errorf("%w: no feature is left", ErrNotEnoughData)
	}
	folds := v.divide()
	v.r.Leaks = findLeaks(v.t, folds[0].train, e.Y, e.When, cfg)
	if Stopping(v.r.Leaks) {
		return v.r, &LeakError{v.r.Leaks}
	}
	return v.r, v.judge(folds)
}

// evaluation is one under way.
type evaluation struct {
	e    *Examples
	t    *Table
	cfg  Config
	rows []int32 // labelled, in order
	r    *Result

	judged        []int32
	p, base, best []float64
	y             []bool
	bestName      string
}

// check refuses too few answers.
func (v *evaluation) check() error {
	up := 0
	for _, r := range v.rows {
		if v.e.Y[r] {
			up++
		}
	}
	if least := min(up, len(v.rows)-up); least < v.cfg.MinPositives {
		return fmt.Errorf("%w: of %d examples %d are positive and %d are not; at least %d of each are needed", ErrNotEnoughData, len(v.rows), up, len(v.rows)-up, v.cfg.MinPositives)
	}
	return nil
}

// divide makes the parts that judge.
func (v *evaluation) divide() []fold {
	cfg := v.cfg
	switch {
	case cfg.Ordered && cfg.Folds > 0:
		v.r.Split = fmt.Sprintf("%d parts in the order of time, each judged by what came before it", cfg.Folds)
		return forward(v.rows, v.e.When, cfg.Folds)
	case cfg.Ordered:
		v.r.Split = fmt.Sprintf("the latest %.0f %%", 100*cfg.Holdout)
		return []fold{latest(v.rows, v.e.When, cfg.Holdout)}
	case cfg.Folds > 0:
		v.r.Split = fmt.Sprintf("%d random folds of equal rate", cfg.Folds)
		return shuffled(v.rows, v.e.Y, cfg.Folds, v.cfg.Seed)
	}
	v.r.Split = fmt.Sprintf("a random %.0f %%", 100*cfg.Holdout)
	return []fold{drawn(v.rows, v.e.Y, cfg.Holdout, cfg.Seed)}
}

// judge trains on every fold and measures all that was held out.
func (v *evaluation) judge(folds []fold) error {
	for i, f := range folds {
		if len(f.test) == 0 || len(f.train) == 0 {
			return fmt.Errorf("%w: all rows have one time, so nothing is later than the rest", ErrNotEnoughData)
		}
		set := "holdout"
		if v.cfg.Folds > 0 {
			set = fmt.Sprintf("fold%d", i+1)
		}
		if err := v.part(set, f); err != nil {
			return err
		}
	}
	r := v.r
	r.Metrics = Measure(v.p, v.y)
	if r.Metrics.Positives == 0 || r.Metrics.Positives == r.Metrics.Rows {
		return fmt.Errorf("%w: the rows that judge have one answer only", ErrNotEnoughData)
	}
	r.Intervals = Intervals(v.p, v.y, v.cfg.Seed)
	r.Reliability = Reliability(v.p, v.y, 10)
	r.Baselines = map[string]Baseline{
		"base_rate":      {Metrics: Measure(v.base, v.y), Beaten: Compare(v.base, v.p, v.y)},
		"single_feature": {Feature: v.bestName, Metrics: Measure(v.best, v.y), Beaten: Compare(v.best, v.p, v.y)},
	}
	last := folds[len(folds)-1]
	if v.cfg.Ordered {
		r.Drift = Drifts(v.t, last.train, last.test)
	}
	// What no part judges is what the first one was trained on.
	if v.cfg.Folds == 0 || v.cfg.Ordered {
		v.set(folds[0].train, "train", r.Models[0].Predict(v.t, folds[0].train))
	}
	return v.scoreNew()
}

// part trains on one fold and predicts what it holds out.
func (v *evaluation) part(set string, f fold) error {
	m, err := Train(v.t, f.train, v.e.Y, v.e.When, v.cfg)
	if err != nil {
		return fmt.Errorf("%s: %w", set, err)
	}
	p, shift := m.follow(v.t, f.test)
	v.set(f.test, set, p)
	best, _ := bestSingle(v.t, f.train, v.e.Y)
	column := &v.t.Columns[best]
	v.best = append(v.best, fitSingle(column, f.train, v.e.Y).predict(column, f.test)...)
	v.bestName = column.Name
	var y []bool
	for _, r := range f.test {
		y = append(y, v.e.Y[r])
		v.base = append(v.base, m.BaseRate)
	}
	own := Measure(p, y)
	v.judged, v.p, v.y = append(v.judged, f.test...), append(v.p, p...), append(v.y, y...)
	v.r.Models = append(v.r.Models, m)
	v.r.Parts = append(v.r.Parts, Part{
		Set: set, Rows: own.Rows, Positives: own.Positives, TrainRows: len(f.train), TrainRate: m.BaseRate,
		Model: m.Family, Trees: m.Trees, Reason: m.Reason, Calibrate: m.Calibration.Kind, AUC: own.AUC, LogLoss: own.LogLoss, Weights: m.Weights(), Shift: shift,
	})
	return nil
}

func (v *evaluation) set(rows []int32, name string, p []float64) {
	for i, r := range rows {
		v.r.Set[r], v.r.Predictions[r] = name, p[i]
	}
}

// scoreNew scores the rows without an answer by a model of all that have one.
func (v *evaluation) scoreNew() error {
	if len(v.e.New) == 0 {
		return nil
	}
	m, err := Train(v.t, v.rows, v.e.Y, v.e.When, v.cfg)
	if err != nil {
		return fmt.Errorf("rows without an answer: %w", err)
	}
	p, shift := m.follow(v.t, v.e.New)
	v.set(v.e.New, "new", p)
	v.r.NewShift = shift
	v.r.Models = append(v.r.Models, m)
	return nil
}

package propensity

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Family names a kind of model.
type Family string

// The families. Auto chooses between the other two.
const (
	Auto     Family = "auto"
	Logistic Family = "logistic"
	Boosting Family = "boosting"
)

// ErrNotEnoughData is matched by the refusal to train on too few examples.
var ErrNotEnoughData = errors.New("not enough examples")

// Config says how to train and how to judge.
type Config struct {
	// Model of the family; Auto is the default.
	Model Family
	// Ordered says that the rows stand in the order of time.
	Ordered bool
	// Holdout is the share of the rows that only judges: the latest where rows
	// have an order. Default 0.25. Folds, if not 0, takes the place of it.
	Holdout float64
	Folds   int
	// Seed of every random choice. Default 1.
	Seed uint64
	// MinPositives is the least number of examples of each answer in training.
	// Default 50.
	MinPositives int
	// Allow names features that the leak gates let pass.
	Allow []string
	// Logistic and Boosting say how each is fitted.
	Logistic LogisticConfig
	Boosting BoostingConfig
}

// DefaultConfig returns the defaults named at the fields.
func DefaultConfig() Config {
	return Config{Model: Auto, Holdout: .25, Seed: 1, MinPositives: 50, Logistic: LogisticConfig{L2: 2}, Boosting: DefaultBoosting()}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var faults []error
	fault := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New(text))
		}
	}
	fault(c.Model != Auto && c.Model != Logistic && c.Model != Boosting, fmt.Sprintf("model %q is not auto, logistic or boosting", string(c.Model)))
	fault(!(c.Holdout > 0 && c.Holdout < .9), "holdout must lie above 0 and below 0.9")
	fault(c.Folds < 0 || c.Folds == 1 || c.Folds > 50, "folds must lie between 2 and 50")
	fault(c.MinPositives < 10, "the minimum of positives must be 10 or more")
	fault(!(c.Logistic.L2 > 0), "the penalty of the regression must be above 0")
	b := c.Boosting
	fault(b.Trees < 1 || b.Trees > 10_000 || b.Leaves < 0 || b.Leaves == 1 || b.Leaves > 4096, "trees must be 1 to 10000, of 2 to 4096 leaves")
	fault(!(b.Rate > 0 && b.Rate <= 1) || !(b.L2 >= 0) || !(b.LeastHessian > 0) || !(b.ColumnShare > 0 && b.ColumnShare <= 1), "rate, penalty, least hessian or share of columns is out of range")
	for name, m := range b.Monotone {
		fault(m < -1 || m > 1, fmt.Sprintf("monotone %q must be 1, 0 or -1", name))
	}
	return errors.Join(faults...)
}

// Model is a trained and calibrated model. It is immutable and safe for
// concurrent use.
type Model struct {
	Family Family
	// Reason says why the family was chosen.
	Reason string
	// Trees of boosting; 0 of a regression.
	Trees       int
	Calibration Calibration
	// BaseRate is that of the training rows.
	BaseRate float64
	// Choice compares boosting with the regression on rows inside the training
	// that neither had seen; nil where there was no choice.
	Choice *Comparison
	// Shift is what is known of following the base rate; nil where rows have no
	// order or are too few to tell.
	Shift *PriorShift

	logistic *logistic
	boosting *boosting
}

// Predict returns the probabilities of rows. Columns are found by their names;
// one that is not there is missing, and levels that training had not are new.
// What it says of a row does not depend on the others: the base rate is not
// followed.
func (m *Model) Predict(t *Table, rows []int32) []float64 {
	out := m.margins(t, rows)
	for i, z := range out {
		out[i] = m.Calibration.probability(z)
	}
	return out
}

func (m *Model) margins(t *Table, rows []int32) []float64 {
	if m.boosting != nil {
		return m.boosting.margins(t, rows, workers())
	}
	return m.logistic.margins(t, rows, workers())
}

// Weight is how much a feature counts in a model: its share of what moves the
// log odds of a regression, or of the gain of the trees.
type Weight struct {
	Feature string  `json:"feature"`
	Share   float64 `json:"share"`
}

// Weights lists the features by their share, the greatest first.
func (m *Model) Weights() []Weight {
	var by map[string]float64
	if m.boosting != nil {
		by = m.boosting.importance()
	} else {
		by = m.logistic.importance()
	}
	total := 0.0
	var out []Weight
	for name, v := range by {
		out = append(out, Weight{name, v})
	}
	slices.SortFunc(out, func(a, b Weight) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Feature, b.Feature))
	})
	for _, w := range out {
		total += w.Share
	}
	for i := range out {
		if total > 0 {
			out[i].Share /= total
		}
	}
	return out
}

// Train fits the configured family, or the better one, to rows of a table.
// Rows are in the order of time where cfg.Ordered; when has the time of each row
// of the table, or is nil.
func Train(t *Table, rows []int32, y []bool, when []int64, cfg Config) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("propensity configuration: %w", err)
	}
	up := 0
	for _, r := range rows {
		if y[r] {
			up++
		}
	}
	if least := min(up, len(rows)-up); least < cfg.MinPositives {
		return nil, fmt.Errorf("%w: %d of %d examples are positive; each answer needs at least %d to train on", ErrNotEnoughData, up, len(rows), cfg.MinPositives)
	}
	if len(t.Columns) == 0 {
		return nil, fmt.Errorf("%w: no feature is left", ErrNotEnoughData)
	}
	r := &training{t: t, rows: rows, y: y, cfg: cfg, folds: inner(rows, y, when, cfg.Ordered, cfg.Seed)}
	m := r.choose()
	m.BaseRate = float64(up) / float64(len(rows))
	return m, nil
}

// training is a model under way.
type training struct {
	t     *Table
	rows  []int32
	y     []bool
	cfg   Config
	folds []fold
	held  []bool // answers of the rows that the folds hold out
}

// choose fits and compares on the inner folds, and fits the better one to all.
func (r *training) choose() *Model {
	for _, f := range r.folds {
		for _, row := range f.test {
			r.held = append(r.held, r.y[row])
		}
	}
	m := &Model{Family: r.cfg.Model, Reason: "asked for"}
	if len(r.folds) == 0 {
		return r.simple(m)
	}
	var plain, grown []float64
	if r.cfg.Model != Boosting {
		plain = r.crossLogistic()
	}
	if r.cfg.Model != Logistic {
		var parts [][]float64
		m.Trees, parts = crossFit(r.t, r.folds, r.y, r.cfg.Boosting, r.cfg.Seed)
		grown = slices.Concat(parts...)
	}
	if r.cfg.Model == Auto {
		c := Compare(calibrated(plain), calibrated(grown), r.held)
		m.Choice, m.Family = &c, Logistic
		m.Reason = "boosted trees are not better by more than the standard error"
		if c.Better {
			m.Family, m.Reason = Boosting, "boosted trees are better by more than the standard error"
		}
	}
	calibration := calibrate
	if r.cfg.Ordered {
		calibration = calibrateForward
	}
	if m.Family == Logistic {
		m.Trees = 0
		m.logistic = fitLogistic(r.t, r.rows, r.y, r.cfg.Logistic, workers())
		m.calibrate(calibration, plain, r)
		return m
	}
	// More rows bear more trees.
	inFold := len(r.folds[len(r.folds)-1].train)
	m.Trees = max(1, int(math.Round(float64(m.Trees)*math.Min(1.25, float64(len(r.rows))/float64(inFold)))))
	m.boosting = fitBoosting(r.t, r.rows, r.y, r.cfg.Boosting, m.Trees, r.cfg.Seed, workers())
	m.calibrate(calibration, grown, r)
	return m
}

// calibrate calibrates by margins of rows that the model had not seen.
func (m *Model) calibrate(by func([]float64, []bool) Calibration, margins []float64, r *training) {
	m.Calibration = by(margins, r.held)
	if r.cfg.Ordered {
		m.Shift = r.priorShift(margins, m.Calibration, r.rate(r.rows))
	}
}

// simple is the model where the rows are too few to divide.
func (r *training) simple(m *Model) *Model {
	m.Calibration = noCalibration
	if r.cfg.Model == Boosting {
		m.Trees = min(50, r.cfg.Boosting.Trees)
		m.boosting = fitBoosting(r.t, r.rows, r.y, r.cfg.Boosting, m.Trees, r.cfg.Seed, workers())
		return m
	}
	m.Family, m.Reason = Logistic, "too few examples to compare"
	m.logistic = fitLogistic(r.t, r.rows, r.y, r.cfg.Logistic, workers())
	return m
}

// fewRows is up to how many rows stronger penalties of the regression are tried:
// of more, the penalty hardly matters.
const fewRows = 20_000

// crossLogistic returns the margins of the rows that each fold holds out, at the
// penalty that is best on them: the configured one, or ten or a hundred times
// as much.
func (r *training) crossLogistic() []float64 {
	best, least := []float64(nil), math.Inf(1)
	cfg := r.cfg.Logistic
	for _, factor := range []float64{1, 10, 100} {
		parts := make([][]float64, len(r.folds))
		trial := LogisticConfig{L2: cfg.L2 * factor}
		parallel(len(parts), workers(), func(i int) {
			m := fitLogistic(r.t, r.folds[i].train, r.y, trial, 1)
			parts[i] = m.margins(r.t, r.folds[i].test, 1)
		})
		margins := slices.Concat(parts...)
		loss := logLoss(calibrated(margins), r.held)
		if loss >= least {
			break
		}
		least, best, r.cfg.Logistic = loss, margins, trial
		if len(r.rows) > fewRows {
			break
		}
	}
	return best
}

func calibrated(margins []float64) []float64 {
	out := make([]float64, len(margins))
	for i, z := range margins {
		out[i] = noCalibration.probability(z)
	}
	return out
}

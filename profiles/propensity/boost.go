package propensity

import "math"

// patience is how many trees may follow the best number without being better.
const patience = 40

// booster trains trees on some rows, and watches others.
type booster struct {
	model   *boosting
	grower  *grower
	watched *binned
	margins []float64 // of the watched rows
	answers []bool
}

// newBooster prepares the training; watch may be empty.
func newBooster(t *Table, rows, watch []int32, y []bool, cfg BoostingConfig, seed uint64, workers int) *booster {
	m := &boosting{binners: make([]binner, len(t.Columns))}
	parallel(len(t.Columns), workers, func(i int) { m.binners[i] = newBinner(&t.Columns[i], rows) })
	answers, up := make([]bool, len(rows)), 0
	for i, r := range rows {
		if answers[i] = y[r]; y[r] {
			up++
		}
	}
	rate := math.Min(math.Max(float64(up)/float64(len(rows)), leastProbability), 1-leastProbability)
	m.start = math.Log(rate / (1 - rate))
	b := &booster{model: m}
	b.grower = newGrower(binAll(t, m.binners, rows, workers), m.binners, answers, m.start, cfg.sized(len(rows)), seed, workers)
	if len(watch) > 0 {
		b.watched = binAll(t, m.binners, watch, workers)
		b.margins, b.answers = make([]float64, len(watch)), make([]bool, len(watch))
		for i, r := range watch {
			b.margins[i], b.answers[i] = m.start, y[r]
		}
	}
	return b
}

// grow adds a tree, and returns the sum of the losses of the watched rows.
func (b *booster) grow() float64 {
	t := b.grower.next()
	t.compile()
	b.model.trees, b.model.gains = append(b.model.trees, t), b.grower.gains
	if b.watched == nil {
		return 0
	}
	sums := make([]float64, (len(b.margins)+chunkRows-1)/chunkRows)
	chunks(len(b.margins), b.grower.workers, func(k, from, to int) {
		for i := from; i < to; i++ {
			b.margins[i] += t.values[t.binnedLeaf(b.watched, int32(i))]
			z := b.margins[i]
			if b.answers[i] {
				z = -z
			}
			sums[k] += softplus(z)
		}
	})
	total := 0.0
	for _, s := range sums {
		total += s
	}
	return total
}

// fitBoosting grows a number of trees.
func fitBoosting(t *Table, rows []int32, y []bool, cfg BoostingConfig, trees int, seed uint64, workers int) *boosting {
	b := newBooster(t, rows, nil, y, cfg, seed, workers)
	for range trees {
		b.grow()
	}
	return b.model
}

// crossFit trains on every fold, finds the number of trees that is best on what
// the folds hold out, and returns it with the margins at it, fold by fold.
func crossFit(t *Table, folds []fold, y []bool, cfg BoostingConfig, seed uint64) (trees int, margins [][]float64) {
	var boosters []*booster
	rows := 0
	for _, f := range folds {
		boosters = append(boosters, nil)
		rows += len(f.train)
	}
	within := workers()
	across := within
	if rows/len(folds) > 50_000 {
		across = 1
	} else {
		within = 1
	}
	parallel(len(folds), across, func(i int) {
		boosters[i] = newBooster(t, folds[i].train, folds[i].test, y, cfg, seed, within)
	})
	least := math.Inf(1)
	margins = make([][]float64, len(folds))
	// Ten at a time: the folds wait for each other in between.
	const step = 10
	history := make([][step]float64, len(folds))
	kept := make([][step][]float64, len(folds))
	for done := 0; done < cfg.Trees && done-trees < patience; done += step {
		parallel(len(folds), across, func(i int) {
			for k := range step {
				history[i][k] = boosters[i].grow()
				kept[i][k] = append(kept[i][k][:0], boosters[i].margins...)
			}
		})
		for k := range step {
			total := 0.0
			for i := range history {
				total += history[i][k]
			}
			if total < least {
				least, trees = total, done+k+1
				for i := range margins {
					margins[i] = append(margins[i][:0], kept[i][k]...)
				}
			}
		}
	}
	return trees, margins
}

// Grow trains boosting with exactly as many trees as are configured, without
// choosing anything and without calibration: the work that Train repeats, for
// those who measure it. Models to be used are those of Train.
func Grow(t *Table, rows []int32, y []bool, cfg BoostingConfig, seed uint64) *Model {
	return &Model{
		Family: Boosting, Reason: "grown to be measured", Trees: cfg.Trees, Calibration: noCalibration,
		boosting: fitBoosting(t, rows, y, cfg, cfg.Trees, seed, workers()),
	}
}

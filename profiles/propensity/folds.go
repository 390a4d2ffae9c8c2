package propensity

import (
	"math/rand/v2"
)

// fold is one division of rows into those that train and those that judge.
type fold struct{ train, test []int32 }

// deal gives every row one of n parts of equal size and equal rate, by a seed.
func deal(rows []int32, y []bool, n int, seed uint64) []int {
	random := rand.New(rand.NewPCG(seed, 0x666f6c64))
	part, at := make([]int, len(rows)), 0
	for _, answer := range []bool{true, false} {
		var class []int
		for i, r := range rows {
			if y[r] == answer {
				class = append(class, i)
			}
		}
		random.Shuffle(len(class), func(i, j int) { class[i], class[j] = class[j], class[i] })
		for _, i := range class {
			part[i] = at % n
			at++
		}
	}
	return part
}

// held makes a fold that is judged on the rows for which out is true. Rows stay
// in their order.
func held(rows []int32, out func(i int) bool) fold {
	var f fold
	for i, r := range rows {
		if out(i) {
			f.test = append(f.test, r)
		} else {
			f.train = append(f.train, r)
		}
	}
	return f
}

// shuffled makes n random folds.
func shuffled(rows []int32, y []bool, n int, seed uint64) []fold {
	part := deal(rows, y, n, seed)
	folds := make([]fold, n)
	for k := range folds {
		folds[k] = held(rows, func(i int) bool { return part[i] == k })
	}
	return folds
}

// drawn makes one fold that is judged on a random share of the rows.
func drawn(rows []int32, y []bool, share float64, seed uint64) fold {
	const parts = 200
	part := deal(rows, y, parts, seed)
	return held(rows, func(i int) bool { return float64(part[i]) < share*parts-.5 })
}

// forward cuts rows, which are in the order of time, into n+1 parts: each but
// the first is judged by what came before it. Rows of one time stay together;
// when is nil where every row has a time of its own.
func forward(rows []int32, when []int64, n int) []fold {
	var folds []fold
	from := boundary(rows, when, len(rows)/(n+1))
	for k := 2; k <= n+1; k++ {
		to := len(rows)
		if k <= n {
			to = boundary(rows, when, k*len(rows)/(n+1))
		}
		if from > 0 && to > from {
			folds = append(folds, fold{rows[:from], rows[from:to]})
		}
		from = max(from, to)
	}
	return folds
}

// boundary moves a cut to the nearest place between two times.
func boundary(rows []int32, when []int64, at int) int {
	if when == nil || at <= 0 || at >= len(rows) {
		return at
	}
	down, up := at, at
	for down > 0 && when[rows[down]] == when[rows[down-1]] {
		down--
	}
	for up < len(rows) && when[rows[up]] == when[rows[up-1]] {
		up++
	}
	if down > 0 && (at-down <= up-at || up == len(rows)) {
		return down
	}
	return up
}

// latest cuts the last share of the rows off, at a boundary of time.
func latest(rows []int32, when []int64, share float64) fold {
	at := boundary(rows, when, int(float64(len(rows))*(1-share)))
	return fold{rows[:at], rows[at:]}
}

// inner are the folds inside training rows, by which a model is chosen and
// calibrated: five random ones, or the last two fifths by time. Of very many
// rows one division is enough.
func inner(rows []int32, y []bool, when []int64, ordered bool, seed uint64) []fold {
	const enough = 60_000
	switch {
	case ordered && len(rows) > enough:
		return usable([]fold{latest(rows, when, .25)}, y)
	case ordered:
		return usable(tail2(rows, when), y)
	case len(rows) > enough:
		return usable(shuffled(rows, y, 4, seed)[:1], y)
	}
	return usable(shuffled(rows, y, 5, seed), y)
}

// tail2 judges the fourth and the last fifth by what came before each.
func tail2(rows []int32, when []int64) []fold {
	folds := forward(rows, when, 4)
	return folds[max(0, len(folds)-2):]
}

// usable keeps the folds that have both answers on either side.
func usable(folds []fold, y []bool) []fold {
	var out []fold
	for _, f := range folds {
		if both(f.train, y) && both(f.test, y) {
			out = append(out, f)
		}
	}
	return out
}

func both(rows []int32, y []bool) bool {
	up, down := 0, 0
	for _, r := range rows {
		if y[r] {
			up++
		} else {
			down++
		}
	}
	return up >= 5 && down >= 5
}

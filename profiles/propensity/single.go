package propensity

import (
	"math"
)

// single is the model of one feature: the rate of each of its bins.
type single struct {
	binner binner
	rates  []float64
}

// singleBins is the number of ranges of a number, and singlePrior the examples
// of the base rate that each bin is given beforehand.
const (
	singleBins  = 32
	singlePrior = 10
)

// fitSingle fits the rates to rows.
func fitSingle(c *Column, rows []int32, y []bool) *single {
	s := &single{binner: newBinner(c, rows)}
	if c.Kind == Numeric {
		sorted, _ := present(c, rows)
		s.binner.edges = edges(sorted, singleBins-1)
		s.binner.count = len(s.binner.edges) + 2
	}
	read := binReader{b: &s.binner, column: c, codes: s.binner.bins}
	n, up := make([]float64, binCount), make([]float64, binCount)
	all := 0.0
	for _, r := range rows {
		b := read.bin(r)
		n[b]++
		if y[r] {
			up[b]++
			all++
		}
	}
	rate := all / math.Max(1, float64(len(rows)))
	s.rates = make([]float64, binCount)
	for b := range n {
		s.rates[b] = (up[b] + singlePrior*rate) / (n[b] + singlePrior)
	}
	return s
}

// predict returns the rates of rows of a column of the same table.
func (s *single) predict(c *Column, rows []int32) []float64 {
	read := binReader{b: &s.binner, column: c, codes: s.binner.bins}
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i] = s.rates[read.bin(r)]
	}
	return out
}

// singleAUC is how well one feature alone tells the answers, on rows that its
// rates were not taken from: the mean over five divisions.
func singleAUC(c *Column, rows []int32, y []bool) float64 {
	const parts = 5
	sum, n := 0.0, 0
	for k := range parts {
		var train, test []int32
		var answers []bool
		for i, r := range rows {
			if i%parts == k {
				test, answers = append(test, r), append(answers, y[r])
			} else {
				train = append(train, r)
			}
		}
		if up := positives(answers); up == 0 || up == len(answers) {
			continue
		}
		p := fitSingle(c, train, y).predict(c, test)
		auc, _ := ranked(p, answers, ranking(p), nil)
		sum += auc
		n++
	}
	if n == 0 {
		return .5
	}
	return sum / float64(n)
}

// bestSingle returns the feature that alone tells most, by its rates on rows
// they were not taken from.
func bestSingle(t *Table, rows []int32, y []bool) (best int, auc float64) {
	all := make([]float64, len(t.Columns))
	rows = every(rows, gateRows)
	parallel(len(all), workers(), func(i int) { all[i] = singleAUC(&t.Columns[i], rows, y) })
	for i, v := range all {
		if v > all[best] {
			best = i
		}
	}
	return best, all[best]
}

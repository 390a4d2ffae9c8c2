package lifetime

import (
	"cmp"
	"math"
	"slices"
)

// Accuracy compares what was expected of customers with what they did.
type Accuracy struct {
	// MAE and RMSE are per customer, in purchase days.
	MAE  float64 `json:"mae"`
	RMSE float64 `json:"rmse"`
	// TotalBias is the sum of what was expected over that of what came, less 1;
	// RelativeAbsError the sum of the absolute errors over what came. Both are
	// 0 where nothing came.
	TotalBias        float64 `json:"total_bias"`
	RelativeAbsError float64 `json:"relative_abs_error"`
	// GiniTransactions and GiniMoney say how well the order of the customers by
	// expected purchases and by expected money is that of what came: 1 is
	// perfect, 0 is chance (normalised Gini coefficient).
	GiniTransactions float64 `json:"gini_transactions"`
	GiniMoney        float64 `json:"gini_money"`
}

// Measure compares expected purchase days and money with actual ones, customer
// by customer. Money may be nil on either side.
func Measure(expected, actual, expectedMoney, actualMoney []float64) Accuracy {
	var a Accuracy
	var total, predicted, absolute, square float64
	for i, e := range expected {
		total += actual[i]
		predicted += e
		absolute += math.Abs(e - actual[i])
		square += (e - actual[i]) * (e - actual[i])
	}
	if n := float64(len(expected)); n > 0 {
		a.MAE, a.RMSE = absolute/n, math.Sqrt(square/n)
	}
	if total > 0 {
		a.TotalBias, a.RelativeAbsError = predicted/total-1, absolute/total
	}
	a.GiniTransactions = Gini(expected, actual)
	if expectedMoney != nil && actualMoney != nil {
		a.GiniMoney = Gini(expectedMoney, actualMoney)
	}
	return a
}

// Gini is the normalised Gini coefficient: that of actual in the order of
// predicted over that in its own order. Customers with equal predictions share
// what they have. It is 0 where actual does not differ.
func Gini(predicted, actual []float64) float64 {
	best := giniOrdered(actual, actual)
	if !(best > 0) {
		return 0
	}
	return giniOrdered(predicted, actual) / best
}

// giniOrdered is twice the area between the diagonal and the share of actual
// that the first customers have, by predicted, the greatest first.
func giniOrdered(predicted, actual []float64) float64 {
	order := make([]int, len(actual))
	total := 0.0
	for i, v := range actual {
		order[i] = i
		total += v
	}
	if len(order) == 0 || !(total > 0) {
		return 0
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(predicted[b], predicted[a]), cmp.Compare(a, b))
	})
	area, share := 0.0, 0.0
	for from := 0; from < len(order); {
		to, sum := from, 0.0
		for to < len(order) && predicted[order[to]] == predicted[order[from]] {
			sum += actual[order[to]]
			to++
		}
		width := float64(to-from) / float64(len(order))
		next := share + sum/total
		area += width * (share + next) / 2
		share, from = next, to
	}
	return 2*area - 1
}

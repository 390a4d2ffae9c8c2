package lifetime

import (
	"errors"
	"fmt"
	"math"
)

// Terms say what a lifetime value is made of.
type Terms struct {
	// Horizon is the number of periods (in the unit of the fit) that count.
	Horizon int
	// YearlyRate is the yearly rate of discount, 0.1 for 10 %. The rate of one
	// period is (1+YearlyRate)^(1/n) - 1 with n periods to the year.
	YearlyRate float64
	// Margin is the share of the spend that is worth something: 1 for revenue,
	// the contribution margin for profit.
	Margin float64
}

// DefaultTerms are 52 periods (a year of weeks), 10 % a year, and revenue.
func DefaultTerms() Terms { return Terms{Horizon: 52, YearlyRate: 0.1, Margin: 1} }

// Validate reports every fault of the terms.
func (t Terms) Validate() error {
	var faults []error
	if t.Horizon < 1 || t.Horizon > 4000 {
		faults = append(faults, fmt.Errorf("horizon of %d periods is not between 1 and 4000", t.Horizon))
	}
	if !(t.YearlyRate > -1) || t.YearlyRate > 100 {
		faults = append(faults, errors.New("yearly rate of discount must lie above -1 and at most at 100"))
	}
	if !(t.Margin >= 0 && t.Margin <= 1) {
		faults = append(faults, errors.New("margin must lie between 0 and 1"))
	}
	return errors.Join(faults...)
}

// discounted returns the sum over the periods k of (E(k) - E(k-1)) / (1+d)^k,
// where series[k-1] = E(k): purchases count at the end of their period.
func discounted(series []float64, rate float64) float64 {
	factor, value, before := 1/(1+rate), 0.0, 0.0
	weight := 1.0
	for _, e := range series {
		weight *= factor
		value += (e - before) * weight
		before = e
	}
	return value
}

// periodRate is the rate of discount of one period.
func (t Terms) periodRate(unit Unit) float64 {
	return math.Expm1(math.Log1p(t.YearlyRate) / unit.PerYear())
}

// DiscountedPurchases returns the discounted purchase days expected of the
// customer over the horizon of the terms, counted at the end of each period.
func DiscountedPurchases(m Model, c Customer, terms Terms, unit Unit) float64 {
	series := make([]float64, terms.Horizon)
	m.posterior(c).series(1, series)
	return m.Alive(c) * discounted(series, terms.periodRate(unit))
}

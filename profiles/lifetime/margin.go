package lifetime

import (
	"errors"
	"fmt"
	"math"
)

// Earnings is what one customer has brought in, and what is known of the costs
// behind it. The zero value is a customer without purchases.
type Earnings struct {
	// Revenue is all money, Covered the part of it whose costs are known, and
	// Contribution what that part left after them; it may be negative.
	Revenue, Covered, Contribution float64

	days   int     // with covered revenue
	square float64 // sum over them of contribution squared over covered
}

// Add adds a purchase day. The covered revenue lies between 0 and the revenue; a
// day of which all was sent back has none left and may still have cost something.
func (e *Earnings) Add(revenue, covered, contribution float64) {
	if !(revenue > 0) || !finite(revenue) {
		if contribution < 0 && finite(contribution) {
			e.Contribution += contribution
		}
		return
	}
	e.Revenue += revenue
	covered = math.Min(covered, revenue)
	if !(covered > 0) || !finite(contribution) {
		return
	}
	e.Covered += covered
	e.Contribution += contribution
	e.days++
	e.square += contribution / covered * contribution
}

// Margins is the model of contribution margins (the share of the revenue that
// is left after its costs): the margin of a customer varies about his own mean,
// and the means vary between customers (Bühlmann and Straub 1970, Bulletin of
// the Swiss Association of Actuaries 70, 111-133; a day weighs by its revenue).
type Margins struct {
	// Mean is the margin of a customer of whom no cost is known.
	Mean float64 `json:"mean"`
	// Within is the variance of a day of covered revenue 1 about the customer's
	// mean, Between that of the means; Between 0 gives everybody the same margin.
	Within  float64 `json:"within"`
	Between float64 `json:"between"`
	// KnownShare is the share of all revenue whose costs are known, of so many
	// Customers.
	KnownShare float64 `json:"known_share"`
	Customers  int     `json:"customers"`
}

// MarginUnknownError is the refusal to tell margins: of too little of the
// revenue are the costs known.
type MarginUnknownError struct{ Known, Need float64 }

// Error implements error.
func (e *MarginUnknownError) Error() string {
	return fmt.Sprintf("the costs of %.1f %% of the revenue are known, of %.1f %% at least they must be", 100*e.Known, 100*e.Need)
}

// errNoRevenue is the refusal where nothing was bought.
var errNoRevenue = errors.New("no revenue")

// FitMargins fits the model. It returns a *MarginUnknownError when the costs of
// less than the share need of the revenue are known.
func FitMargins(customers []Earnings, need float64) (Margins, error) {
	var m Margins
	var revenue, weight, contribution, squares, within float64
	degrees := 0
	for _, e := range customers {
		revenue += e.Revenue
		if e.days == 0 {
			continue
		}
		m.Customers++
		weight += e.Covered
		contribution += e.Contribution
		squares += e.Covered * e.Covered
		within += math.Max(0, e.square-e.Contribution/e.Covered*e.Contribution)
		degrees += e.days - 1
	}
	if !(revenue > 0) {
		return m, errNoRevenue
	}
	if m.KnownShare = weight / revenue; m.Customers == 0 || m.KnownShare < need {
		return m, &MarginUnknownError{m.KnownShare, need}
	}
	collective := contribution / weight
	if degrees > 0 {
		m.Within = within / float64(degrees)
	}
	between := -float64(m.Customers-1) * m.Within
	for _, e := range customers {
		if e.days > 0 {
			d := e.Contribution/e.Covered - collective
			between += e.Covered * d * d
		}
	}
	if spread := weight - squares/weight; spread > 0 && m.Customers > 1 {
		m.Between = math.Max(0, between/spread)
	}
	// The best estimate of the mean weighs each customer by his credibility.
	var sum, credibility float64
	for _, e := range customers {
		if z := m.credibility(e); z > 0 {
			sum += z * e.Contribution / e.Covered
			credibility += z
		}
	}
	if m.Mean = collective; credibility > 0 {
		m.Mean = sum / credibility
	}
	return m, nil
}

// credibility is the weight of the customer's own margin.
func (m Margins) credibility(e Earnings) float64 {
	if e.Covered <= 0 || m.Between <= 0 {
		return 0
	}
	return e.Covered / (e.Covered + m.Within/m.Between)
}

// Rate is the margin expected of the customer's purchases.
func (m Margins) Rate(e Earnings) float64 {
	z := m.credibility(e)
	if z == 0 {
		return m.Mean
	}
	return z*e.Contribution/e.Covered + (1-z)*m.Mean
}

// Contributed estimates what the customer has contributed: what is known, and
// the revenue of unknown costs at the expected margin. The interval is what it
// would be if that revenue had left nothing, and all of itself.
func (m Margins) Contributed(e Earnings) Estimate {
	unknown := math.Max(0, e.Revenue-e.Covered)
	return Estimate{
		Value: e.Contribution + unknown*m.Rate(e),
		Lower: e.Contribution + unknown*math.Min(0, m.Rate(e)),
		Upper: e.Contribution + unknown*math.Max(1, m.Rate(e)),
	}
}

// Earned is a value or its interval as margin: what the revenue leaves at the
// rate. A negative rate turns the interval round.
func (e Estimate) Earned(rate float64) Estimate {
	out := Estimate{e.Value * rate, e.Lower * rate, e.Upper * rate}
	if rate < 0 {
		out.Lower, out.Upper = out.Upper, out.Lower
	}
	return out
}

package lifetime

import (
	"fmt"
	"math"
	"time"
)

// Unit is the unit of time of a fit and of everything computed from it.
type Unit int

// The units. A month is a twelfth of 365.25 days.
const (
	Week Unit = iota
	Day
	Month
)

// Days returns the length of the unit in days.
func (u Unit) Days() float64 {
	switch u {
	case Day:
		return 1
	case Month:
		return 365.25 / 12
	default:
		return 7
	}
}

// PerYear returns the number of periods by which a yearly rate of interest is
// divided: 52 weeks, 365 days or 12 months.
func (u Unit) PerYear() float64 {
	switch u {
	case Day:
		return 365
	case Month:
		return 12
	default:
		return 52
	}
}

// String returns "week", "day" or "month".
func (u Unit) String() string {
	switch u {
	case Day:
		return "day"
	case Month:
		return "month"
	default:
		return "week"
	}
}

// Customer is everything the models need to know of a customer's history.
type Customer struct {
	// Frequency is x, the number of days with a purchase after the first one.
	Frequency int
	// Recency is t_x, the time from the first purchase day to the last.
	Recency float64
	// Age is T, the time from the first purchase day to the end of observation.
	Age float64
	// Spend is m, the mean amount of the Frequency repeat days; 0 without any.
	Spend float64
	// First is the amount of the first purchase day, which the models of spend
	// that count every day (SpendAll) need beside Spend.
	First float64
}

// Reason says why a customer's history cannot be used.
type Reason string

// The reasons. Newborn histories are complete but carry no information on the
// parameters: they are left out of a fit and can still be scored.
const (
	Newborn         Reason = "age_zero"
	NotFinite       Reason = "not_finite"
	OutOfRange      Reason = "out_of_range"
	NegativeValue   Reason = "negative_value"
	RecencyAfterAge Reason = "recency_after_age"
	RepeatAtZero    Reason = "repeat_without_recency"
	RecencyNoRepeat Reason = "recency_without_repeat"
)

// The reasons why a history is left out of a fit of spend alone.
const (
	NoRepeat Reason = "no_repeat_purchase"
	NoAmount Reason = "no_positive_amount"
)

// The largest inputs with which every formula stays inside a float64. They are
// far beyond any customer: a million purchase days, a million units of time.
const (
	maxFrequency = 1_000_000
	maxAge       = 1e6
	maxSpend     = 1e15
)

// Check returns the reason why the history contradicts itself, or "" when it
// can be scored. A customer of age zero without repeat purchases can.
func (c Customer) Check() Reason {
	switch {
	case !finite(c.Recency) || !finite(c.Age) || !finite(c.Spend) || !finite(c.First):
		return NotFinite
	case c.Frequency < 0 || c.Recency < 0 || c.Age < 0 || c.Spend < 0 || c.First < 0:
		return NegativeValue
	case c.Frequency > maxFrequency || c.Age > maxAge || c.Spend > maxSpend || c.First > maxSpend:
		return OutOfRange
	case c.Recency > c.Age:
		return RecencyAfterAge
	case c.Frequency > 0 && c.Recency == 0:
		return RepeatAtZero
	case c.Frequency == 0 && c.Recency > 0:
		return RecencyNoRepeat
	}
	return ""
}

// InvalidError is returned for a customer whose history cannot be scored.
type InvalidError struct {
	// Reason says what is wrong with the history.
	Reason Reason
}

// Error implements error.
func (e *InvalidError) Error() string {
	return fmt.Sprintf("customer history cannot be used: %s", string(e.Reason))
}

// Purchase is one purchase, or the sum of a day's purchases.
type Purchase struct {
	// Day counts days since 1970-01-01 UTC (DayOf).
	Day int
	// Amount is the money of the purchase, not negative.
	Amount float64
}

// DayOf returns the calendar day of t in UTC, counted from 1970-01-01.
func DayOf(t time.Time) int { return int(math.Floor(float64(t.Unix()) / 86400)) }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

package lifetime

import (
	"math"
	"slices"
)

// Summarize condenses a customer's purchases up to the end of the day until
// (days since 1970-01-01): purchases of one day are one purchase, as the models
// assume, and later purchases are ignored. The result is false when no purchase
// remains or an amount is negative or not finite. The purchases may come in any
// order; they are not changed.
func Summarize(purchases []Purchase, until int, unit Unit) (Customer, bool) {
	days := make([]Purchase, 0, len(purchases))
	for _, p := range purchases {
		if p.Amount < 0 || !finite(p.Amount) {
			return Customer{}, false
		}
		if p.Day <= until {
			days = append(days, p)
		}
	}
	if len(days) == 0 {
		return Customer{}, false
	}
	days = MergeDays(days)
	first, last := days[0].Day, days[len(days)-1].Day
	c := Customer{
		Frequency: len(days) - 1,
		Recency:   float64(last-first) / unit.Days(),
		Age:       float64(until-first) / unit.Days(),
		First:     days[0].Amount,
	}
	if c.Frequency > 0 {
		sum := 0.0
		for _, p := range days[1:] {
			sum += p.Amount
		}
		c.Spend = sum / float64(c.Frequency)
	}
	return c, finite(c.Spend) && finite(c.First)
}

// MergeDays sorts purchases by day, in place, and adds up those of one day.
func MergeDays(purchases []Purchase) []Purchase {
	slices.SortFunc(purchases, func(a, b Purchase) int {
		if a.Day != b.Day {
			return a.Day - b.Day
		}
		// The order within a day decides the rounding of its sum.
		switch {
		case a.Amount < b.Amount:
			return -1
		case a.Amount > b.Amount:
			return 1
		}
		return 0
	})
	merged := purchases[:0]
	for _, p := range purchases {
		if n := len(merged); n > 0 && merged[n-1].Day == p.Day {
			merged[n-1].Amount += p.Amount
			continue
		}
		merged = append(merged, p)
	}
	return merged
}

// NetOfRefunds takes each refund off the latest purchase days at or before it,
// the newest first, down to zero. A refund names no order in most sources, and
// what is sent back is most often what was bought last. Purchase days stay
// purchase days: a returned purchase shows that the customer was there to buy,
// and only its money is gone. It changes purchases, which must be merged days,
// and returns what could not be taken off anything: the refund of a purchase
// made before the data begin.
func NetOfRefunds(purchases, refunds []Purchase) (unmatched float64) {
	for _, refund := range MergeDays(refunds) {
		left := refund.Amount
		at := len(purchases) - 1
		for ; at >= 0 && left > 0; at-- {
			if purchases[at].Day > refund.Day {
				continue
			}
			taken := math.Min(left, purchases[at].Amount)
			purchases[at].Amount -= taken
			left -= taken
		}
		unmatched += left
	}
	return unmatched
}

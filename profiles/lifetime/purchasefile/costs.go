package purchasefile

import (
	"cmp"
	"slices"

	"github.com/kindred-cdp/kindred/profiles/cells"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
)

// cost is what one line says of costs.
type cost struct {
	day, customer int
	amount, cost  float64
	known         bool
}

// readCost reads the cost of a line; a missing one is unknown, not zero.
func (r *reader) readCost(l *line, fields [][]byte) bool {
	if r.cost < 0 {
		return true
	}
	cell := string(fields[r.cost])
	if cells.Missing(cell) {
		return true
	}
	v, ok := cells.Number(cell)
	if !ok || v > hugeAmount || v < -hugeAmount {
		return false
	}
	l.cost, l.costKnown = v, true
	return true
}

// earnings adds up what each customer of the log left after costs, up to the
// split: what is sent back takes its share of the costs along. It is nil without a
// column of costs.
func (r *reader) earnings(costs []cost, customers []int) []lifetime.Earnings {
	if r.cost < 0 {
		return nil
	}
	slices.SortStableFunc(costs, func(a, b cost) int {
		return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.day, b.day))
	})
	out := make([]lifetime.Earnings, len(customers))
	at := 0
	for i, customer := range customers {
		for ; at < len(costs) && costs[at].customer < customer; at++ {
		}
		for _, day := range r.log.Histories[i] {
			var gross, covered, spent float64
			for ; at < len(costs) && costs[at].customer == customer && costs[at].day <= day.Day; at++ {
				gross += costs[at].amount
				if costs[at].known {
					covered, spent = covered+costs[at].amount, spent+costs[at].cost
				}
			}
			if gross > 0 && (r.cfg.Split == 0 || day.Day <= r.cfg.Split) {
				kept := day.Amount / gross
				out[i].Add(day.Amount, covered*kept, (covered-spent)*kept)
			}
		}
	}
	return out
}

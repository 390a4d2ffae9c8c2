package personas

import (
	"cmp"
	"math"
	"slices"
)

// Grades are a customer's quintiles by recency, frequency and money, from 1 to 5;
// 5 is best: bought last, most often, most.
type Grades struct{ Recency, Frequency, Money uint8 }

// Customer is what RFM grades.
type Customer struct {
	// DaysSince the last purchase.
	DaysSince float64
	Purchases float64
	Spend     float64
}

// RFM grades customers by rank. Ties share a grade: that of the middle of the run
// of equals, so that where three of five customers bought once, all of them have
// the frequency of the middle one, 2. So quintiles need not be of equal size. A
// customer with a number that is not finite has no grades (all zero) and does not
// count; RFM returns how many these are.
func RFM(customers []Customer) ([]Grades, int) {
	grades := make([]Grades, len(customers))
	var usable []int
	for i, c := range customers {
		if finite(c.DaysSince) && finite(c.Purchases) && finite(c.Spend) {
			usable = append(usable, i)
		}
	}
	grade := func(of func(Customer) float64, set func(*Grades, uint8)) {
		slices.SortStableFunc(usable, func(a, b int) int { return cmp.Compare(of(customers[a]), of(customers[b])) })
		for from := 0; from < len(usable); {
			to := from + 1
			for to < len(usable) && of(customers[usable[to]]) == of(customers[usable[from]]) {
				to++
			}
			// (from+to)/2 customers lie below the middle of the run, in halves:
			// exact, unlike a quotient that is multiplied.
			quintile := uint8(1 + min(4, 5*(from+to)/(2*len(usable))))
			for _, i := range usable[from:to] {
				set(&grades[i], quintile)
			}
			from = to
		}
	}
	grade(func(c Customer) float64 { return -c.DaysSince }, func(g *Grades, q uint8) { g.Recency = q })
	grade(func(c Customer) float64 { return c.Purchases }, func(g *Grades, q uint8) { g.Frequency = q })
	grade(func(c Customer) float64 { return c.Spend }, func(g *Grades, q uint8) { g.Money = q })
	return grades, len(customers) - len(usable)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

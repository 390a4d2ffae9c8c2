package personas_test

import (
	"fmt"

	"github.com/kindred-cdp/kindred/profiles/personas"
)

// Five customers; three bought once, so they share the grade of the middle one.
func ExampleRFM() {
	grades, _ := personas.RFM([]personas.Customer{
		{DaysSince: 3, Purchases: 9, Spend: 400},
		{DaysSince: 400, Purchases: 1, Spend: 10},
		{DaysSince: 90, Purchases: 1, Spend: 20},
		{DaysSince: 30, Purchases: 1, Spend: 30},
		{DaysSince: 10, Purchases: 4, Spend: 90},
	})
	for _, g := range grades {
		fmt.Printf("%d%d%d ", g.Recency, g.Frequency, g.Money)
	}
	// Output: 555 121 222 323 444
}

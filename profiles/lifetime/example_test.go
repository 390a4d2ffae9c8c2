package lifetime_test

import (
	"errors"
	"fmt"

	"github.com/kindred-cdp/kindred/profiles/lifetime"
)

// One customer's purchases become what the models need: 100 days after the
// first, two purchases on one day count once, and the first one's money is not
// part of the mean.
func ExampleSummarize() {
	c, _ := lifetime.Summarize([]lifetime.Purchase{
		{Day: 0, Amount: 99}, {Day: 35, Amount: 10}, {Day: 35, Amount: 2}, {Day: 70, Amount: 20},
	}, 105, lifetime.Week)
	fmt.Printf("x = %d, t_x = %v weeks, T = %v weeks, mean %v\n", c.Frequency, c.Recency, c.Age, c.Spend)
	// Output: x = 2, t_x = 10 weeks, T = 15 weeks, mean 16
}

// Too few customers give a refusal that names the minimum, and no number.
func ExampleFit() {
	_, err := lifetime.Fit([]lifetime.Customer{{Age: 12}}, lifetime.DefaultConfig())
	fmt.Println(errors.Is(err, lifetime.ErrNotEnoughData), err)
	// Output: true not enough data: 1 customers observed for a day or more, at least 100 are needed
}

// The published parameters of CDNOW and the customer of the published example.
func ExampleBetaGeometric() {
	m := lifetime.BetaGeometric{R: .243, Alpha: 4.414, A: .793, B: 2.426}
	c := lifetime.Customer{Frequency: 2, Recency: 30.43, Age: 38.86}
	fmt.Printf("P(alive) %.3f, purchases in 39 weeks %.3f\n", m.Alive(c), m.Expected(c, 39))
	// Output: P(alive) 0.727, purchases in 39 weeks 1.226
}

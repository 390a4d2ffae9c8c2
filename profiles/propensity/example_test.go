package propensity_test

import (
	"errors"
	"fmt"

	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// Too few examples of an answer give a refusal that names the minimum.
func ExampleEvaluate() {
	table := &propensity.Table{Rows: 3, Columns: []propensity.Column{{Name: "visits", Kind: propensity.Numeric, Numbers: []float64{1, 2, 9}}}}
	_, err := propensity.Evaluate(&propensity.Examples{Table: table, Y: []bool{false, false, true}, Labelled: []int32{0, 1, 2}}, propensity.DefaultConfig())
	fmt.Println(errors.Is(err, propensity.ErrNotEnoughData), err)
	// Output: true not enough examples: of 3 examples 1 are positive and 2 are not; at least 50 of each are needed
}

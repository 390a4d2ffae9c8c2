package synthetic_test

import (
	"fmt"

	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

func ExampleGenerate() {
	c := synthetic.Sparse()
	c.Records, c.People, c.Seed = 4, 2, 18
	table, truth, err := synthetic.Generate(c)
	if err != nil {
		panic(err)
	}
	for row := range table.Rows {
		fmt.Printf("person %d: %s %s, %s\n", truth[row], table.Columns[0].Value(row), table.Columns[1].Value(row), table.Columns[2].Value(row))
	}
	// Output:
	// person 1: Paul Lockworth, 1986-07-31
	// person 0: Trewor Davirs, 1984-05-21
	// person 1: Paul Lockworth, 1986-07-31
	// person 0: Trevor Dvaies,
}

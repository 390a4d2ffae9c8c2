package linkage_test

import (
	"context"
	"fmt"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

func ExampleLink() {
	people := synthetic.FebrlLike()
	people.Records, people.People = 300, 200
	table, _, err := synthetic.Generate(people)
	if err != nil {
		panic(err)
	}
	found, err := linkage.Link(context.Background(), table, linkage.Options{Seed: 1})
	if err != nil {
		panic(err)
	}
	persons := map[int32]bool{}
	for _, first := range found.Clusters {
		persons[first] = true
	}
	fmt.Printf("%d records are of %d persons\n", table.Rows, len(persons))
	// One more record is compared with all of them, and weighs what it would have.
	index, err := linkage.NewIndex(found.Model)
	if err != nil {
		panic(err)
	}
	fmt.Println(index.Columns())
	// Output:
	// 300 records are of 200 persons
	// [given_name surname street_number address_1 address_2 suburb postcode state date_of_birth soc_sec_id]
}

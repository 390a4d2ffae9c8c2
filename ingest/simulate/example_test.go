package simulate_test

import (
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/ingest/files"
	"github.com/kindred-cdp/kindred/ingest/simulate"
)

// One customer with one order is enough to make a small world.
func ExampleGenerate() {
	end := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	cfg := simulate.DefaultConfig()
	cfg.End, cfg.Bots = end, 0
	customers := []files.Customer{{
		ID: "17850", Country: "United Kingdom",
		Orders: []files.Purchase{{OrderID: "536365", Time: end.AddDate(0, -1, 0), Products: []string{"85123A"}}},
	}}
	world, err := simulate.Generate(cfg, customers, "main")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(world.People, "people,", world.Visitors, "of them a visitor")
	// Output: 2 people, 1 of them a visitor
}

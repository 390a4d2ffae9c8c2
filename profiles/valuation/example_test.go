package valuation_test

import (
	"fmt"

	"github.com/kindred-cdp/kindred/profiles/valuation"
)

// A configuration that values euros with a margin of 30 % once an hour.
func ExampleConfig() {
	cfg := valuation.DefaultConfig()
	cfg.Currency, cfg.Margin = "EUR", 0.3
	cfg.Period *= 6
	fmt.Println(cfg.Validate(), cfg.Period, valuation.Names())
	// Output: <nil> 1h0m0s [p_alive expected_purchases_90d expected_spend lifetime_value_1y contribution_margin lifetime_margin_1y]
}

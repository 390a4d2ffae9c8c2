package traitfile_test

import (
	"fmt"

	"github.com/kindred-cdp/kindred/profiles/traitfile"
)

func ExampleParse() {
	f, err := traitfile.Parse([]byte(`
trust = ["crm", "shop"]

[traits.email]
rule = "source_priority"

[computed.orders_90d]
compute = "count"
event   = "Order Completed"
within  = "90d"
`))
	fmt.Println(f.Rules.Rule("email"), f.Rules.Rule("city"), err)
	fmt.Println(f.Computed[0].Name, f.Computed[0].Compute, f.Computed[0].Within.Hours()/24, "days")
	// Output:
	// {source_priority [crm shop]} {newest []} <nil>
	// orders_90d count 90 days
}

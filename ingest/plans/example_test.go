package plans_test

import (
	"fmt"

	"github.com/kindred-cdp/kindred/ingest/plans"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

func ExampleParse() {
	definition, err := plans.Parse([]byte(`{
	  "sources": ["web"],
	  "events": [{"name": "Order Completed", "mode": "block", "schema": {
	    "properties": {"properties": {"required": ["order_id"], "properties": {"revenue": {"type": "number", "minimum": 0}}}}
	  }}]
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := plans.Single("main", "shop", definition)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range set.Hold("main", wire.Behaviour, "web", "Order Completed", []byte(`{"properties":{"revenue":"12"}}`)) {
		fmt.Println(v.Rule, v.Pointer, v.Detail, v.Block)
	}
	// Output:
	// required /properties/order_id is missing true
	// type /properties/revenue is string, must be number true
}

package segment

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

func TestOrders(t *testing.T) {
	f := func(name, event, properties string, want wire.Order, warnings int) {
		t.Helper()
		m, tr := one(t, "track", `{"userId":"u","event":"`+event+`","properties":`+properties+`}`)
		if m.Transaction == nil {
			t.Errorf("%s: stayed behaviour: %v", name, tr.Warnings)
			return
		}
		if want.Currency == "" {
			want.Currency = "USD"
		}
		if diff := cmp.Diff(want, *m.Transaction); diff != "" || len(tr.Warnings) != warnings || tr.Items[0].Kind != wire.Transaction || m.Type != "" || string(m.Properties) != properties {
			t.Errorf("%s: %v\n%s", name, tr.Warnings, diff)
		}
	}
	order := func(id, amount json.Number) wire.Order {
		return wire.Order{Type: "order", Status: "completed", OrderID: string(id), Amount: amount}
	}
	refund := func(id, amount json.Number) wire.Order {
		return wire.Order{Type: "refund", Status: "refunded", OrderID: string(id), Amount: amount}
	}
	f("revenue", "Order Completed", `{"order_id":"1","revenue":25.5,"total":30}`, order("1", "25.5"), 0)
	f("first specification", "completed order", `{"orderId":1,"revenue":"25.50"}`, order("1", "25.5"), 0)
	f("subtotal", "Order Completed", `{"order_id":"1","subtotal":9.99,"total":30}`, order("1", "9.99"), 0)
	w := order("1", "100")
	w.Tax, w.Shipping, w.Discount, w.Currency = "10", "5.5", "2", "EUR"
	f("total less tax and shipping", "Order Completed", `{"order_id":"1","total":115.5,"tax":10,"shipping":5.5,"discount":2,"currency":"eur"}`, w, 0)
	w = order("1", "30.5")
	w.Items = []wire.Item{
		{ProductID: "p", Name: "N", Category: "C", Quantity: "2", Price: "10.25"},
		{ProductID: "s", Quantity: "1", Price: "10"},
		{ProductID: "9", Quantity: "3", Price: "0"},
	}
	f("sum of products", "Order Completed", `{"order_id":"1","products":[{"product_id":"p","sku":"x","name":"N","category":"C","price":10.25,"quantity":2},{"sku":"s","price":"10"},{"id":9,"quantity":3}]}`, w, 0)
	w = order("1", "1")
	w.Items = []wire.Item{{ProductID: "p", Quantity: "1", Price: "1"}}
	f("products that are none", "Order Completed", `{"order_id":"1","revenue":1,"products":[7,{},{"product_id":"p","price":"free"},{"product_id":"p","price":1},{"product_id":"q","quantity":[]}]}`, w, 4)
	f("products that are no list", "Order Completed", `{"order_id":"1","revenue":1,"products":{"product_id":"p"}}`, order("1", "1"), 1)
	f("tax that is none", "Order Completed", `{"order_id":"1","revenue":1,"tax":"VAT"}`, order("1", "1"), 1)
	f("four places", "Order Completed", `{"order_id":"1","revenue":0.30000000000000004}`, order("1", "0.3"), 0)
	f("nothing paid", "Order Completed", `{"order_id":"1","revenue":0}`, order("1", "0"), 0)
	f("less than nothing", "Order Completed", `{"order_id":"1","revenue":-0.00001}`, order("1", "0"), 0)
	f("exponent", "Order Completed", `{"order_id":"1","revenue":1.5e2}`, order("1", "150"), 0)
	f("refund", "Order Refunded", `{"order_id":"1","total":30,"currency":"USD"}`, refund("1", "-30"), 0)
	f("refund with a sign", "Order Refunded", `{"order_id":"1","revenue":-30}`, refund("1", "-30"), 0)
	w = refund("1", "-20.5")
	w.Tax = "-1"
	w.Items = []wire.Item{{ProductID: "p", Quantity: "-2", Price: "10.25"}}
	f("partial refund", "Refunded Order", `{"order_id":"1","tax":1,"products":[{"product_id":"p","price":10.25,"quantity":2}]}`, w, 0)
}

func TestOrdersThatStayBehaviour(t *testing.T) {
	f := func(event, properties, warning string) {
		t.Helper()
		m, tr := one(t, "track", `{"userId":"u","event":"`+event+`","properties":`+properties+`}`)
		text := ""
		for _, w := range tr.Warnings {
			text += w.Detail
		}
		if m.Transaction != nil || m.Type != "track" || !strings.Contains(text, warning) || (warning == "") != (text == "") || strings.Contains(text, "SECRET") {
			t.Errorf("%s %s: %+v, warnings %q", event, properties, m.Transaction, text)
		}
	}
	f("Order Completed", `{"revenue":1}`, "properties.order_id")
	f("Order Completed", `{"order_id":"","revenue":1}`, "properties.order_id")
	f("Order Completed", `{"order_id":{},"revenue":1}`, "properties.order_id")
	f("Order Completed", `{"order_id":"1"}`, "needs the field")
	f("Order Completed", `null`, "properties.order_id")
	f("Order Completed", `{"order_id":"1","revenue":"SECRET"}`, "properties.revenue")
	f("Order Completed", `{"order_id":"1","revenue":1e99}`, "properties.revenue")
	f("Order Completed", `{"order_id":"1","revenue":1e999999999}`, "properties.revenue")
	f("Order Completed", `{"order_id":"1","revenue":"1/3"}`, "properties.revenue")
	f("Order Completed", `{"order_id":"1","revenue":"0x10"}`, "properties.revenue")
	f("Order Completed", `{"order_id":"1","revenue":"`+strings.Repeat("1", 65)+`"}`, "properties.revenue")
	f("Order Completed", `{"order_id":"1","products":[{"product_id":"p","price":60000000000000,"quantity":2}]}`, "±10^14")
	f("Order Completed", `{"order_id":"1","revenue":1,"currency":"€"}`, "properties.currency")
	f("Order Completed", `{"order_id":"1","revenue":1,"currency":978}`, "properties.currency")
	f("Order Completed", `{"order_id":"1","revenue":1,"products":[`+strings.Repeat("1,", wire.MaxItems)+`1]}`, "more than 10000")
	f("Order Refunded", `{"order_id":"1"}`, "needs the field")
	// Shops send these beside a completion or a refund.
	f("Order Cancelled", `{"order_id":"1","revenue":1}`, "")
	f("Order Updated", `{"order_id":"1","revenue":1}`, "")
	f("Product Viewed", `{"product_id":"1","price":1}`, "")
}

package ingest

import (
	"encoding/json"
	"fmt"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// order reads the typed part of a transaction into ev.
func order(kind wire.Kind, msg *wire.Message, ev *Event) *fault {
	if kind != wire.Transaction {
		if msg.Transaction != nil {
			return faultf(ReasonField, "field \"transaction\" belongs to transaction events only")
		}
		return nil
	}
	t := msg.Transaction
	if t == nil {
		return faultf(ReasonMissing, "field \"transaction\" is required")
	}
	switch t.Type {
	case "order", "refund", "subscription", "adjustment":
	default:
		return faultf(ReasonField, "field \"transaction.type\" must be order, refund, subscription or adjustment")
	}
	if t.OrderID == "" || len(t.OrderID) > maxID {
		return faultf(ReasonMissing, "field \"transaction.order_id\" is required, of at most %d bytes", maxID)
	}
	if !currency(t.Currency) {
		return faultf(ReasonField, "field \"transaction.currency\" must be three upper-case letters (ISO 4217)")
	}
	if len(t.Items) > maxItems {
		return faultf(ReasonTooLarge, "field \"transaction.items\" has %d entries; the limit is %d", len(t.Items), maxItems)
	}
	o := &Order{Type: t.Type, ID: t.OrderID, Status: t.Status, Currency: t.Currency}
	if f := amounts("transaction.", []amount{
		{"amount", t.Amount, &o.Amount}, {"tax", t.Tax, &o.Tax}, {"shipping", t.Shipping, &o.Shipping}, {"discount", t.Discount, &o.Discount},
	}); f != nil {
		return f
	}
	if t.Amount == "" {
		return faultf(ReasonMissing, "field \"transaction.amount\" is required")
	}
	o.Items = make([]Item, len(t.Items))
	for i, x := range t.Items {
		it := &o.Items[i]
		*it = Item{ProductID: x.ProductID, Name: x.Name, Category: x.Category}
		if f := amounts(fmt.Sprintf("transaction.items[%d].", i), []amount{
			{"quantity", x.Quantity, &it.Quantity}, {"price", x.Price, &it.Price}, {"cost", x.Cost, &it.Cost},
		}); f != nil {
			return f
		}
	}
	ev.Order = o
	return nil
}

type amount struct {
	field string
	in    json.Number
	out   *Amount
}

func amounts(prefix string, list []amount) *fault {
	for _, a := range list {
		v, err := ParseAmount(string(a.in))
		if err != nil {
			return faultf(ReasonField, "field \"%s%s\" is %s", prefix, a.field, err)
		}
		*a.out = v
	}
	return nil
}

func currency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range 3 {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

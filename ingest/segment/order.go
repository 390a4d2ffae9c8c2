package segment

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// orderType returns the type of transaction that an event of the e-commerce
// specification is, "" for others.
func orderType(name []byte) string {
	if len(name) != len("Order Completed") && len(name) != len("Order Refunded") {
		return ""
	}
	switch n := string(name); {
	case strings.EqualFold(n, "Order Completed"), strings.EqualFold(n, "Completed Order"):
		return "order"
	case strings.EqualFold(n, "Order Refunded"), strings.EqualFold(n, "Refunded Order"):
		return "refund"
	}
	return ""
}

// order is what the properties of an order say: raw values, nil where absent.
type order struct {
	id, currency                                             []byte
	revenue, subtotal, total, value, tax, shipping, discount []byte
	products                                                 []byte
}

func (o *order) field(key []byte) *[]byte {
	switch string(key) {
	case "order_id", "orderId":
		return &o.id
	case "currency":
		return &o.currency
	case "revenue":
		return &o.revenue
	case "subtotal":
		return &o.subtotal
	case "total":
		return &o.total
	case "value":
		return &o.value
	case "tax":
		return &o.tax
	case "shipping":
		return &o.shipping
	case "discount":
		return &o.discount
	case "products":
		return &o.products
	}
	return nil
}

// readOrder returns the JSON of a wire.Order, or nil with a warning when the
// properties do not make one.
func readOrder(typ string, properties []byte, tr *Translation) []byte {
	b, why := makeOrder(typ, properties, tr)
	if why != "" {
		tr.warn(codeField, why+"; the event was kept as behaviour, not as a transaction")
		return nil
	}
	return b
}

func makeOrder(typ string, properties []byte, tr *Translation) (_ []byte, why string) {
	var o order
	if properties != nil {
		m := jsonscan.ObjectOf(properties)
		for m.Next() {
			if p := o.field(m.Key); p != nil && m.Value[0] != 'n' {
				*p = m.Value
			}
		}
	}
	id, ok := textOrNumber(o.id)
	if !ok || len(id) == 0 || len(id) > wire.MaxID {
		return nil, fmt.Sprintf("field \"properties.order_id\" must be text of 1 to %d bytes", wire.MaxID)
	}
	currency, ok := currencyOf(o.currency)
	if !ok {
		return nil, "field \"properties.currency\" must be three letters (ISO 4217)"
	}
	items, sum, why := readItems(typ, o.products, tr)
	if why != "" {
		return nil, why
	}
	amount, why := o.amount(sum)
	if why != "" {
		return nil, why
	}
	if new(big.Rat).Abs(amount).Cmp(greatest) >= 0 {
		return nil, "the amount is not within ±10^14"
	}
	status := "completed"
	if typ == "refund" {
		status = "refunded"
	}
	b := append(append(append([]byte(`{"type":"`), typ...), `","status":"`...), status...)
	b = jsonscan.AppendText(append(b, `","order_id":`...), id)
	b = append(append(append(b, `,"currency":"`...), currency...), '"')
	b = appendAmount(append(b, `,"amount":`...), typ, amount)
	for _, x := range [...]struct {
		name  string
		value []byte
	}{{"tax", o.tax}, {"shipping", o.shipping}, {"discount", o.discount}} {
		if x.value == nil {
			continue
		}
		if n := decimal(x.value); n != nil {
			b = appendAmount(append(append(append(b, `,"`...), x.name...), `":`...), typ, n)
		} else {
			tr.warn(codeField, "field \"properties."+x.name+"\" is no amount; it was left out of the transaction")
		}
	}
	return append(append(b, items...), '}'), ""
}

// amount returns the order's value before tax and shipping, of which sum is that
// of its products.
func (o *order) amount(sum *big.Rat) (_ *big.Rat, why string) {
	for _, x := range [...]struct {
		name  string
		value []byte
	}{{"revenue", o.revenue}, {"subtotal", o.subtotal}, {"total", o.total}, {"value", o.value}} {
		if x.value == nil {
			continue
		}
		n := decimal(x.value)
		if n == nil {
			return nil, "field \"properties." + x.name + "\" is no amount"
		}
		if x.name == "total" {
			for _, part := range [...][]byte{o.tax, o.shipping} {
				if p := decimal(part); p != nil {
					n = n.Sub(n, p)
				}
			}
		}
		return n, ""
	}
	if sum != nil {
		return sum, ""
	}
	return nil, "an order needs the field \"properties.revenue\", \"subtotal\", \"total\" or \"products\" with prices"
}

// readItems returns the member "items" of an order with its comma, and the sum
// of quantity times price, nil when no product has a price.
func readItems(typ string, products []byte, tr *Translation) (b []byte, sum *big.Rat, why string) {
	if products == nil {
		return nil, nil, ""
	}
	if products[0] != '[' {
		tr.warn(codeField, "field \"properties.products\" must be an array, not "+jsonscan.Type(products)+"; it was left out of the transaction")
		return nil, nil, ""
	}
	b = append(b, `,"items":[`...)
	e := jsonscan.ArrayOf(products)
	first, bad := true, 0
	for i := 0; e.Next(); i++ {
		if i == wire.MaxItems {
			return nil, nil, fmt.Sprintf("field \"properties.products\" has more than %d entries", wire.MaxItems)
		}
		it, fine := readItem(e.Value)
		if !fine {
			if bad++; bad > maxWarnings/2 {
				continue // One list must not use up all the warnings.
			}
			tr.warn(codeField, fmt.Sprintf("field \"properties.products[%d]\" is no product with an id and amounts; it was left out of the transaction", i))
			continue
		}
		b = it.append(comma(b, &first), typ)
		if it.price != nil {
			if sum == nil {
				sum = new(big.Rat)
			}
			sum.Add(sum, new(big.Rat).Mul(it.quantity, it.price))
		}
	}
	return append(b, ']'), sum, ""
}

// item is one line of an order; price is nil when it has none.
type item struct {
	id, name, category []byte
	quantity, price    *big.Rat
}

// readItem reads one product. It reports false when the product has no id, or
// an amount that is none.
func readItem(product []byte) (item, bool) {
	if product[0] != '{' {
		return item{}, false
	}
	var productID, sku, id, name, category, quantity, price []byte
	m := jsonscan.ObjectOf(product)
	for m.Next() {
		if m.Value[0] == 'n' {
			continue
		}
		switch string(m.Key) {
		case "product_id", "productId":
			productID = m.Value
		case "sku":
			sku = m.Value
		case "id":
			id = m.Value
		case "name":
			name = m.Value
		case "category":
			category = m.Value
		case "quantity":
			quantity = m.Value
		case "price":
			price = m.Value
		}
	}
	it := item{name: shortText(name), category: shortText(category), quantity: big.NewRat(1, 1)}
	for _, v := range [...][]byte{productID, sku, id} {
		if it.id = shortText(v); len(it.id) > 0 {
			break
		}
	}
	if quantity != nil {
		it.quantity = decimal(quantity)
	}
	if price != nil {
		it.price = decimal(price)
	}
	return it, len(it.id) > 0 && it.quantity != nil && (price == nil || it.price != nil)
}

// shortText returns text of at most wire.MaxID bytes, or nothing: what is longer
// remains among the event's properties.
func shortText(value []byte) []byte {
	text, ok := textOrNumber(value)
	if !ok || len(text) > wire.MaxID {
		return nil
	}
	return text
}

func (it item) append(b []byte, typ string) []byte {
	b = jsonscan.AppendText(append(b, `{"product_id":`...), it.id)
	if len(it.name) > 0 {
		b = jsonscan.AppendText(append(b, `,"name":`...), it.name)
	}
	if len(it.category) > 0 {
		b = jsonscan.AppendText(append(b, `,"category":`...), it.category)
	}
	b = appendAmount(append(b, `,"quantity":`...), typ, it.quantity)
	b = append(b, `,"price":`...)
	if it.price == nil {
		return append(b, "0}"...)
	}
	return append(appendAmount(b, "order", it.price), '}')
}

// appendAmount appends an amount with four places at most. Those of refunds are
// negative, whichever sign the client gave them.
func appendAmount(b []byte, typ string, n *big.Rat) []byte {
	if typ == "refund" && n.Sign() > 0 {
		n = new(big.Rat).Neg(n)
	}
	text := strings.TrimRight(strings.TrimRight(n.FloatString(4), "0"), ".")
	if text == "" || text == "-" || text == "-0" {
		text = "0"
	}
	return append(b, text...)
}

// greatest is the first magnitude that an amount must not have.
var greatest = new(big.Rat).SetInt64(99_999_999_999_999)

// decimal reads a number, or text that is one, and returns nil for what is no
// amount. The exponent is bounded before it is expanded.
func decimal(value []byte) *big.Rat {
	text, ok := textOrNumber(value)
	if !ok || len(text) == 0 || len(text) > 64 {
		return nil
	}
	s := strings.TrimSpace(string(text))
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return nil
		}
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 && len(strings.TrimLeft(s[i+1:], "+-0")) > 2 {
		return nil
	}
	n, ok := new(big.Rat).SetString(s)
	if !ok || new(big.Rat).Abs(n).Cmp(greatest) >= 0 {
		return nil
	}
	return n
}

// currencyOf returns the code of a currency in upper case, USD for none.
func currencyOf(value []byte) (string, bool) {
	text, ok := jsonscan.Text(value)
	if len(value) == 0 || ok && len(text) == 0 {
		return "USD", true
	}
	if !ok || len(text) != 3 {
		return "", false
	}
	code := strings.ToUpper(string(text))
	for i := range 3 {
		if code[i] < 'A' || code[i] > 'Z' {
			return "", false
		}
	}
	return code, true
}

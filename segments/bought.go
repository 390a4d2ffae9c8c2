package segments

import "time"

// Bought tests the number of a profile's orders that stand and have a line of a product
// or of a category.
type Bought struct {
	Orders Comparison
	// Product is the id of the product; "" is any.
	Product string
	// Category is a name on the way from the widest to the narrowest category that the
	// catalogue has now for the product, or the category that the line itself has; ""
	// is any.
	Category string
	// Within restricts the orders to (now - Within, now]; 0 is all time.
	Within time.Duration
}

func (Bought) node() {}

func (p *parser) bought(at string, v jsonValue) Node {
	o := p.object(at, v, "bought", "product", "category", "within")
	bounds, _ := o.get("bought")
	b := Bought{Orders: p.comparison(join(at, "bought"), bounds), Within: p.within(at, o)}
	_, product := o.get("product")
	_, category := o.get("category")
	if product {
		b.Product = p.name(at, o, "product")
	}
	if category {
		b.Category = p.name(at, o, "category")
	}
	if !product && !category {
		p.add(at, "must have a product or a category")
	}
	return b
}

func (b Bought) encode() any {
	m := map[string]any{"bought": b.Orders.encode()}
	if b.Product != "" {
		m["product"] = b.Product
	}
	if b.Category != "" {
		m["category"] = b.Category
	}
	return withWindow(m, b.Within)
}

package files

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"
)

// Customer is what a file says of one customer: enough to simulate the rest of
// their life around it.
type Customer struct {
	ID      string // as the importer publishes it in the namespace user_id
	Country string // of the earliest invoice; empty when unknown
	// Orders are the customer's orders by time; refunds and adjustments are
	// left out, so a customer may have none.
	Orders []Purchase
}

// Purchase is one order.
type Purchase struct {
	OrderID string
	Time    time.Time
	// Products are the ids of the first lines, at most maxProducts.
	Products []string
}

const maxProducts = 6

// Customers returns the customers of a file in the layout of OnlineRetail, by
// id, with every time moved by shift. AsOf is that of the import (Summary):
// lines that an import rejects are ignored here as well.
func (OnlineRetail) Customers(ctx context.Context, in Input, asOf time.Time, shift time.Duration) ([]Customer, error) {
	reader := retailReader{opts: Options{File: in.Name, AsOf: asOf, MaxOpenBytes: math.MaxInt}}
	found := make(map[string]*Customer)
	_, err := in.with(func(r io.Reader) error {
		_, err := reader.survey(ctx, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	_, err = in.with(func(r io.Reader) error {
		return reader.invoices(ctx, r, func(inv *invoice) error {
			addInvoice(found, inv, shift)
			return nil
		}, func([]byte, int, string) error { return nil })
	})
	if err != nil {
		return nil, fmt.Errorf("read customers: %w", err)
	}
	customers := make([]Customer, 0, len(found))
	for _, id := range slices.Sorted(maps.Keys(found)) {
		c := found[id]
		slices.SortFunc(c.Orders, func(a, b Purchase) int {
			return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.OrderID, b.OrderID))
		})
		customers = append(customers, *c)
	}
	return customers, nil
}

func addInvoice(found map[string]*Customer, inv *invoice, shift time.Duration) {
	if inv.customer == "" {
		return
	}
	c := found[inv.customer]
	if c == nil {
		c = &Customer{ID: inv.customer}
		found[c.ID] = c
	}
	if c.Country == "" && inv.country != noCountry {
		c.Country = inv.country
	}
	if inv.class() != "order" {
		return
	}
	p := Purchase{OrderID: inv.number, Time: inv.time.Add(shift)}
	for _, l := range inv.lines[:min(len(inv.lines), maxProducts)] {
		p.Products = append(p.Products, l.product)
	}
	c.Orders = append(c.Orders, p)
}

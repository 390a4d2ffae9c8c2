package profiles

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Transaction is one message about an order, a refund or a subscription.
type Transaction struct {
	Moment   Moment
	Type     string // order, refund or subscription
	Source   string
	OrderID  string
	Status   string
	Currency string
	Amount   decimal.Decimal // before tax and shipping; negative for refunds
	Lines    []Line
}

// Line is a line of a transaction.
type Line struct {
	Product, Name, Category string
	Quantity, Price         decimal.Decimal
}

// purchase is a transaction as it is now: several messages about an order
// (completed, updated, cancelled) are one, whose newest message tells its state;
// every other message is one of its own, so that two partial refunds of one order
// both count.
type purchase struct {
	Transaction
	placed time.Time // first message
	stands bool
	// whole says that an order was refunded whole, by refunds that name no lines.
	whole bool
}

// stands is the condition under which a transaction counts; warehouse queries
// over many profiles say the same in SQL.
func stands(status string) bool {
	switch strings.ToLower(status) {
	case "cancelled", "canceled", "voided", "failed":
		return false
	}
	return true
}

// over reports whether a subscription of a status has ended.
func over(status string) bool {
	switch strings.ToLower(status) {
	case "", "expired", "ended", "inactive", "paused":
		return true
	}
	return !stands(status)
}

// purchases folds messages into transactions, by the time of the first message.
func purchases(messages []Transaction) []*purchase {
	type order struct{ source, id string }
	known := map[order]*purchase{}
	all := make([]*purchase, 0, len(messages))
	for _, m := range messages {
		key := order{m.Source, m.OrderID}
		if p := known[key]; p != nil && m.Type == "order" && m.OrderID != "" {
			if m.Moment.Compare(p.Moment) > 0 {
				p.Transaction = m
			}
			if m.Moment.Time.Before(p.placed) {
				p.placed = m.Moment.Time
			}
			continue
		}
		p := &purchase{Transaction: m, placed: m.Moment.Time}
		if all = append(all, p); m.Type == "order" && m.OrderID != "" {
			known[key] = p
		}
	}
	refunded := map[string]decimal.Decimal{} // by order id, without lines
	for _, p := range all {
		p.stands = stands(p.Status)
		if p.Type == "refund" && p.stands && len(p.Lines) == 0 {
			refunded[p.OrderID] = refunded[p.OrderID].Sub(p.Amount)
		}
	}
	for _, p := range all {
		p.whole = p.Type == "order" && p.OrderID != "" && p.Amount.IsPositive() && refunded[p.OrderID].GreaterThanOrEqual(p.Amount)
	}
	slices.SortStableFunc(all, func(a, b *purchase) int {
		return cmp.Or(a.placed.Compare(b.placed), a.Moment.Compare(b.Moment))
	})
	return all
}

// Purchases sums up the messages about what a customer bought: by currency, and
// by product, the one bought last first. The order of messages does not matter.
func Purchases(messages []Transaction) ([]OrderSummary, []Product) {
	all := purchases(messages)
	byCurrency := map[string]*OrderSummary{}
	goods := basket{}
	for _, p := range all {
		if p.stands {
			s := byCurrency[p.Currency]
			if s == nil {
				s = &OrderSummary{Currency: p.Currency}
				byCurrency[p.Currency] = s
			}
			s.add(p)
		}
		for _, l := range p.Lines {
			if l.Product != "" {
				goods.add(p, l)
			}
		}
	}
	var orders []OrderSummary
	for _, currency := range slices.Sorted(maps.Keys(byCurrency)) {
		orders = append(orders, *byCurrency[currency])
	}
	return orders, goods.products()
}

func (s *OrderSummary) add(p *purchase) {
	switch p.Type {
	case "refund":
		s.Refunds++
		s.Refunded = s.Refunded.Add(p.Amount)
		return
	case "order":
		if s.Orders++; s.FirstOrder.IsZero() {
			s.FirstOrder = p.placed
		}
		s.LastOrder = p.placed
	}
	s.Amount = s.Amount.Add(p.Amount)
}

// basket collects products from purchases in the order of their time.
type basket map[string]*Product

func (b basket) add(p *purchase, l Line) {
	item := b[l.Product]
	if item == nil {
		item = &Product{ID: l.Product, Spent: map[string]decimal.Decimal{}}
		b[l.Product] = item
	}
	item.Name, item.Category = cmp.Or(l.Name, item.Name), cmp.Or(l.Category, item.Category)
	if p.Type == "subscription" {
		item.Subscribed = !over(p.Status)
	}
	if !p.stands {
		return
	}
	quantity := l.Quantity.Abs() // Refunds are recorded with a sign, or without.
	worth := quantity.Mul(l.Price)
	switch p.Type {
	case "refund":
		item.Returned = item.Returned.Add(quantity)
		item.Spent[p.Currency] = item.Spent[p.Currency].Sub(worth)
		return
	case "order":
		if item.order != p {
			item.Orders++
			item.order = p
		}
		item.Bought = item.Bought.Add(quantity)
		if p.whole {
			item.Returned, worth = item.Returned.Add(quantity), decimal.Zero
		}
	}
	item.Spent[p.Currency] = item.Spent[p.Currency].Add(worth)
	if item.First.IsZero() {
		item.First = p.placed
	}
	item.Position = Position{Time: p.placed, Key: item.ID}
}

// products returns what was bought or is subscribed to.
func (b basket) products() []Product {
	list := make([]Product, 0, len(b))
	for _, p := range b {
		if !p.Bought.IsPositive() && !p.Subscribed {
			continue // Only refunded, cancelled or ended.
		}
		p.order = nil
		p.Returned = decimal.Min(p.Returned, p.Bought) // Of some returns the order is not known.
		p.Held = p.Bought.Sub(p.Returned)
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Product) int {
		return cmp.Or(b.Position.Time.Compare(a.Position.Time), cmp.Compare(b.ID, a.ID))
	})
	return list
}

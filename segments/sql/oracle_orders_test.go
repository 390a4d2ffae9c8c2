package sql_test

import (
	"math/big"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments"
)

// state is what is known of a transaction.
type state struct {
	newest clickhousetest.Event
	placed time.Time
}

func stands(order *clickhousetest.Order) bool { return !strings.EqualFold(order.Status, "cancelled") }

// states are the transactions of a profile.
func (o *oracle) states(p *person) map[string]*state {
	states := map[string]*state{}
	for _, e := range p.events {
		if e.Order == nil || e.Order.Type == "adjustment" {
			continue
		}
		id := "message " + e.Kind + " " + e.Source + " " + e.MessageID
		if e.Order.Type == "order" && e.Order.ID != "" {
			id = "order " + e.Source + " " + e.Order.ID
		}
		s := states[id]
		if s == nil {
			states[id] = &state{newest: e, placed: e.Time}
			continue
		}
		if e.Time.Before(s.placed) {
			s.placed = e.Time
		}
		if o.later(e, s.newest) {
			s.newest = e
		}
	}
	return states
}

func (o *oracle) transactions(p *person, leaf segments.Transactions) bool {
	count, sum := 0, new(big.Rat)
	for _, s := range o.states(p) {
		order := s.newest.Order
		if !stands(order) || leaf.Currency != "" && order.Currency != leaf.Currency || !o.inWindow(s.placed, leaf.Within) {
			continue
		}
		if order.Type+"s" == string(leaf.Measure) {
			count++
		}
		amount, _ := new(big.Rat).SetString(order.Amount)
		sum.Add(sum, amount)
	}
	if leaf.Measure == segments.Revenue {
		x, _ := sum.Float64()
		return leaf.Test.Holds(x)
	}
	return leaf.Test.Holds(float64(count))
}

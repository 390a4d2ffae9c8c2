package clickhousetest

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// insertFacts writes the typed parts of the events.
func (w *World) insertFacts(ctx context.Context) {
	w.T.Helper()
	w.insert(ctx, "transaction_facts (workspace, anchor_id, time, message_hash, received_time, source, name, type, order_id, status, currency, amount, items.product_id, items.name, items.category, items.quantity, items.price, items.cost)",
		func(add func(...any)) {
			for _, e := range w.events {
				if o := e.Order; o != nil {
					var ids, names, categories []string
					var quantities, prices, costs []decimal.Decimal
					for _, i := range o.Items {
						ids, names, categories = append(ids, i.Product), append(names, i.Name), append(categories, i.Category)
						quantities, prices, costs = append(quantities, w.decimal(i.Quantity)), append(prices, w.decimal(i.Price)), append(costs, decimal.Zero)
					}
					add(w.Workspace, uint64(w.Keyer.Anchor(w.members(e))), e.Time, w.hash(e), e.Received, e.Source, e.Name,
						o.Type, o.ID, o.Status, o.Currency, w.decimal(o.Amount), ids, names, categories, quantities, prices, costs)
				}
			}
		})
	w.insert(ctx, "contact_facts (workspace, anchor_id, time, message_hash, received_time, source, name, action, channel, campaign, sent_message_id, subject)",
		func(add func(...any)) {
			for _, e := range w.events {
				if k := e.Contact; k != nil {
					add(w.Workspace, uint64(w.Keyer.Anchor(w.members(e))), e.Time, w.hash(e), e.Received, e.Source, e.Name,
						k.Action, k.Channel, k.Campaign, k.ID, k.Subject)
				}
			}
		})
	w.insert(ctx, "consents (workspace, anchor_id, purpose, channel, address_id, time, message_hash, received_time, source, granted, origin, message_id)",
		func(add func(...any)) {
			for _, e := range w.events {
				for _, c := range e.Consents {
					var address uint64
					if c.Address != "" {
						address = uint64(w.Key(c.Address))
					}
					add(w.Workspace, uint64(w.Keyer.Anchor(w.members(e))), c.Purpose, c.Channel, address, e.Time, w.hash(e), e.Received, e.Source,
						c.Granted, "event", e.MessageID)
				}
			}
		})
	w.insert(ctx, "account_facts (workspace, account_id, anchor_id, time, message_hash, received_time, source, traits)",
		func(add func(...any)) {
			for _, e := range w.events {
				if id, ok := e.Properties["groupId"].(string); ok && e.Type == "group" {
					traits, err := json.Marshal(e.Properties["traits"])
					w.check("traits of a group", err)
					add(w.Workspace, id, uint64(w.Keyer.Anchor(w.members(e))), e.Time, w.hash(e), e.Received, e.Source, string(traits))
				}
			}
		})
}

// Product inserts what the catalogue states of a product, with its categories from the
// widest to the narrowest.
func (w *World) Product(ctx context.Context, id string, at time.Time, category ...string) {
	w.T.Helper()
	w.insert(ctx, "catalogue_entries (workspace, type, item_id, stated, time, message_hash, category)", func(add func(...any)) {
		add(w.Workspace, "product", id, true, at, w.hash(Event{MessageID: id + at.String()}), category)
	})
}

// insertVoices writes positions and what people said.
func (w *World) insertVoices(ctx context.Context) {
	w.T.Helper()
	if !slices.ContainsFunc(w.events, func(e Event) bool { return e.Fix != nil || e.Voice != nil }) {
		return
	}
	common := "(workspace, anchor_id, time, message_hash, received_time, source, name, "
	w.insert(ctx, "location_facts "+common+"lat, lon)", func(add func(...any)) {
		for _, e := range w.events {
			if f := e.Fix; f != nil {
				add(w.Workspace, uint64(w.Keyer.Anchor(w.members(e))), e.Time, w.hash(e), e.Received, e.Source, e.Name, f.Lat, f.Lon)
			}
		}
	})
	small := func(x *float64) *float32 {
		if x == nil {
			return nil
		}
		y := float32(*x)
		return &y
	}
	for _, medium := range []string{"social", "support"} {
		w.insert(ctx, medium+"_facts "+common+"direction, sentiment)", func(add func(...any)) {
			for _, e := range w.events {
				if v := e.Voice; v != nil && v.Medium == medium {
					add(w.Workspace, uint64(w.Keyer.Anchor(w.members(e))), e.Time, w.hash(e), e.Received, e.Source, e.Name, v.Direction, small(v.Sentiment))
				}
			}
		})
	}
	w.insert(ctx, "feedback_facts "+common+"instrument, score, scale_min, scale_max, sentiment)", func(add func(...any)) {
		least, most := 0.0, 10.0
		for _, e := range w.events {
			if v := e.Voice; v != nil && v.Medium == "feedback" {
				add(w.Workspace, uint64(w.Keyer.Anchor(w.members(e))), e.Time, w.hash(e), e.Received, e.Source, e.Name, "nps", v.Score, &least, &most, small(v.Sentiment))
			}
		}
	})
}

func (w *World) decimal(text string) decimal.Decimal {
	w.T.Helper()
	d, err := decimal.NewFromString(text)
	w.check("decimal", err)
	return d
}

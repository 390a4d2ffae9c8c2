package sql_test

import (
	"fmt"
	"strconv"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments/segmentstest"
)

var now = segmentstest.Now

// ruleTable has one trait per rule, named like it, and one per computation.
func ruleTable() profiles.Rules {
	rules := profiles.Rules{Default: profiles.TraitRule{Rule: profiles.Newest}, Traits: map[string]profiles.TraitRule{}}
	for _, r := range []profiles.Rule{profiles.Oldest, profiles.MostFrequent, profiles.Longest, profiles.Union, profiles.Sum, profiles.Max} {
		rules.Traits[string(r)] = profiles.TraitRule{Rule: r}
	}
	rules.Traits["source_priority"] = profiles.TraitRule{Rule: profiles.SourcePriority, Sources: []string{"crm", "shop"}}
	big := []profiles.Condition{{Property: "amount", Op: "gt", Values: []any{.5}}}
	rules.Computed = []profiles.ComputedTrait{
		{Name: "computed_count", Compute: profiles.ComputeCount, Event: "View", Where: big},
		{Name: "computed_any", Compute: profiles.ComputeCount, Kind: "transaction", Within: 48 * time.Hour},
		{Name: "computed_sum", Compute: profiles.ComputeSum, Event: "Buy", Property: "amount"},
		{Name: "computed_average", Compute: profiles.ComputeAverage, Event: "View", Property: "amount", Within: 72 * time.Hour},
		{Name: "computed_first", Compute: profiles.ComputeFirst, Event: "it's", Property: "deep.er"},
		{Name: "computed_last", Compute: profiles.ComputeLast, Event: "View", Property: "size"},
		{Name: "computed_most_frequent", Compute: profiles.ComputeMostFrequent, Property: "size"},
		{Name: "computed_unique_list", Compute: profiles.ComputeUniqueList, Event: "Buy", Property: "size", Limit: 2},
		{Name: "computed_time_since", Compute: profiles.ComputeTimeSince, Event: "Buy", Unit: time.Hour},
	}
	return rules
}

// maker makes random worlds for the definitions.
type maker struct{ segmentstest.Maker }

func (m maker) moment() time.Time {
	switch m.IntN(6) {
	case 0: // Where windows begin and end.
		return now.Add(-time.Duration(m.IntN(4)) * 24 * time.Hour)
	case 1:
		return now.Add(time.Duration(m.IntN(3)-1) * time.Millisecond)
	}
	return now.Add(-time.Duration(m.IntN(6*24)) * time.Hour)
}

// history adds people to a world and returns an oracle that knows them.
func (m maker) history(w *clickhousetest.World, people int) *oracle {
	o := &oracle{world: w, now: now, households: map[identity.ProfileID]string{}}
	for i := range people {
		ids := []string{fmt.Sprintf("anonymous_id:a%d", i), fmt.Sprintf("user_id:u%d", i), fmt.Sprintf("email:e%d@example.com", i)}
		mine := ids[:1+m.IntN(3)]
		id := w.Person(mine...)
		// A founder is an identifier that was seen.
		founding := m.event(len(o.events), nil, people)
		founding.Identifiers = ids[:1]
		o.events = append(o.events, founding)
		for range m.IntN(10) {
			o.events = append(o.events, m.event(len(o.events), ids, people))
		}
		for range m.IntN(3) {
			at := now.Add(-time.Duration(len(o.scores)) * time.Second)
			// Some stand under an id that has been merged since.
			scored := identity.ProfileID(w.Key(mine[m.IntN(len(mine))]))
			o.scores = append(o.scores, clickhousetest.Score{Profile: scored, Name: m.One("churn", "value"), AsOf: at, ComputedAt: at, Value: m.Number(), Lower: m.Number(), Upper: m.Number()})
		}
		for range m.IntN(4) { // No two at one time; some say that the profile is gone.
			o.groups = append(o.groups, clickhousetest.Group{
				Profile: identity.ProfileID(w.Key(mine[m.IntN(len(mine))])), Time: now.Add(-time.Duration(m.IntN(1000)*1000+len(o.groups)) * time.Millisecond),
				Stage: m.One("lead", "at_risk", "at_risk", ""), Persona: m.One("p1", "p2", "it's", ""),
			})
		}
		if m.IntN(2) == 0 {
			o.households[id] = fmt.Sprintf("address:h%d", m.IntN(people/3))
			w.House(o.households[id], id)
		}
	}
	for product, path := range o.catalogue() {
		if w.Conn == nil { // The oracle is asked alone.
			break
		}
		w.Product(w.T.Context(), product, now.Add(-time.Hour), "Hats", "Shoes")
		w.Product(w.T.Context(), product, now, path...)
	}
	w.Add(o.events...)
	w.Score(o.scores...)
	w.Group(o.groups...)
	return o
}

func (m maker) event(n int, ids []string, people int) clickhousetest.Event {
	e := clickhousetest.Event{
		MessageID: strconv.Itoa(n), Kind: m.One("behaviour", "behaviour", "transaction"), Name: m.Name(), Source: m.One("web", "shop", "crm"),
		Time: m.moment(), Properties: map[string]any{}, Traits: map[string]any{},
	}
	for _, id := range ids {
		if m.IntN(2) == 0 {
			e.Identifiers = append(e.Identifiers, id)
		}
	}
	if m.IntN(8) == 0 { // A device that several people share.
		e.Identifiers = append(e.Identifiers, fmt.Sprintf("device:d%d", m.IntN(max(1, people/4))))
	}
	for range m.IntN(3) {
		e.Properties[m.One("size", "price", "it's", "a b")] = m.Value()
		e.Properties["amount"] = []any{nil, "word", .5, 2.25, 10.1}[m.IntN(5)]
		e.Properties["deep"] = map[string]any{"er": m.Value()}
		e.Properties["items"] = []any{map[string]any{"sku": m.Value()}, map[string]any{"sku": m.Value(), "n": 1.0}, "text"}
	}
	for range m.IntN(3) {
		e.Traits[m.One(segmentstest.TraitNames...)] = m.Value()
	}
	if m.IntN(5) == 0 {
		e.Type, e.Properties["groupId"] = "group", m.One("acme", "it's", "globex")
		e.Properties["traits"] = map[string]any{m.One("plan", "it's"): m.Value()}
	}
	if m.IntN(3) == 0 {
		at := segmentstest.Places[m.IntN(len(segmentstest.Places))]
		e.Fix = &clickhousetest.Fix{Lat: at.Lat, Lon: at.Lon}
	}
	if m.IntN(2) == 0 {
		e.Voice = &clickhousetest.Voice{Medium: m.One("social", "support", "feedback"), Direction: m.One("inbound", "inbound", "outbound")}
		if m.IntN(4) > 0 {
			sentiment, score := []float64{-1, -.5, .1, .25, .9}[m.IntN(5)], float64(m.IntN(11))
			e.Voice.Sentiment, e.Voice.Score = &sentiment, &score
		}
	}
	for range m.IntN(3) {
		c := clickhousetest.Consent{Purpose: m.One("marketing", "marketing", "profiling"), Channel: m.One("", "email", "sms"), Granted: m.IntN(2) == 0}
		if c.Channel != "" && m.IntN(2) == 0 && len(ids) > 0 {
			c.Address = m.One(ids...)
		}
		e.Consents = append(e.Consents, c)
	}
	if e.Kind == "transaction" {
		e.Order = &clickhousetest.Order{
			Type: m.One("order", "order", "order", "refund", "subscription", "adjustment"), ID: m.One("", "o1", "o2"),
			Status: m.One("completed", "completed", "Cancelled", ""), Currency: m.One("EUR", "EUR", "USD"),
			Amount: m.One("1", "2.5", "0.1", "-0.3", "99.9999", "0"),
		}
		for range m.IntN(3) {
			e.Order.Items = append(e.Order.Items, clickhousetest.Item{Product: m.One("p1", "p2", "it's"), Category: m.One("", "", "Shoes", "Hats"), Quantity: "1", Price: "1"})
		}
	}
	return e
}

// statement is a value of few, so that they repeat; sums of these are exact.
func (m maker) statement() any {
	switch m.IntN(8) {
	case 0:
		return nil
	case 1, 2:
		return float64(m.IntN(4)) / 2
	case 3:
		return []any{m.One("a", "bb"), m.One("bb", "ccc")}
	}
	return m.One("a", "bb", "ccc")
}

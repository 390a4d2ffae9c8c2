package features

import (
	"fmt"
	"strings"
)

// Slots is the number of frequent event names that a Catalogue has features of.
const Slots = 8

// Kinds are the kinds of events that have features of their own.
var kinds = []string{"behaviour", "transaction", "social", "location", "support", "feedback", "sensor", "contact"}

// day is a day in milliseconds.
const day = 86_400_000

// column is a feature: an expression over the columns of the sources.
type column struct{ name, sql string }

// since is the expression of days since an age in milliseconds, which is 0 where nothing
// happened: nothing that counts has age 0.
func since(age string) string { return fmt.Sprintf("if(%s = 0, nan, %s / %d)", age, age, day) }

// columns are the features in the order of a Row, without those of event names.
func columns() []column {
	list := []column{
		{"events_7d", "e.n7"},
		{"events_30d", "e.n30"},
		{"events_90d", "e.n90"},
		{"events_365d", "e.n365"},
		{"events", "e.n"},
		{"active_days_7d", "bitCount(bitAnd(e.w0, 0x7f))"},
		{"active_days_30d", "bitCount(bitAnd(e.w0, 0x3fffffff))"},
		{"active_days_90d", "bitCount(e.w0) + bitCount(bitAnd(e.w1, 0x3ffffff))"},
		{"active_days_365d", "bitCount(e.w0) + bitCount(e.w1) + bitCount(e.w2) + bitCount(e.w3) + bitCount(e.w4) + bitCount(bitAnd(e.w5, 0x1fffffffffff))"},
		{"since_last_event", since("e.last")},
		{"since_first_event", since("e.first")},
		{"days_between_events", fmt.Sprintf("if(e.n < 2, nan, (e.first - e.last) / (e.n - 1) / %d)", day)},
		{"trend_30_of_90d", "if(e.n90 = 0, nan, 3 * e.n30 / e.n90)"},
		{"campaign_share_90d", "if(e.n90 = 0, nan, e.campaigns / e.n90)"},
	}
	for _, k := range kinds {
		list = append(list,
			column{"share_" + k + "_365d", "if(e.n365 = 0, nan, e.n_" + k + " / e.n365)"},
			column{"since_" + k, since("e.last_" + k)})
	}
	return append(append(list, orderColumns()...), voiceColumns()...)
}

func orderColumns() []column {
	return []column{
		{"orders_30d", "o.n30"},
		{"orders_90d", "o.n90"},
		{"orders_365d", "o.n365"},
		{"orders", "o.n"},
		{"since_last_order", since("o.last")},
		{"since_first_order", since("o.first")},
		{"days_between_orders", fmt.Sprintf("if(o.n < 2, nan, (o.first - o.last) / (o.n - 1) / %d)", day)},
		{"spend_90d", "o.spend90"},
		{"spend_365d", "o.spend365"},
		{"spend", "o.spend"},
		{"order_value", "if(o.paid = 0, nan, o.spend / o.paid)"},
		{"refunds_365d", "o.refunds"},
	}
}

// voiceColumns are those of what was said to a person and by them.
func voiceColumns() []column {
	return []column{
		{"contacts_30d", "c.n30"},
		{"contacts_90d", "c.n90"},
		{"contacts_email_90d", "c.email"},
		{"contacts_sms_90d", "c.sms"},
		{"contacts_push_90d", "c.push"},
		{"contact_open_rate_90d", "if(c.n90 = 0, nan, c.opened / c.n90)"},
		{"contact_click_rate_90d", "if(c.n90 = 0, nan, c.clicked / c.n90)"},
		{"since_last_contact", since("c.last")},
		{"unsubscribed", "c.unsubscribed"},
		{"cases_90d", "s.n90"},
		{"cases_365d", "s.n365"},
		{"response_hours_365d", "if(s.answers = 0, nan, s.seconds / s.answers / 3600)"},
		{"last_nps", "if(f.last = 0, nan, f.nps)"},
		{"last_csat", "if(f.last = 0, nan, f.csat)"},
		{"since_last_feedback", since("f.last")},
	}
}

// slotColumns are the features of the frequent event names, by their places.
func slotColumns() []column {
	var list []column
	for i := range Slots {
		list = append(list, column{fmt.Sprintf("count_%d", i), fmt.Sprintf("e.count_%d", i)}, column{fmt.Sprintf("since_%d", i), since(fmt.Sprintf("e.since_%d", i))})
	}
	return list
}

// Names are the names of the numbers of a Row with this catalogue, in their order.
// Places without an event name have "".
func (c Catalogue) Names() []string {
	var names []string
	for _, col := range columns() {
		names = append(names, col.name)
	}
	for i := range Slots {
		if i < len(c.Events) {
			names = append(names, "count_90d["+c.Events[i]+"]", "since["+c.Events[i]+"]")
		} else {
			names = append(names, "", "")
		}
	}
	return names
}

// vector is the expression of all features as one array, which travels as one column.
func vector() string {
	var parts []string
	for _, c := range append(columns(), slotColumns()...) {
		parts = append(parts, "toFloat32("+c.sql+")")
	}
	return "[" + strings.Join(parts, ",\n    ") + "]"
}

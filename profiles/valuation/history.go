package valuation

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// ordersSQL gives the state of every attributed order and refund known at
// as_of of people whose processing is not restricted: when it was placed and what it is
// worth. Amounts are decimal until
// they are summed, so that the sums do not depend on the order of the rows.
var ordersSQL = orders("", "")

// orders is ordersSQL with more columns, made of more elements of the tuple newest
// from the fourth on.
func orders(columns, elements string) string {
	return `
SELECT profile_id, type, placed, tupleElement(newest, 1) AS status, tupleElement(newest, 2) AS currency, tupleElement(newest, 3) AS worth` + columns + `
FROM (
    SELECT profile_id, type, min(time) AS placed,
        argMax((status, currency, if(type = 'refund', toDecimal256(abs(amount), 8),
            if(empty(items.quantity), toDecimal256(amount, 8), arraySum(arrayMap((quantity, price) ->
                if(quantity > 0 AND price > 0, toDecimal256(quantity, 4) * toDecimal256(price, 4), toDecimal256(0, 8)),
                items.quantity, items.price))))` + elements + `), (time, message_hash)) AS newest
    FROM transactions
    WHERE workspace = {workspace:String} AND anchor_id != 0 AND profile_id != 0 AND ` + warehouse.Unrestricted("profile_id") + `
        AND type IN ('order', 'refund') AND time <= parseDateTime64BestEffort({as_of:String}, 3, 'UTC')
    GROUP BY profile_id, type, ` + profilestore.TransactionIdentity + `
)
WHERE worth > 0 AND ` + profilestore.TransactionStands
}

// Orders returns the SELECT of the orders and refunds that count, one row each, with
// the columns profile_id, type, placed, status, currency and worth: what a purchase is,
// for other workers too. It binds {workspace:String} and {as_of:String}, and is made to
// be a subquery.
func Orders() string { return ordersSQL }

// OrderedProducts is Orders with the column products: the ids of the lines that count.
func OrderedProducts() string {
	return orders(", tupleElement(newest, 4) AS products", ", arrayFilter((id, quantity, price) -> id != '' AND quantity > 0 AND price > 0, items.product_id, items.quantity, items.price)")
}

// currenciesSQL counts the orders per currency, the most frequent first.
var currenciesSQL = `SELECT currency, countIf(type = 'order') AS orders FROM (` + ordersSQL + `)
GROUP BY currency HAVING orders > 0 ORDER BY orders DESC, currency`

// historySQL is one row per profile that ever bought: its days since 1970 with
// purchases or refunds, and what was bought and refunded on them.
var historySQL = `SELECT profile_id, groupArray(day), groupArray(bought), groupArray(returned),
    groupArray(covered), groupArray(spent), groupArray(discounted), groupArray(orders), groupArray(refunds)
FROM (
    SELECT profile_id, toInt32(toDate32(placed)) AS day,
        toFloat64(sumIf(worth, type = 'order')) AS bought, toFloat64(sumIf(worth, type = 'refund')) AS returned,
        toFloat64(sumIf(covered, type = 'order')) AS covered, toFloat64(sumIf(spent, type = 'order')) AS spent,
        toFloat64(sumIf(least(toDecimal256(discount, 8), worth), type = 'order')) AS discounted,
        toUInt32(countIf(type = 'order')) AS orders, toUInt32(countIf(type = 'refund')) AS refunds
    FROM (` + costedOrdersSQL + `)
    WHERE currency = {currency:String}
    GROUP BY profile_id, day
)
GROUP BY profile_id
HAVING arraySum(groupArray(bought)) > 0
ORDER BY profile_id`

// history is what is known of the purchases of all profiles.
type history struct {
	currency  string
	profiles  []identity.ProfileID
	customers []lifetime.Customer
	earnings  []lifetime.Earnings // of the customers
	first     int                 // day of the first purchase of all
	last      int                 // day of the last
	// orders counts the orders in other currencies, unmatched the refunded
	// money that no purchase could be found for.
	otherCurrency uint64
	unmatched     float64
	unusable      int // profiles whose sums are not finite
	sample        histories
}

// readHistory reads the purchases up to asOf.
func (w *Worker) readHistory(ctx context.Context, asOf time.Time) (*history, error) {
	h := &history{currency: w.cfg.Currency}
	if err := w.chooseCurrency(ctx, asOf, h); err != nil {
		return nil, fmt.Errorf("count currencies: %w", profilestore.Concise(err))
	}
	if err := w.readProfiles(ctx, asOf, h); err != nil {
		return nil, fmt.Errorf("read purchases: %w", profilestore.Concise(err))
	}
	return h, nil
}

func (w *Worker) arguments(asOf time.Time, more ...any) []any {
	return append(more, clickhouse.Named("workspace", w.cfg.Workspace),
		clickhouse.Named("as_of", asOf.UTC().Format("2006-01-02 15:04:05.000")))
}

func (w *Worker) chooseCurrency(ctx context.Context, asOf time.Time, h *history) error {
	rows, err := w.deps.Conn.Query(profilestore.Spilling(ctx), currenciesSQL, w.arguments(asOf)...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	chosen := h.currency != ""
	for rows.Next() {
		var currency string
		var orders uint64
		if err := rows.Scan(&currency, &orders); err != nil {
			return err
		}
		switch {
		case !chosen:
			h.currency, chosen = currency, true
		case currency != h.currency:
			h.otherCurrency += orders
		}
	}
	return rows.Err()
}

func (w *Worker) readProfiles(ctx context.Context, asOf time.Time, h *history) error {
	contacts, err := w.readContacts(ctx, asOf, h.currency)
	if err != nil {
		return err
	}
	rows, err := w.deps.Conn.Query(profilestore.Spilling(ctx), historySQL, w.arguments(asOf, clickhouse.Named("currency", h.currency))...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id uint64
		var d days
		if err := rows.Scan(&id, &d.day, &d.bought, &d.returned, &d.covered, &d.spent, &d.discounted, &d.orders, &d.refunds); err != nil {
			return err
		}
		d.contacts = contacts[id]
		h.add(identity.ProfileID(id), d, w.cfg.Costs, lifetime.DayOf(asOf))
	}
	return rows.Err()
}

// add condenses the days of one profile.
func (h *history) add(id identity.ProfileID, d days, costs Costs, until int) {
	var purchases, refunds []lifetime.Purchase
	for i, day := range d.day {
		if d.bought[i] > 0 {
			purchases = append(purchases, lifetime.Purchase{Day: int(day), Amount: d.bought[i]})
		}
		if d.returned[i] > 0 {
			refunds = append(refunds, lifetime.Purchase{Day: int(day), Amount: d.returned[i]})
		}
	}
	purchases = lifetime.MergeDays(purchases)
	unmatched := lifetime.NetOfRefunds(purchases, refunds)
	c, ok := lifetime.Summarize(purchases, until, lifetime.Week)
	if !ok {
		h.unusable++
		return
	}
	h.unmatched += unmatched
	first, last := purchases[0].Day, purchases[len(purchases)-1].Day
	if len(h.customers) == 0 {
		h.first, h.last = first, last
	}
	h.first, h.last = min(h.first, first), max(h.last, last)
	h.profiles = append(h.profiles, id)
	h.customers = append(h.customers, c)
	h.earnings = append(h.earnings, d.earnings(purchases, costs.in(h.currency)))
	h.sample.add(purchases)
}

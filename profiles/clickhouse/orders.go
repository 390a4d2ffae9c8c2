package clickhouse

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/profiles"
)

// TransactionIdentity is the SQL expression, over columns of transaction_facts,
// of what one transaction is: several messages about an order (completed,
// updated, cancelled) are one transaction of which the newest message tells the
// state; every other message is a transaction of its own, so that two partial
// refunds of one order both count.
const TransactionIdentity = "if(type = 'order' AND order_id != '', reinterpretAsUInt128(sipHash128(source, order_id)), message_hash)"

// TransactionStands is the SQL condition, over the newest status of a
// transaction, under which it counts.
const TransactionStands = "lower(status) NOT IN ('cancelled', 'canceled', 'voided', 'failed')"

// ordersSQL first finds the state of each transaction, then sums by currency.
// Stock adjustments are nobody's purchase.
const ordersSQL = `SELECT currency,
    countIf(type = 'order'),
    countIf(type = 'refund'),
    sumIf(amount, type != 'refund'),
    sumIf(amount, type = 'refund'),
    minIf(placed, type = 'order'),
    maxIf(placed, type = 'order')
FROM (
    SELECT type, placed, tupleElement(newest, 1) AS status, tupleElement(newest, 2) AS currency, tupleElement(newest, 3) AS amount
    FROM (
        SELECT type, min(time) AS placed, argMax((status, currency, amount), (time, message_hash)) AS newest
        FROM transaction_facts` + ofProfile + ` AND type IN ('order', 'refund', 'subscription')
        GROUP BY type, ` + TransactionIdentity + `
    )
)
WHERE ` + TransactionStands + `
GROUP BY currency
ORDER BY currency`

func (r *reader) orders(ctx context.Context, p *profiles.Profile) error {
	return r.readEvents(ctx, "orders", ordersSQL, func(rows driver.Rows) error {
		var s profiles.OrderSummary
		var amount, refunded decimal.Decimal
		var first, last time.Time
		if err := rows.Scan(&s.Currency, &s.Orders, &s.Refunds, &amount, &refunded, &first, &last); err != nil {
			return err
		}
		s.Amount, s.Refunded = amount, refunded
		if s.Orders > 0 {
			s.FirstOrder, s.LastOrder = first.UTC(), last.UTC()
		}
		p.Orders = append(p.Orders, s)
		return nil
	})
}

package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// productsSQL first finds the state of each transaction, as ordersSQL does, then
// whether an order was refunded whole without naming its lines, then sums by
// product. Refunds are recorded with negative quantities or without a sign; both
// count as returned. A subscription holds its product until its newest word is an
// end; cancelled orders count for nothing.
const productsSQL = `SELECT product,
    argMax(product_name, placed), argMax(category, placed),
    uniqExactIf(id, stands AND type = 'order'),
    sumIf(quantity, stands AND type = 'order') AS bought,
    least(bought, sumIf(quantity, stands AND (type = 'refund' OR type = 'order' AND whole))) AS returned,
    maxIf((placed, status), type = 'subscription').2 NOT IN ('', ` + endings + `) AS subscribed,
    (sumMapIf([toString(currency)], [if(type = 'refund', -quantity * price, if(whole, 0, quantity * price))], stands) AS spent).1, spent.2,
    minIf(placed, stands AND type != 'refund') AS first, maxIf(placed, stands AND type != 'refund') AS last
FROM (
    SELECT type, id, placed, lower(newest.1) AS status, newest.2 AS currency, ` + TransactionStands + ` AS stands,
        type = 'order' AND newest.3 != '' AND newest.4 > 0
            AND -sumIf(newest.4, type = 'refund' AND empty(newest.5) AND stands) OVER (PARTITION BY newest.3) >= newest.4 AS whole,
        newest
    FROM (
        SELECT type, ` + TransactionIdentity + ` AS id, min(time) AS placed,
            argMax((status, currency, order_id, amount, items.product_id, items.name, items.category, items.quantity, items.price), (time, message_hash)) AS newest
        FROM transaction_facts` + ofProfile + ` AND type IN ('order', 'refund', 'subscription')
        GROUP BY type, id
    )
)
ARRAY JOIN newest.5 AS product, newest.6 AS product_name, newest.7 AS category, arrayMap(q -> abs(q), newest.8) AS quantity, newest.9 AS price
WHERE product != ''
GROUP BY product
HAVING (bought > 0 OR subscribed)
    AND ({key:String} = '' OR (last, product) < (fromUnixTimestamp64Milli({after:Int64}, 'UTC'), {key:String}))
ORDER BY last DESC, product DESC
LIMIT {limit:UInt32}`

// endings are the states in which a subscription is over.
const endings = "'cancelled', 'canceled', 'expired', 'ended', 'voided', 'failed', 'inactive', 'paused'"

// Products implements profiles.History.
func (s *Store) Products(ctx context.Context, workspace string, id identity.ProfileID, q profiles.PageQuery) ([]profiles.Product, error) {
	r, err := s.openEvents(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	products, err := r.products(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("load profile %s: %w", id, err)
	}
	return products, nil
}

// topProducts reads the products that were bought last.
func (r *reader) topProducts(ctx context.Context, p *profiles.Profile) (err error) {
	p.Products, err = r.products(ctx, profiles.PageQuery{Limit: r.cfg.Products})
	return err
}

func (r *reader) products(ctx context.Context, q profiles.PageQuery) ([]profiles.Product, error) {
	products := []profiles.Product{}
	return products, r.readEvents(ctx, "products", productsSQL, func(rows driver.Rows) error {
		var p profiles.Product
		var last time.Time
		var currencies []string
		var amounts []decimal.Decimal
		err := rows.Scan(&p.ID, &p.Name, &p.Category, &p.Orders, &p.Bought, &p.Returned, &p.Subscribed, &currencies, &amounts, &p.First, &last)
		if err != nil {
			return err
		}
		p.Held = p.Bought.Sub(p.Returned)
		p.First, p.Position = p.First.UTC(), profiles.Position{Time: last.UTC(), Key: p.ID}
		p.Spent = make(map[string]decimal.Decimal, len(currencies))
		for i, currency := range currencies {
			p.Spent[currency] = amounts[i]
		}
		products = append(products, p)
		return nil
	}, bindPage(q)...)
}

package valuation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// Costs are what serving customers costs beside the goods, per unit, in one
// currency. The file that declares them is TOML:
//
//	currency   = "EUR"
//	per_order  = 3.20        # picking, packing, postage
//	per_refund = 4.50        # taking goods back
//	of_revenue = 0.015       # payment, commissions
//
//	[per_contact]            # of support, by channel
//	phone = 6.0
//	other = 1.5              # of channels that are not named
type Costs struct {
	Currency   string             `toml:"currency"`
	PerOrder   float64            `toml:"per_order"`
	PerRefund  float64            `toml:"per_refund"`
	OfRevenue  float64            `toml:"of_revenue"`
	PerContact map[string]float64 `toml:"per_contact"`
}

// maxCost bounds a declared cost: one beyond it is a slip of the pen.
const maxCost = 1e6

// ReadCosts reads the file of costs; none where path is empty.
func ReadCosts(path string) (Costs, error) {
	if path == "" {
		return Costs{}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Costs{}, fmt.Errorf("read costs: %w", err)
	}
	c, err := parseCosts(text)
	if err != nil {
		return Costs{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parseCosts(text []byte) (c Costs, err error) {
	decoder := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			return c, fmt.Errorf("unknown field:\n%s", strict.String())
		}
		return c, err
	}
	return c, c.Validate()
}

// Validate reports every fault of the costs.
func (c Costs) Validate() error {
	var faults []error
	check := func(name string, v, most float64) {
		if !(v >= 0 && v <= most) {
			faults = append(faults, fmt.Errorf("costs: %s must lie between 0 and %g, not %v", name, most, v))
		}
	}
	check("per_order", c.PerOrder, maxCost)
	check("per_refund", c.PerRefund, maxCost)
	check("of_revenue", c.OfRevenue, 1)
	some := c.PerOrder > 0 || c.PerRefund > 0
	for channel, v := range c.PerContact {
		check("per_contact."+channel, v, maxCost)
		some = some || v > 0
	}
	if some && len(c.Currency) != 3 {
		faults = append(faults, errors.New("costs: currency must be three letters (ISO 4217)"))
	}
	return errors.Join(faults...)
}

// in are the costs that count where the currency is valued: shares of revenue do
// in any.
func (c Costs) in(currency string) Costs {
	if c.Currency == currency {
		return c
	}
	return Costs{OfRevenue: c.OfRevenue}
}

// costedOrdersSQL is ordersSQL with what is known of costs: the revenue of the lines
// whose unit cost the line or the present catalogue tells (in the same currency), that
// cost, and the discount. A cost of 0 on a line is an unknown one.
var costedOrdersSQL = orders(`,
    tupleElement(newest, 4) AS covered, tupleElement(newest, 5) AS spent, tupleElement(newest, 6) AS discount`, `,
            arraySum(arrayMap((quantity, price, unit) -> if(quantity > 0 AND price > 0 AND unit >= 0, toDecimal256(quantity, 4) * toDecimal256(price, 4), toDecimal256(0, 8)),
                items.quantity, items.price, `+unitCosts+`)),
            arraySum(arrayMap((quantity, price, unit) -> if(quantity > 0 AND price > 0 AND unit >= 0, toDecimal256(quantity, 4) * toDecimal256(unit, 4), toDecimal256(0, 8)),
                items.quantity, items.price, `+unitCosts+`)),
            greatest(discount, toDecimal64(0, 4))`)

// unitCosts are the costs per unit of the lines of an order; -1 where unknown.
const unitCosts = `arrayMap((id, cost) -> if(cost > 0, cost, transform(id,
                    (SELECT arrayPushFront(groupArray(item_id), '') FROM (` + catalogueCosts + `)),
                    (SELECT arrayPushFront(groupArray(unit), toDecimal64(-1, 4)) FROM (` + catalogueCosts + `)), toDecimal64(-1, 4))), items.product_id, items.cost)`

const catalogueCosts = `SELECT item_id, assumeNotNull(cost) AS unit FROM catalogue
                        WHERE workspace = {workspace:String} AND type = 'product' AND cost >= 0 AND currency IN ('', {currency:String}) ORDER BY item_id`

// days are the days of a profile with purchases or refunds, and what happened on
// each; contacts are apart, because they have days of their own.
type days struct {
	day                                          []int32
	bought, returned, covered, spent, discounted []float64
	orders, refunds                              []uint32
	contacts                                     []contact
}

// contact is what the contacts of support cost on a day.
type contact struct {
	day  int32
	cost float64
}

// earnings adds up what the purchase days left. What is sent back takes its share
// of costs and discounts along, for it can be sold again; what an order, a refund
// or a contact costs is spent, and counts on the latest purchase day before it.
func (d days) earnings(purchases []lifetime.Purchase, c Costs) lifetime.Earnings {
	served := make([]float64, len(purchases))
	serve := func(day int32, cost float64) {
		at := len(purchases) - 1
		for at > 0 && purchases[at].Day > int(day) {
			at--
		}
		served[at] += cost
	}
	at := map[int]int{}
	for i, day := range d.day {
		at[int(day)] = i
		serve(day, c.PerOrder*float64(d.orders[i])+c.PerRefund*float64(d.refunds[i]))
	}
	for _, x := range d.contacts {
		serve(x.day, x.cost)
	}
	var e lifetime.Earnings
	for k, p := range purchases {
		i := at[p.Day]
		gross := d.bought[i]
		if !(p.Amount > 0) {
			e.Add(0, 0, -served[k])
			continue
		}
		share, kept := d.covered[i]/gross, p.Amount/gross
		left := (d.covered[i]-d.spent[i]-d.discounted[i]*share)*kept - (served[k]+c.OfRevenue*p.Amount)*share
		e.Add(p.Amount, p.Amount*share, left)
	}
	return e
}

// contactsSQL counts what people asked of support, by profile, day and channel.
var contactsSQL = `SELECT profile_id, toInt32(toDate32(time)) AS day, toString(channel) AS channel, count() AS n
FROM support_contacts
WHERE workspace = {workspace:String} AND profile_id != 0 AND ` + warehouse.Unrestricted("profile_id") + `
    AND direction = 'inbound' AND self_service = '' AND time <= parseDateTime64BestEffort({as_of:String}, 3, 'UTC')
GROUP BY profile_id, day, channel
ORDER BY profile_id, day, channel`

// otherContacts is the channel of PerContact for those that are not named.
const otherContacts = "other"

// readContacts reads what the contacts of each profile cost; nothing where contacts
// cost nothing.
func (w *Worker) readContacts(ctx context.Context, asOf time.Time, currency string) (map[uint64][]contact, error) {
	costs := w.cfg.Costs.in(currency).PerContact
	if len(costs) == 0 {
		return nil, nil
	}
	rows, err := w.deps.Conn.Query(ctx, contactsSQL, w.arguments(asOf)...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[uint64][]contact{}
	for rows.Next() {
		var profile, n uint64
		var day int32
		var channel string
		if err := rows.Scan(&profile, &day, &channel, &n); err != nil {
			return nil, err
		}
		cost, named := costs[channel]
		if !named {
			cost = costs[otherContacts]
		}
		if cost > 0 {
			out[profile] = append(out[profile], contact{day, cost * float64(n)})
		}
	}
	return out, rows.Err()
}

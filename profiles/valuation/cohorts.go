package valuation

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// Period is the length of a cohort and of its ages.
type Period string

// The periods, of the calendar (UTC).
const (
	Month   Period = "month"
	Quarter Period = "quarter"
)

// MaxCohorts bounds the cohorts that are told: the latest.
const MaxCohorts = 120

// Cohorts are the customers of a workspace by the period of their first order, what each
// cohort did in every period since, and what its customers are expected to be worth.
type Cohorts struct {
	Period   Period
	Currency string    // of all amounts: that of the lifetime values unless another was asked for
	AsOf     time.Time // end of the data
	// Valued says that the values are in Currency; without it there are none.
	Valued  bool
	Cohorts []Cohort // the earliest first
}

// Cohort is who ordered first in one period.
type Cohort struct {
	Begin     time.Time
	Customers uint64
	// Scored of them have a value: Alive is the sum of their probabilities to be customers
	// still, Value that of their lifetime values of one year.
	Scored       uint64
	Alive, Value float64
	Ages         []CohortAge // 0 is the period of the first order; none is left out
}

// CohortAge is what a cohort did in one period.
type CohortAge struct {
	Age               int
	Buyers, Orders    uint64
	Revenue, Refunded float64 // ordered, and sent back, in this period
	// Complete is false of the period that is not over.
	Complete bool
}

// CohortReader reads cohorts. It is safe for concurrent use.
type CohortReader struct {
	conn driver.Conn
	now  func() time.Time
}

// NewCohortReader returns a reader of Kindred's database.
func NewCohortReader(conn driver.Conn, now func() time.Time) *CohortReader {
	return &CohortReader{conn, now}
}

// currencySQL is the currency of the lifetime values.
const currencySQL = `SELECT JSONExtractString(detail, 'summary', 'currency') FROM scores
WHERE workspace = {workspace:String} AND profile_id = 0 AND score = '` + Population + `' ORDER BY computed_at DESC LIMIT 1`

// begins is the beginning of the period of a time, an expression.
func (p Period) begins(time string) string {
	if p == Quarter {
		return "toStartOfQuarter(" + time + ")"
	}
	return "toStartOfMonth(" + time + ")"
}

// agesSQL is one row per cohort and age in which anything happened.
func (p Period) agesSQL() string {
	return `SELECT cohort, toInt32(dateDiff('` + string(p) + `', cohort, toDate(placed, 'UTC'))) AS age,
    uniqExactIf(profile_id, type = 'order'), countIf(type = 'order'), toFloat64(sumIf(worth, type = 'order')), toFloat64(sumIf(worth, type = 'refund'))
FROM (
    SELECT profile_id, ` + p.begins("toDate(minIf(placed, type = 'order'), 'UTC')") + ` AS cohort, groupArray((type, placed, worth)) AS rows
    FROM (` + ordersSQL + `)
    WHERE currency = {currency:String}
    GROUP BY profile_id
    HAVING countIf(type = 'order') > 0
)
ARRAY JOIN rows.1 AS type, rows.2 AS placed, rows.3 AS worth
GROUP BY cohort, age
HAVING age >= 0
ORDER BY cohort, age`
}

// valuesSQL is one row per cohort with what its customers are expected to do.
func (p Period) valuesSQL() string {
	return `SELECT ` + p.begins("toDate(first, 'UTC')") + ` AS cohort, count(), sum(alive), sum(worth)
FROM (
    SELECT profile_id, minIf(placed, type = 'order') AS first
    FROM (` + ordersSQL + `)
    WHERE currency = {currency:String}
    GROUP BY profile_id
    HAVING countIf(type = 'order') > 0
) AS bought
INNER JOIN (
    SELECT profile_id, sumIf(value, score = '` + PAlive + `') AS alive, sumIf(value, score = '` + LifetimeValue1y + `') AS worth
    FROM (` + CurrentScores() + `)
    WHERE score IN ('` + PAlive + `', '` + LifetimeValue1y + `')
    GROUP BY profile_id
    HAVING countIf(score = '` + LifetimeValue1y + `') > 0
) AS scored USING profile_id
GROUP BY cohort`
}

// Cohorts returns the cohorts of a workspace; without a currency in that of the lifetime
// values. Where nobody has ordered in it there are none.
func (r *CohortReader) Cohorts(ctx context.Context, workspace string, period Period, currency string) (*Cohorts, error) {
	asOf := r.now().UTC().Truncate(time.Millisecond)
	c := &Cohorts{Period: period, Currency: currency, AsOf: asOf}
	valued := ""
	err := r.each(ctx, currencySQL, func(rows driver.Rows) error { return rows.Scan(&valued) }, clickhouse.Named("workspace", workspace))
	if err != nil {
		return nil, fmt.Errorf("read the currency of values: %w", profilestore.Concise(err))
	}
	if c.Currency == "" {
		c.Currency = valued
	}
	c.Valued = c.Currency == valued && valued != ""
	arguments := []any{
		clickhouse.Named("workspace", workspace), clickhouse.Named("as_of", asOf.Format("2006-01-02 15:04:05.000")), clickhouse.Named("currency", c.Currency),
	}
	ctx = profilestore.Spilling(ctx)
	err = r.each(ctx, period.agesSQL(), func(rows driver.Rows) error {
		var begin time.Time
		var age int32
		var a CohortAge
		if err := rows.Scan(&begin, &age, &a.Buyers, &a.Orders, &a.Revenue, &a.Refunded); err != nil {
			return err
		}
		a.Age = int(age)
		c.add(begin.UTC(), a)
		return nil
	}, arguments...)
	if err != nil {
		return nil, fmt.Errorf("read cohorts: %w", profilestore.Concise(err))
	}
	c.fill()
	if !c.Valued {
		return c, nil
	}
	err = r.each(ctx, period.valuesSQL(), func(rows driver.Rows) error {
		var begin time.Time
		var v Cohort
		if err := rows.Scan(&begin, &v.Scored, &v.Alive, &v.Value); err != nil {
			return err
		}
		for i := range c.Cohorts {
			if of := &c.Cohorts[i]; of.Begin.Equal(begin) {
				of.Scored, of.Alive, of.Value = v.Scored, v.Alive, v.Value
			}
		}
		return nil
	}, arguments...)
	if err != nil {
		return nil, fmt.Errorf("read values of cohorts: %w", profilestore.Concise(err))
	}
	return c, nil
}

func (r *CohortReader) each(ctx context.Context, sql string, take func(driver.Rows) error, arguments ...any) error {
	rows, err := r.conn.Query(ctx, sql, arguments...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// add takes the next age of the cohort that began at a time.
func (c *Cohorts) add(begin time.Time, a CohortAge) {
	n := len(c.Cohorts)
	if n == 0 || !c.Cohorts[n-1].Begin.Equal(begin) {
		c.Cohorts = append(c.Cohorts, Cohort{Begin: begin, Customers: a.Buyers}) // All buy at age 0.
		n++
	}
	of := &c.Cohorts[n-1]
	of.Ages = append(of.Ages, a)
}

// fill puts in the ages in which nothing happened, up to the present one, and keeps the
// latest cohorts.
func (c *Cohorts) fill() {
	c.Cohorts = c.Cohorts[max(0, len(c.Cohorts)-MaxCohorts):]
	for i := range c.Cohorts {
		of := &c.Cohorts[i]
		told := of.Ages
		of.Ages = nil
		for age := 0; ; age++ {
			begin := c.Period.after(of.Begin, age)
			if begin.After(c.AsOf) {
				break
			}
			a := CohortAge{Age: age}
			if len(told) > 0 && told[0].Age == age {
				a, told = told[0], told[1:]
			}
			a.Complete = !c.Period.after(begin, 1).After(c.AsOf)
			of.Ages = append(of.Ages, a)
		}
	}
}

// after is the beginning of the period so many periods after one.
func (p Period) after(begin time.Time, periods int) time.Time {
	if p == Quarter {
		periods *= 3
	}
	return begin.AddDate(0, periods, 0)
}

package sql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
)

// everybodySQL gives every profile once: those of all identifiers. The founder of a
// profile may be gone from them, so that no row has the id of the profile itself. The
// condition asks for more than the profile for the reason that chosen gives.
func everybodySQL(reading warehouse.Reading) string {
	return `SELECT ` + reading.AnchorProfile("identifier_id") + ` AS profile_id, toUInt64(0) AS mask
FROM identifiers
WHERE workspace = {workspace:String}
GROUP BY profile_id
HAVING if(profile_id = 0, 0, count() > 0)`
}

// moment is the order of messages, (time, message hash), as one number: the
// server compares numbers many times faster than tuples.
const moment = "bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash)"

// transaction measures transactions in the scan over transaction_facts.
func (c *compiler) transaction(i int, leaf segments.Transactions) {
	measure, condition := "countIf(%s)", ""
	switch leaf.Measure {
	case segments.Orders:
		condition = "type = 'order'"
	case segments.Refunds:
		condition = "type = 'refund'"
	case segments.Revenue:
		measure, condition = "toFloat64(sumIf(amount, %s))", "1"
		c.needs("argMax(amount, moment) AS amount")
	}
	if leaf.Currency != "" {
		condition += " AND currency = " + c.text(leaf.Currency)
		c.needs("argMax(currency, moment) AS currency")
	}
	condition += c.within("placed", leaf.Within)
	c.set.placed.until(leaf.Within, "")
	column := fmt.Sprintf("leaf_%d", i)
	column = c.transactions.column(column, fmt.Sprintf(measure, condition))
	c.note(&c.transactions, i, c.comparison(column, leaf.Test), leaf.Test.Holds(0))
}

// everybody is the scan of all profiles.
func (c *compiler) everybody() string {
	return strings.Replace(strings.Replace(everybodySQL(c.reading), "\nFROM", c.rest(scan{}, times{})+"\nFROM", 1), "\nGROUP BY", c.only("identifier_id", AskedAnchors)+"\nGROUP BY", 1)
}

// needs adds a column of the state of a transaction, once.
func (c *compiler) needs(column string) {
	if !slices.Contains(c.state, column) {
		c.state = append(c.state, column)
	}
}

// transactionsSQL finds the state of each transaction by its newest message,
// and measures those that stand.
func (c *compiler) transactionsSQL() string {
	state := append([]string{"min(time) AS placed", "argMax(standing, moment) AS stands"}, c.state...)
	return fmt.Sprintf(`SELECT profile_id,
        %s AS mask%s
FROM (
    SELECT profile_id,
        %s
    FROM (
        SELECT profile_id, type, %s
        FROM (
            SELECT %s AS profile_id, type, %s AS transaction, %s AS standing, time, %s AS moment, %s
            FROM transaction_facts
            WHERE workspace = {workspace:String} AND anchor_id != 0 AND type IN ('order', 'refund', 'subscription')%s
        )
        GROUP BY profile_id, type, transaction
    )
    WHERE stands
    GROUP BY profile_id
)`, c.transactions.mask(0), c.rest(c.transactions, c.set.placed), strings.Join(c.dated(c.transactions, c.set.placed, "placed"), ",\n        "), strings.Join(state, ", "),
		c.reading.EventProfile("anchor_id", "time"), clickhouse.TransactionIdentity, clickhouse.TransactionStands, moment,
		strings.Join(append([]string{"currency", "amount"}, c.lines...), ", "), c.only("anchor_id", AskedAnchors))
}

// bought counts orders by the lines of their newest message. The catalogue is asked for
// its products once, not for each line.
func (c *compiler) bought(i int, leaf segments.Bought) {
	c.set.placed.until(leaf.Within, "")
	column, has := fmt.Sprintf("leaf_%d", i), fmt.Sprintf("has_%d", i)
	var conditions []string
	if leaf.Product != "" {
		conditions = append(conditions, "p = "+c.text(leaf.Product))
	}
	if leaf.Category != "" {
		category := c.text(leaf.Category)
		conditions = append(conditions, "(c = "+category+" OR p IN (SELECT item_id FROM catalogue WHERE workspace = {workspace:String} AND type = 'product' AND has(category, "+category+")))")
	}
	c.lines = append(c.lines, "arrayExists((p, c) -> "+strings.Join(conditions, " AND ")+", items.product_id, items.category) AS "+has)
	c.needs("argMax(" + has + ", moment) AS " + has)
	c.transactions.columns = append(c.transactions.columns, "countIf(type = 'order' AND "+has+c.within("placed", leaf.Within)+") AS "+column)
	c.note(&c.transactions, i, c.comparison(column, leaf.Orders), leaf.Orders.Holds(0))
}

// identifier looks for a namespace in the scan over identifiers.
func (c *compiler) identifier(i int, leaf segments.HasIdentifier) {
	namespace := c.text(string(leaf.Namespace))
	column := c.identifiers.column(fmt.Sprintf("leaf_%d", i), "countIf(namespace = "+namespace+")")
	c.note(&c.identifiers, i, column+" > 0", false)
	c.namespaces = append(c.namespaces, namespace)
}

// identifiersSQL reads the namespaces that are asked for, or all, where everybody is to
// have a row.
func (c *compiler) identifiersSQL(everybody bool) string {
	asked := ""
	if !everybody {
		asked = " AND namespace IN (" + strings.Join(distinct(c.namespaces), ", ") + ")"
	}
	return fmt.Sprintf(`SELECT profile_id,
        %s AS mask%s
FROM (
    SELECT %s AS profile_id,
        %s
    FROM identifiers
    WHERE workspace = {workspace:String}%s
    GROUP BY profile_id
)`, c.identifiers.mask(0), c.rest(c.identifiers, times{}), c.reading.AnchorProfile("identifier_id"), strings.Join(c.identifiers.columns, ",\n        "), asked+c.only("identifier_id", AskedAnchors))
}

// score takes the newest value in the scan over scores. Rows stand under the
// id of their time; of one computation the profile's own row wins.
func (c *compiler) score(i int, leaf segments.Score) {
	name := c.text(leaf.Name)
	column := fmt.Sprintf("leaf_%d", i)
	value := "value"
	if leaf.End != "" {
		value = map[segments.End]string{segments.Lower: "lower", segments.Upper: "upper"}[leaf.End]
	}
	column = c.scores.column(column, fmt.Sprintf("argMaxIf(%s, (computed_at, scored_id = profile_id, scored_id), score = %s)", value, name))
	has := c.scores.column(fmt.Sprintf("has_%d", i), fmt.Sprintf("countIf(score = %s) > 0", name))
	c.note(&c.scores, i, has+" AND "+c.comparison(column, leaf.Test), false)
	c.scoreNames = append(c.scoreNames, name)
}

func (c *compiler) scoresSQL() string {
	return fmt.Sprintf(`SELECT profile_id,
        %s AS mask%s
FROM (
    SELECT profile_id,
        %s
    FROM (
        SELECT %s AS profile_id, profile_id AS scored_id, score, value, lower, upper, computed_at,
            maxIf(computed_at, profile_id = 0) OVER (PARTITION BY score) AS standing_since
        FROM scores
        WHERE workspace = {workspace:String} AND score IN (%s)%s
    )
    WHERE scored_id != 0 AND computed_at >= standing_since
    GROUP BY profile_id
)`, c.scores.mask(0), c.rest(c.scores, times{}), strings.Join(c.scores.columns, ",\n        "), c.reading.IdentifierProfile("scores.profile_id"), strings.Join(distinct(c.scoreNames), ", "), c.only("scores.profile_id", AskedScored))
}

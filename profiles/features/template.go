package features

import (
	"fmt"
	"strings"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// asOf is the moment as an expression; age is how long before it something happened, in
// milliseconds: 1 or more for all that counts.
const (
	asOf = "fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')"
	age  = "({as_of:Int64} - toUnixTimestamp64Milli(time))"
)

// template writes the query for a reading. What of the reading is undone comes from the
// history of the reading, or from a table that travels with the query.
type template struct {
	reading warehouse.Reading
	// history undoes what the reading changed since as_of; external takes the table
	// thenTable; neither leaves the reading as it is.
	history, external bool
	// erasures says that there may be what was erased and is not rewritten yet.
	erasures bool
	// some restricts the rows to the profiles that are bound.
	some bool
}

// thenTable travels with a query: what profile identifiers had.
const thenTable = "identifiers_then"

// none is a reading of which nothing was changed.
const none = "SELECT toUInt64(0) AS subject, toUInt64(0) AS was WHERE false"

func (t template) sets() string {
	if t.history {
		return warehouse.Changed("set", asOf)
	}
	return none
}

func (t template) identifiers() string {
	switch {
	case t.history:
		return warehouse.Changed("identifier", asOf)
	case t.external:
		return "SELECT subject, was FROM " + thenTable
	}
	return none
}

// attributed are rows of a table that were known at as_of, each with the profile that
// it then belonged to. columns are those that are wanted besides.
//
// The undone parts of the two hops are joined, the rest is looked up in the reading: for
// as_of now nothing is undone, and both joins are with nothing. What was erased, and not
// rewritten yet, stays out.
func (t template) attributed(table, columns string) string {
	return fmt.Sprintf(`SELECT %[1]s, time, if(i.subject != 0, i.was, %[2]s) AS profile_id
FROM (
    SELECT %[1]s, time, %[3]s AS holder
    FROM (
        SELECT %[1]s, time, if(changed.subject != 0, bitAnd(changed.was, 0x7fffffffffffffff), %[4]s) AS owner
        FROM %[5]s
        LEFT ANY JOIN (%[6]s) AS changed ON changed.subject = anchor_id
        LEFT ANY JOIN (%[10]s) AS erased ON erased.gone = anchor_id
        WHERE workspace = {workspace:String} AND anchor_id != 0 AND time < %[7]s
            AND (NOT {received:Bool} OR received_time < %[7]s) AND (erased.gone = 0 OR toUnixTimestamp64Milli(received_time) > erased.gone_at)%[8]s
    )
) AS held
LEFT ANY JOIN (%[9]s) AS i ON i.subject = holder
WHERE profile_id != 0 AND profile_id %% {every:UInt64} = 0`,
		columns, t.reading.IdentifierProfile("holder"), t.reading.Holder("owner", "time"), t.reading.Owner("anchor_id"),
		table, t.sets(), asOf, t.mine(), t.identifiers(), t.gone())
}

func (t template) gone() string {
	if !t.erasures {
		return "SELECT toUInt64(0) AS gone, toInt64(0) AS gone_at WHERE false"
	}
	return "SELECT id AS gone, toUnixTimestamp64Milli(max(erased_at)) AS gone_at FROM identity_erasures WHERE workspace = {workspace:String} AND what IN ('identifier', 'set') GROUP BY id"
}

// mine restricts a table to the anchors in which an identifier that is or was of one of
// the bound profiles takes part.
func (t template) mine() string {
	if !t.some {
		return ""
	}
	const keys = `SELECT identifier_id FROM identifier_profile WHERE workspace = {workspace:String} AND profile_id IN {profiles:Array(UInt64)} UNION DISTINCT SELECT arrayJoin({profiles:Array(UInt64)})`
	return `
            AND anchor_id IN (SELECT anchor_id FROM anchor_members WHERE workspace = {workspace:String} AND identifier_id IN (` + keys + `) UNION ALL ` + keys + `)`
}

// within counts rows of an age of at most so many days that meet a condition.
func within(days int, condition string) string {
	return fmt.Sprintf("countIf(%s age <= %d)", condition, days*day)
}

// events is the scan over all events.
func (t template) events() string {
	columns := []string{
		"count() AS n", within(7, "") + " AS n7", within(30, "") + " AS n30", within(90, "") + " AS n90", within(365, "") + " AS n365",
		"min(age) AS last", "max(age) AS first", within(90, "campaign != '' AND") + " AS campaigns",
	}
	// The days of the last year on which something happened, one bit each.
	for word := range 6 {
		columns = append(columns, fmt.Sprintf("groupBitOr(if(intDiv(age - 1, %d) = %d, bitShiftLeft(toUInt64(1), toUInt8(intDiv(age - 1, %d) %% 64)), toUInt64(0))) AS w%d", 64*day, word, day, word))
	}
	for _, k := range kinds {
		columns = append(columns, within(365, "kind = '"+k+"' AND")+" AS n_"+k, "minIf(age, kind = '"+k+"') AS last_"+k)
	}
	for i := range Slots {
		name := fmt.Sprintf("name = {name_%d:String}", i)
		columns = append(columns, within(90, name+" AND")+fmt.Sprintf(" AS count_%d", i), fmt.Sprintf("minIf(age, %s) AS since_%d", name, i))
	}
	return "SELECT profile_id, " + strings.Join(columns, ",\n    ") + "\nFROM (SELECT " + age + " AS age, kind, name, campaign, profile_id FROM (" +
		t.attributed("events", "kind, name, campaign") + "))\nGROUP BY profile_id"
}

// orders is the scan over transactions: several messages about an order are one, of
// which the newest that was known tells the state and the oldest the time.
func (t template) orders() string {
	return fmt.Sprintf(`SELECT profile_id, countIf(bought) AS n, countIf(bought AND age <= %[1]d) AS n30, countIf(bought AND age <= %[2]d) AS n90, countIf(bought AND age <= %[3]d) AS n365,
    minIf(age, bought) AS last, maxIf(age, bought) AS first, countIf(bought AND same) AS paid,
    sumIf(worth, bought AND same) AS spend, sumIf(worth, bought AND same AND age <= %[2]d) AS spend90, sumIf(worth, bought AND same AND age <= %[3]d) AS spend365,
    countIf(NOT bought AND age <= %[3]d) AS refunds
FROM (
    SELECT profile_id, bought, age, newest.1 AS status, newest.2 AS same, newest.3 AS worth
    FROM (
        SELECT profile_id, type = 'order' AS bought, max(%[4]s) AS age, argMax((status, currency = {currency:String}, toFloat64(amount)), (time, message_hash)) AS newest
        FROM (%[5]s)
        GROUP BY profile_id, type, %[6]s
    )
)
WHERE %[7]s
GROUP BY profile_id`, 30*day, 90*day, 365*day, age,
		t.attributed("(SELECT * FROM transaction_facts WHERE type IN ('order', 'refund')) AS facts", "type, source, order_id, status, currency, amount, message_hash"), profilestore.TransactionIdentity, profilestore.TransactionStands)
}

func (t template) contacts() string {
	sent := "action = 'sent' AND"
	return "SELECT profile_id, " + strings.Join([]string{
		within(30, sent) + " AS n30", within(90, sent) + " AS n90", within(90, sent+" channel = 'email' AND") + " AS email",
		within(90, sent+" channel = 'sms' AND") + " AS sms", within(90, sent+" channel = 'push' AND") + " AS push",
		within(90, "action = 'opened' AND") + " AS opened", within(90, "action = 'clicked' AND") + " AS clicked",
		"minIf(age, action = 'sent') AS last", "max(action = 'unsubscribed') AS unsubscribed",
	}, ", ") + "\nFROM (SELECT " + age + " AS age, action, channel, profile_id FROM (" + t.attributed("contact_facts", "action, channel") + "))\nGROUP BY profile_id"
}

func (t template) support() string {
	return fmt.Sprintf(`SELECT profile_id, uniqExactIf(case_id, age <= %[1]d) AS n90, uniqExactIf(case_id, age <= %[2]d) AS n365,
    countIf(response_seconds IS NOT NULL AND age <= %[2]d) AS answers, sumIf(ifNull(response_seconds, 0), age <= %[2]d) AS seconds
FROM (SELECT %[3]s AS age, case_id, response_seconds, profile_id FROM (%[4]s))
GROUP BY profile_id`, 90*day, 365*day, age, t.attributed("support_facts", "case_id, response_seconds"))
}

// feedback takes the newest answers; a satisfaction is a share of its scale.
func (t template) feedback() string {
	return fmt.Sprintf(`SELECT profile_id, min(age) AS last,
    if(countIf(instrument = 'nps' AND isNotNull(score)) = 0, nan, argMaxIf(ifNull(score, 0), (time, message_hash), instrument = 'nps' AND isNotNull(score))) AS nps,
    if(countIf(instrument = 'csat' AND isNotNull(share)) = 0, nan, argMaxIf(ifNull(share, 0), (time, message_hash), instrument = 'csat' AND isNotNull(share))) AS csat
FROM (SELECT %[1]s AS age, time, message_hash, instrument, score, (score - scale_min) / nullIf(scale_max - scale_min, 0) AS share, profile_id FROM (%[2]s))
GROUP BY profile_id`, age, t.attributed("feedback_facts", "instrument, score, scale_min, scale_max, message_hash"))
}

// query is the whole: one row per profile that had an event.
func (t template) query() string {
	some := ""
	if t.some {
		some = "\nWHERE present IN {profiles:Array(UInt64)}"
	}
	restricted := "SELECT if(i.subject != 0, i.was, " + t.reading.IdentifierProfile("identifier_id") + ") FROM restricted_identifiers LEFT ANY JOIN (" + t.identifiers() + ") AS i ON i.subject = identifier_id WHERE workspace = {workspace:String}"
	return "SELECT profile_id, present, features FROM (\nSELECT e.profile_id AS profile_id, " + t.reading.IdentifierProfile("e.profile_id") + " AS present,\n    " + vector() + " AS features\nFROM (" + t.events() +
		") AS e\nLEFT ANY JOIN (" + t.orders() + ") AS o ON o.profile_id = e.profile_id\nLEFT ANY JOIN (" + t.contacts() +
		") AS c ON c.profile_id = e.profile_id\nLEFT ANY JOIN (" + t.support() + ") AS s ON s.profile_id = e.profile_id\nLEFT ANY JOIN (" + t.feedback() +
		") AS f ON f.profile_id = e.profile_id\nWHERE e.profile_id NOT IN (" + restricted + ") AND " + t.reading.Unrestricted("present") + "\n)" + some
}

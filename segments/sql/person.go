package sql

import (
	"fmt"
	"strings"

	"github.com/kindred-cdp/kindred/profiles/grouping"
	"github.com/kindred-cdp/kindred/segments"
)

// consent finds what stands of the statements for a purpose in the scan over
// consents. A statement is (time, refused, message hash, channel, address), so that
// the greatest is the latest, and of several at one time a refusal.
func (c *compiler) consent(i int, leaf segments.Consent) {
	purpose := c.text(leaf.Purpose)
	condition := "purpose = " + purpose
	if leaf.Channel != "" {
		condition += " AND channel IN ('', " + c.text(leaf.Channel) + ")"
	}
	said := c.consents.column(fmt.Sprintf("said_%d", i),
		"groupArrayIf((toUnixTimestamp64Milli(time), NOT granted, message_hash, toString(channel), address_id), "+condition+")")
	granted := grantedBy(said)
	if leaf.Channel == "" {
		// The channels that were named, or all at once where none was.
		channels := fmt.Sprintf("arrayFilter(c -> c != '' OR NOT arrayExists(s -> s.4 != '', %s), arrayDistinct(arrayMap(s -> s.4, %s)))", said, said)
		granted = fmt.Sprintf("arrayExists(c -> %s, %s)", grantedBy("arrayFilter(s -> s.4 = c OR s.4 = '', "+said+")"), channels)
	}
	c.purposes = append(c.purposes, purpose)
	switch leaf.Is {
	case segments.Granted:
		c.note(&c.consents, i, granted, false)
	case segments.Denied:
		c.note(&c.consents, i, "notEmpty("+said+") AND NOT "+granted, false)
	default:
		c.note(&c.consents, i, "empty("+said+")", true)
	}
}

// grantedBy tells whether the latest of the statements said that speak of an address
// grants, for some address that they name, or for all of them where they name none.
func grantedBy(said string) string {
	addresses := fmt.Sprintf("arrayFilter(a -> a != 0 OR NOT arrayExists(s -> s.5 != 0, %s), arrayDistinct(arrayMap(s -> s.5, %s)))", said, said)
	return fmt.Sprintf("arrayExists(a -> NOT arrayMax(arrayFilter(s -> s.5 IN (a, 0), %s)).2, %s)", said, addresses)
}

func (c *compiler) consentsSQL() string {
	return fmt.Sprintf(`SELECT profile_id,
        %s AS mask%s
FROM (
    SELECT %s AS profile_id,
        %s
    FROM consents
    WHERE workspace = {workspace:String} AND anchor_id != 0 AND purpose IN (%s)%s
    GROUP BY profile_id
)`, c.consents.mask(0), c.rest(c.consents, times{}), c.reading.EventProfile("anchor_id", "time"), strings.Join(c.consents.columns, ",\n        "), strings.Join(distinct(c.purposes), ", "), c.only("anchor_id", AskedAnchors))
}

// holdout compares the place of a profile, which its id alone decides: everybody can
// work it out from the name and the id as it is shown.
func (c *compiler) holdout(i int, leaf segments.Holdout) {
	place := "sipHash64(" + c.text(leaf.Name) + " || '/' || leftPad(lower(hex(profile_id)), 16, '0')) % 10000 / 100"
	c.outright[i] = c.comparison(place, leaf.Percent)
}

func (c *compiler) household(i int, leaf segments.Household) {
	c.note(&c.households, i, c.comparison("profiles", leaf.Profiles), leaf.Profiles.Holds(0))
}

func (c *compiler) householdsSQL() string {
	return fmt.Sprintf(`SELECT profile_id,
        %s AS mask%s
FROM (
    SELECT profile_id, count() OVER (PARTITION BY household_id) AS profiles
    FROM households
    WHERE workspace = {workspace:String}
)`, c.households.mask(0), c.rest(c.households, times{}))
}

// account counts accounts in the scan over account_facts, which gathers each account
// first: what was said of it last, and whose it is.
func (c *compiler) account(i int, leaf segments.Accounts) {
	conditions := []string{"1"}
	if len(leaf.IDs) > 0 {
		conditions = append(conditions, "has("+c.bind("Array(String)", textArray(leaf.IDs))+", account_id)")
	}
	for n, t := range leaf.Where {
		column, name := fmt.Sprintf("trait_%d_%d", i, n), c.text(t.Name)
		c.accountState = append(c.accountState, fmt.Sprintf("argMaxIf(JSONExtractRaw(traits, %s), %s, JSONHas(traits, %s)) AS %s", name, moment, name, column))
		conditions = append(conditions, "("+c.test(column, t.Test)+")")
	}
	column := fmt.Sprintf("leaf_%d", i)
	c.accounts.columns = append(c.accounts.columns, "countIf("+strings.Join(conditions, " AND ")+") AS "+column)
	c.note(&c.accounts, i, c.comparison(column, leaf.Count), leaf.Count.Holds(0))
}

// onlyAccounts restricts accounts to those of which some profiles are members; what is
// said of an account, others may say.
func (c *compiler) onlyAccounts() string {
	if !c.set.some {
		return ""
	}
	return " AND account_id IN (SELECT account_id FROM account_facts WHERE workspace = {workspace:String}" + c.only("anchor_id", AskedAnchors) + ")"
}

func (c *compiler) accountsSQL() string {
	state := append([]string{"groupUniqArrayIf(" + c.reading.EventProfile("anchor_id", "time") + ", anchor_id != 0) AS members"}, c.accountState...)
	return fmt.Sprintf(`SELECT profile_id,
        %s AS mask%s
FROM (
    SELECT arrayJoin(members) AS profile_id,
        %s
    FROM (
        SELECT account_id,
            %s
        FROM account_facts
        WHERE workspace = {workspace:String}%s
        GROUP BY account_id
    )
    GROUP BY profile_id
)`, c.accounts.mask(0), c.rest(c.accounts, times{}), strings.Join(c.accounts.columns, ",\n        "), strings.Join(state, ",\n            "), c.onlyAccounts())
}

// inGroup compares what stands of a profile among its groups.
func (c *compiler) inGroup(i int, column, name string) {
	c.note(&c.groups, i, column+" = "+c.text(name), false)
}

func (c *compiler) groupsSQL() string {
	return fmt.Sprintf(`SELECT profile_id,
        %s AS mask%s
FROM (
    %s
)`, c.groups.mask(0), c.rest(c.groups, times{}), grouping.Standing(c.reading.IdentifierProfile("grouped_id"), c.only("profile_id", AskedScored)))
}

package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/insights"
)

const (
	// lookedAt joins those who are looked at, a table that is sent along with a query:
	// as a bound array of ids it would be a part of the text that is analysed, once for
	// each place where it stands.
	lookedAt = "INNER JOIN looked_at USING (profile_id)"
	// countMembers and countOthers count the two sides.
	countMembers = "countIf(is_member)"
	countOthers  = "countIf(NOT is_member)"
	// maxNames is how many events, products and categories are looked at, and maxTraits
	// how many traits: those that the most members have.
	maxNames  = 1000
	maxTraits = 100
	// maxValue is the length of a value in bytes that may be told.
	maxValue = 100
)

// about begins a query of those who are looked at.
func (a asked) about() *compiler {
	c := &compiler{reading: a.reading, rules: a.cfg.Rules, now: a.now, parameters: map[string]string{}}
	c.parameters["workspace"] = textEscaper.Replace(a.workspace)
	a.reading.Bind(c.parameters)
	return c
}

// of runs a query about those who are looked at.
func (a asked) of(ctx context.Context, who looked, q Query, scan func(driver.Rows) error) error {
	table, err := ext.NewTable("looked_at", ext.Column("profile_id", "UInt64"), ext.Column("is_member", "Bool"))
	if err != nil {
		return fmt.Errorf("make table looked_at: %w", err)
	}
	for is, side := range map[bool][]uint64{true: who.members, false: who.others} {
		for _, id := range side {
			if err := table.Append(id, is); err != nil {
				return fmt.Errorf("fill table looked_at: %w", err)
			}
		}
	}
	return a.read(clickhousego.Context(ctx, clickhousego.WithExternalTable(table)), q, scan)
}

// eventFeatures are what was done in the last days.
func (a asked) eventFeatures(ctx context.Context, who looked) ([]segments.Feature, error) {
	var list []segments.Feature
	err := a.of(ctx, who, a.eventsQuery(), func(rows driver.Rows) error {
		var name string
		near, far := segments.Feature{Kind: segments.FeatureEvent, Within: recent}, segments.Feature{Kind: segments.FeatureEvent, Within: longer}
		err := rows.Scan(&name, &near.Members, &near.Others, &far.Members, &far.Others)
		if near.Name, far.Name = name, name; shown("", name) {
			list = append(list, near, far)
		}
		return err
	})
	return list, err
}

func (a asked) eventsQuery() Query {
	c := a.about()
	near := c.within("last", recent)
	sql := fmt.Sprintf(`SELECT name, countIf(is_member%[1]s), countIf(NOT is_member%[1]s), countIf(is_member) AS of_members, countIf(NOT is_member)
FROM (
    SELECT %[2]s AS profile_id, toString(name) AS name, max(time) AS last
    FROM events
    WHERE workspace = {workspace:String} AND anchor_id != 0%[3]s
    GROUP BY profile_id, name
) AS done
%[4]s
GROUP BY name
HAVING of_members >= %[5]d
ORDER BY of_members DESC, name
LIMIT %[6]d`, near, c.reading.EventProfile("anchor_id", "time"), c.within("time", longer), lookedAt, segments.MinInsight, maxNames)
	return Query{SQL: sql, Parameters: c.parameters}
}

// goodsFeatures are the products and categories of orders that stand.
func (a asked) goodsFeatures(ctx context.Context, who looked) ([]segments.Feature, error) {
	var list []segments.Feature
	err := a.of(ctx, who, a.goodsQuery(), func(rows driver.Rows) error {
		f := segments.Feature{Within: longer}
		var kind string
		err := rows.Scan(&kind, &f.Name, &f.Label, &f.Members, &f.Others)
		f.Kind = segments.FeatureKind(kind)
		list = append(list, f)
		return err
	})
	return list, err
}

// goodsQuery takes the lines of the newest message of each order, as a leaf of bought
// does, and of the catalogue the categories that the products have now.
func (a asked) goodsQuery() Query {
	c := a.about()
	sql := fmt.Sprintf(`SELECT kind, id, max(label), %[1]s AS of_members, %[2]s
FROM (
    SELECT DISTINCT profile_id, is_member, good.1 AS kind, good.2 AS id, good.3 AS label
    FROM (
        SELECT profile_id, is_member, arrayJoin(arrayConcat([('product', line.1, line.2)], arrayMap(k -> ('category', k, ''), arrayDistinct(arrayPushBack(kept.category, line.3))))) AS good
        FROM (
            SELECT profile_id, is_member, arrayJoin(goods) AS line, line.1 AS product
            FROM (
                SELECT profile_id, min(time) AS placed, argMax(standing, moment) AS stands, argMax(lines, moment) AS goods
                FROM (
                    SELECT %[3]s AS profile_id, %[4]s AS transaction, %[5]s AS standing, time, %[6]s AS moment,
                        arrayZip(items.product_id, items.name, arrayMap(k -> toString(k), items.category)) AS lines
                    FROM transaction_facts
                    WHERE workspace = {workspace:String} AND anchor_id != 0 AND type = 'order'
                )
                GROUP BY profile_id, transaction
            ) AS orders
            %[7]s
            WHERE stands%[8]s
        ) AS bought
        LEFT JOIN (SELECT item_id, category FROM catalogue WHERE workspace = {workspace:String} AND type = 'product') AS kept ON kept.item_id = bought.product
    )
    WHERE id != ''
)
GROUP BY kind, id
HAVING of_members >= %[9]d
ORDER BY of_members DESC, kind, id
LIMIT %[10]d`, countMembers, countOthers, c.reading.EventProfile("anchor_id", "time"), clickhouse.TransactionIdentity, clickhouse.TransactionStands, moment, lookedAt,
		c.within("placed", longer), segments.MinInsight, maxNames)
	return Query{SQL: sql, Parameters: c.parameters}
}

// scoreFeatures are ranges of scores.
func (a asked) scoreFeatures(ctx context.Context, who looked) ([]segments.Feature, error) {
	numbers := map[string][]insights.Number{}
	err := a.of(ctx, who, a.scoresQuery(), func(rows driver.Rows) error {
		var name string
		var n insights.Number
		err := rows.Scan(&name, &n.Value, &n.Members, &n.Others)
		numbers[name] = append(numbers[name], n)
		return err
	})
	return ranges(segments.FeatureScore, numbers, who), err
}

// scoresQuery takes the newest value of each score, as a leaf of scores does.
func (a asked) scoresQuery() Query {
	c := a.about()
	sql := fmt.Sprintf(`SELECT score, latest, %[1]s, %[2]s
FROM (
    SELECT profile_id, score, argMax(value, (computed_at, scored_id = profile_id, scored_id)) AS latest
    FROM (
        SELECT %[3]s AS profile_id, profile_id AS scored_id, toString(score) AS score, value, computed_at,
            maxIf(computed_at, profile_id = 0) OVER (PARTITION BY score) AS standing_since
        FROM scores
        WHERE workspace = {workspace:String}
    )
    WHERE scored_id != 0 AND computed_at >= standing_since
    GROUP BY profile_id, score
) AS scored
%[4]s
WHERE isFinite(latest)
GROUP BY score, latest`, countMembers, countOthers, c.reading.IdentifierProfile("scores.profile_id"), lookedAt)
	return Query{SQL: sql, Parameters: c.parameters}
}

// ranges are the features that numbers have.
func ranges(kind segments.FeatureKind, numbers map[string][]insights.Number, who looked) (list []segments.Feature) {
	for name, values := range numbers {
		if r, ok := insights.Split(values, who.counts(), segments.MinInsight); ok {
			list = append(list, segments.Feature{Kind: kind, Name: name, From: r.From, To: r.To, Members: r.Members, Others: r.Others})
		}
	}
	return list
}

// shown reports whether a text may be told: it is no value that a mask hides.
func shown(name, text string) bool {
	return len(text) <= maxValue && profiles.MaskTraitText(name, text) == text
}

// traitFeatures are what traits are, and ranges of those that are numbers.
func (a asked) traitFeatures(ctx context.Context, who looked) ([]segments.Feature, error) {
	known, err := a.Names(ctx, a.workspace)
	if err != nil {
		return nil, err
	}
	computed := map[string]bool{}
	for _, t := range a.cfg.Rules.Computed {
		computed[t.Name] = true
	}
	var names []string
	for _, name := range known.Traits {
		if !computed[name] && !profiles.PersonalTrait(name) && shown("", name) && len(names) < maxTraits {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	var list []segments.Feature
	numbers := map[string][]insights.Number{}
	err = a.of(ctx, who, a.traitsQuery(names), func(rows driver.Rows) error {
		var name, value string
		var n insights.Counts
		if err := rows.Scan(&name, &value, &n.Members, &n.Others); err != nil {
			return err
		}
		if string(profiles.MaskTrait(name, json.RawMessage(value))) != value {
			return nil
		}
		if x, err := strconv.ParseFloat(value, 64); err == nil {
			numbers[name] = append(numbers[name], insights.Number{Value: x, Counts: n})
		} else {
			list = append(list, segments.Feature{Kind: segments.FeatureTrait, Name: name, Value: json.RawMessage(value), Members: n.Members, Others: n.Others})
		}
		return nil
	})
	return append(list, ranges(segments.FeatureTrait, numbers, who)...), err
}

// traitsQuery counts the values that survive, or their elements. Of a trait whose texts
// are nearly all different, such as a note, none is told, and of any trait none that so
// few have; numbers come whole, because they are told as ranges.
func (a asked) traitsQuery(names []string) Query {
	c := a.about()
	sql := fmt.Sprintf(`SELECT trait, element, of_members, of_others
FROM (
    SELECT trait, element, match(element, '^[-0-9]') AS is_number, %[1]s AS of_members, %[2]s AS of_others,
        countIf(NOT is_number) OVER (PARTITION BY trait) AS texts, sumIf(of_members + of_others, NOT is_number) OVER (PARTITION BY trait) AS counted
    FROM (
        SELECT DISTINCT profile_id, is_member, trait, arrayJoin(if(startsWith(surviving, '['), JSONExtractArrayRaw(surviving), [surviving])) AS element
        FROM (
            SELECT %[3]s AS profile_id, toString(trait) AS trait, %[4]s AS surviving
            FROM trait_observations
            WHERE workspace = {workspace:String} AND anchor_id != 0 AND trait IN %[5]s
            GROUP BY profile_id, trait
        ) AS stated
        %[6]s
        WHERE surviving NOT IN ('', 'null')
    )
    GROUP BY trait, element
)
WHERE length(element) <= %[7]d AND NOT match(element, '^[[{]') AND (is_number OR of_members >= %[8]d AND texts * 2 <= counted)`,
		countMembers, countOthers, c.reading.EventProfile("anchor_id", "time"), c.survivors(names), c.bind("Array(String)", textArray(names)), lookedAt, maxValue, segments.MinInsight)
	return Query{SQL: sql, Parameters: c.parameters}
}

// survivors is the aggregate of the value of each trait of a query that is grouped by
// trait, by the rule of each.
func (c *compiler) survivors(names []string) string {
	var branches []string
	special := map[string][]string{}
	var order []string
	for _, name := range names {
		if rule, ok := c.rules.Traits[name]; ok {
			key := fmt.Sprint(rule)
			if special[key] == nil {
				order = append(order, key)
			}
			special[key] = append(special[key], name)
		}
	}
	for _, key := range order {
		those := "trait IN " + c.bind("Array(String)", textArray(special[key]))
		branches = append(branches, those, c.survivor(those, c.rules.Rule(special[key][0])))
	}
	rest := c.survivor("1", c.rules.Default)
	if len(branches) == 0 {
		return rest
	}
	return "multiIf(" + strings.Join(append(branches, rest), ",\n                ") + ")"
}

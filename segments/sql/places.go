package sql

import (
	"fmt"
	"strings"

	"github.com/kindred-cdp/kindred/segments"
)

// location tests fixes in the scan over location_facts.
func (c *compiler) location(i int, leaf segments.Location) {
	column := fmt.Sprintf("leaf_%d", i)
	window := strings.TrimPrefix(c.within("time", leaf.Within)+c.period(leaf.Period), " AND ")
	if window == "" {
		window = "1"
	}
	c.set.located.until(leaf.Within, "")
	inside := c.inside(leaf.Place)
	if len(leaf.Minutes) > 0 {
		// A fix is (time, hash, whether it is inside). A stay starts at a fix inside
		// behind one that is not, and each fix inside has the last start before it.
		c.locations.columns = append(c.locations.columns,
			fmt.Sprintf("arraySort(groupArrayIf((toUnixTimestamp64Milli(time), message_hash, toUInt8(%s)), %s)) AS %s", inside, window, column))
		before := "arraySlice(arrayPushFront(arrayMap(f -> f.3, x), toUInt8(0)), 1, length(x))"
		starts := "arrayFill(s -> s != 0, arrayMap((f, b) -> if(f.3 AND NOT b, f.1, toInt64(0)), x, " + before + "))"
		longest := let(column, "arrayMax(arrayPushBack(arrayMap((f, s) -> if(f.3, f.1 - s, toInt64(0)), x, "+starts+"), toInt64(0)))")
		c.note(&c.locations, i, c.comparison("("+longest+") / 60000", leaf.Minutes), leaf.Minutes.Holds(0))
		return
	}
	count := leaf.Count
	if len(count) == 0 {
		count = segments.Comparison{{Op: segments.Gte, Value: 1}}
	}
	column = c.locations.column(column, fmt.Sprintf("countIf(%s AND %s)", window, inside))
	c.note(&c.locations, i, c.comparison(column, count), count.Holds(0))
}

// inside is the condition that a fix lies in a place. The distance is that of the
// haversine formula, which the functions of the server only come near to.
func (c *compiler) inside(p segments.Place) string {
	switch {
	case p.Km > 0:
		lat, lon := c.number(p.Center.Lat), c.number(p.Center.Lon)
		chord := fmt.Sprintf("pow(sin(radians(lat - %s) / 2), 2) + cos(radians(lat)) * cos(radians(%s)) * pow(sin(radians(lon - %s) / 2), 2)", lat, lat, lon)
		return fmt.Sprintf("2 * %v * asin(least(1, sqrt(%s))) <= %s", segments.EarthKm, chord, c.number(p.Km))
	case len(p.Polygon) > 0:
		corners := make([]string, len(p.Polygon))
		for i, at := range p.Polygon {
			corners[i] = "(" + formatNumber(at.Lon) + "," + formatNumber(at.Lat) + ")"
		}
		return "pointInPolygon((lon, lat), " + c.bind("Array(Tuple(Float64, Float64))", "["+strings.Join(corners, ",")+"]") + ")"
	}
	resolution := p.Resolution()
	cell := fmt.Sprintf("geoToH3(lat, lon, toUInt8(%d))", resolution)
	if resolution == 5 || resolution == 7 || resolution == 9 {
		cell = fmt.Sprintf("h3_%d", resolution)
	}
	return cell + " = " + c.bind("UInt64", fmt.Sprint(p.Cell))
}

func (c *compiler) locationsSQL() string {
	return c.factsSQL(c.locations, c.set.located, "location_facts\n    WHERE workspace = {workspace:String} AND anchor_id != 0"+c.only("anchor_id", AskedAnchors))
}

// recommendation takes the newest answer in the scan over feedback_facts.
func (c *compiler) recommendation(i int, leaf segments.Recommendation) {
	c.set.answered.until(leaf.Within, "")
	column, condition := fmt.Sprintf("leaf_%d", i), "1"+c.within("time", leaf.Within)
	c.answers.columns = append(c.answers.columns, fmt.Sprintf("argMaxIf(assumeNotNull(score), %s, %s) AS %s, countIf(%s) > 0 AS has_%d", moment, condition, column, condition, i))
	group := map[segments.Group]string{segments.Promoter: " >= 9", segments.Passive: " >= 7 AND " + column + " < 9", segments.Detractor: " < 7"}[leaf.Group]
	c.note(&c.answers, i, fmt.Sprintf("has_%d AND %s%s", i, column, group), false)
}

func (c *compiler) answersSQL() string {
	return c.factsSQL(c.answers, c.set.answered, `feedback_facts
    WHERE workspace = {workspace:String} AND anchor_id != 0 AND instrument = 'nps' AND isNotNull(score)
        AND ifNull(scale_min, 0) = 0 AND ifNull(scale_max, 10) = 10`+c.only("anchor_id", AskedAnchors))
}

// mood averages sentiments, as whole millionths, so that no order of adding alters them.
func (c *compiler) mood(i int, leaf segments.Mood) {
	c.set.said.until(leaf.Within, "")
	column, condition := fmt.Sprintf("leaf_%d", i), "1"+c.within("time", leaf.Within)
	if leaf.In != "" {
		condition += " AND medium = " + c.text(string(leaf.In))
	}
	c.moods.columns = append(c.moods.columns, fmt.Sprintf("countIf(%s) AS has_%d, sumIf(toInt64(round(toFloat64(scored) * 1000000)), %s) / 1000000 / has_%d AS %s", condition, i, condition, i, column))
	c.note(&c.moods, i, fmt.Sprintf("has_%d > 0 AND %s", i, c.comparison(column, leaf.Is)), false)
}

func (c *compiler) moodsSQL() string {
	said := func(table, medium, more string) string {
		return "        SELECT anchor_id, time, assumeNotNull(sentiment) AS scored, '" + medium + "' AS medium FROM " + table +
			"\n        WHERE workspace = {workspace:String} AND anchor_id != 0 AND isNotNull(sentiment)" + more + c.only("anchor_id", AskedAnchors)
	}
	return c.factsSQL(c.moods, c.set.said, "(\n"+strings.Join([]string{
		said("social_facts", "social", " AND direction = 'inbound'"), said("support_facts", "support", " AND direction = 'inbound'"), said("feedback_facts", "feedback", ""),
	}, "\n        UNION ALL\n")+"\n    )")
}

// factsSQL is a scan over rows by anchor.
func (c *compiler) factsSQL(s scan, t times, from string) string {
	return fmt.Sprintf(`SELECT profile_id,
        %s AS mask%s
FROM (
    SELECT %s AS profile_id,
        %s
    FROM %s
    GROUP BY profile_id
)`, s.mask(0), c.rest(s, t), c.reading.EventProfile("anchor_id", "time"), strings.Join(c.dated(s, t, "time"), ",\n        "), from)
}

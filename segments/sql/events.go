package sql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
)

// event tests events in the scan over events.
func (c *compiler) event(i int, leaf segments.Event) {
	column := fmt.Sprintf("leaf_%d", i)
	if leaf.Pick != "" {
		c.picked(i, column, leaf)
		return
	}
	condition := c.occurrence(leaf.Name, leaf.Kind, leaf.Where, leaf.Within, leaf.Period)
	if leaf.Measure.Aggregate != "" {
		c.measured(i, column, condition, leaf.Measure)
		return
	}
	count := often(leaf)
	column = c.aggregate(aggregate{name: column, function: "count", condition: condition, merge: "sum"})
	c.note(&c.events, i, c.comparison(column, count), count.Holds(0))
}

// often is what must hold for the number of the events that a leaf means.
func often(leaf segments.Event) segments.Comparison {
	if len(leaf.Count) == 0 {
		return segments.Comparison{{Op: segments.Gte, Value: 1}}
	}
	return leaf.Count
}

// picked tests the properties of the first or the last event; of no event they
// are an empty text, which passes no test.
func (c *compiler) picked(i int, column string, leaf segments.Event) {
	condition := c.occurrence(leaf.Name, leaf.Kind, nil, leaf.Within, leaf.Period)
	pick := map[segments.Pick]string{segments.First: "argMin", segments.Last: "argMax"}[leaf.Pick]
	column = c.aggregate(aggregate{name: column, function: pick, of: "properties, " + moment, condition: condition})
	c.note(&c.events, i, "("+strings.Join(c.where(column, leaf.Where), " AND ")+")", false)
}

// measured compares an aggregate of a property. Sums are of whole ten
// thousandths, so that no order of adding alters them.
func (c *compiler) measured(i int, column, condition string, m segments.Measured) {
	if m.Aggregate == segments.Days {
		column = c.aggregate(aggregate{name: column, function: "uniqExact", of: "toDate32(time, 'UTC')", condition: condition})
		c.note(&c.events, i, c.comparison(column, m.Is), m.Is.Holds(0))
		return
	}
	number := c.propertyNumber("properties", m.Of)
	if m.Aggregate == segments.Sum { // Zeros add nothing.
		number = c.propertyOrZero("properties", m.Of)
	}
	bounded := "abs(" + number + ") <= 1e15"
	sum := aggregate{name: column, function: "sum", of: "toInt128(round(if(" + bounded + ", " + number + ", 0) * 10000))", condition: condition, merge: "sum", result: "toFloat64(%s) / 10000"}
	if m.Aggregate == segments.Sum {
		c.note(&c.events, i, c.comparison(c.aggregate(sum), m.Is), m.Is.Holds(0))
		return
	}
	has := c.aggregate(aggregate{name: fmt.Sprintf("has_%d", i), function: "count", condition: condition, more: bounded, merge: "sum"})
	switch m.Aggregate {
	case segments.Average:
		sum.name = fmt.Sprintf("sum_%d", i)
		column = c.events.column(column, c.aggregate(sum)+" / "+has)
	case segments.Min, segments.Max:
		// Of an anchor without such an event there is none, and not 0.
		f := map[segments.Aggregate]string{segments.Min: "min", segments.Max: "max"}[m.Aggregate]
		column = c.aggregate(aggregate{name: column, function: f + "OrNull", of: number, condition: condition, more: bounded, merge: f, result: "ifNull(%s, 0)"})
	}
	c.note(&c.events, i, has+" > 0 AND "+c.comparison(column, m.Is), false)
}

// occurrence is the condition that a row of events is one that a leaf means; it
// tells the scan to read such rows.
func (c *compiler) occurrence(name, kind string, where []segments.Property, within time.Duration, period segments.Period) string {
	parameter := c.text(name)
	condition := "name = " + parameter
	if kind != "" {
		condition += " AND kind = " + c.text(kind)
	}
	condition += c.within("time", within) + c.period(period)
	c.eventNames = append(c.eventNames, parameter)
	c.windows = append(c.windows, within)
	c.set.happened.until(within, parameter)
	condition = strings.Join(append([]string{condition}, c.where("properties", where)...), " AND ")
	c.occurrences = append(c.occurrences, occurrence{condition, len(where) > 0})
	return condition
}

// occurrence is the condition that an event is one that a leaf means.
type occurrence struct {
	condition string
	picky     bool // asks for properties
}

// passing are the conditions one of which holds for every event that counts for a leaf;
// none where the names and the time say as much. A profile of which no event passes is
// taken as one without events, which says the same of each leaf.
func (c *compiler) passing() (conditions []string) {
	if c.computing || c.set.several { // Due times are of events that a leaf does not mean, too.
		return nil
	}
	picky := true
	for _, o := range c.occurrences {
		picky = picky && o.picky
		conditions = append(conditions, o.condition)
	}
	if conditions = distinct(conditions); len(conditions) > 1 && !picky {
		return nil
	}
	return conditions
}

// period is the condition that the time lies in an absolute window, with its lead of AND.
func (c *compiler) period(p segments.Period) string {
	condition := ""
	if !p.From.IsZero() {
		condition += " AND time >= " + c.moment(p.From)
	}
	if !p.Until.IsZero() {
		condition += " AND time < " + c.moment(p.Until)
	}
	return condition
}

// where are the conditions that the properties pass the tests.
func (c *compiler) where(properties string, where []segments.Property) []string {
	conditions := make([]string, len(where))
	for i, w := range where {
		raw := c.property(properties, w.Path)
		if len(w.Each) > 0 {
			conditions[i] = "(arrayExists(each -> " + c.test(c.property("each", w.Each), w.Test) + ", JSONExtractArrayRaw(" + raw + ")))"
		} else if ofNumbers(w.Test) {
			number := c.propertyNumber
			if !holdsForZero(w.Test) { // What is not there may be 0 as well.
				number = c.propertyOrZero
			}
			conditions[i] = "(" + c.numeric(number(properties, w.Path), w.Test) + ")"
		} else {
			conditions[i] = "(" + c.test(raw, w.Test) + ")"
		}
	}
	return conditions
}

// property is the JSON text of a property of a JSON object, ” where there is none.
func (c *compiler) property(object string, path []string) string {
	names := make([]string, len(path))
	for i, name := range path {
		names[i] = c.text(name)
	}
	return "JSONExtractRaw(" + object + ", " + strings.Join(names, ", ") + ")"
}

// propertyNumber is a property of a JSON object as a number, not a number where it is none.
// Those of an event's first level are there beside their text.
func (c *compiler) propertyNumber(object string, path []string) string {
	if object != "properties" || len(path) != 1 {
		return asNumber(c.property(object, path))
	}
	if column, ok := warehouse.NumberColumn(path[0]); ok {
		return column
	}
	return "if(" + c.placeOfNumber(path[0]) + " > 0, " + c.propertyOrZero(object, path) + ", nan)"
}

// propertyOrZero is propertyNumber where 0 does for what is no number.
func (c *compiler) propertyOrZero(object string, path []string) string {
	if object != "properties" || len(path) != 1 {
		return c.propertyNumber(object, path)
	}
	if column, ok := warehouse.NumberColumn(path[0]); ok { // Not a number passes no test, and sums leave it out.
		return column
	}
	return "mapValues(numbers)[" + c.placeOfNumber(path[0]) + "]"
}

// placeOfNumber is where a name stands among those of the numbers of an event, 0 for not
// at all. To look for a name is what numbers cost, and the server does so once for all
// expressions that have this one within them.
func (c *compiler) placeOfNumber(name string) string {
	return "indexOf(mapKeys(numbers), " + c.text(name) + ")"
}

func (c *compiler) eventsSQL() string {
	where, certain := c.eventsWhere()
	var grouped string
	if c.apart(c.passing()) {
		grouped = c.byOwner(where, certain)
	} else {
		grouped = c.byProfile(where, certain)
	}
	// A query for each level: the server puts the expression in the place of a name
	// within one, which would double the whole with every step of a sequence.
	for _, columns := range c.derived {
		grouped = "SELECT *,\n        " + strings.Join(columns, ",\n        ") + "\n    FROM (\n    " + indent(grouped) + "\n    )"
	}
	return fmt.Sprintf(`SELECT profile_id,
        %s AS mask%s
FROM (
    %s
)`, c.events.mask(0), c.rest(c.events, c.set.happened), grouped)
}

// eventsWhere is which events are read, and the condition of leaves that all of these
// meet, "" where there is none. Rows that count for nobody are left out before they are
// resolved and grouped, which costs more than to look at their properties.
func (c *compiler) eventsWhere() (where, certain string) {
	// Few rows of a granule are of the profiles that are asked for: the server is told to
	// look at them by the anchor first, and at whatever else of those alone.
	where = "WHERE workspace = {workspace:String} AND anchor_id != 0"
	if c.set.some {
		where = "PREWHERE anchor_id IN (SELECT id FROM " + AskedAnchors + ")\n    " + where
	}
	passing := c.passing()
	if len(passing) == 1 {
		return where + " AND " + passing[0], passing[0]
	}
	if !c.everyName {
		where += " AND name IN (" + strings.Join(distinct(c.eventNames), ", ") + ")"
	}
	if widest := slices.Max(c.windows); slices.Min(c.windows) > 0 {
		where += c.lasting(widest)
	}
	if len(passing) > 1 {
		where += " AND (" + strings.Join(passing, "\n        OR ") + ")"
	}
	return where, ""
}

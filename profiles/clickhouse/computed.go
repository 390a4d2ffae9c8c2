package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// computation is the query that computes all declared traits in one pass over the
// events of a profile: six columns for each, whatever it is.
type computation struct {
	traits []profiles.ComputedTrait
	query  string
	args   []any
}

// newComputation writes the query. Names and values are bound, and paths of
// properties are escaped constants.
func newComputation(traits []profiles.ComputedTrait) *computation {
	c := &computation{traits: traits}
	columns := make([]string, len(traits))
	var names []string
	for i, t := range traits {
		columns[i] = c.columns(t)
		if t.Event != "" {
			names = append(names, t.Event)
		}
	}
	c.query = "SELECT " + strings.Join(columns, ",\n    ") + "\nFROM events" + ofProfile
	if len(names) == len(traits) {
		c.query += "\n    AND name IN " + c.bind("Array(String)", names)
	}
	return c
}

// bind returns a parameter of a type for a value.
func (c *computation) bind(kind string, value any) string {
	name := fmt.Sprintf("c%d", len(c.args))
	c.args = append(c.args, clickhouse.Named(name, value))
	return "{" + name + ":" + kind + "}"
}

func (c *computation) columns(t profiles.ComputedTrait) string {
	when := c.condition(t)
	raw := warehouse.Property("properties", t.Property, warehouse.PropertyJSON)
	has := when + " AND " + raw + " NOT IN ('', 'null')"
	value, keys, counts, lasts := "''", "CAST([], 'Array(String)')", "CAST([], 'Array(UInt64)')", "CAST([], 'Array(Int64)')"
	switch t.Compute {
	case profiles.ComputeSum:
		value = "toString(ifNull(sumIf(" + warehouse.Property("properties", t.Property, warehouse.PropertyDecimal) + ", " + when + "), 0))"
	case profiles.ComputeAverage:
		number := warehouse.Property("properties", t.Property, warehouse.PropertyDecimal)
		some := "countIf(" + when + " AND isNotNull(" + number + "))"
		value = "if(" + some + " = 0, '', toString(assumeNotNull(sumIf(" + number + ", " + when + ")) / greatest(" + some + ", 1)))"
	case profiles.ComputeFirst:
		value = "argMinIf(" + raw + ", (time, message_hash), " + has + ")"
	case profiles.ComputeLast:
		value = "argMaxIf(" + raw + ", (time, message_hash), " + has + ")"
	case profiles.ComputeMostFrequent, profiles.ComputeUniqueList:
		// Both maps are in the order of their keys, so that their values agree.
		tallies := fmt.Sprintf("sumMapIf([%s], [toUInt64(1)], %s)", raw, has)
		keys, counts = tallies+".1", tallies+".2"
		lasts = fmt.Sprintf("maxMapIf([%s], [toUnixTimestamp64Milli(time)], %s).2", raw, has)
	}
	return strings.Join([]string{"countIf(" + when + ")", "toUnixTimestamp64Milli(maxIf(time, " + when + "))", value, keys, counts, lasts}, ", ")
}

// condition is which events count. Parameters now are of one read.
func (c *computation) condition(t profiles.ComputedTrait) string {
	parts := []string{"time <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')"}
	if t.Within > 0 {
		parts = append(parts, "time > fromUnixTimestamp64Milli({now:Int64} - "+c.bind("Int64", t.Within.Milliseconds())+", 'UTC')")
	}
	if t.Event != "" {
		parts = append(parts, "name = "+c.bind("String", t.Event))
	}
	if t.Kind != "" {
		parts = append(parts, "kind = "+c.bind("String", t.Kind))
	}
	for _, w := range t.Where {
		parts = append(parts, c.where(w))
	}
	return "(" + strings.Join(parts, " AND ") + ")"
}

var operators = map[string]string{"eq": "=", "in": "=", "neq": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

// where tests a property. One that is missing or of another type fails every
// test, neq included, as in segments.
func (c *computation) where(w profiles.Condition) string {
	if w.Op == "exists" {
		return warehouse.Property("properties", w.Property, warehouse.PropertyExists)
	}
	any := make([]string, len(w.Values))
	for i, v := range w.Values {
		kind, as := "String", warehouse.PropertyText
		switch v.(type) {
		case float64:
			kind, as = "Float64", warehouse.PropertyNumber
		case bool:
			kind, as = "Bool", warehouse.PropertyBool
		}
		any[i] = "ifNull(" + warehouse.Property("properties", w.Property, as) + " " + operators[w.Op] + " " + c.bind(kind, v) + ", false)"
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// computed reads the computed traits of the profile. They are put among those that
// were stated when both are there.
func (r *reader) computed(ctx context.Context, _ *profiles.Profile) error {
	c, now := r.computation, r.now()
	if len(c.traits) == 0 {
		return nil
	}
	return r.readEvents(ctx, "computed traits", c.query, func(rows driver.Rows) error {
		type row struct {
			events uint64
			last   int64
			value  string
			keys   []string
			counts []uint64
			lasts  []int64
		}
		all := make([]row, len(c.traits))
		var into []any
		for i := range all {
			a := &all[i]
			into = append(into, &a.events, &a.last, &a.value, &a.keys, &a.counts, &a.lasts)
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, t := range c.traits {
			a := profiles.Aggregate{Events: all[i].events, Value: all[i].value}
			if a.Events > 0 {
				a.Last = time.UnixMilli(all[i].last).UTC()
			}
			for j, key := range all[i].keys {
				a.Values = append(a.Values, profiles.Tally{Value: key, Count: all[i].counts[j], Last: time.UnixMilli(all[i].lasts[j]).UTC()})
			}
			if trait, ok := t.Trait(a, now); ok {
				r.fromEvents = append(r.fromEvents, trait)
			}
		}
		return nil
	}, append([]any{clickhouse.Named("now", now.UnixMilli())}, c.args...)...)
}

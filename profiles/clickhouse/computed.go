package clickhouse

import (
	"cmp"
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
// events of a profile.
type computation struct {
	traits []profiles.ComputedTrait
	query  string
	args   []any
}

// newComputation writes the query. Names and values are bound, and paths of
// properties are escaped constants.
func newComputation(traits []profiles.ComputedTrait) *computation {
	c := &computation{traits: traits}
	var columns []string
	var names []string
	q := computing{now: "{now:Int64}", bind: c.bind}
	for i, t := range traits {
		columns = append(columns, q.columns(t, i)...)
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

// computing writes the expressions of a query over events that is grouped by profile.
type computing struct {
	now  string // milliseconds, an Int64
	bind func(kind string, value any) string
}

// ComputedValue returns columns of a query over events that is grouped by profile, and
// the value of the trait, as JSON text that is empty for none, as an expression of those
// columns under the names that name gives to their places. now is an expression of
// milliseconds. place must be another one for each trait of a query. bind returns a
// parameter of a type for a value: a string, []string, int64, float64 or bool.
func ComputedValue(t profiles.ComputedTrait, place int, now string, name func(int) string, bind func(kind string, value any) string) (columns []string, value string) {
	q := computing{now: now, bind: bind}
	columns = q.columns(t, place)
	switch t.Compute {
	case profiles.ComputeCount:
		return columns, "toString(" + name(0) + ")"
	case profiles.ComputeTimeSince:
		unit := bind("Int64", cmp.Or(t.Unit, 24*time.Hour).Milliseconds())
		return columns, fmt.Sprintf("if(%s = 0, '', toString(intDiv(greatest(toInt64(0), %s - %s), %s)))", name(0), now, name(1), unit)
	case profiles.ComputeMostFrequent:
		sorted := fmt.Sprintf("arraySort(v -> (-toInt64(v.2), -v.3, v.1), arrayZip(%s, %s, %s))", name(2), name(3), name(4))
		return columns, "if(empty(" + name(2) + "), '', " + sorted + "[1].1)"
	case profiles.ComputeUniqueList:
		sorted := fmt.Sprintf("arraySort(v -> (-v.2, v.1), arrayZip(%s, %s))", name(2), name(4))
		most := bind("Int64", int64(t.ListLimit()))
		return columns, fmt.Sprintf("if(empty(%s), '', '[' || arrayStringConcat(arrayMap(v -> v.1, arraySlice(%s, 1, %s)), ',') || ']')", name(2), sorted, most)
	}
	return columns, name(2)
}

// columns are those that a trait needs; place is the number of the trait, by which
// its condition has a name.
func (c computing) columns(t profiles.ComputedTrait, place int) []string {
	when := fmt.Sprintf("when%d", place)
	// The branch is what keeps the engine from parsing the events that do not count.
	raw := "if(" + when + ", " + warehouse.Property("properties", t.Property, warehouse.PropertyJSON) + ", '')"
	number := "if(" + when + ", " + warehouse.Property("properties", t.Property, warehouse.PropertyDecimal) + ", NULL)"
	has := raw + " NOT IN ('', 'null')"
	columns := []string{"countIf(" + c.condition(t) + " AS " + when + ")", "toUnixTimestamp64Milli(maxIf(time, " + when + "))"}
	switch t.Compute {
	case profiles.ComputeSum:
		columns = append(columns, "toString(ifNull(sum("+number+"), 0))")
	case profiles.ComputeAverage:
		some := "count(" + number + ")"
		columns = append(columns, "if("+some+" = 0, '', toString(assumeNotNull(sum("+number+")) / greatest("+some+", 1)))")
	case profiles.ComputeFirst:
		columns = append(columns, "argMinIf("+raw+", (time, message_hash), "+has+")")
	case profiles.ComputeLast:
		columns = append(columns, "argMaxIf("+raw+", (time, message_hash), "+has+")")
	case profiles.ComputeMostFrequent, profiles.ComputeUniqueList:
		// Both maps are in the order of their keys, so that their values agree.
		tallies := fmt.Sprintf("sumMapIf([%s], [toUInt64(1)], %s)", raw, has)
		columns = append(columns, tallies+".1", tallies+".2", fmt.Sprintf("maxMapIf([%s], [toUnixTimestamp64Milli(time)], %s).2", raw, has))
	}
	return columns
}

// condition is which events count.
func (c computing) condition(t profiles.ComputedTrait) string {
	parts := []string{"time <= fromUnixTimestamp64Milli(" + c.now + ", 'UTC')"}
	if t.Within > 0 {
		parts = append(parts, "time > fromUnixTimestamp64Milli("+c.now+" - "+c.bind("Int64", t.Within.Milliseconds())+", 'UTC')")
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
func (c computing) where(w profiles.Condition) string {
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
		all := make([]aggregates, len(c.traits))
		var into []any
		for i, t := range c.traits {
			into = append(into, all[i].of(t)...)
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, t := range c.traits {
			if trait, ok := t.Trait(all[i].aggregate(), now); ok {
				r.fromEvents = append(r.fromEvents, trait)
			}
		}
		return nil
	}, append([]any{clickhouse.Named("now", now.UnixMilli())}, c.args...)...)
}

// aggregates are the columns of one trait.
type aggregates struct {
	events uint64
	last   int64
	value  string
	keys   []string
	counts []uint64
	lasts  []int64
}

// of returns where the columns of a trait go to.
func (a *aggregates) of(t profiles.ComputedTrait) []any {
	switch t.Compute {
	case profiles.ComputeCount, profiles.ComputeTimeSince:
		return []any{&a.events, &a.last}
	case profiles.ComputeMostFrequent, profiles.ComputeUniqueList:
		return []any{&a.events, &a.last, &a.keys, &a.counts, &a.lasts}
	}
	return []any{&a.events, &a.last, &a.value}
}

func (a *aggregates) aggregate() profiles.Aggregate {
	out := profiles.Aggregate{Events: a.events, Value: a.value}
	if a.events > 0 {
		out.Last = time.UnixMilli(a.last).UTC()
	}
	for i, key := range a.keys {
		out.Values = append(out.Values, profiles.Tally{Value: key, Count: a.counts[i], Last: time.UnixMilli(a.lasts[i]).UTC()})
	}
	return out
}

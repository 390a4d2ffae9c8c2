package sql

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/segments"
)

// computed tests a computed trait in the scan over events, by the expressions that
// profiles are read with.
func (c *compiler) computed(i int, t profiles.ComputedTrait, test segments.Test) {
	name := func(n int) string { return fmt.Sprintf("leaf_%d_%d", i, n) }
	c.computing = true
	c.parameters["now_ms"] = strconv.FormatInt(c.now.UnixMilli(), 10)
	columns, value := clickhouse.ComputedValue(t, i, "{now_ms:Int64}", name, c.any)
	for n, column := range columns {
		c.events.columns = append(c.events.columns, column+" AS "+name(n))
	}
	column := fmt.Sprintf("leaf_%d", i)
	c.derive(0, "%s AS %s", value, column)
	if t.Event == "" {
		c.everyName = true
		c.set.happened.until(t.Within, "")
		c.set.happened.comes("")
	} else {
		event := c.text(t.Event)
		c.eventNames = append(c.eventNames, event)
		c.set.happened.until(t.Within, event)
		c.set.happened.comes(event)
	}
	c.windows = append(c.windows, t.Within)
	if t.Compute == profiles.ComputeTimeSince {
		c.set.happened.ages(name(0), name(1), "{now_ms:Int64}", cmp.Or(t.Unit, 24*time.Hour))
	}
	// A profile without events has 0 of them, which add up to 0.
	zero := t.Compute == profiles.ComputeCount || t.Compute == profiles.ComputeSum
	c.note(&c.events, i, c.test(column, test), zero && holdsForZero(test))
}

// any binds a value of the types that computed traits have.
func (c *compiler) any(kind string, value any) string {
	switch v := value.(type) {
	case string:
		return c.text(v)
	case []string:
		return c.bind(kind, textArray(v))
	case float64:
		return c.number(v)
	}
	return c.bind(kind, fmt.Sprint(value)) // Whole numbers and booleans.
}

// holdsForZero reports whether the number 0 passes a test.
func holdsForZero(t segments.Test) bool {
	zero := segments.Scalar{Kind: segments.Number}
	switch t.Op {
	case segments.Exists:
		return true
	case segments.Contains:
		return false
	case segments.Neq:
		return t.Values[0] != zero
	case segments.Eq, segments.In:
		for _, v := range t.Values {
			if v == zero {
				return true
			}
		}
		return false
	}
	v := t.Values[0]
	return v.Kind == segments.Number && segments.Comparison{{Op: t.Op, Value: v.Number}}.Holds(0)
}

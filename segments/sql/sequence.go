package sql

import (
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/segments"
)

// place is the order of an event, a tuple that compares as the messages do.
const place = "(toUnixTimestamp64Milli(time), message_hash)"

// nowhere lies before every event.
const nowhere = "(toInt64(-9000000000000000000), toUInt128(0))"

// sequence finds the events at which each step can stand, with the latest start
// of a sequence that comes so far: for every event of a step, over the events
// where the step before can stand and whose gap fits. It takes as much work as
// pairs of events of neighbouring steps of one profile.
func (c *compiler) sequence(i int, leaf segments.Sequence) {
	before := ""
	for n, step := range leaf.Steps {
		name := fmt.Sprintf("leaf_%d_%d", i, n)
		c.places(name, c.occurrence(step.Name, step.Kind, step.Where, leaf.Within, leaf.Period))
		reached := name + "_reached"
		if n == 0 {
			c.derived = append(c.derived, fmt.Sprintf("arrayMap(e -> (e, e.1), %s) AS %s", name, reached))
			before = reached
			continue
		}
		bar := nowhere
		if x := step.Without; x != nil {
			c.places(name+"_without", c.occurrence(x.Name, x.Kind, x.Where, leaf.Within, leaf.Period))
			bar = fmt.Sprintf("arrayLast(x -> x < e, arrayPushFront(%s_without, %s))", name, nowhere)
		}
		fits := "p.1 < e.1 AND p.1 >= e.2" + c.gap(step.AtLeast, ">=") + c.gap(step.AtMost, "<=")
		if last := n == len(leaf.Steps)-1; last {
			fits += c.span(leaf.Span)
		}
		c.derived = append(c.derived, fmt.Sprintf("arrayMap(e -> (e, %s), %s) AS %s_barred", bar, name, name),
			fmt.Sprintf("arrayFilter(r -> r.2 != (%s).1, arrayMap(e -> (e.1, arrayMax(arrayPushBack(arrayMap(p -> if(%s, p.2, (%s).1), %s), (%s).1))), %s_barred)) AS %s",
				nowhere, fits, nowhere, before, nowhere, name, reached))
		if step.Optional {
			c.derived = append(c.derived, fmt.Sprintf("arrayConcat(%s, %s) AS %s_or_not", before, reached, name))
			reached = name + "_or_not"
		}
		before = reached
	}
	c.note(&c.events, i, "notEmpty("+before+")", false)
}

// places collects where the events of a step stand, in order.
func (c *compiler) places(name, condition string) {
	c.events.columns = append(c.events.columns, fmt.Sprintf("arraySort(groupArrayIf(%s, %s)) AS %s", place, condition, name))
}

// gap bounds the milliseconds between an event e and the one before, p.
func (c *compiler) gap(d time.Duration, operator string) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf(" AND e.1.1 - p.1.1 %s %s", operator, c.bind("Int64", fmt.Sprint(d.Milliseconds())))
}

// span bounds the milliseconds since the start of the sequence.
func (c *compiler) span(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return " AND e.1.1 - p.2 <= " + c.bind("Int64", fmt.Sprint(d.Milliseconds()))
}

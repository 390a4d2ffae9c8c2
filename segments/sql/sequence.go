package sql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/segments"
)

// nowhere lies before every event.
const nowhere = "(toInt64(-9000000000000000000), toUInt128(0))"

// maxChains bounds the ways through optional steps that are followed one by one.
const maxChains = 8

// sequence finds the events at which each step can stand, with the latest start of a
// sequence that comes so far.
//
// Behind an optional step a later event can have an earlier start, where it was reached
// in another way. That only matters where somebody asks for the start: then the ways are
// followed one by one, in chains of events in each of which starts rise, as long as they
// are few.
func (c *compiler) sequence(i int, leaf segments.Sequence) {
	if leaf.Span == 0 && !slices.ContainsFunc(leaf.Steps, func(s segments.Step) bool { return s.Without != nil }) {
		c.plainSequence(i, leaf)
		return
	}
	var chains []string
	step := (*compiler).stepByLatest
	for n, s := range leaf.Steps {
		name := stepName(i, n)
		c.places(name, c.moments(name, s, leaf))
		if n == 0 {
			chains = []string{name + "_reached"}
			c.derive(1, "arrayMap(e -> (e, e.1), %s) AS %s", name, chains[0])
			continue
		}
		c.barred(name, s, leaf)
		span := time.Duration(0)
		if n == len(leaf.Steps)-1 {
			span = leaf.Span
		}
		reached := make([]string, len(chains))
		for k, before := range chains {
			reached[k] = fmt.Sprintf("%s_%d_reached", name, k)
			step(c, n+1, name, before, reached[k], s, span)
		}
		if !s.Optional {
			chains = reached
			continue
		}
		chains = append(chains, reached...)
		if leaf.Span == 0 || len(chains) > maxChains {
			c.derive(n+1, "arrayConcat(%s) AS %s_or_not", strings.Join(chains, ", "), name)
			chains = []string{name + "_or_not"}
			if leaf.Span > 0 {
				step = (*compiler).stepByPairs
			}
		}
	}
	for k, chain := range chains {
		chains[k] = "notEmpty(" + chain + ")"
	}
	c.note(&c.events, i, "("+strings.Join(chains, " OR ")+")", false)
}

// stepName is the column of a step of a leaf.
func stepName(leaf, step int) string { return fmt.Sprintf("leaf_%d_%d", leaf, step) }

// plainSequence is a sequence in which nothing is forbidden and no start is asked for:
// events are their moments, plain numbers, which the server sorts, filters and moves at a
// third of what tuples cost.
func (c *compiler) plainSequence(i int, leaf segments.Sequence) {
	reached := ""
	for n, s := range leaf.Steps {
		name := stepName(i, n)
		own := c.moments(name, s, leaf)
		if n == 0 {
			reached = own
			continue
		}
		before := reached
		reached = name + "_reached"
		c.derive(n-1, "%s AS %s", c.plainStep(own, before, s), reached)
		if s.Optional {
			c.derive(n-1, "arrayConcat(%s, %s) AS %s_or_not", before, reached, name)
			reached = name + "_or_not"
		}
	}
	c.note(&c.events, i, "notEmpty("+reached+")", false)
}

// plainStep are those of the moments own that have one of the moments before as the step
// before them.
//
// Where it may be long ago, the first of them is enough. Otherwise it is the latest that
// is not too near, and both are sorted together: times four, those of before are odd, and
// stand where they begin to be far enough. That is before all of this time, and behind
// the event itself where nothing is to lie between.
func (c *compiler) plainStep(own, before string, step segments.Step) string {
	if step.AtMost == 0 {
		later := "m > arrayMin(" + before + ")"
		if step.AtLeast > 0 {
			later = momentTime("m") + " - " + momentTime("arrayMin("+before+")") + " >= " + c.milliseconds(step.AtLeast)
		}
		return "arrayFilter(m -> notEmpty(" + before + ") AND " + later + ", " + own + ")"
	}
	those, stand, shift := "bitShiftLeft(m, 2)", "bitShiftLeft(m, 2) + 1", ""
	if step.AtLeast > 0 {
		shift = " + " + c.milliseconds(step.AtLeast)
		those, stand = "bitShiftLeft(m, 2) + 2", "bitShiftLeft(toInt256("+momentTime("m")+shift+"), 130) + 1"
	}
	both := "arraySort(arrayConcat(arrayMap(m -> " + those + ", " + own + "), arrayMap(m -> " + stand + ", " + before + ")))"
	odd := func(m string) string { return "bitTest(toUInt8(" + m + "), 0)" }
	near := momentTime("bitShiftRight(m, 2)") + " - " + momentTime("bitShiftRight(p, 2)") + shift + " <= " + c.milliseconds(step.AtMost)
	fits := "NOT " + odd("m") + " AND " + odd("p") + " AND " + near
	return "arrayMap(m -> bitShiftRight(m, 2), " + let(both, "arrayFilter((m, p) -> "+fits+", x, arrayFill(m -> "+odd("m")+", x))") + ")"
}

// momentTime are the milliseconds of a moment.
func momentTime(moment string) string { return "toInt64(bitShiftRight(" + moment + ", 128))" }

// barred finds for each event of a step the last exclusion before it.
func (c *compiler) barred(name string, step segments.Step, leaf segments.Sequence) {
	x := step.Without
	if x == nil {
		c.derive(1, "arrayMap(e -> (e, %s), %s) AS %s_barred", nowhere, name, name)
		return
	}
	c.places(name+"_without", c.gathered(name+"_without", c.occurrence(x.Name, x.Kind, x.Where, leaf.Within, leaf.Period)))
	all := fmt.Sprintf("arraySort(arrayConcat(arrayMap(e -> (e.1, e.2, toUInt8(0)), %s), arrayMap(e -> (e.1, e.2, toUInt8(1)), %s_without)))", name, name)
	last := "arrayFilter(z -> z.1.3 = 0, arrayZip(x, arrayFill(e -> e.3 = 1, x)))"
	c.derive(1, "arrayMap(z -> ((z.1.1, z.1.2), if(z.2.3 = 1, (z.2.1, z.2.2), %s)), %s) AS %s_barred", nowhere, let(all, last), name)
}

// stepByLatest looks for each event of a step at one event of the step before, the
// latest that is not too near. It is enough: of the events that are far enough it is
// the last to lie behind an exclusion or within the gap, and where places rise, so do
// the latest starts. It costs the sorting of both together.
//
// In what is sorted an event has (time, turn, hash, whether it is of the step before,
// exclusion before it, place, start). One of the step before stands where it begins to
// be far enough; its turn is then before that of an event at this time. Without a gap
// the two have one order, and an event is not before itself.
func (c *compiler) stepByLatest(level int, name, before, reached string, step segments.Step, span time.Duration) {
	turn, shift := "toUInt8(0)", ""
	if step.AtLeast > 0 {
		turn, shift = "toUInt8(1)", " + "+c.milliseconds(step.AtLeast)
	}
	own := fmt.Sprintf("arrayMap(e -> (e.1.1, %s, e.1.2, toUInt8(0), e.2, %s, toInt64(0)), %s_barred)", turn, nowhere, name)
	both := fmt.Sprintf("arraySort(arrayConcat(%s, arrayMap(p -> (p.1.1%s, toUInt8(0), p.1.2, toUInt8(1), %s, p.1, p.2), %s)))", own, shift, nowhere, before)
	fits := "z.1.4 = 0 AND z.2.4 = 1 AND z.2.6 >= z.1.5"
	if step.AtMost > 0 {
		fits += " AND z.1.1 - z.2.6.1 <= " + c.milliseconds(step.AtMost)
	}
	if span > 0 {
		fits += " AND z.1.1 - z.2.7 <= " + c.milliseconds(span)
	}
	found := let(both, "arrayFilter(z -> "+fits+", arrayZip(x, arrayFill(e -> e.4 = 1, x)))")
	c.derive(level, "arrayMap(z -> ((z.1.1, z.1.3), z.2.7), %s) AS %s", found, reached)
}

// stepByPairs looks for each event of a step at all events of the step before, and
// takes the latest start.
func (c *compiler) stepByPairs(level int, name, before, reached string, step segments.Step, span time.Duration) {
	fits := "p.1 < e.1 AND p.1 >= e.2"
	if step.AtLeast > 0 {
		fits += " AND e.1.1 - p.1.1 >= " + c.milliseconds(step.AtLeast)
	}
	if step.AtMost > 0 {
		fits += " AND e.1.1 - p.1.1 <= " + c.milliseconds(step.AtMost)
	}
	if span > 0 {
		fits += " AND e.1.1 - p.2 <= " + c.milliseconds(span)
	}
	c.derive(level, "arrayFilter(r -> r.2 != (%s).1, arrayMap(e -> (e.1, arrayMax(arrayPushBack(arrayMap(p -> if(%s, p.2, (%s).1), %s), (%s).1))), %s_barred)) AS %s",
		nowhere, fits, nowhere, before, nowhere, name, reached)
}

// inOrder is a condition that whoever is in the only leaf, a sequence, meets: some event of
// each step that must be is after the first one of the step before. It costs less than to
// sort the events.
func (c *compiler) inOrder() string {
	var conditions []string
	for i, name := range c.required {
		conditions = append(conditions, "notEmpty("+name+")")
		if i > 0 {
			conditions = append(conditions, "arrayMin("+c.required[i-1]+") < arrayMax("+name+")")
		}
	}
	return strings.Join(distinct(conditions), " AND ")
}

// moments collects the moments of the events of a step, in no order. They are gathered as
// numbers, of which the server makes arrays many times faster than of tuples, and many of
// whom they are gathered are left out by inOrder.
func (c *compiler) moments(name string, step segments.Step, leaf segments.Sequence) string {
	moments := c.gathered(name, c.occurrence(step.Name, step.Kind, step.Where, leaf.Within, leaf.Period))
	if !step.Optional {
		c.required = append(c.required, moments)
	}
	return moments
}

func (c *compiler) gathered(name, condition string) string {
	return c.aggregate(aggregate{name: name + "_at", function: "groupArray", of: moment, condition: condition})
}

// places are where the events of moments stand, in order: (milliseconds, hash of the
// message).
func (c *compiler) places(name, moments string) {
	c.derive(0, "arrayMap(m -> (toInt64(bitShiftRight(m, 128)), toUInt128(m)), arraySort(%s)) AS %s", moments, name)
}

// derive adds a column to a level.
func (c *compiler) derive(level int, format string, args ...any) {
	for len(c.derived) <= level {
		c.derived = append(c.derived, nil)
	}
	c.derived[level] = append(c.derived[level], fmt.Sprintf(format, args...))
}

// let binds x to a value in an expression, so that it is worked out once.
func let(value, expression string) string {
	return "arrayMap(x -> " + expression + ", [" + value + "])[1]"
}

func (c *compiler) milliseconds(d time.Duration) string {
	return c.bind("Int64", fmt.Sprint(d.Milliseconds()))
}

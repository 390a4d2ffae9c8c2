package sql

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/segments"
)

// To plan a query of a hundred leaves takes the server as long as to read the events of a
// thousand people for it, and each leaf is a column of its own to it. Leaves that count or
// measure events are therefore worked out here, for some profiles, from the events
// themselves: the server reads them, finds their profiles and tests what is no number. Of
// 99 segments for 1 000 of 1 M people with eleven events, milliseconds until the last row:
// 189 where the server counts, and 95.

// ErrManyEvents says that there are more events than Extent allows for.
var ErrManyEvents = errors.New("too many events to count outside of the server")

// Extent is whom a set is for.
type Extent struct {
	// Some restricts it to profiles that the caller sends, see AskedProfiles.
	Some bool
	// Events is how many events of some profiles may be read, to be counted by Collected;
	// 0 has the server count all.
	Events int
}

// counting is what is counted here.
type counting struct {
	names   []string // parameters
	numbers []string // expressions of numbers that are read with each event
	passes  []string // conditions that the server tests of each event
	tallies []tally
	keys    []string // of the tallies: equal where they are
	leaves  []countedLeaf
}

// tally is a number that is worked out from events. Times are milliseconds since 1970.
type tally struct {
	name         int           // place in names
	within       time.Duration // 0 is all time
	after, upTo  int64         // of within
	from, before int64         // of the period
	passes       uint64
	tests        []numberTest
	aggregate    segments.Aggregate // "" counts
	of           int                // place in numbers, of what is measured
}

// numberTest is a test of a number, at a place.
type numberTest struct {
	of   int
	test segments.Test
}

// countedLeaf is a leaf that compares a tally.
type countedLeaf struct {
	bit      int
	tally    int
	is       segments.Comparison
	opposite bool // its bit is set where it does not hold
}

// count takes a leaf that can be counted here.
func (c *compiler) count(bit int, n segments.Node) bool {
	leaf, ok := n.(segments.Event)
	if !ok || leaf.Pick != "" {
		return false
	}
	k := &c.counting
	before := *k
	t := tally{
		name: place(&k.names, c.text(leaf.Name)), within: leaf.Within, after: math.MinInt64, upTo: math.MaxInt64,
		from: math.MinInt64, before: math.MaxInt64, aggregate: leaf.Measure.Aggregate,
	}
	if leaf.Within > 0 {
		t.after, t.upTo = c.now.Add(-leaf.Within).UnixMilli(), c.now.UnixMilli()
	}
	if !leaf.Period.From.IsZero() {
		t.from = leaf.Period.From.UnixMilli()
	}
	if !leaf.Period.Until.IsZero() {
		t.before = leaf.Period.Until.UnixMilli()
	}
	if leaf.Kind != "" {
		t.passes |= 1 << place(&k.passes, "kind = "+c.text(leaf.Kind))
	}
	for _, w := range leaf.Where {
		if len(w.Each) == 0 && ofNumbers(w.Test) {
			t.tests = append(t.tests, numberTest{place(&k.numbers, c.propertyNumber("properties", w.Path)), w.Test})
		} else {
			t.passes |= 1 << place(&k.passes, c.where("properties", []segments.Property{w})[0])
		}
	}
	is, opposite := leaf.Measure.Is, false
	switch leaf.Measure.Aggregate {
	case "":
		is = often(leaf)
		opposite = is.Holds(0)
	case segments.Days:
		opposite = is.Holds(0)
	default:
		t.of = place(&k.numbers, c.propertyNumber("properties", leaf.Measure.Of))
		opposite = leaf.Measure.Aggregate == segments.Sum && is.Holds(0)
	}
	if len(k.passes) > wordBits {
		*k = before
		return false
	}
	at := place(&k.keys, fmt.Sprintf("%+v", t))
	if at == len(k.tallies) {
		k.tallies = append(k.tallies, t)
	}
	k.leaves = append(k.leaves, countedLeaf{bit, at, is, opposite})
	c.standsOpposite(bit, opposite)
	return true
}

// place returns where a text is in a list, in which it is put if it is not there.
func place(list *[]string, text string) int {
	if i := slices.Index(*list, text); i >= 0 {
		return i
	}
	*list = append(*list, text)
	return len(*list) - 1
}

// countingSQL reads the events that leaves count: one row each, of
//
//	profile_id UInt64   whose it is
//	which      UInt16   place of its name, from 1
//	at         Int64    its time
//	passes     UInt64   bits of the conditions that hold for it
//	n0 ...     Float64  numbers, not a number where there is none
//
// Of nobody's events the profile is 0: a condition on the anchor besides is one more that
// the server holds against each range of the primary key.
func (c *compiler) countingSQL(most int) string {
	k := c.counting
	columns, names := "profile_id, which, at, passes", ""
	passes := scan{}
	for i, condition := range k.passes {
		passes.bits = append(passes.bits, bitOf{i, condition})
	}
	for i, number := range k.numbers {
		name := fmt.Sprintf("n%d", i)
		columns += ", " + name
		names += ",\n        toFloat64(" + number + ") AS " + name
	}
	windows := make([]time.Duration, len(k.tallies))
	for i, t := range k.tallies {
		windows[i] = t.within
	}
	where := "name IN (" + strings.Join(k.names, ", ") + ")"
	if widest := slices.Max(windows); slices.Min(windows) > 0 {
		where += c.lasting(widest)
	}
	return fmt.Sprintf(`SELECT %s
FROM (
    SELECT %s AS profile_id, toUInt16(indexOf([%s], toString(name))) AS which, toUnixTimestamp64Milli(time) AS at,
        %s AS passes%s
    FROM events
    PREWHERE anchor_id IN (SELECT id FROM %s)
    WHERE workspace = {workspace:String} AND %s
)
WHERE if(profile_id = 0, 0, which > 0 AND %s)%s
LIMIT %d`, columns, c.reading.EventProfile("anchor_id", "time"), strings.Join(k.names, ", "),
		passes.mask(0), names, AskedAnchors, where, c.unrestricted(), c.only("profile_id", AskedProfiles), most+1)
}

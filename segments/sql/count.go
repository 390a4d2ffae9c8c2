package sql

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

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

// counting is what Collected counts.
type counting struct {
	names   []string // parameters
	numbers []string // expressions of numbers that are read with each event
	passes  []string // conditions that the server tests of each event
	tallies []tally
	keys    []string // of the tallies: equal where they are
	leaves  []countedLeaf
	windows []time.Duration // of the tallies
}

// tally is a number that is worked out from events. Times are milliseconds since 1970.
type tally struct {
	name         int // place in names
	after, upTo  int64
	from, before int64 // of the period
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
		name: place(&k.names, c.text(leaf.Name)), after: math.MinInt64, upTo: math.MaxInt64,
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
		if is = leaf.Count; len(is) == 0 {
			is = segments.Comparison{{Op: segments.Gte, Value: 1}}
		}
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
		k.tallies, k.windows = append(k.tallies, t), append(k.windows, leaf.Within)
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
	where := "name IN (" + strings.Join(k.names, ", ") + ")"
	if widest := slices.Max(k.windows); slices.Min(k.windows) > 0 {
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

// Collected are the rows of a set for some profiles: of its query, and the events of those
// leaves that are counted here. Row and Event may be called at the same time, each by one.
type Collected struct {
	set     *Set
	answers map[uint64]Answer

	events  []event
	numbers []float64        // of the events, one after the other
	last    map[uint64]int32 // the last event of each profile

	// What a row of an event is read into.
	into    []any
	profile uint64
	event   event
	measure []float64
}

// event is one that may count.
type event struct {
	at     int64
	passes uint64
	before int32 // the one before of the same profile, -1 for none
	which  uint16
}

// Collect begins to collect.
func (s *Set) Collect() *Collected {
	c := &Collected{set: s, answers: map[uint64]Answer{}, last: map[uint64]int32{}, measure: make([]float64, len(s.counting.numbers))}
	c.into = []any{&c.profile, &c.event.which, &c.event.at, &c.event.passes}
	for i := range c.measure {
		c.into = append(c.into, &c.measure[i])
	}
	return c
}

// Row takes a row of the query.
func (c *Collected) Row(rows driver.Rows) error {
	a, err := c.set.scan(rows)
	c.answers[a.Profile] = a
	return err
}

// Event takes a row of the query of events; ErrManyEvents where there are too many.
func (c *Collected) Event(rows driver.Rows) error {
	if err := rows.Scan(c.into...); err != nil {
		return err
	}
	if len(c.events) >= c.set.most {
		return ErrManyEvents
	}
	e := c.event
	e.before = -1
	if i, ok := c.last[c.profile]; ok {
		e.before = i
	}
	c.last[c.profile] = int32(len(c.events)) // Fewer than Extent.Events.
	c.events, c.numbers = append(c.events, e), append(c.numbers, c.measure...)
	return nil
}

// Answers returns the rows of the set, by profile.
func (c *Collected) Answers() map[uint64]Answer {
	tallied := make([]tallied, len(c.set.counting.tallies))
	for profile, last := range c.last {
		a, ok := c.answers[profile]
		if !ok {
			a = Answer{Profile: profile, Due: math.MaxInt64}
		}
		clear(tallied)
		a.Due = min(a.Due, c.tally(tallied, last))
		for _, leaf := range c.set.counting.leaves {
			if tallied[leaf.tally].holds(c.set.counting.tallies[leaf.tally].aggregate, leaf.is) != leaf.opposite {
				a.Mask[leaf.bit/wordBits] |= 1 << (leaf.bit % wordBits)
			}
		}
		c.answers[profile] = a
	}
	for profile, a := range c.answers {
		c.set.hold(&a)
		c.answers[profile] = a
	}
	return c.answers
}

// tally works out the tallies of a profile by its events, and when the passing of time may
// change one: as dated says.
func (c *Collected) tally(into []tallied, last int32) (due int64) {
	k := &c.set.counting
	due = math.MaxInt64
	for i := last; i >= 0; i = c.events[i].before {
		e := &c.events[i]
		numbers := c.numbers[int(i)*len(k.numbers):][:len(k.numbers)]
		for n := range k.tallies {
			t := &k.tallies[n]
			if int(e.which) != t.name+1 {
				continue
			}
			if window := k.windows[n]; window > 0 {
				if e.at > t.upTo {
					due = min(due, e.at)
					continue
				}
				if e.at <= t.after {
					continue
				}
				due = min(due, e.at+window.Milliseconds())
			}
			if e.at >= t.from && e.at < t.before && e.passes&t.passes == t.passes && passAll(t.tests, numbers) {
				into[n].add(t, e.at, numbers)
			}
		}
	}
	return due
}

func passAll(tests []numberTest, numbers []float64) bool {
	for _, t := range tests {
		if !passes(t.test, numbers[t.of]) {
			return false
		}
	}
	return true
}

// passes is the test of a number that numeric is in SQL. Not a number passes none.
func passes(t segments.Test, x float64) bool {
	if t.Op == segments.In {
		return slices.ContainsFunc(t.Values, func(v segments.Scalar) bool { return v.Number == x })
	}
	return segments.Comparison{{Op: t.Op, Value: t.Values[0].Number}}.Holds(x)
}

// tallied is what a tally has come to.
type tallied struct {
	count       int            // of events, or of numbers that are measured
	high, low   uint64         // of the sum, in ten thousandths: two's complement of 128 bits
	least, most float64        // of the numbers
	days        map[int64]bool // since 1970 in UTC
}

// measurable bounds the numbers that are measured.
const measurable = 1e15

func (v *tallied) add(t *tally, at int64, numbers []float64) {
	switch t.aggregate {
	case "":
		v.count++
		return
	case segments.Days:
		if v.days == nil {
			v.days = map[int64]bool{}
		}
		const day = 86_400_000
		d := at / day
		if at%day < 0 {
			d--
		}
		v.days[d] = true
		return
	}
	x := numbers[t.of]
	if !(math.Abs(x) <= measurable) {
		return
	}
	if v.count == 0 || x < v.least {
		v.least = x
	}
	if v.count == 0 || x > v.most {
		v.most = x
	}
	v.count++
	// Up to 1e19, which 64 bits do not hold.
	scaled := math.RoundToEven(x * 10000)
	high, low := uint64(0), uint64(math.Abs(scaled))
	if scaled < 0 {
		high, low = negative(high, low)
	}
	var carry uint64
	v.low, carry = bits.Add64(v.low, low, 0)
	v.high, _ = bits.Add64(v.high, high, carry)
}

// negative is the two's complement of a number of 128 bits.
func negative(high, low uint64) (uint64, uint64) {
	low, borrow := bits.Sub64(0, low, 0)
	high, _ = bits.Sub64(0, high, borrow)
	return high, low
}

// sum is the sum of the numbers.
func (v *tallied) sum() float64 {
	high, low, sign := v.high, v.low, 1.0
	if high>>63 == 1 {
		high, low = negative(high, low)
		sign = -1
	}
	const word = 1 << 64
	return sign * (float64(high)*word + float64(low)) / 10000
}

func (v *tallied) holds(a segments.Aggregate, is segments.Comparison) bool {
	switch a {
	case segments.Days:
		return is.Holds(float64(len(v.days)))
	case segments.Sum:
		return is.Holds(v.sum())
	case segments.Average:
		return v.count > 0 && is.Holds(v.sum()/float64(v.count))
	case segments.Min:
		return v.count > 0 && is.Holds(v.least)
	case segments.Max:
		return v.count > 0 && is.Holds(v.most)
	}
	return is.Holds(float64(v.count))
}

package sql

import (
	"math"
	"math/bits"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/segments"
)

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
	a, err := c.set.scanSome(rows)
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
			if t.within > 0 {
				if e.at > t.upTo {
					due = min(due, e.at)
					continue
				}
				if e.at <= t.after {
					continue
				}
				due = min(due, e.at+t.within.Milliseconds())
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

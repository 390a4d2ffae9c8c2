package segment

import (
	"math"
	"strconv"
	"time"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
)

// The years that the tables hold.
const (
	firstYear = 1900
	lastYear  = 2299
)

// state says what a date is.
type state int

const (
	dateAbsent state = iota
	dateGood
	dateType  // neither text nor a number
	dateForm  // not the form of a date
	dateRange // a day that does not exist, or outside the years
)

// rule words a fault of a date, without the value.
func (s state) rule(field string, value []byte) string {
	switch s {
	case dateType:
		return "field \"" + field + "\" must be a date as text or number, not " + jsonscan.Type(value)
	case dateForm:
		return "field \"" + field + "\" is not an ISO 8601 date, but text of " + strconv.Itoa(len(value)) + " bytes"
	}
	return "field \"" + field + "\" is a date that does not exist or lies outside 1900 to 2299"
}

// parseTime reads a JSON value as a date.
func parseTime(value []byte) (time.Time, state) {
	if jsonscan.IsNull(value) {
		return time.Time{}, dateAbsent
	}
	if c := value[0]; c == '-' || c >= '0' && c <= '9' {
		return fromNumber(value)
	}
	text, ok := jsonscan.Text(value)
	switch {
	case !ok:
		return time.Time{}, dateType
	case len(text) == 0:
		return time.Time{}, dateAbsent
	case len(text) > 64:
		return time.Time{}, dateForm
	}
	t, s := parseISO(text)
	if s == dateForm {
		t, s = parseOther(string(text))
	}
	return t, s
}

// fromNumber reads the time since 1970. The unit follows from the magnitude:
// seconds until the year 5138, then milliseconds, microseconds, nanoseconds.
func fromNumber(value []byte) (time.Time, state) {
	if len(value) > 32 {
		return time.Time{}, dateRange
	}
	n, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		return time.Time{}, dateRange
	}
	millis := n * 1000
	switch a := math.Abs(n); {
	case a >= 1e17:
		millis = n / 1e6
	case a >= 1e14:
		millis = n / 1e3
	case a >= 1e11:
		millis = n
	}
	if math.Abs(millis) > 1e14 {
		return time.Time{}, dateRange
	}
	return inRange(time.UnixMilli(int64(math.Round(millis))).UTC())
}

// otherLayouts are forms that clients without a date library send: those of
// HTTP and of JavaScript's Date.toString up to its zone name.
var otherLayouts = [...]string{time.RFC1123, time.RFC1123Z, "Mon Jan 02 2006 15:04:05 GMT-0700", "20060102T150405Z0700", "2006-01-02 15:04:05 UTC"}

func parseOther(text string) (time.Time, state) {
	if len(text) >= 9 && digitsOnly(text) {
		return fromNumber([]byte(text))
	}
	if len(text) > 33 {
		text = text[:33] // JavaScript adds the zone's name in brackets.
	}
	for _, layout := range otherLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return inRange(t.UTC())
		}
	}
	return time.Time{}, dateForm
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func inRange(t time.Time) (time.Time, state) {
	if y := t.Year(); y < firstYear || y > lastYear {
		return time.Time{}, dateRange
	}
	return t.Truncate(time.Millisecond), dateGood
}

// parseISO reads 2006-01-02[(T| )15:04[:05[(.|,)fraction]][zone]].
func parseISO(b []byte) (time.Time, state) {
	c := cursor{b: b, ok: true}
	year, month, day := c.number(4), 0, 0
	c.skip('-')
	month = c.number(2)
	c.skip('-')
	day = c.number(2)
	var hour, minute, second, nanos, zone int
	if c.ok && len(c.b) > 0 {
		if c.b[0] == 't' || c.b[0] == ' ' {
			c.b = c.b[1:]
		} else {
			c.skip('T')
		}
		hour = c.number(2)
		c.skip(':')
		minute = c.number(2)
		if c.ok && len(c.b) > 0 && c.b[0] == ':' {
			c.b = c.b[1:]
			second = c.number(2)
			nanos = c.fraction()
		}
		zone = c.zone()
	}
	if !c.ok || len(c.b) > 0 {
		return time.Time{}, dateForm
	}
	if month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60 || zone >= 24*3600 || zone <= -24*3600 {
		return time.Time{}, dateRange
	}
	if day > 28 && time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() != day {
		return time.Time{}, dateRange
	}
	return inRange(time.Date(year, time.Month(month), day, hour, minute, second-zone, nanos, time.UTC))
}

// cursor walks over the text of a date; ok turns false at the first fault.
type cursor struct {
	b  []byte
	ok bool
}

func (c *cursor) skip(x byte) {
	if !c.ok || len(c.b) == 0 || c.b[0] != x {
		c.ok = false
		return
	}
	c.b = c.b[1:]
}

func (c *cursor) number(digits int) int {
	if !c.ok || len(c.b) < digits {
		c.ok = false
		return 0
	}
	n := 0
	for _, d := range c.b[:digits] {
		if d < '0' || d > '9' {
			c.ok = false
			return 0
		}
		n = n*10 + int(d-'0')
	}
	c.b = c.b[digits:]
	return n
}

// fraction reads decimals of a second in nanoseconds; more than nine are cut.
func (c *cursor) fraction() int {
	if !c.ok || len(c.b) == 0 || c.b[0] != '.' && c.b[0] != ',' {
		return 0
	}
	c.b = c.b[1:]
	n, unit, seen := 0, 100_000_000, false
	for len(c.b) > 0 && c.b[0] >= '0' && c.b[0] <= '9' {
		n += int(c.b[0]-'0') * unit
		unit /= 10
		c.b, seen = c.b[1:], true
	}
	c.ok = c.ok && seen
	return n
}

// zone reads Z or ±hh[[:]mm] in seconds east; nothing is UTC.
func (c *cursor) zone() int {
	if !c.ok || len(c.b) == 0 {
		return 0
	}
	sign := 1
	if c.b[0] == ' ' && len(c.b) > 1 {
		c.b = c.b[1:]
	}
	switch c.b[0] {
	case 'Z', 'z':
		c.b = c.b[1:]
		return 0
	case '-':
		sign = -1
	case '+':
	default:
		c.ok = false
		return 0
	}
	c.b = c.b[1:]
	seconds := c.number(2) * 3600
	if c.ok && len(c.b) > 0 {
		if c.b[0] == ':' {
			c.b = c.b[1:]
		}
		seconds += c.number(2) * 60
	}
	return sign * seconds
}

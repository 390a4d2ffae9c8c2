package normalize

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The reasons why text is no date. They name the rule, never the text.
var (
	// ErrDateForm reports text in none of the known forms.
	ErrDateForm = errors.New("date has none of the known forms")
	// ErrDateOrder reports a date such as 03/04/1985, which is two dates until
	// the order is declared.
	ErrDateOrder = errors.New("date is ambiguous: declare whether the day or the month comes first")
	// ErrDateImpossible is wrapped by what says which part cannot be.
	ErrDateImpossible = errors.New("date is impossible")
)

// Order is the declared order of dates written in numbers with the year last.
type Order int

// The orders.
const (
	// Undeclared reads only dates that have one reading.
	Undeclared Order = iota
	// DayFirst reads 03/04/1985 as the third of April.
	DayFirst
	// MonthFirst reads 03/04/1985 as the fourth of March.
	MonthFirst
)

// defaultPivot is the pivot of Dates where none is declared: 29 is 2029, and 30
// is 1930. Most two-digit years that are left are in birth dates.
const defaultPivot = 30

// Dates reads dates by what a source declares of its own. The zero value is
// ready to use, and safe for concurrent use.
type Dates struct {
	Order Order
	// Pivot is the least two-digit year of the 1900s; those below it are of the
	// 2000s. 0 means 30. It is declared, not taken from the clock, because a
	// date must read the same next year.
	Pivot int
	// ExcelSerials reads bare numbers of up to seven digits as day numbers of
	// Excel's 1900 system.
	ExcelSerials bool
}

// CalendarDate is a day of the Gregorian calendar, without a time or a zone.
type CalendarDate struct {
	Year, Month, Day int
	// Placeholder marks dates that programs write where they have none, such as
	// 1900-01-01. The person born on 1 January 1970 is marked as well: such a
	// date says nothing for or against two records being one person.
	Placeholder bool
}

// String returns the date as YYYY-MM-DD, which Date reads as the same date.
func (d CalendarDate) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// Date reads a date with nothing declared.
func Date(raw string) (CalendarDate, error) { return Dates{}.Date(raw) }

// Date reads a date in one of these forms: 1985-03-12 and 1985/3/12, also with a
// time, which is dropped; 12/03/1985, 12.3.1985 and 12-03-85 by the declared
// order, or where only one order is possible; 19850312 and 12031985; 12 Mar
// 1985, March 12, 1985 and 12-mar-85 with the months of English, Portuguese,
// Spanish, French and German; and Excel's serials, on request. It returns
// ErrEmpty, ErrDateForm, ErrDateOrder, an error that wraps ErrDateImpossible, or
// what Identifier returns for text that cannot be read.
func (o Dates) Date(raw string) (CalendarDate, error) {
	v, err := foldText(raw)
	if err != nil {
		return CalendarDate{}, err
	}
	if v == "" || v == "null" || v == "nan" || v == "undefined" {
		return CalendarDate{}, ErrEmpty
	}
	if d, ok, err := o.solid(v); ok {
		return d, err
	}
	fields, ok := dateFields(v)
	if !ok {
		return CalendarDate{}, ErrDateForm
	}
	for _, f := range fields {
		if f[0] >= 'a' {
			return o.named(fields)
		}
	}
	return o.numbers(fields)
}

// solid reads digits without separators; ok is false for anything else.
func (o Dates) solid(v string) (d CalendarDate, ok bool, err error) {
	digits := strings.TrimSuffix(v, ".0") // what spreadsheets make of a serial
	if !allDigits(digits) {
		return d, false, nil
	}
	n, _ := strconv.Atoi(digits)
	switch {
	case len(v) == 8 && v == digits:
		// At most one of the two is possible: as a month, the first half of a
		// year of the Gregorian calendar is beyond 12.
		if year, month := n/10000, n/100%100; n == 0 || n == 99999999 || year >= firstYear && month <= 12 {
			d, err = o.date(year, month, n%100)
		} else {
			d, err = o.pair(n/1000000, n/10000%100, n%10000)
		}
		return d, true, err
	case o.ExcelSerials && len(digits) <= 7:
		d, err = excel(n)
		return d, true, err
	}
	return d, true, ErrDateForm
}

// numbers reads three numbers, the year first or last.
func (o Dates) numbers(f []string) (CalendarDate, error) {
	var n [3]int
	for i, s := range f {
		if !allDigits(s) || len(s) > 4 || len(s) == 3 {
			return CalendarDate{}, ErrDateForm
		}
		n[i], _ = strconv.Atoi(s)
	}
	switch {
	case len(f[1]) > 2:
	case len(f[0]) == 4 && len(f[2]) <= 2:
		return o.date(n[0], n[1], n[2])
	case len(f[0]) <= 2 && len(f[2]) == 4:
		return o.pair(n[0], n[1], n[2])
	case len(f[0]) <= 2 && len(f[2]) == 2:
		return o.pair(n[0], n[1], o.century(n[2]))
	}
	return CalendarDate{}, ErrDateForm
}

// named reads a date whose month is a word.
func (o Dates) named(f []string) (CalendarDate, error) {
	day, month, year := f[0], f[1], f[2]
	if months[day] > 0 {
		day, month = month, day
	}
	if len(day) == 4 && allDigits(day) { // 1985 Mar 12
		day, year = year, day
	}
	day = strings.TrimRightFunc(day, func(r rune) bool { return r > '9' })
	if months[month] == 0 || !allDigits(day) || len(day) > 2 || !allDigits(year) || len(year) != 4 && len(year) != 2 {
		return CalendarDate{}, ErrDateForm
	}
	d, _ := strconv.Atoi(day)
	y, _ := strconv.Atoi(year)
	if len(year) == 2 {
		y = o.century(y)
	}
	return o.date(y, months[month], d)
}

// pair reads two numbers that are a day and a month.
func (o Dates) pair(a, b, year int) (CalendarDate, error) {
	switch {
	case a == b, o.Order == DayFirst, o.Order == Undeclared && a > 12:
		return o.date(year, b, a)
	case o.Order == MonthFirst, b > 12:
		return o.date(year, a, b)
	}
	return CalendarDate{}, ErrDateOrder
}

func (o Dates) century(year int) int {
	pivot := o.Pivot
	if pivot == 0 {
		pivot = defaultPivot
	}
	if year < pivot {
		return 2000 + year
	}
	return 1900 + year
}

// firstYear is the first whole year of the Gregorian calendar.
const firstYear = 1583

// date judges the parts.
func (o Dates) date(year, month, day int) (CalendarDate, error) {
	d := CalendarDate{Year: year, Month: month, Day: day}
	if placeholders[d] || year == 0 && month == 0 && day == 0 {
		d.Placeholder = true
		return d, nil
	}
	impossible := func(rule string) (CalendarDate, error) {
		return CalendarDate{}, fmt.Errorf("%w: %s", ErrDateImpossible, rule)
	}
	switch {
	case month < 1 || month > 12:
		return impossible("the month must be 1 to 12")
	case day < 1 || day > 31:
		return impossible("the day must be 1 to 31")
	case year < firstYear || year > 9999:
		return impossible("the year must be 1583 to 9999")
	case time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() != day:
		return impossible("the day is beyond the end of its month")
	}
	return d, nil
}

// excel converts a day number of the 1900 system, whose day 60 is a 29 February
// 1900 that never was; the days before it count from one day later.
func excel(n int) (CalendarDate, error) {
	switch {
	case n == 0:
		return CalendarDate{Year: 1900, Month: 1, Day: 1, Placeholder: true}, nil // an empty cell
	case n == 60:
		return CalendarDate{}, fmt.Errorf("%w: serial 60 is 29 february 1900", ErrDateImpossible)
	case n > 2958465:
		return CalendarDate{}, fmt.Errorf("%w: the serial is beyond the last day of excel", ErrDateImpossible)
	case n > 60:
		n--
	}
	t := time.Date(1899, time.December, 31+n, 0, 0, 0, 0, time.UTC)
	return Dates{}.date(t.Year(), int(t.Month()), t.Day())
}

// dateFields splits text into its three fields, without the little words and
// the time of day.
func dateFields(v string) ([]string, bool) {
	if len(v) > 64 {
		return nil, false
	}
	v, _, _ = strings.Cut(v, " (") // as Date.toString writes the zone
	if head, tail, ok := strings.Cut(v, "t"); ok && len(head) == 10 && isTimeOfDay(tail) {
		v = head
	} else if i := strings.IndexByte(v, ':'); i > 0 {
		if i = strings.LastIndexByte(v[:i], ' '); i < 0 || !isTimeOfDay(v[i+1:]) {
			return nil, false
		}
		v = v[:i]
	}
	fields := strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(" /-.,", r) })
	out := fields[:0]
	for _, f := range fields {
		if littleWords[f] || weekdays[f] {
			continue
		}
		out = append(out, f)
	}
	return out, len(out) == 3
}

// isTimeOfDay reports text that starts with hours and minutes, and goes on with
// what times have: fractions, am, pm, a zone.
func isTimeOfDay(v string) bool {
	hours, rest, ok := strings.Cut(v, ":")
	if !ok || !allDigits(hours) || len(hours) > 2 || len(rest) < 2 || !allDigits(rest[:2]) {
		return false
	}
	return strings.IndexFunc(rest, func(r rune) bool {
		return !unicode.IsDigit(r) && !strings.ContainsRune(":.,+- zamputcg", r)
	}) < 0
}

func allDigits(v string) bool {
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
	}
	return v != ""
}

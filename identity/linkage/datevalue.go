package linkage

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kindred-cdp/kindred/identity/normalize"
)

// canonicalDate reads dates more leniently than normalize.Date: what a typing
// error made impossible is kept as far as its digits say where year, month and
// day are.
func canonicalDate(folded string, order normalize.Order) (v reading, form string, ok bool) {
	y, m, d, ok := dateParts(folded, order)
	if !ok {
		date, err := normalize.Dates{Order: order}.Date(folded)
		if err != nil {
			return v, "", false
		}
		y, m, d = date.Year, date.Month, date.Day
	}
	if nobodysDate(y, m, d) {
		return v, "", false
	}
	return dateValue(y, m, d)
}

// nobodysDate reports what programs write where they have no date.
func nobodysDate(y, m, d int) bool {
	return y == 0 && m == 0 && d == 0 || m == 1 && d == 1 && (y == 1900 || y == 1970 || y == 1 || y == 1800) ||
		y == 9999 || y == 1111 && m == 11 && d == 11
}

func dateValue(y, m, d int) (v reading, form string, ok bool) {
	v.code = dateCode(y, m, d)
	form = fmt.Sprintf("%04d%02d%02d", y, m, d)
	v.set(form)
	return v, form, true
}

// dateParts reads three numbers, or eight digits with the year first.
func dateParts(s string, order normalize.Order) (y, m, d int, ok bool) {
	if len(s) == 8 && strings.Trim(s, "0123456789") == "" {
		n, _ := strconv.Atoi(s)
		if year := n / 10000; year >= 1700 && year < 2200 {
			return year, n / 100 % 100, n % 100, true
		}
		return 0, 0, 0, false
	}
	s, _, _ = strings.Cut(s, "t") // a time
	s, _, _ = strings.Cut(s, " ")
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '-' || r == '/' || r == '.' })
	if len(parts) != 3 {
		return 0, 0, 0, false
	}
	var n [3]int
	for i, p := range parts {
		var err error
		if n[i], err = strconv.Atoi(p); err != nil || n[i] < 0 || n[i] > 9999 {
			return 0, 0, 0, false
		}
	}
	switch {
	case len(parts[0]) == 4:
		return n[0], n[1], n[2], n[1] < 100 && n[2] < 100
	case len(parts[2]) == 4 && order == normalize.MonthFirst:
		return n[2], n[0], n[1], n[0] < 100 && n[1] < 100
	case len(parts[2]) == 4:
		return n[2], n[1], n[0], n[0] < 100 && n[1] < 100
	}
	return 0, 0, 0, false
}

// dateOrder finds out whether days or months come first in a column whose dates
// end with the year: the order in which more of them are possible.
func dateOrder(values []string) normalize.Order {
	dayFirst, monthFirst := 0, 0
	for _, raw := range values {
		_, m, d, ok := dateParts(strings.TrimSpace(raw), normalize.DayFirst)
		if !ok {
			continue
		}
		switch {
		case m > 12 && d <= 12:
			monthFirst++
		case d > 12 && m <= 12:
			dayFirst++
		}
	}
	if monthFirst > dayFirst {
		return normalize.MonthFirst
	}
	return normalize.DayFirst
}

// canonicalPart reads a day, a month or a year of its own.
func canonicalPart(typ Type, folded string) (v reading, form string, ok bool) {
	n, err := strconv.Atoi(strings.TrimSuffix(folded, ".0"))
	if err != nil || n <= 0 || n > 9999 {
		return v, "", false
	}
	form = strconv.Itoa(n)
	switch typ {
	case Year:
		v.code = dateCode(n, 0, 0)
	case Month:
		v.code = dateCode(0, n, 0)
	default:
		v.code = dateCode(0, 0, n)
	}
	v.set(form)
	return v, form, true
}

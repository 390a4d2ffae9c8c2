package cells

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Order is the order of day, month and year in dates that begin with a day or
// a month. Dates that begin with a year of four digits need none.
type Order string

// The orders.
const (
	Auto       Order = "auto"
	DayFirst   Order = "dmy"
	MonthFirst Order = "mdy"
)

// Valid reports whether o is one of the orders.
func (o Order) Valid() bool { return o == Auto || o == DayFirst || o == MonthFirst }

// ErrAmbiguous is matched by the error of OrderOf for dates that can be read in
// two ways.
var ErrAmbiguous = errors.New("day and month cannot be told apart")

// OrderOf finds the order of the dates of a column from its distinct cells: one
// number above 12 decides. Dates with years first, written months and seconds
// since 1970 have no order, and give Auto.
func OrderOf(cells []string) (Order, error) {
	day, month, open := "", "", ""
	for _, cell := range cells {
		g, ok := groups(strings.TrimSpace(cell))
		if !ok || g.yearFirst {
			continue
		}
		switch {
		case g.n[0] > 12 && g.n[1] <= 12:
			day = cell
		case g.n[1] > 12 && g.n[0] <= 12:
			month = cell
		case g.n[0] != g.n[1]:
			open = cell
		}
	}
	switch {
	case day != "" && month != "":
		return Auto, fmt.Errorf("dates are written in two ways (%q and %q): %w", clip(day), clip(month), ErrAmbiguous)
	case day != "":
		return DayFirst, nil
	case month != "":
		return MonthFirst, nil
	case open != "":
		return Auto, fmt.Errorf("dates such as %q: %w", clip(open), ErrAmbiguous)
	}
	return Auto, nil
}

// clip shortens a cell for a message.
func clip(s string) string {
	if len(s) > longest {
		return s[:longest]
	}
	return s
}

// Date reads a date with or without a time of day, in UTC unless it names its
// offset: 2011-12-09, 20111209, 9.12.2011 and 12/9/2011 by the order, 9 Dec
// 2011, and seconds or milliseconds since 1970. Years run from 1900 to 2199.
func Date(cell string, order Order) (time.Time, bool) {
	s := strings.TrimSpace(cell)
	if s == "" || len(s) > longest {
		return time.Time{}, false
	}
	t, ok := numericDate(s, order)
	if !ok {
		t, ok = writtenDate(s)
	}
	return t, ok && t.Year() >= 1900 && t.Year() < 2200
}

// numbered is a date of three numbers, and what stands behind it.
type numbered struct {
	n         [3]int
	yearFirst bool
	rest      string
}

// groups splits a date of three numbers.
func groups(s string) (numbered, bool) {
	var g numbered
	if len(s) >= 8 && digits(s) == 8 {
		v, _ := strconv.Atoi(s[:8])
		return numbered{[3]int{v / 10000, v / 100 % 100, v % 100}, true, s[8:]}, true
	}
	for i := range g.n {
		length := digits(s)
		if length != 1 && length != 2 && (length != 4 || i == 1) {
			return g, false
		}
		g.n[i], _ = strconv.Atoi(s[:length])
		if length == 4 && i == 0 {
			g.yearFirst = true
		}
		if i == 2 && length != 4 && !g.yearFirst {
			g.n[2] += 2000
			if g.n[2] > 2068 {
				g.n[2] -= 100
			}
		}
		s = s[length:]
		if i < 2 {
			if s == "" || !strings.ContainsRune("-/.", rune(s[0])) {
				return g, false
			}
			s = s[1:]
		}
	}
	g.rest = s
	return g, true
}

// digits is the number of digits that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func numericDate(s string, order Order) (time.Time, bool) {
	if n := digits(s); n == len(s) && (n == 10 || n == 13) {
		v, _ := strconv.ParseInt(s, 10, 64)
		if n == 13 {
			return time.UnixMilli(v).UTC(), true
		}
		return time.Unix(v, 0).UTC(), true
	}
	g, ok := groups(s)
	if !ok {
		return time.Time{}, false
	}
	year, month, day := g.n[0], g.n[1], g.n[2]
	if !g.yearFirst {
		year, month, day = g.n[2], g.n[1], g.n[0]
		if order == MonthFirst {
			month, day = day, month
		}
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day || int(t.Month()) != month {
		return time.Time{}, false
	}
	return clock(t, g.rest)
}

// clock adds the time of day that stands behind a date, "" for none.
func clock(day time.Time, rest string) (time.Time, bool) {
	rest = strings.TrimSpace(strings.TrimPrefix(rest, "T"))
	if rest == "" || rest == "Z" {
		return day, true
	}
	for _, layout := range []string{"15:04", "15:04:05", "15:04:05Z07:00", "15:04:05 Z07:00", "15:04:05-0700", "15:04Z07:00", "3:04 PM", "3:04:05 PM", "3:04PM", "15:04:05 MST"} {
		t, err := time.Parse(layout, strings.ToUpper(rest))
		if err == nil {
			return day.Add(t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))), true
		}
	}
	return time.Time{}, false
}

// writtenDate reads dates whose month is a word.
func writtenDate(s string) (time.Time, bool) {
	for _, layout := range []string{
		"2-Jan-2006", "2-Jan-06", "2 Jan 2006", "2 January 2006", "Jan 2, 2006", "January 2, 2006", "Jan 2 2006", "2 Jan 2006 15:04", "2-Jan-2006 15:04:05",
		time.RFC1123, time.RFC1123Z, time.ANSIC,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

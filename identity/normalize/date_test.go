package normalize

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDate(t *testing.T) {
	none, day, month := Dates{}, Dates{Order: DayFirst}, Dates{Order: MonthFirst}
	for _, c := range []struct {
		o         Dates
		raw, want string
	}{
		{none, "1985-03-12", "1985-03-12"},
		{none, " 1985/3/12 ", "1985-03-12"},
		{none, "1985.03.12", "1985-03-12"},
		{none, "1985-03-12T23:59:59Z", "1985-03-12"},
		{none, "1985-03-12T23:59:59.123+05:30", "1985-03-12"},
		{none, "1985-03-12 00:00:00", "1985-03-12"},
		{none, "1985-03-12 00:00:00 UTC", "1985-03-12"},
		{day, "12/03/1985 12:30", "1985-03-12"},
		{day, "12/03/1985", "1985-03-12"},
		{month, "12/03/1985", "1985-12-03"},
		{none, "12/03/1985", ""},
		{none, "13/03/1985", "1985-03-13"},
		{none, "03/13/1985", "1985-03-13"},
		{none, "03/03/1985", "1985-03-03"},
		{day, "03/13/1985", "impossible"},
		{month, "13/03/1985", "impossible"},
		{day, "1.2.1985", "1985-02-01"},
		{day, "01-02-85", "1985-02-01"},
		{day, "01-02-29", "2029-02-01"},
		{day, "01-02-30", "1930-02-01"},
		{Dates{Order: DayFirst, Pivot: 70}, "01/02/69", "2069-02-01"},
		{none, "19850312", "1985-03-12"},
		{none, "31121985", "1985-12-31"},
		{none, "12311985", "1985-12-31"},
		{none, "20011985", "1985-01-20"},
		{none, "01021985", ""},
		{day, "01021985", "1985-02-01"},
		{month, "01021985", "1985-01-02"},
		{none, "12 Mar 1985", "1985-03-12"},
		{none, "12th March 1985", "1985-03-12"},
		{none, "March 12, 1985", "1985-03-12"},
		{none, "Mar 12 1985", "1985-03-12"},
		{none, "12-Mar-85", "1985-03-12"},
		{none, "the 1st of May, 1985", "1985-05-01"},
		{none, "12 de março de 1985", "1985-03-12"},
		{none, "1 de febrero del 2001", "2001-02-01"},
		{none, "1er août 1980", "1980-08-01"},
		{none, "12. März 1985", "1985-03-12"},
		{none, "1985 Dez 24", "1985-12-24"},
		{none, "Tue, 12 Mar 1985", "1985-03-12"},
		{none, "Tue Mar 12 1985", "1985-03-12"},
		{none, "１９８５－０３－１２", "1985-03-12"},
		{none, "29 Feb 2000", "2000-02-29"},
		{Dates{ExcelSerials: true}, "31118", "1985-03-12"},
		{Dates{ExcelSerials: true}, "31118.0", "1985-03-12"},
		{Dates{ExcelSerials: true}, "59", "1900-02-28"},
		{Dates{ExcelSerials: true}, "61", "1900-03-01"},
		{Dates{ExcelSerials: true}, "60", "impossible"},
		{Dates{ExcelSerials: true}, "2958465", "9999-12-31 placeholder"},
		{Dates{ExcelSerials: true}, "2958466", "impossible"},
		{Dates{ExcelSerials: true}, "1", "1900-01-01 placeholder"},
		{Dates{ExcelSerials: true}, "19850312", "1985-03-12"},
		{none, "31118", ""},
		{none, "1900-01-01", "1900-01-01 placeholder"},
		{none, "01/01/1970", "1970-01-01 placeholder"},
		{none, "1 Jan 1970", "1970-01-01 placeholder"},
		{none, "9999-12-31", "9999-12-31 placeholder"},
		{none, "00/00/0000", "0000-00-00 placeholder"},
		{none, "0000-00-00 00:00:00", "0000-00-00 placeholder"},
		{none, "00000000", "0000-00-00 placeholder"},
		{none, "99999999", "9999-99-99 placeholder"},
		{none, "0001-01-01T00:00:00Z", "0001-01-01 placeholder"},
		{none, "1899-12-30", "1899-12-30 placeholder"},
		{none, "1985-02-30", "impossible"},
		{none, "29 Feb 1900", "impossible"},
		{none, "1985-13-01", "impossible"},
		{none, "1985-00-10", "impossible"},
		{none, "1985-01-00", "impossible"},
		{none, "1985-01-32", "impossible"},
		{none, "0985-01-02", "impossible"},
		{none, "1985-3", ""},
		{none, "850312", ""},
		{none, "1-1-1-1", ""},
		{none, "12 Mai", ""},
		{none, "12 foo 1985", ""},
		{none, "yesterday", ""},
		{none, "1985-03-12T25", ""},
		{none, "-1985-03-12-", "1985-03-12"},
		{none, strings.Repeat("1", 1000), ""},
	} {
		d, err := c.o.Date(c.raw)
		got := d.String()
		switch {
		case errors.Is(err, ErrDateImpossible):
			got = "impossible"
		case err != nil:
			got = ""
		case d.Placeholder:
			got += " placeholder"
		}
		if got != c.want {
			t.Errorf("%+v %q is %q (%v), want %q", c.o, c.raw, got, err, c.want)
		}
		if err != nil && strings.ContainsAny(strings.NewReplacer("1583 to 9999", "", "1 to 12", "", "1 to 31", "", "serial 60 is 29 february 1900", "").Replace(err.Error()), "123456789") {
			t.Errorf("%q: the error quotes it: %v", c.raw, err)
		}
	}
	for raw, want := range map[string]error{
		"": ErrEmpty, " null ": ErrEmpty, "NaN": ErrEmpty, "03/04/1985": ErrDateOrder, "x": ErrDateForm, "a\xff": ErrInvalid,
	} {
		if _, err := Date(raw); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", raw, err, want)
		}
	}
}

// TestEveryDay: every day of four centuries, in every form, is that day.
func TestEveryDay(t *testing.T) {
	forms := []struct {
		layout string
		o      Dates
	}{
		{"2006-01-02", Dates{}},
		{"20060102", Dates{}},
		{"02/01/2006", Dates{Order: DayFirst}},
		{"1/2/2006", Dates{Order: MonthFirst}},
		{"02012006", Dates{Order: DayFirst}},
		{"2 January 2006", Dates{}},
		{"Mon, Jan 2, 2006", Dates{}},
		{time.RFC3339, Dates{}},
	}
	serials := Dates{ExcelSerials: true}
	day := time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	for ; day.Year() < 2100; day = day.AddDate(0, 0, 1) {
		want := day.Format(time.DateOnly)
		for _, f := range forms {
			if d, err := f.o.Date(day.Format(f.layout)); err != nil || d.String() != want {
				t.Fatalf("%s is %s (%v), want %s", day.Format(f.layout), d, err, want)
			}
		}
		if n := int(day.Sub(epoch).Hours() / 24); n > 60 {
			if d, err := serials.Date(itoa(n)); err != nil || d.String() != want {
				t.Fatalf("serial %d is %s (%v), want %s", n, d, err, want)
			}
		}
	}
}

func itoa(n int) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

// checkDate holds a date to what is promised of every date.
func checkDate(t rapid.TB, o Dates, raw string) {
	t.Helper()
	d, err := o.Date(raw)
	if err != nil {
		if d != (CalendarDate{}) {
			t.Fatalf("%q: a date beside an error", raw)
		}
		return
	}
	if again, err := o.Date(d.String()); err != nil || again != d || len(d.String()) != 10 {
		t.Fatalf("%q is %s, which is %s (%v)", raw, d, again, err)
	}
	at := time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC)
	if !d.Placeholder && at.Format(time.DateOnly) != d.String() {
		t.Fatalf("%q is %s, which no calendar has", raw, d)
	}
}

func TestDateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Dates{Order(rapid.IntRange(0, 2).Draw(t, "order")), rapid.IntRange(0, 99).Draw(t, "pivot"), rapid.Bool().Draw(t, "excel")}
		raw := rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}( [0-9]{2}:[0-9]{2})?`),
			rapid.StringMatching(`[0-9]{1,8}`),
			rapid.StringMatching(`([0-9]{1,2}(st|\.)? (mar|mai|dez|Août|x)|(June|Sept) [0-9]{1,2})[ ,][0-9]{2,4}`),
		).Draw(t, "raw")
		checkDate(t, o, raw)
	})
}

func FuzzDate(f *testing.F) {
	for _, raw := range []string{"1985-03-12", "12/03/85", "31118", "12 de março de 1985", "00/00/0000", "99999999", "1985-03-12T10:00:00Z", "Mar 12, 1985 (x)"} {
		f.Add(raw, 0, 0, true)
		f.Add(raw, 1, 50, false)
	}
	f.Fuzz(func(t *testing.T, raw string, order, pivot int, excel bool) {
		checkDate(t, Dates{Order(order), pivot, excel}, raw)
	})
}

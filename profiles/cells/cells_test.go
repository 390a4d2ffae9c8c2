package cells

import (
	"errors"
	"math"
	"testing"
	"time"
)

func TestNumber(t *testing.T) {
	for in, want := range map[string]float64{
		"1234.5": 1234.5, " -3 ": -3, "1e6": 1e6, "+.5": .5, "1,234.50": 1234.5, "1.234,50": 1234.5, "12,5": 12.5,
		"1,234": 1234, "0,123": .123, "1,234,567": 1234567, "1.234.567": 1234567, "€ 12.50": 12.5, "$1,000": 1000, "15 %": 15,
		"(3.5)": -3.5, "1 234,5": 1234.5, "1'234": 1234,
	} {
		if got, ok := Number(in); !ok || math.Abs(got-want) > 1e-12 {
			t.Errorf("%q is %v, %v, want %v", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "x", "0x10", "1_000", "inf", "NaN", "1e999", "12 apples", "1-2", "e5", "--1", "1.2.3,4,5"} {
		if got, ok := Number(in); ok {
			t.Errorf("%q was read as %v", in, got)
		}
	}
}

func TestDate(t *testing.T) {
	day := time.Date(2011, 12, 9, 0, 0, 0, 0, time.UTC)
	for in, order := range map[string]Order{
		"2011-12-09": Auto, "20111209": Auto, "2011/12/9": Auto, "9.12.2011": DayFirst, "9/12/2011": DayFirst, "12/9/2011": MonthFirst,
		"12/9/11": MonthFirst, "9 Dec 2011": Auto, "9-Dec-2011": Auto, "December 9, 2011": Auto, "1323388800": Auto, "1323388800000": Auto,
	} {
		if got, ok := Date(in, order); !ok || !got.Equal(day) {
			t.Errorf("%q is %v, %v", in, got, ok)
		}
	}
	for in, want := range map[string]time.Duration{
		"2011-12-09T12:50:01Z": 12*time.Hour + 50*time.Minute + time.Second, "2011-12-09 12:50": 12*time.Hour + 50*time.Minute,
		"2011-12-09T12:50:00+02:00": 10*time.Hour + 50*time.Minute, "2011-12-09 1:05 pm": 13*time.Hour + 5*time.Minute, "2011-12-09 00:00:00.25": time.Second / 4,
	} {
		if got, ok := Date(in, Auto); !ok || got.Sub(day) != want {
			t.Errorf("%q is %v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "2011-13-01", "2011-02-30", "31/31/2011", "yesterday", "0001-01-01", "12", "2011-12-09 25:00", "2011-12"} {
		if got, ok := Date(in, DayFirst); ok {
			t.Errorf("%q was read as %v", in, got)
		}
	}
}

func TestOrderOf(t *testing.T) {
	for want, in := range map[Order][]string{
		DayFirst: {"1/2/2011", "13/2/2011"}, MonthFirst: {"1/2/2011 8:26", "12/31/2011 9:00"}, Auto: {"2011-01-02", "1.1.2011", "x", ""},
	} {
		if got, err := OrderOf(in); got != want || err != nil {
			t.Errorf("%v is %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range [][]string{{"1/2/2011", "3/4/2011"}, {"13/2/2011", "2/13/2011"}} {
		if got, err := OrderOf(in); !errors.Is(err, ErrAmbiguous) {
			t.Errorf("%v is %s, %v", in, got, err)
		}
	}
}

func TestMissing(t *testing.T) {
	for _, in := range []string{"", "  ", "NA", "n/a", "NaN", "NULL", "?", `\N`, "                "} {
		if !Missing(in) {
			t.Errorf("%q is taken for a value", in)
		}
	}
	for _, in := range []string{"0", "no", "navy", "unknown"} {
		if Missing(in) {
			t.Errorf("%q is taken for missing", in)
		}
	}
}

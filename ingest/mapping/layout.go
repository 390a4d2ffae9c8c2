package mapping

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// layout is one way of writing times.
type layout struct {
	name    string // rfc3339, unix or unix_ms; empty for a pattern
	pattern string // of package time
}

// letters of patterns and what package time calls them, the longest first. Go
// reads one digit or two where the pattern has the short form.
var letters = []struct{ from, to string }{
	{"yyyy", "2006"},
	{"yy", "06"},
	{"MMMM", "January"},
	{"MMM", "Jan"},
	{"MM", "01"},
	{"M", "1"},
	{"dd", "02"},
	{"d", "2"},
	{"EEEE", "Monday"},
	{"EEE", "Mon"},
	{"HH", "15"},
	{"H", "15"},
	{"hh", "03"},
	{"h", "3"},
	{"mm", "04"},
	{"m", "4"},
	{"ss", "05"},
	{"s", "5"},
	{"SSSSSSSSS", "000000000"},
	{"SSSSSS", "000000"},
	{"SSS", "000"},
	{"S", "0"},
	{"a", "PM"},
	{"XXX", "Z07:00"},
	{"XX", "Z0700"},
	{"X", "Z07"},
	{"Z", "-0700"},
	{"z", "MST"},
}

func parseLayout(text string) (layout, error) {
	switch text {
	case "rfc3339", "unix", "unix_ms":
		return layout{name: text}, nil
	}
	var b strings.Builder
	year := false
scan:
	for rest := text; rest != ""; {
		if rest[0] == '\'' {
			end := strings.IndexByte(rest[1:], '\'')
			if end < 0 {
				return layout{}, fmt.Errorf("a quote of the format is not closed")
			}
			b.WriteString(rest[1 : 1+end])
			rest = rest[end+2:]
			continue
		}
		for _, l := range letters {
			if after, ok := strings.CutPrefix(rest, l.from); ok {
				b.WriteString(l.to)
				year = year || l.from[0] == 'y'
				rest = after
				continue scan
			}
		}
		if c := rest[0]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return layout{}, fmt.Errorf("format must be rfc3339, unix, unix_ms or a pattern of yyyy MM dd HH mm ss SSS XXX and the like; %q is none; put literal text in single quotes", string(c))
		}
		b.WriteByte(rest[0])
		rest = rest[1:]
	}
	if !year {
		return layout{}, fmt.Errorf("format has no year (yyyy or yy)")
	}
	return layout{pattern: b.String()}, nil
}

// rfc3339Forms are RFC 3339 and what is often called ISO 8601: a blank for the
// T, no offset, no seconds, a date alone.
var rfc3339Forms = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
}

func (l layout) read(text string, zone *time.Location) (time.Time, bool) {
	switch l.name {
	case "unix":
		return readUnix(text, 1e9)
	case "unix_ms":
		return readUnix(text, 1e6)
	case "rfc3339":
		for _, form := range rfc3339Forms {
			if t, err := time.ParseInLocation(form, text, zone); err == nil {
				return checked(t)
			}
		}
		return time.Time{}, false
	}
	t, err := time.ParseInLocation(l.pattern, text, zone)
	if err != nil {
		return time.Time{}, false
	}
	return checked(t)
}

// readUnix reads a number of units since 1970, each of so many nanoseconds.
func readUnix(text string, nanoseconds int64) (time.Time, bool) {
	r, ok := new(big.Rat), false
	if len(text) <= 40 && !strings.ContainsAny(text, "/eEpPxX_") {
		r, ok = r.SetString(text)
	}
	if !ok {
		return time.Time{}, false
	}
	r.Mul(r, big.NewRat(nanoseconds, 1))
	n := new(big.Int).Quo(r.Num(), r.Denom())
	s, ns := new(big.Int).DivMod(n, big.NewInt(1e9), new(big.Int))
	if !s.IsInt64() || s.Int64() > 1<<40 || s.Int64() < -(1<<40) {
		return time.Time{}, false
	}
	return checked(time.Unix(s.Int64(), ns.Int64()))
}

// checked keeps times that JSON can write.
func checked(t time.Time) (time.Time, bool) {
	t = t.UTC()
	return t, t.Year() >= 0 && t.Year() <= 9999
}

// FitsTime reports whether text is a time of a format.
func FitsTime(format, text string) bool {
	l, err := parseLayout(format)
	if err != nil {
		return false
	}
	_, ok := l.read(text, time.UTC)
	return ok
}

// CheckFormat returns what is wrong with a format of times, or nil.
func CheckFormat(format string) error {
	_, err := parseLayout(format)
	return err
}

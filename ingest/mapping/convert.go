package mapping

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// read returns a number as JSON writes it, exactly, or false.
func (f numberForm) read(text string) (json.Number, bool) {
	if len(text) > 64 {
		return "", false
	}
	var b strings.Builder
	point, digits := -1, 0
	exponent := ""
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c >= '0' && c <= '9':
			digits++
			b.WriteByte(c)
		case c == f.decimal && point < 0:
			point = b.Len()
		case (c == '-' || c == '+') && b.Len() == 0 && point < 0:
			if c == '-' {
				b.WriteByte(c)
			}
		case (c == 'e' || c == 'E') && digits > 0:
			exponent, i = text[i:], len(text)
		case strings.IndexByte(f.thousands, c) >= 0:
		default:
			return "", false
		}
	}
	if digits == 0 {
		return "", false
	}
	n := place(b.String(), point, f.shift) + exponent
	return json.Number(n), json.Valid([]byte(n))
}

// place puts the decimal point shift places to the left of where it was.
func place(digits string, point, shift int) string {
	sign := ""
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits, point = "-", rest, point-1
	}
	if point < 0 {
		point = len(digits)
	}
	point -= shift
	if point <= 0 {
		digits, point = strings.Repeat("0", 1-point)+digits, 1
	}
	whole := strings.TrimLeft(digits[:point], "0")
	if whole == "" {
		whole = "0"
	}
	if fraction := strings.TrimRight(digits[point:], "0"); fraction != "" {
		whole += "." + fraction
	}
	return sign + whole
}

// time reads a time by the first layout that fits.
func (v *value) time(got any) (any, *Fault) {
	if t, ok := got.(time.Time); ok {
		return t, nil
	}
	text, ok := plain(got)
	if ok {
		for _, lay := range v.layouts {
			if t, ok := lay.read(text, v.zone); ok {
				return t, nil
			}
		}
	}
	return nil, v.faultf(wire.CodeField, "must be a %s in one of its formats, not %s", cmp.Or(v.as, asTime), kindOf(got))
}

// date is the day of a time, as ISO 8601 writes it; what is none stays text where
// the declaration says keep.
func (v *value) date(got any) (any, *Fault) {
	t, fault := v.time(got)
	if fault == nil {
		return t.(time.Time).In(v.zone).Format(time.DateOnly), nil
	}
	if text, ok := plain(got); ok && v.keep {
		return text, nil
	}
	return nil, fault
}

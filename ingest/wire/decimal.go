package wire

import "strings"

// wholeDigits is the greatest number of digits before the point: amounts lie
// within ±(10^14 - 1), which a Decimal(18, 4) holds.
const wholeDigits = 14

// isAmount reports whether ingest reads s as an amount: empty text, or a JSON
// number whose value, rounded to four places, is below 10^14 in magnitude. It
// decides by digits alone, without converting.
func isAmount(s string) bool {
	if len(s) > 64 {
		return false
	}
	if s == "" {
		return true
	}
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var ok bool
		if exponent, ok = smallExponent(s[i+1:]); !ok {
			return false
		}
		mantissa = s[:i]
	}
	mantissa = strings.TrimPrefix(mantissa, "-")
	digits, point, lead, nines := 0, -1, -1, true
	for i := range len(mantissa) {
		switch b := mantissa[i]; {
		case b == '.' && point < 0:
			point = digits
			continue
		case b < '0' || b > '9':
			return false
		case b != '0' && lead < 0:
			lead = digits
		}
		digits++
	}
	if point < 0 {
		point = digits
	}
	if digits == 0 {
		return false
	}
	if lead < 0 {
		return true // Zero, whatever its exponent.
	}
	whole := point + exponent - lead // digits before the point, without leading zeros
	if whole != wholeDigits {
		return whole < wholeDigits
	}
	// 99999999999999.99995 rounds up to 10^14, which does not fit.
	seen := 0
	for i := range len(mantissa) {
		if mantissa[i] == '.' {
			continue
		}
		if seen++; seen <= lead {
			continue
		}
		if k := seen - lead; k <= wholeDigits+4 {
			nines = nines && mantissa[i] == '9'
		} else {
			return !nines || mantissa[i] < '5'
		}
	}
	return true
}

// smallExponent reads an exponent of at most three digits.
func smallExponent(e string) (int, bool) {
	negative := strings.HasPrefix(e, "-")
	e = strings.TrimLeft(strings.TrimLeft(e, "+-"), "0")
	if len(e) > 3 {
		return 0, false
	}
	n := 0
	for i := range len(e) {
		if e[i] < '0' || e[i] > '9' {
			return 0, false
		}
		n = n*10 + int(e[i]-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

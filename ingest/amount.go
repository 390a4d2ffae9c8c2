package ingest

import (
	"errors"
	"strings"
)

// Amount is a decimal number in ten-thousandths, exact: 2.55 is 25500. The
// greatest magnitude is 10^14 - 1 units, which a Decimal(18, 4) holds.
type Amount int64

// maxAmount is the first magnitude, in ten-thousandths, that does not fit.
const maxAmount = 1_000_000_000_000_000_000

// errAmount reports text that is not a decimal number within range.
var errAmount = errors.New("not a decimal number within ±10^14")

// ParseAmount reads a JSON number. Digits after the fourth place are rounded
// half away from zero, because clients that add floating-point numbers send
// 0.30000000000000004 for thirty cents. Empty text is zero.
func ParseAmount(s string) (Amount, error) {
	if s == "" {
		return 0, nil
	}
	mantissa, exponent, err := splitExponent(s)
	if err != nil {
		return 0, err
	}
	negative := strings.HasPrefix(mantissa, "-")
	mantissa = strings.TrimPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" {
		return 0, errAmount
	}
	// keep counts the digits that survive: those before the point, moved by
	// the exponent, and four more.
	keep := len(whole) + exponent + 4
	var n int64
	for i := range keep {
		d := byte('0')
		if i < len(digits) {
			d = digits[i]
		}
		if n >= maxAmount/10 { // Before the product: it would pass the range of int64.
			return 0, errAmount
		}
		n = n*10 + int64(d-'0')
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, errAmount
		}
	}
	if keep >= 0 && keep < len(digits) && digits[keep] >= '5' {
		n++
	}
	if n >= maxAmount {
		return 0, errAmount
	}
	if negative {
		n = -n
	}
	return Amount(n), nil
}

// splitExponent separates "1.5e3" into "1.5" and 3. Exponents beyond three
// digits are out of range whatever the mantissa.
func splitExponent(s string) (mantissa string, exponent int, err error) {
	i := strings.IndexAny(s, "eE")
	if len(s) > 64 {
		return "", 0, errAmount
	}
	if i < 0 {
		return s, 0, nil
	}
	mantissa, e := s[:i], s[i+1:]
	negative := strings.HasPrefix(e, "-")
	e = strings.TrimLeft(strings.TrimLeft(e, "+-"), "0")
	if len(e) > 3 {
		return "", 0, errAmount
	}
	for _, c := range []byte(e) {
		if c < '0' || c > '9' {
			return "", 0, errAmount
		}
		exponent = exponent*10 + int(c-'0')
	}
	if negative {
		exponent = -exponent
	}
	return mantissa, exponent, nil
}

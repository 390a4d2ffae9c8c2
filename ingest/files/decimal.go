package files

import (
	"encoding/json"
	"errors"
	"math/bits"
	"strconv"
)

// Decimal is an exact decimal number with four places, in ten-thousandths: the
// Decimal(18, 4) of the tables. Amounts never pass through floating point.
type Decimal int64

const (
	decimalOne   = 10_000
	decimalLimit = 1_000_000_000_000_000_000 // 10^18: eighteen digits, four of them after the point
)

// The rules that a number can break. They name no value, since they appear in
// the dead letters' reasons.
var (
	errNotDecimal = errors.New("not a decimal number")
	errPlaces     = errors.New("more than four decimal places")
	errRange      = errors.New("out of range")
	errNotWhole   = errors.New("not a whole number")
)

// parseDecimal reads an optional minus sign, digits, and at most four places
// that are not zero. Exponents, blanks and separators are errors.
func parseDecimal(b []byte) (Decimal, error) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	var v uint64 // v × 10 stays below 2^64, since v < 10^18
	digits, places, point := 0, 0, false
	for _, c := range b {
		switch {
		case c == '.' && !point:
			point = true
			continue
		case c < '0' || c > '9':
			return 0, errNotDecimal
		}
		digits++
		if point && places == 4 {
			if c != '0' {
				return 0, errPlaces
			}
			continue
		}
		if point {
			places++
		}
		if v = v*10 + uint64(c-'0'); v >= decimalLimit {
			return 0, errRange
		}
	}
	if digits == 0 {
		return 0, errNotDecimal
	}
	for ; places < 4; places++ {
		if v *= 10; v >= decimalLimit {
			return 0, errRange
		}
	}
	if negative {
		return -Decimal(v), nil
	}
	return Decimal(v), nil
}

// parseWhole reads a decimal number without a fraction ("6", "6.0").
func parseWhole(b []byte) (int64, error) {
	d, err := parseDecimal(b)
	if errors.Is(err, errPlaces) || err == nil && d%decimalOne != 0 {
		return 0, errNotWhole
	}
	return int64(d / decimalOne), err
}

// times returns d × n.
func (d Decimal) times(n int64) (Decimal, error) {
	hi, lo := bits.Mul64(magnitude(int64(d)), magnitude(n))
	if hi != 0 || lo >= decimalLimit {
		return 0, errRange
	}
	if (d < 0) != (n < 0) {
		return -Decimal(lo), nil
	}
	return Decimal(lo), nil
}

// plus returns d + e. Both are below 10^18, so their sum cannot overflow.
func (d Decimal) plus(e Decimal) (Decimal, error) {
	if s := d + e; s < decimalLimit && s > -decimalLimit {
		return s, nil
	}
	return 0, errRange
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}

// String returns the shortest exact form, such as "-2.5" or "8911407.904".
func (d Decimal) String() string {
	var room [24]byte
	b := room[:0]
	if d < 0 {
		b = append(b, '-')
	}
	m := magnitude(int64(d))
	b = strconv.AppendUint(b, m/decimalOne, 10)
	if rest := m % decimalOne; rest != 0 {
		b = append(b, '.')
		for unit := uint64(decimalOne / 10); rest != 0; unit /= 10 {
			b = append(b, byte('0'+rest/unit))
			rest %= unit
		}
	}
	return string(b)
}

// Number returns d as a JSON number.
func (d Decimal) Number() json.Number { return json.Number(d.String()) }

// MarshalJSON writes d as a JSON number.
func (d Decimal) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	v, err := parseDecimal(b)
	if err == nil {
		*d = v
	}
	return err
}

package cells

import (
	"math"
	"strconv"
	"strings"
)

// longest is the longest text that is taken for a number or a date: what is
// longer is prose, or a fault of the export.
const longest = 64

// Missing reports whether a cell is empty or says that there is no value.
func Missing(cell string) bool {
	if len(cell) > 7 {
		return strings.TrimSpace(cell) == ""
	}
	switch strings.ToLower(strings.TrimSpace(cell)) {
	case "", "na", "n/a", "#n/a", "nan", "null", "nil", "none", "-", "?", ".", `\n`, "<na>", "missing":
		return true
	}
	return false
}

// Number reads a number: 1234.5, 1,234.50, 1.234,50, 12,5, -3, 1e6, with a sign
// of currency or percent around it, or in brackets where it is negative. A
// comma before exactly three digits parts thousands, any other one decimals.
// What is not finite is no number.
func Number(cell string) (float64, bool) {
	s := strings.TrimSpace(cell)
	if s == "" || len(s) > longest {
		return 0, false
	}
	if plainNumber(s) && strings.Count(s, ".") < 2 {
		v, err := strconv.ParseFloat(s, 64)
		return v, err == nil && !math.IsInf(v, 0)
	}
	negative := false
	if s[0] == '(' && s[len(s)-1] == ')' {
		negative, s = true, s[1:len(s)-1]
	}
	s = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\u00a0', '\u202f', '\'', '$', '€', '£', '¥', '%':
			return -1
		}
		return r
	}, s)
	s = point(s)
	if !plainNumber(s) {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if negative {
		v = -v
	}
	return v, err == nil && !math.IsInf(v, 0)
}

// plainNumber reports whether s has the characters of a decimal number alone:
// not the hexadecimal, infinite and underscored ones that Go would read.
func plainNumber(s string) bool {
	digits := false
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			digits = true
		case c == '.' || c == '-' || c == '+' || (c == 'e' || c == 'E') && digits:
		default:
			return false
		}
	}
	return digits
}

// point writes a number with a decimal point and without marks of thousands.
func point(s string) string {
	comma, dot := strings.LastIndexByte(s, ','), strings.LastIndexByte(s, '.')
	switch {
	case comma < 0:
		if strings.Count(s, ".") > 1 {
			return strings.ReplaceAll(s, ".", "")
		}
		return s
	case dot > comma:
		return strings.ReplaceAll(s, ",", "")
	case dot >= 0:
		s = strings.ReplaceAll(s, ".", "")
		return strings.Replace(s, ",", ".", 1)
	case strings.Count(s, ",") > 1 || thousands(s, comma):
		return strings.ReplaceAll(s, ",", "")
	}
	return strings.Replace(s, ",", ".", 1)
}

// thousands reports whether the comma at i stands between one to three digits,
// not a single zero, and exactly three.
func thousands(s string, i int) bool {
	before := strings.TrimLeft(s[:i], "+-")
	return len(s)-i == 4 && len(before) >= 1 && len(before) <= 3 && before != "0"
}

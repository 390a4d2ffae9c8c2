package normalize

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// phone returns the E.164 form of cleaned text, with ";ext=N" for an
// extension. A number that cannot be read keeps its digits; other text is
// returned as it is.
func phone(v, region string) string {
	digits, ok := compact(v)
	if ok {
		v = digits
	}
	if isE164(v) {
		return v
	}
	if parsed, ok := parsePhone(v, region); ok {
		return parsed
	}
	return v
}

// parsePhone reads a number with the metadata of libphonenumber. It costs tens
// of microseconds; phone calls it only where isE164 does not decide.
func parsePhone(v, region string) (string, bool) {
	if region == "" && strings.HasPrefix(v, "00") {
		v = "+" + v[2:] // ITU-T E.123: the usual international prefix
	}
	number, err := phonenumbers.Parse(v, strings.ToUpper(region))
	if err != nil || !phonenumbers.IsPossibleNumber(number) {
		return "", false
	}
	e164 := phonenumbers.Format(number, phonenumbers.E164)
	if ext := number.GetExtension(); ext != "" {
		e164 += ";ext=" + ext
	}
	return e164, true
}

// compact removes the separators that people write between digits, and reports
// whether only digits and at most a leading + are left. Compact text is
// returned as it is.
func compact(v string) (string, bool) {
	separated := false
	for i, r := range v {
		switch {
		case r >= '0' && r <= '9' || r == '+' && i == 0:
		case strings.ContainsRune(" -.()/‐‒–—―−", r):
			separated = true
		default:
			return "", false
		}
	}
	if !separated {
		return v, true
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, v), true
}

// isE164 reports whether v is + and 8 to 15 digits whose form needs no
// metadata: a country code, and after it no 0, which most countries dial
// before national numbers and which the parser has to judge.
func isE164(v string) bool {
	if len(v) < 9 || len(v) > 16 || v[0] != '+' {
		return false
	}
	for i := 1; i < len(v); i++ {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
	}
	n := countryCodeLength(v[1], v[2])
	return n > 0 && v[1+n] != '0'
}

// countryCodeLength returns the number of digits of the country code that
// starts with a and b, by the list of ITU-T E.164 (annex of 2016), or 0 when a
// is 0.
func countryCodeLength(a, b byte) int {
	two := [10]string{2: "07", 3: "0123469", 4: "013456789", 5: "12345678", 6: "0123456", 8: "1246", 9: "0123458"}
	switch {
	case a == '0':
		return 0
	case a == '1' || a == '7':
		return 1
	case strings.IndexByte(two[a-'0'], b) >= 0:
		return 2
	}
	return 3
}

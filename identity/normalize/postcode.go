package normalize

import "strings"

// shape writes a word's form: 9 for a digit, a for another letter.
func shape(word string) string {
	b := []byte(word)
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			b[i] = '9'
		case c >= 'a' && c <= 'z':
			b[i] = 'a'
		}
	}
	return string(b)
}

// britishOutward are the forms of the first half of a British postcode (Royal
// Mail, Programmers' Guide to the PAF); the second is always a digit and two
// letters.
var britishOutward = set("a9", "a99", "a9a", "aa9", "aa99", "aa9a")

// postcodeAt reads a postcode at words[i]: of GB, NL (two words or one), PT, BR,
// US, and the five digits of DE, ES, FR and US. It returns the canonical form
// and how many words it took. The four digits that the US adds name a side of a
// street, which the street says, and are dropped.
func postcodeAt(words []string, i int) (code string, n int) {
	w := words[i]
	form, next, second := shape(w), "", ""
	if i+1 < len(words) {
		second = words[i+1]
		next = shape(second)
	}
	switch {
	case britishOutward[form] && next == "9aa":
		return w + second, 2
	case len(form) > 3 && britishOutward[form[:len(form)-3]] && form[len(form)-3:] == "9aa":
		return w, 1
	case form == "9999" && next == "aa" && w[0] != '0' && trailing[second] == "" && directions[second] == "" && second != "de" && second != "st":
		return w + second, 2
	case form == "9999aa" && w[0] != '0', form == "9999-999", form == "99999-999", form == "99999":
		return w, 1
	case form == "99999-9999":
		return w[:5], 1
	case len(form) <= 8 && strings.HasPrefix(strings.TrimLeft(form, "a"), "-99999") && form[0] == 'a':
		return w[len(w)-5:], 1 // D-10115, as Germans once wrote it to abroad
	}
	return "", 0
}

// cutPostcode takes the last postcode out of the segments, and says which
// segment held it, or -1. Five digits at the start are a house number, unless
// another segment has one.
func cutPostcode(segments [][]string) (code string, at int) {
	for s := len(segments) - 1; s >= 0; s-- {
		for i := len(segments[s]) - 1; i >= 0; i-- {
			code, n := postcodeAt(segments[s], i)
			if n == 0 || s == 0 && i == 0 && shape(segments[s][i]) == "99999" && !startsWithPostcode(segments) {
				continue
			}
			segments[s] = append(append([]string(nil), segments[s][:i]...), segments[s][i+n:]...)
			return code, s
		}
	}
	return "", -1
}

// startsWithPostcode reports whether five digits before everything else can be
// no house number.
func startsWithPostcode(segments [][]string) bool {
	if hasStreetType(segments[0]) {
		return false
	}
	for _, words := range segments[1:] {
		for _, w := range words {
			if isHouseNumber(w) {
				return true
			}
		}
	}
	return false
}

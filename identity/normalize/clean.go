package normalize

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// passes bounds the search for a form that folds to itself. Removing a character
// can bring two others together that compose, and composing can make a space,
// so that one pass is not always enough.
const passes = 8

// clean is one pass of folding and trimming. ASCII without anything to remove is returned as
// it is.
func clean(raw string) (string, error) {
	if len(raw) > maxRaw {
		return "", ErrTooLong
	}
	if isPlain(raw) {
		return raw, nil
	}
	if !utf8.ValidString(raw) || strings.ContainsRune(raw, utf8.RuneError) {
		return "", ErrInvalid
	}
	return trim(norm.NFKC.String(strings.Map(visible, raw))), nil
}

// isPlain reports whether v is printable ASCII with nothing to trim.
func isPlain(v string) bool {
	if v == "" {
		return true
	}
	for i := range len(v) {
		if v[i] < 0x20 || v[i] > 0x7e {
			return false
		}
	}
	return !surrounding(rune(v[0])) && !surrounding(rune(v[len(v)-1]))
}

// visible maps white space to a space and removes what has no glyph.
func visible(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case r == '\u2800', // the blank of Braille
		unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return -1
	}
	return r
}

func trim(v string) string { return strings.TrimFunc(v, surrounding) }

// surrounding reports white space, and the quotes and backslashes that repeated
// encoding leaves around values. One side is enough: spreadsheets mark text
// with a single leading apostrophe.
func surrounding(r rune) bool {
	switch r {
	case ' ', '"', '\'', '`', '\\', '´', '′', '″',
		'“', '”', '„', '‟', '‘', '’', '‚', '‛', '«', '»', '‹', '›', '「', '」', '『', '』':
		return true
	}
	return unicode.IsSpace(r)
}

// isEmpty is the fixed list of what is no value at all. It never grows by
// configuration.
func isEmpty(v string) bool {
	if v == "" || strings.EqualFold(v, "null") || strings.EqualFold(v, "undefined") || strings.EqualFold(v, "nan") {
		return true
	}
	zeros := false
	for i := range len(v) {
		switch v[i] {
		case '0':
			zeros = true
		case '.', '-', '+', ' ', ':', '/', ',':
		default:
			return false
		}
	}
	return zeros
}

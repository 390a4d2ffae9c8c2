package synthetic

import (
	"strings"
	"unicode"
)

// neighbours are the keys beside a key.
var neighbours = map[rune]string{
	'q': "wa", 'w': "qes", 'e': "wrd", 'r': "etf", 't': "ryg", 'y': "tuh", 'u': "yij", 'i': "uok", 'o': "ipl", 'p': "ol",
	'a': "qsz", 's': "adwx", 'd': "sfec", 'f': "dgrv", 'g': "fhtb", 'h': "gjyn", 'j': "hkum", 'k': "jlim", 'l': "kop",
	'z': "asx", 'x': "zsdc", 'c': "xdfv", 'v': "cfgb", 'b': "vghn", 'n': "bhjm", 'm': "njk",
	'1': "2", '2': "13", '3': "24", '4': "35", '5': "46", '6': "57", '7': "68", '8': "79", '9': "80", '0': "9",
}

// heard are spellings that sound alike; scanned, shapes that scanners confuse.
var (
	heard = []string{
		"ph", "f", "f", "ph", "ie", "y", "y", "ie", "ck", "k", "k", "c", "c", "k", "z", "s", "s", "z", "ei", "ai", "ai", "ei", "th", "t",
		"dt", "t", "mm", "m", "nn", "n", "ll", "l", "ss", "s", "tt", "t", "n", "nn", "l", "ll", "v", "w", "w", "v", "ou", "u", "ee", "ea",
		"ea", "ee", "sch", "sh", "ch", "sh", "x", "ks", "qu", "kw", "oe", "ö", "ai", "ay", "en", "an", "an", "en", "er", "or", "d", "t",
	}
	scanned = []string{
		"l", "1", "o", "0", "m", "rn", "rn", "m", "cl", "d", "d", "cl", "i", "l", "h", "b", "e", "c", "S", "5", "B", "8", "vv", "w", "w", "vv",
		"0", "o", "1", "l", "5", "S", "8", "B", "ri", "n", "n", "ri", "u", "ii", "a", "o",
	}
)

// replaced applies one of the pairs of a list that the text has room for.
func (d *dice) replaced(text string, pairs []string) string {
	from := 2 * d.below(len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		at := (from + i) % len(pairs)
		if n := strings.Count(text, pairs[at]); n > 0 {
			place := strings.Index(text, pairs[at])
			for range d.below(n) {
				place += len(pairs[at]) + strings.Index(text[place+len(pairs[at]):], pairs[at])
			}
			return text[:place] + pairs[at+1] + text[place+len(pairs[at]):]
		}
	}
	return text
}

// slip is one slip of the fingers: a key beside the right one, one too many, one
// left out, two exchanged.
func (d *dice) slip(text string) string {
	runes := []rune(text)
	if len(runes) < 2 {
		return text
	}
	at := d.below(len(runes))
	switch d.weighted([]int{30, 18, 22, 22, 8}) {
	case 0:
		runes[at] = d.beside(runes[at])
	case 1:
		runes = append(runes[:at+1], runes[at:]...)
		runes[at+1] = d.beside(runes[at])
	case 2:
		runes = append(runes[:at], runes[at+1:]...)
	case 3:
		if at == len(runes)-1 {
			at--
		}
		runes[at], runes[at+1] = runes[at+1], runes[at]
	case 4:
		runes = append(runes[:at+1], runes[at:]...)
	}
	return string(runes)
}

// beside is a key near another one, in its case.
func (d *dice) beside(r rune) rune {
	near := neighbours[unicode.ToLower(r)]
	switch {
	case unicode.IsDigit(r) && d.percent(60):
		return rune('0' + d.below(10))
	case near == "":
		return rune('a' + d.below(26))
	}
	key := rune(near[d.below(len(near))])
	if unicode.IsUpper(r) {
		return unicode.ToUpper(key)
	}
	return key
}

// digitSlip changes, exchanges or drops a digit; with fixed none is dropped.
func (d *dice) digitSlip(text string, fixed bool) string {
	var places []int
	for i := range len(text) {
		if text[i] >= '0' && text[i] <= '9' {
			places = append(places, i)
		}
	}
	if len(places) < 2 {
		return text
	}
	out := []byte(text)
	n := d.below(len(places) - 1)
	a, b := places[n], places[n+1]
	switch kind := d.weighted([]int{60, 28, 12}); {
	case kind == 1 && out[a] != out[b]:
		out[a], out[b] = out[b], out[a]
	case kind == 2 && !fixed:
		out = append(out[:a], out[a+1:]...)
	default:
		a = places[d.below(len(places))]
		out[a] = byte('0' + (int(out[a]-'0')+1+d.below(9))%10)
	}
	return string(out)
}

// cut is a value that a narrow field cut off.
func (d *dice) cut(text string) string {
	runes := []rune(text)
	if len(runes) < 5 {
		return text
	}
	return string(runes[:d.between(3, len(runes)-1)])
}

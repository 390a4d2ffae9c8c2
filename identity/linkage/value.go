package linkage

import (
	"slices"
	"strings"
	"unicode"

	"github.com/kindred-cdp/kindred/identity/normalize"
)

// value is one distinct value of a column in the form that is compared. Which
// parts are set depends on the column's type.
type value struct {
	// mask is the set of its letters.
	mask uint64
	// code is the phonetic code of a name, year, month and day of a date in 16
	// bits each (0 where it has none, and possibly impossible: a 13th month is
	// still a date to compare), or the hashes of local part and domain of an
	// e-mail address in 32 bits each.
	code uint64
	// start and length place its letters in the dictionary's text. They are
	// folded and without what people write in many ways: spaces, hyphens and
	// points of names, separators of numbers. Of an e-mail address local of them
	// are the local part.
	start         uint32
	length, local uint8
	// more is its position in the dictionary's lists, 0 for none.
	more int32
}

// lists are the parts of a value that few have.
type lists struct {
	// words are the hashes of the words of a street, a city or free text,
	// ascending.
	words []uint32
	// groups are the nickname groups of a given name, ascending.
	groups []int32
}

// reading is a value before it has a place in a dictionary.
type reading struct {
	value
	letters []byte
	lists
}

func (r *reading) set(text string) {
	r.letters = letters(text)
	r.mask = maskOf(r.letters)
}

func dateCode(y, m, d int) uint64 { return uint64(y)<<32 | uint64(m)<<16 | uint64(d) }

func dateOf(code uint64) (y, m, d int) {
	return int(code >> 32 & 0xffff), int(code >> 16 & 0xffff), int(code & 0xffff)
}

// placeholders are what people type where they have nothing to say.
var placeholders = map[string]bool{
	"na": true, "none": true, "null": true, "nil": true, "nan": true, "unknown": true, "undefined": true,
	"test": true, "missing": true, "empty": true, "blank": true, "anonymous": true, "anon": true, "guest": true,
	"notavailable": true, "notapplicable": true, "notprovided": true, "notset": true, "notknown": true, "novalue": true,
	"unbekannt": true, "keine": true, "desconhecido": true, "desconocido": true, "inconnu": true, "xx": true, "xxx": true, "xxxx": true,
	"tbd": true, "tba": true, "dummy": true, "default": true,
}

// canonical returns raw in the form in which a column of typ is compared; ok is
// false for what says nothing: empty, placeholders, text that cannot be read.
func canonical(typ Type, dates normalize.Order, raw string) (v reading, form string, ok bool) {
	folded, err := normalize.Text(raw)
	if err != nil || folded == "" {
		return v, "", false
	}
	switch typ {
	case Date:
		return canonicalDate(folded, dates)
	case Day, Month, Year:
		return canonicalPart(typ, folded)
	case Email:
		return canonicalEmail(folded)
	case Phone:
		return canonicalPhone(folded)
	}
	switch typ {
	case GivenName, Surname:
		folded = withoutGeneration(folded)
	case Generation:
		if g := generations[squeeze(folded)]; g != "" {
			folded = g
		}
	}
	squeezed := squeeze(folded)
	if squeezed == "" || placeholders[squeezed] || hollow(squeezed) && typ != House && typ != Category && typ != Generation {
		return v, "", false
	}
	v.set(squeezed)
	switch typ {
	case GivenName, Surname, Name:
		v.code = phonetic(v.letters)
		// Also of surnames, because the two are swapped and share a dictionary.
		for _, g := range normalize.NicknameGroups(folded) {
			v.groups = append(v.groups, int32(g))
		}
	case Street, Text, City:
		squeezed, v.words = words(folded)
		v.set(squeezed)
	}
	return v, squeezed, squeezed != ""
}

// squeeze keeps letters and digits.
func squeeze(s string) string {
	clean := true
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9') {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return r
		}
		return -1
	}, s)
}

// hollow reports values of one character again and again, such as 000000 and
// xxxx: nobody's number and nobody's name. Short ones may be real.
func hollow(s string) bool {
	if strings.Trim(s, "0") == "" {
		return true
	}
	return len(s) >= 5 && strings.Trim(s, s[:1]) == ""
}

// abbreviations are the words of addresses that are written in two ways.
var abbreviations = map[string]string{
	"st": "street", "str": "street", "strasse": "street", "rd": "road", "ave": "avenue", "av": "avenue", "dr": "drive",
	"ln": "lane", "ct": "court", "crt": "court", "pl": "place", "cres": "crescent", "cr": "crescent", "tce": "terrace",
	"blvd": "boulevard", "hwy": "highway", "sq": "square", "pde": "parade", "cct": "circuit", "cl": "close", "gr": "grove",
	"apt": "apartment", "flr": "floor", "fl": "floor", "n": "north", "s": "south", "e": "east", "w": "west", "mt": "mount",
	"r": "rua", "trav": "travessa", "c": "calle", "hs": "house", "bldg": "building",
}

// words returns text with its abbreviations written out and without spaces, and
// the hashes of its words.
func words(folded string) (text string, hashes []uint32) {
	var b strings.Builder
	for _, w := range strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
		if full, ok := abbreviations[w]; ok {
			w = full
		}
		b.WriteString(w)
		hashes = append(hashes, hash32('w', w))
	}
	slices.Sort(hashes)
	return b.String(), slices.Compact(hashes)
}

func canonicalEmail(folded string) (v reading, form string, ok bool) {
	address, err := normalize.Email(folded)
	if err != nil {
		address = folded
	}
	address = strings.ReplaceAll(address, " ", "")
	local, domain, found := strings.Cut(address, "@")
	squeezed := squeeze(address)
	if squeezed == "" || placeholders[squeeze(local)] || placeholders[squeezed] || hollow(squeezed) {
		return v, "", false
	}
	if len(local) == 1 && strings.HasPrefix(domain, local+".") { // a@a.com
		return v, "", false
	}
	v.set(address)
	v.local = uint8(len(v.letters))
	if found {
		v.local = uint8(len(letters(local)))
	}
	v.code = uint64(hash32('l', local))<<32 | uint64(hash32('d', domain))
	return v, address, true
}

// phoneDigits is how many digits from the end make a subscriber's number
// whatever its country code and trunk prefix are.
const phoneDigits = 9

func canonicalPhone(folded string) (v reading, form string, ok bool) {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, folded)
	digits = strings.TrimLeft(digits, "0")
	if len(digits) < 5 || hollow(digits) {
		return v, "", false
	}
	if len(digits) > phoneDigits {
		digits = digits[len(digits)-phoneDigits:]
	}
	v.set(digits)
	return v, digits, true
}

package linkage

import (
	"hash/fnv"
	"slices"
	"strings"
	"unicode"

	"github.com/kindred-cdp/kindred/identity/normalize"
)

// value is one distinct value of a column in the form that is compared. Which
// parts are set depends on the column's type.
type value struct {
	// text is folded and without what people write in many ways: spaces,
	// hyphens and points of names, separators of numbers.
	text []rune
	// words are the hashes of its words, ascending: of streets and free text.
	words []uint32
	// sound is the phonetic code of a name.
	sound string
	// groups are the nickname groups of a given name, ascending.
	groups []int32
	// year, month and day of a date; 0 where it has none. They may be impossible
	// (a 13th month): a typing error is still a date to compare.
	year, month, day int16
	// local is the length of the local part of an e-mail address in text.
	local int16
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
func canonical(typ Type, dates normalize.Order, raw string) (v value, form string, ok bool) {
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
	squeezed := squeeze(folded)
	if squeezed == "" || placeholders[squeezed] || hollow(squeezed) && typ != House && typ != Category {
		return v, "", false
	}
	v.text = []rune(squeezed)
	switch typ {
	case GivenName, Surname, Name:
		v.sound = phonetic(v.text)
		// Also of surnames, because the two are swapped and share a dictionary.
		for _, g := range normalize.NicknameGroups(folded) {
			v.groups = append(v.groups, int32(g))
		}
	case Street, Text, City:
		v.text, v.words = words(folded)
		squeezed = string(v.text)
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
func words(folded string) (text []rune, hashes []uint32) {
	var b strings.Builder
	for _, w := range strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
		if full, ok := abbreviations[w]; ok {
			w = full
		}
		b.WriteString(w)
		h := fnv.New32a()
		h.Write([]byte(w)) //nolint:errcheck // a hash takes every write
		hashes = append(hashes, h.Sum32())
	}
	slices.Sort(hashes)
	return []rune(b.String()), slices.Compact(hashes)
}

func canonicalEmail(folded string) (v value, form string, ok bool) {
	address, err := normalize.Email(folded)
	if err != nil {
		address = folded
	}
	address = strings.ReplaceAll(address, " ", "")
	local, domain, found := strings.Cut(address, "@")
	if squeeze(address) == "" || placeholders[squeeze(local)] || placeholders[squeeze(address)] || hollow(squeeze(address)) {
		return v, "", false
	}
	if len(local) == 1 && strings.HasPrefix(domain, local+".") { // a@a.com
		return v, "", false
	}
	v.text = []rune(address)
	v.local = int16(min(len(v.text), 1<<14))
	if found {
		v.local = int16(min(len([]rune(local)), 1<<14))
	}
	return v, address, true
}

// phoneDigits is how many digits from the end make a subscriber's number
// whatever its country code and trunk prefix are.
const phoneDigits = 9

func canonicalPhone(folded string) (v value, form string, ok bool) {
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
	v.text = []rune(digits)
	return v, digits, true
}

package synthetic

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// words are the lists of a nation, each one text. The frequent ones come first.
type words struct {
	female, male, surnames string
	// stems and endings make the surnames and villages that are rare.
	stems, endings string
	nicknames      string // Name:Nick,Nick …
	cities         string
	streets, kinds string
	short          string // word:abbreviation,abbreviation …
	leading        bool   // the kind of a street stands before its name
	glued          bool   // the kind is a part of the name
	feminine       bool   // surnames in -ski have the feminine -ska
	domains        string
	postcode       string // # is a digit, another letter than those between is any letter
	phone          string // a national number, # a digit
	country        string // its prefix abroad
	states         string
}

// flavour is a nation, ready to draw from.
type flavour struct {
	words
	given     [2][]string // male, female
	givenSkew [2]skew
	surname   []string
	rare      skew
	nick      map[string][]string
	abbr      map[string][]string
	town      []town
	townSkew  skew
	street    []string
	roads     skew
	domain    []string
	mail      skew
}

// town is a city or a village.
type town struct {
	name, state string
	postcodes   []string
}

// villages is how many rare places a nation has beside its cities.
const villages = 300

func newFlavour(w words, d *dice) *flavour {
	f := &flavour{
		words: w, given: [2][]string{strings.Fields(w.male), strings.Fields(w.female)},
		surname: strings.Fields(w.surnames), nick: table(w.nicknames), abbr: table(w.short),
		domain: strings.Fields(w.domains), mail: newSkew(len(strings.Fields(w.domains)), 1),
	}
	for i := range f.given {
		f.givenSkew[i] = newSkew(len(f.given[i]), 10)
	}
	var tail []string
	for _, stem := range strings.Fields(w.stems) {
		for _, ending := range strings.Fields(w.endings) {
			tail = append(tail, stem+ending)
		}
	}
	shuffle(d, tail)
	f.surname = append(f.surname, tail...)
	f.rare = newSkew(len(f.surname), 15)
	shuffle(d, tail)
	f.found(append(strings.Fields(w.cities), tail[:min(villages, len(tail))]...), d)
	for _, name := range strings.Fields(w.streets) {
		for _, kind := range strings.Fields(w.kinds) {
			f.street = append(f.street, f.road(name, kind))
		}
	}
	shuffle(d, f.street)
	f.roads = newSkew(len(f.street), 20)
	return f
}

func (f *flavour) road(name, kind string) string {
	switch {
	case f.glued:
		return name + kind
	case f.leading:
		return kind + " " + name
	}
	return name + " " + kind
}

// found makes the towns; the more frequent ones have more postcodes.
func (f *flavour) found(names []string, d *dice) {
	states := strings.Fields(f.states)
	for rank, name := range names {
		t := town{name: name, state: pick(d, states)}
		prefix := (len(f.postcode) + 1) / 2
		region := fill(f.postcode[:prefix], d)
		for range 1 + 60/(rank+1) {
			t.postcodes = append(t.postcodes, region+fill(f.postcode[prefix:], d))
		}
		f.town = append(f.town, t)
	}
	f.townSkew = newSkew(len(f.town), 8)
}

// fill replaces # by digits and letters by any letter.
func fill(pattern string, d *dice) string {
	out := []byte(pattern)
	for i, c := range out {
		switch {
		case c == '#':
			out[i] = byte('0' + d.below(10))
		case c >= 'A' && c <= 'Z':
			out[i] = byte('A' + d.below(26))
		}
	}
	return string(out)
}

// gendered is a surname as a man or a woman bears it.
func (f *flavour) gendered(surname string, female bool) string {
	if f.feminine && female && (strings.HasSuffix(surname, "ski") || strings.HasSuffix(surname, "cki")) {
		return surname[:len(surname)-1] + "a"
	}
	return surname
}

// table reads "name:a,b name:c".
func table(text string) map[string][]string {
	all := map[string][]string{}
	for _, entry := range strings.Fields(text) {
		name, forms, _ := strings.Cut(entry, ":")
		all[name] = strings.Split(forms, ",")
	}
	return all
}

func shuffle[T any](d *dice, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := d.below(i + 1)
		s[i], s[j] = s[j], s[i]
	}
}

// letterForms are the ASCII forms of letters, the careful one (ü as ue) and the
// careless one.
var letterForms = map[rune][2]string{
	'ä': {"ae", "a"}, 'ö': {"oe", "o"}, 'ü': {"ue", "u"}, 'ß': {"ss", "s"}, 'Ä': {"Ae", "A"}, 'Ö': {"Oe", "O"}, 'Ü': {"Ue", "U"},
	'á': {"a", "a"}, 'à': {"a", "a"}, 'â': {"a", "a"}, 'ã': {"a", "a"}, 'ç': {"c", "c"}, 'é': {"e", "e"}, 'è': {"e", "e"}, 'ê': {"e", "e"},
	'ë': {"e", "e"}, 'í': {"i", "i"}, 'î': {"i", "i"}, 'ï': {"i", "i"}, 'ó': {"o", "o"}, 'ô': {"o", "o"}, 'õ': {"o", "o"}, 'ú': {"u", "u"},
	'û': {"u", "u"}, 'É': {"E", "E"}, 'Í': {"I", "I"}, 'Á': {"A", "A"}, 'Ó': {"O", "O"}, 'Â': {"A", "A"}, 'Ç': {"C", "C"},
	'ą': {"a", "a"}, 'ć': {"c", "c"}, 'ę': {"e", "e"}, 'ł': {"l", "l"}, 'ń': {"n", "n"}, 'ś': {"s", "s"}, 'ź': {"z", "z"}, 'ż': {"z", "z"},
	'Ł': {"L", "L"}, 'Ś': {"S", "S"}, 'Ż': {"Z", "Z"}, 'Ź': {"Z", "Z"}, 'Ć': {"C", "C"},
}

// plain writes text in ASCII letters; form 0 is the careful one.
func plain(text string, form int) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return plainRunes(text, form)
		}
	}
	return text
}

func plainRunes(text string, form int) string {
	var b strings.Builder
	for _, r := range text {
		if ascii, ok := letterForms[r]; ok {
			b.WriteString(ascii[form])
		} else if r < unicode.MaxASCII {
			b.WriteRune(r)
		}
	}
	return b.String()
}

package normalize

import (
	"slices"
	"strings"
	"unicode"
)

// PostalAddress is an address taken apart, every part folded: lower case, Latin
// letters, no diacritics. Nothing is looked up, so a part is what its form and
// its place make likely: without commas, a city after a street that no number
// and no English type of street ends stays with the street.
type PostalAddress struct {
	// Number is the house number, as "12", "12a", "12-14" or "12bis".
	Number string
	// Street holds the words of the street, its type and directions in full.
	Street []string
	// Unit is the part of the building, as "unit 3" or "floor 2 esq".
	Unit string
	// Box is the number of a post office box.
	Box string
	// Postcode is without the space of GB and NL, and without the +4 of the US.
	Postcode string
	// City is what is left: the city, and what stood before or after it.
	City string
}

// String returns the canonical text, which Address reads as the same address.
func (a PostalAddress) String() string {
	street := strings.TrimSpace(a.Number + " " + strings.Join(a.Street, " "))
	box := ""
	if a.Box != "" {
		box = "po box " + a.Box
	}
	var parts []string
	for _, p := range []string{street, a.Unit, box, strings.TrimSpace(a.City + " " + a.Postcode)} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}

// Address reads a postal address in the forms of English, Portuguese, Spanish,
// French and German. It returns ErrEmpty where there is no letter and no digit,
// and ErrTooLong and ErrInvalid as Identifier does. It serves the comparison of
// records; identifiers of the namespace address keep the spelling that
// Identifier gives them, because their keys are stored.
func Address(raw string) (PostalAddress, error) {
	if len(raw) > maxRaw {
		return PostalAddress{}, ErrTooLong
	}
	return settle(lineEnds.Replace(raw), parseAddress)
}

// lineEnds part what white space would join.
var lineEnds = strings.NewReplacer("\r", ", ", "\n", ", ")

// parseAddress is one pass.
func parseAddress(raw string) (PostalAddress, error) {
	v, err := foldText(raw)
	if err != nil {
		return PostalAddress{}, err
	}
	var a PostalAddress
	var segments [][]string
	for part := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ';' }) {
		if words := addressWords(part); len(words) > 0 {
			segments = append(segments, words)
		}
	}
	var withCode int
	a.Postcode, withCode = cutPostcode(segments)
	var units []string
	for i := range segments {
		if box, rest := cutBox(segments[i]); box != "" && a.Box == "" {
			a.Box, segments[i] = box, rest
		}
		var found []string
		found, segments[i] = cutUnits(segments[i])
		units = append(units, found...)
	}
	// Sides last, as in "3 esq": before the floor they would be read as words.
	slices.SortStableFunc(units, func(x, y string) int { return min(1, len(sides[x])) - min(1, len(sides[y])) })
	a.Unit = strings.Join(units, " ")
	a.place(segments, withCode)
	return a, nil
}

// place finds the segment of the street; the others are the city.
func (a *PostalAddress) place(segments [][]string, withCode int) {
	at := -1
	for i, words := range segments {
		if len(words) > 0 && (hasStreetType(words) || slices.ContainsFunc(words, isHouseNumber)) {
			at = i
			break
		}
	}
	for i := 0; at < 0 && a.Box == "" && i < len(segments); i++ {
		if len(segments[i]) > 0 && i != withCode {
			at = i
		}
	}
	var city []string
	for i := 0; i < len(segments); i++ {
		if i != at {
			city = append(city, segments[i]...)
			continue
		}
		words, next := segments[i], []string(nil)
		if i+1 < len(segments) {
			next = segments[i+1]
		}
		// "Rua Augusta, 12" and "12, rue de la Paix": the number has a segment
		// of its own.
		switch number, rest := leadingNumber(next); {
		case number != "" && len(rest) == 0 && !isHouseNumber(words[0]):
			words = append([]string{number}, words...)
			i++
		case number == "" && len(words) == 1 && isHouseNumber(words[0]) && hasStreetType(next):
			words = slices.Concat(words, next)
			i++
		}
		city = append(city, a.street(words)...)
	}
	a.City = strings.Join(city, " ")
}

// street takes number and street from the words of their segment, and returns
// what follows them.
func (a *PostalAddress) street(words []string) (rest []string) {
	number, after := leadingNumber(words)
	if number != "" && !(len(after) > 0 && after[0] == "de") {
		a.Number = number
		after, rest = splitAtType(after)
		a.Street = streetWords(after, true)
		return rest
	}
	for i := len(words) - 1; i > 0; i-- {
		number, after := leadingNumber(words[i:])
		if number == "" || len(after) > 0 && after[0] == "de" {
			continue // "avenida 25 de abril" has no number there
		}
		street := words[:i]
		if len(street) > 1 && numberWords[street[i-1]] {
			street = street[:i-1]
		}
		a.Number, a.Street = number, streetWords(street, false)
		return after
	}
	a.Street = streetWords(words, false)
	return nil
}

// leadingNumber reads a house number at the start, with a mark before it and a
// letter or bis after it, and returns the words that follow.
func leadingNumber(words []string) (string, []string) {
	if len(words) > 1 && numberWords[words[0]] {
		words = words[1:]
	}
	if len(words) == 0 || !isHouseNumber(words[0]) {
		return "", nil
	}
	number, rest := words[0], words[1:]
	if len(rest) > 0 && (rest[0] == "bis" || rest[0] == "ter" || rest[0] == "quater") {
		return number + rest[0], rest[1:]
	}
	if len(rest) == 1 && shape(rest[0]) == "a" && allDigits(number) {
		return number + rest[0], nil // "hauptstrasse 12 a"
	}
	return number, rest
}

// isHouseNumber reports digits, one letter or bis after them, and two such numbers
// joined by a dash or a stroke.
func isHouseNumber(word string) bool {
	for part := range strings.FieldsFuncSeq(word, func(r rune) bool { return r == '-' || r == '/' }) {
		digits := strings.TrimRightFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		tail := part[len(digits):]
		if !allDigits(digits) || len(digits) > 6 || shape(tail) != "a" && tail != "" && tail != "bis" && tail != "ter" && tail != "quater" {
			return false
		}
	}
	return word != "" && word[0] >= '0' && word[0] <= '9'
}

// splitAtType ends an English street after its last type and the direction that
// follows it; the rest is the city.
func splitAtType(words []string) (street, rest []string) {
	for i := len(words) - 1; i > 0; i-- {
		if trailing[words[i]] == "" && words[i] != "st" {
			continue
		}
		if leading[words[0]] == words[0] && leading[words[0]] != "" && trailing[words[0]] == "" {
			return words, nil // "rua", "calle": the type stands first
		}
		end := i + 1
		if end < len(words) && directions[words[end]] != "" {
			end++
		}
		return words[:end], words[end:]
	}
	return words, nil
}

// hasStreetType reports whether words look like a street.
func hasStreetType(words []string) bool {
	for i, w := range words {
		switch {
		case i == 0 && len(words) > 1 && leading[w] != "",
			i > 0 && (trailing[w] != "" || w == "st" && i == len(words)-1),
			germanStreet(w) != "":
			return true
		}
	}
	return false
}

// streetWords writes types and directions in full. English is what follows its
// number.
func streetWords(words []string, numberFirst bool) []string {
	out := slices.Clone(words)
	typed := slices.ContainsFunc(out, func(w string) bool { return trailing[w] != "" || w == "st" })
	lastType := 0
	for i, w := range out {
		if i > 0 && trailing[w] != "" {
			lastType = i
		}
	}
	for i, w := range out {
		last := i == len(out)-1
		switch {
		case w == "st" && (last && i > 0 || numberFirst && i > 0 && lastType < i):
			out[i] = "street"
		case w == "st" && !last:
			out[i] = "saint"
		case numberFirst && typed && len(out) > 2 && (i == 0 || last) && directions[w] != "":
			out[i] = directions[w]
		case i == 0 && !last && leading[w] != "":
			out[i] = leading[w]
		case i > 0 && trailing[w] != "" && i >= lastType:
			out[i] = trailing[w]
		case germanStreet(w) != "":
			out[i] = germanStreet(w)
		}
	}
	return out
}

// germanStreet writes a compound ending in "str" in full, or returns "".
func germanStreet(w string) string {
	switch {
	case len(w) > 5 && strings.HasSuffix(w, "str"):
		return w + "asse"
	case len(w) > 8 && (strings.HasSuffix(w, "strasse") || strings.HasSuffix(w, "straat")):
		return w
	}
	return ""
}

// marks are written as words, and what a space parts by habit is joined.
var marks = strings.NewReplacer("r/c", "rc", "#", " unit ", " - ", "-", " / ", "/")

// addressWords splits a segment: dots vanish, strokes and dashes stay between
// digits, and everything else that is no letter and no digit parts words.
func addressWords(part string) []string {
	part = marks.Replace(part)
	runes := []rune(part)
	var b strings.Builder
	for i, r := range runes {
		before, after := runAt(runes, i-1), runAt(runes, i+1)
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.M, r):
			b.WriteRune(r)
		case r == '-' && before != ' ' && after != ' ' && (unicode.IsDigit(before) || unicode.IsDigit(after) || unicode.IsLetter(after)):
			b.WriteRune(r)
		case r == '/' && unicode.IsDigit(after) && (unicode.IsDigit(before) || unicode.IsLetter(before)):
			b.WriteRune(r)
		case r == '.' && !(unicode.IsLetter(after) && unicode.IsLetter(before) && unicode.IsLetter(runAt(runes, i-2))):
			// "r." and "p.o." lose their dots; "st.james" is two words.
		case r == '\'' && after == 's':
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Fields(b.String())
}

// runAt returns the character at i, or a space outside.
func runAt(runes []rune, i int) rune {
	if i < 0 || i >= len(runes) {
		return ' '
	}
	return runes[i]
}

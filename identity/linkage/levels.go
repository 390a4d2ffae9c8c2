package linkage

import "slices"

// A level is how far two values of a field agree. Level 0 is missing: one of
// the two says nothing, which weighs nothing. Level 1 is equality; the last one
// is disagreement; what lies between is ordered, the closer first, but for
// swapped names, which are a thing of their own.
const (
	missing uint8 = 0
	exact   uint8 = 1
)

// scale is the levels of a type and how two different values are put into one.
type scale struct {
	// levels are their names, missing first.
	levels []string
	// of returns the level of two different values, symmetric.
	of func(a, b *value) uint8
	// swapped is the level of a name found in the other name's place; 0: none.
	swapped uint8
	// near is the last level that counts as the same value misspelt.
	near uint8
}

func (s *scale) last() uint8 { return uint8(len(s.levels) - 1) }

// scales are the comparison levels of each type (reference: Splink's and
// FEBRL's comparison templates, and Winkler 1990 for the cut-offs of names).
var scales = map[Type]*scale{
	GivenName: {levels: []string{"missing", "exact", "nickname", "one edit or Jaro-Winkler 0.92", "initial or beginning", "Jaro-Winkler 0.80 or sound", "swapped", "else"}, of: givenLevel, swapped: 6, near: 3},
	Surname:   {levels: []string{"missing", "exact", "one edit or Jaro-Winkler 0.92", "part of a double name", "Jaro-Winkler 0.80 or sound", "swapped", "else"}, of: surnameLevel, swapped: 5, near: 2},
	Date:      {levels: []string{"missing", "exact", "one digit", "day and month swapped", "two of year, month, day", "within a year", "one of year, month, day", "else"}, of: dateLevel, near: 3},
	Email:     {levels: []string{"missing", "exact", "same local part", "two edits", "local part Jaro-Winkler 0.90", "same domain", "else"}, of: emailLevel, near: 3},
	Phone:     {levels: []string{"missing", "exact", "one edit", "last seven digits", "two edits", "else"}, of: phoneLevel, near: 2},
	Postcode:  {levels: []string{"missing", "exact", "one edit", "same area", "else"}, of: postcodeLevel, near: 2},
	Number:    {levels: []string{"missing", "exact", "one edit", "two edits", "else"}, of: numberLevel, near: 2},
	House:     {levels: []string{"missing", "exact", "one edit", "else"}, of: houseLevel, near: 2},
	Street:    {levels: []string{"missing", "exact", "similarity 0.85", "similarity 0.65 or half the words", "else"}, of: textLevel, near: 2},
	City:      {levels: []string{"missing", "exact", "similarity 0.85", "similarity 0.65 or half the words", "else"}, of: textLevel, near: 2},
	Text:      {levels: []string{"missing", "exact", "similarity 0.85", "similarity 0.65 or half the words", "else"}, of: textLevel, near: 2},
	Category:  {levels: []string{"missing", "exact", "else"}, of: func(_, _ *value) uint8 { return 2 }, near: 1},
	Day:       {levels: []string{"missing", "exact", "else"}, of: func(_, _ *value) uint8 { return 2 }, near: 1},
	Month:     {levels: []string{"missing", "exact", "else"}, of: func(_, _ *value) uint8 { return 2 }, near: 1},
	Year:      {levels: []string{"missing", "exact", "one digit", "within ten years", "else"}, of: yearLevel, near: 2},
}

// misspelt reports one edit in a name of four letters or more, or what
// Jaro-Winkler takes for the same name.
func misspelt(a, b []rune, similarity float64) bool {
	return similarity >= .92 || min(len(a), len(b)) >= 4 && edits(a, b, 1) <= 1
}

func givenLevel(a, b *value) uint8 {
	if common(a.groups, b.groups) {
		return 2
	}
	similarity := jaroWinkler(a.text, b.text)
	short, long := shorter(a.text, b.text)
	switch {
	case len(short) > 1 && misspelt(a.text, b.text, similarity):
		return 3
	case begins(short, long) && (len(short) == 1 || len(short) >= 3):
		return 4
	case similarity >= .8 || len(short) >= 3 && a.sound == b.sound:
		return 5
	}
	return 7
}

func surnameLevel(a, b *value) uint8 {
	similarity := jaroWinkler(a.text, b.text)
	short, long := shorter(a.text, b.text)
	switch {
	case misspelt(a.text, b.text, similarity):
		return 2
	case len(short) >= 3 && len(long) >= len(short)+3 && (begins(short, long) || slices.Equal(short, long[len(long)-len(short):])):
		return 3
	case similarity >= .8 || len(short) >= 3 && a.sound == b.sound:
		return 4
	}
	return 6
}

func dateLevel(a, b *value) uint8 {
	if partial(a) || partial(b) {
		return partialDateLevel(a, b)
	}
	same := 0
	for _, equal := range []bool{a.year == b.year, a.month == b.month, a.day == b.day} {
		if equal {
			same++
		}
	}
	days := 365*(int(a.year)-int(b.year)) + 30*(int(a.month)-int(b.month)) + int(a.day) - int(b.day)
	switch {
	case edits(a.text, b.text, 1) <= 1:
		return 2
	case a.year == b.year && a.month == b.day && a.day == b.month:
		return 3
	case same == 2:
		return 4
	case days >= -366 && days <= 366:
		return 5
	case same == 1:
		return 6
	}
	return 7
}

func partial(v *value) bool { return v.year == 0 || v.month == 0 || v.day == 0 }

// partialDateLevel compares what both dates have.
func partialDateLevel(a, b *value) uint8 {
	agree, differ := 0, 0
	for _, p := range [][2]int16{{a.year, b.year}, {a.month, b.month}, {a.day, b.day}} {
		switch {
		case p[0] == 0 || p[1] == 0:
		case p[0] == p[1]:
			agree++
		default:
			differ++
		}
	}
	switch {
	case agree == 2 && differ == 0:
		return 4
	case agree > 0 && differ == 0:
		return 6
	case differ == 0:
		return missing
	}
	return 7
}

func yearLevel(a, b *value) uint8 {
	switch d := int(a.year) - int(b.year); {
	case edits(a.text, b.text, 1) <= 1:
		return 2
	case d >= -10 && d <= 10:
		return 3
	}
	return 4
}

func emailLevel(a, b *value) uint8 {
	localA, localB := a.text[:a.local], b.text[:b.local]
	switch {
	case len(localA) > 1 && slices.Equal(localA, localB):
		return 2
	case edits(a.text, b.text, 2) <= 2:
		return 3
	case jaroWinkler(localA, localB) >= .9:
		return 4
	case slices.Equal(a.text[a.local:], b.text[b.local:]):
		return 5
	}
	return 6
}

func phoneLevel(a, b *value) uint8 {
	switch {
	case edits(a.text, b.text, 1) <= 1:
		return 2
	case len(a.text) >= 7 && len(b.text) >= 7 && slices.Equal(a.text[len(a.text)-7:], b.text[len(b.text)-7:]):
		return 3
	case edits(a.text, b.text, 2) <= 2:
		return 4
	}
	return 5
}

func postcodeLevel(a, b *value) uint8 {
	short, _ := shorter(a.text, b.text)
	switch {
	case edits(a.text, b.text, 1) <= 1:
		return 2
	case begins(short[:(len(short)+1)/2], a.text) && begins(short[:(len(short)+1)/2], b.text):
		return 3
	}
	return 4
}

func numberLevel(a, b *value) uint8 {
	switch n := edits(a.text, b.text, 2); {
	case n <= 1:
		return 2
	case n == 2:
		return 3
	}
	return 4
}

func houseLevel(a, b *value) uint8 {
	if max(len(a.text), len(b.text)) > 1 && edits(a.text, b.text, 1) <= 1 {
		return 2
	}
	return 3
}

// textLevel compares streets, cities and free text by their letters and by
// their words, whichever is closer.
func textLevel(a, b *value) uint8 {
	length := max(len(a.text), len(b.text), 1)
	most := length * 35 / 100
	similarity := 1 - float64(edits(a.text, b.text, most))/float64(min(length, longest))
	shared := overlap(a.words, b.words)
	both := max(len(a.words), len(b.words))
	switch {
	case similarity >= .85 || shared == both && both > 0:
		return 2
	case similarity >= .65 || both > 1 && 2*shared >= both:
		return 3
	}
	return 4
}

func shorter(a, b []rune) (short, long []rune) {
	if len(a) < len(b) {
		return a, b
	}
	return b, a
}

func begins(short, long []rune) bool {
	return len(short) > 0 && len(long) >= len(short) && slices.Equal(short, long[:len(short)])
}

// common reports whether two ascending lists share an element.
func common(a, b []int32) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			return true
		case a[0] < b[0]:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return false
}

// overlap counts the elements that two ascending lists share.
func overlap(a, b []uint32) int {
	n := 0
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			a, b, n = a[1:], b[1:], n+1
		case a[0] < b[0]:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return n
}

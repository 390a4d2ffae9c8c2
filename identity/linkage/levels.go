package linkage

import "bytes"

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
	of func(d *dictionary, a, b *value) uint8
	// swapped is the level of a name found in the other name's place; 0: none.
	swapped uint8
	// near is the last level that counts as the same value misspelt.
	near uint8
}

func (s *scale) last() uint8 { return uint8(len(s.levels) - 1) }

// scales are the comparison levels of each type (reference: Splink's and
// FEBRL's comparison templates, and Winkler 1990 for the cut-offs of names).
var scales = map[Type]*scale{
	GivenName:  {levels: []string{"missing", "exact", "nickname", "one edit or Jaro-Winkler 0.92", "initial or beginning", "Jaro-Winkler 0.80 or sound", "swapped", "else"}, of: givenLevel, swapped: 6, near: 3},
	Surname:    {levels: []string{"missing", "exact", "one edit or Jaro-Winkler 0.92", "part of a double name", "Jaro-Winkler 0.80 or sound", "swapped", "else"}, of: surnameLevel, swapped: 5, near: 2},
	Date:       {levels: []string{"missing", "exact", "one digit", "day and month swapped", "two of year, month, day", "within a year", "one of year, month, day", "else"}, of: dateLevel, near: 3},
	Email:      {levels: []string{"missing", "exact", "same local part", "two edits", "local part Jaro-Winkler 0.90", "same domain", "else"}, of: emailLevel, near: 3},
	Phone:      {levels: []string{"missing", "exact", "one edit", "last seven digits", "two edits", "else"}, of: phoneLevel, near: 2},
	Postcode:   {levels: []string{"missing", "exact", "one edit", "same area", "else"}, of: postcodeLevel, near: 2},
	Number:     {levels: []string{"missing", "exact", "one edit", "two edits", "else"}, of: numberLevel, near: 2},
	House:      {levels: []string{"missing", "exact", "one edit", "else"}, of: houseLevel, near: 2},
	Street:     {levels: []string{"missing", "exact", "similarity 0.85", "similarity 0.65 or half the words", "else"}, of: textLevel, near: 2},
	City:       {levels: []string{"missing", "exact", "similarity 0.85", "similarity 0.65 or half the words", "else"}, of: textLevel, near: 2},
	Text:       {levels: []string{"missing", "exact", "similarity 0.85", "similarity 0.65 or half the words", "else"}, of: textLevel, near: 2},
	Category:   {levels: []string{"missing", "exact", "else"}, of: func(_ *dictionary, _, _ *value) uint8 { return 2 }, near: 1},
	Generation: {levels: []string{"missing", "exact", "else"}, of: func(_ *dictionary, _, _ *value) uint8 { return 2 }, near: 1},
	Day:        {levels: []string{"missing", "exact", "else"}, of: func(_ *dictionary, _, _ *value) uint8 { return 2 }, near: 1},
	Month:      {levels: []string{"missing", "exact", "else"}, of: func(_ *dictionary, _, _ *value) uint8 { return 2 }, near: 1},
	Year:       {levels: []string{"missing", "exact", "one digit", "within ten years", "else"}, of: yearLevel, near: 2},
}

// misspelt reports one edit in a name of four letters or more, or what
// Jaro-Winkler takes for the same name.
func misspelt(a, b []byte, strangers int, similarity float64) bool {
	return similarity >= .92 || strangers <= 1 && min(len(a), len(b)) >= 4 && edits(a, b, 1) <= 1
}

// similarity is that of Jaro and Winkler, or 0 where it is below .8.
func similarity(a, b []byte, inA, inB int) float64 {
	if !similarAtLeast(a, b, inA, inB, .8) {
		return 0
	}
	return jaroWinkler(a, b)
}

func givenLevel(d *dictionary, a, b *value) uint8 {
	if a.more != 0 && b.more != 0 && common(d.lists[a.more].groups, d.lists[b.more].groups) {
		return 2
	}
	x, y := d.letters(a), d.letters(b)
	inA, inB := strange(a.mask, b.mask)
	alike := similarity(x, y, inA, inB)
	short, long := shorter(x, y)
	switch {
	case len(short) > 1 && misspelt(x, y, max(inA, inB), alike):
		return 3
	case begins(short, long) && (len(short) == 1 || len(short) >= 3):
		return 4
	case alike >= .8 || len(short) >= 3 && a.code == b.code:
		return 5
	}
	return 7
}

func surnameLevel(d *dictionary, a, b *value) uint8 {
	x, y := d.letters(a), d.letters(b)
	inA, inB := strange(a.mask, b.mask)
	alike := similarity(x, y, inA, inB)
	short, long := shorter(x, y)
	switch {
	case misspelt(x, y, max(inA, inB), alike):
		return 2
	case len(short) >= 3 && len(long) >= len(short)+3 && (begins(short, long) || bytes.HasSuffix(long, short)):
		return 3
	case alike >= .8 || len(short) >= 3 && a.code == b.code:
		return 4
	}
	return 6
}

func dateLevel(dict *dictionary, a, b *value) uint8 {
	ya, ma, da := dateOf(a.code)
	yb, mb, db := dateOf(b.code)
	x, y := [3]int{ya, ma, da}, [3]int{yb, mb, db}
	return levelOfDates(x, y, complete(x) && complete(y) && oneDigit(dict.letters(a), dict.letters(b)))
}

// complete reports whether a date has year, month and day.
func complete(d [3]int) bool { return d[0] != 0 && d[1] != 0 && d[2] != 0 }

// levelOfDates compares two dates by year, month and day; slip says that they
// differ in one digit.
func levelOfDates(a, b [3]int, slip bool) uint8 {
	if !complete(a) || !complete(b) {
		return partialDateLevel(a, b)
	}
	same := one(a[0] == b[0]) + one(a[1] == b[1]) + one(a[2] == b[2])
	days := 365*(a[0]-b[0]) + 30*(a[1]-b[1]) + a[2] - b[2]
	switch {
	case slip:
		return 2
	case a[0] == b[0] && a[1] == b[2] && a[2] == b[1]:
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

// oneDigit reports dates that differ in one digit, or in the order of two
// neighbours. They have eight digits, so that nothing else is one edit.
func oneDigit(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	differ, at := 0, 0
	for i := range a {
		if a[i] != b[i] {
			if differ++; differ > 2 {
				return false
			}
			if differ == 1 {
				at = i
			}
		}
	}
	return differ == 1 || at+1 < len(a) && a[at] == b[at+1] && a[at+1] == b[at]
}

// partialDateLevel compares what both dates have.
func partialDateLevel(a, b [3]int) uint8 {
	agree, differ := 0, 0
	for i := range a {
		switch {
		case a[i] == 0 || b[i] == 0:
		case a[i] == b[i]:
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

func yearLevel(d *dictionary, a, b *value) uint8 {
	ya, _, _ := dateOf(a.code)
	yb, _, _ := dateOf(b.code)
	switch {
	case oneDigit(d.letters(a), d.letters(b)):
		return 2
	case ya-yb >= -10 && ya-yb <= 10:
		return 3
	}
	return 4
}

func emailLevel(d *dictionary, a, b *value) uint8 {
	x, y := d.letters(a), d.letters(b)
	inA, inB := strange(a.mask, b.mask)
	switch {
	case a.code>>32 == b.code>>32 && a.local > 1:
		return 2
	case max(inA, inB) <= 2 && edits(x, y, 2) <= 2:
		return 3
	}
	x, y = x[:a.local], y[:b.local]
	switch {
	case similarAtLeast(x, y, 0, 0, .9) && jaroWinkler(x, y) >= .9:
		return 4
	case uint32(a.code) == uint32(b.code):
		return 5
	}
	return 6
}

func phoneLevel(d *dictionary, a, b *value) uint8 {
	x, y := d.letters(a), d.letters(b)
	n := 3
	if inA, inB := strange(a.mask, b.mask); max(inA, inB) <= 2 {
		n = edits(x, y, 2)
	}
	switch {
	case n <= 1:
		return 2
	case len(x) >= 7 && len(y) >= 7 && bytes.Equal(x[len(x)-7:], y[len(y)-7:]):
		return 3
	case n == 2:
		return 4
	}
	return 5
}

func postcodeLevel(d *dictionary, a, b *value) uint8 {
	x, y := d.letters(a), d.letters(b)
	short, _ := shorter(x, y)
	area := short[:(len(short)+1)/2]
	switch {
	case edits(x, y, 1) <= 1:
		return 2
	case begins(area, x) && begins(area, y):
		return 3
	}
	return 4
}

func numberLevel(d *dictionary, a, b *value) uint8 {
	if inA, inB := strange(a.mask, b.mask); max(inA, inB) > 2 {
		return 4
	}
	switch n := edits(d.letters(a), d.letters(b), 2); {
	case n <= 1:
		return 2
	case n == 2:
		return 3
	}
	return 4
}

func houseLevel(d *dictionary, a, b *value) uint8 {
	if max(a.length, b.length) > 1 && edits(d.letters(a), d.letters(b), 1) <= 1 {
		return 2
	}
	return 3
}

// textLevel compares streets, cities and free text by their letters and by
// their words, whichever is closer.
func textLevel(d *dictionary, a, b *value) uint8 {
	shared, both := 0, 0
	if a.more != 0 && b.more != 0 {
		wa, wb := d.lists[a.more].words, d.lists[b.more].words
		shared, both = overlap(wa, wb), max(len(wa), len(wb))
	}
	if shared == both && both > 0 {
		return 2
	}
	length := max(int(a.length), int(b.length), 1)
	most := length * 35 / 100
	half := both > 1 && 2*shared >= both
	if half { // further edits make no difference
		most = length * 15 / 100
	}
	n := most + 1
	if inA, inB := strange(a.mask, b.mask); max(inA, inB) <= most {
		n = edits(d.letters(a), d.letters(b), most)
	}
	switch similar := 1 - float64(n)/float64(length); {
	case similar >= .85:
		return 2
	case similar >= .65 || half:
		return 3
	}
	return 4
}

func shorter(a, b []byte) (short, long []byte) {
	if len(a) < len(b) {
		return a, b
	}
	return b, a
}

func begins(short, long []byte) bool { return len(short) > 0 && bytes.HasPrefix(long, short) }

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

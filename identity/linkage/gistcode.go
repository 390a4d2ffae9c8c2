package linkage

import "math/bits"

// A gist of a date is its code as year, month and day (16, 8 and 8 bits) above
// its eight digits (4 bits each); 0 where it has more, as a month of any number
// may.
func dateGist(_ *dictionary, v *value, out []uint64) {
	y, m, d := dateOf(v.code)
	if max(m, d) > 99 || y > 9999 {
		return
	}
	digits := uint64(0)
	for _, n := range [4]int{y / 100, y % 100, m, d} {
		digits = digits<<8 | uint64(n/10)<<4 | uint64(n%10)
	}
	out[0] = uint64(y)<<48 | uint64(m)<<40 | uint64(d)<<32 | digits
}

func dateByGist(a, b []uint64) uint8 {
	x, y := a[0], b[0]
	if x == 0 || y == 0 {
		return unsure
	}
	return levelOfDates(
		[3]int{int(x >> 48), int(x >> 40 & 255), int(x >> 32 & 255)},
		[3]int{int(y >> 48), int(y >> 40 & 255), int(y >> 32 & 255)},
		oneDigitByGist(uint32(x), uint32(y)),
	)
}

// oneDigitByGist says what oneDigit says of eight digits: two that differ and are no
// neighbours have an equal one beside them, and are not swapped.
func oneDigitByGist(x, y uint32) bool {
	differ := x ^ y
	differ |= differ >> 2
	differ = (differ | differ>>1) & 0x11111111
	switch bits.OnesCount32(differ) {
	case 1:
		return true
	case 2:
		at := bits.TrailingZeros32(differ)
		x, y = x>>at&255, y>>at&255
		return x>>4 == y&15 && x&15 == y>>4
	}
	return false
}

// A gist of a number, a postcode or the like is the text itself where it is short:
// of up to seven letters, or fourteen digits in half of the room; else the classes
// of its letters. Its length is there in both cases (6 bits).
const (
	shortLetters = 1<<56 - 1
	shortHalves  = 1 << 56
	shortLength  = 57
	shortWhole   = 1 << 63
)

// shortGist keeps seven letters.
func shortGist(d *dictionary, v *value, out []uint64) {
	text := d.letters(v)
	out[0] = uint64(len(text)-1) << shortLength
	if len(text) > 7 {
		out[0] |= classesOf(text, 39)
		return
	}
	out[0] |= shortWhole
	for i, c := range text {
		out[0] |= uint64(c) << (8 * i)
	}
}

// digitsGist keeps fourteen digits, or else what shortGist does.
func digitsGist(d *dictionary, v *value, out []uint64) {
	text := d.letters(v)
	packed := uint64(len(text)-1)<<shortLength | shortWhole | shortHalves
	for i, c := range text {
		if c < '0' || c > '9' || i == 14 {
			shortGist(d, v, out)
			return
		}
		packed |= uint64(c-'0') << (4 * i)
	}
	out[0] = packed
}

// shortText is a text that a gist holds, and how wide a letter of it is.
type shortText struct {
	letters uint64
	length  int
}

// bothShort returns two texts and the width of their letters in bits; ok is false
// where their gists do not hold both.
func bothShort(a, b uint64) (x, y shortText, width int, ok bool) {
	x = shortText{a & shortLetters, int(a>>shortLength&63) + 1}
	y = shortText{b & shortLetters, int(b>>shortLength&63) + 1}
	return x, y, 8 >> (a >> 56 & 1), a&b&shortWhole != 0 && (a^b)&shortHalves == 0
}

// editsByGist returns what edits does with most 2; ok is false where the gists do
// not tell.
func editsByGist(a, b uint64) (n int, ok bool) {
	x, y, width, ok := bothShort(a, b)
	switch {
	case ok:
		return shortEdits(x, y, width), true
	case max(x.length-y.length, y.length-x.length) > 2:
		return 3, true
	case (a|b)&shortWhole == 0:
		return 3, max(bits.OnesCount64(x.letters&^y.letters), bits.OnesCount64(y.letters&^x.letters)) > 2
	}
	return 3, false
}

// strip takes off what both texts begin and end with.
func strip(x, y shortText, width int) (shortText, shortText) {
	n := min(x.length, y.length)
	p := min(bits.TrailingZeros64(x.letters^y.letters)/width, n)
	x.letters, y.letters = x.letters>>(p*width), y.letters>>(p*width)
	x.length, y.length = x.length-p, y.length-p
	ends := x.letters<<(64-x.length*width) ^ y.letters<<(64-y.length*width)
	q := min(bits.LeadingZeros64(ends)/width, n-p)
	x.length, y.length = x.length-q, y.length-q
	return x, y
}

// shortEdits returns optimal string alignment distance, 3 for 3 and more.
func shortEdits(x, y shortText, width int) int {
	x, y = strip(x, y, width)
	if x.length < y.length {
		x, y = y, x
	}
	switch {
	case x.length-y.length > 2:
		return 3
	case x.length <= 2:
		if x.length == 2 && swapped(x, y, width) {
			return 1
		}
		return x.length
	}
	// The first letters differ: one edit is there, and one may be left.
	a, b := x.from(1, width), y.from(1, width)
	if oneEdit(a, b, width) || oneEdit(a, y, width) || y.length > 0 && oneEdit(x, b, width) ||
		y.length >= 2 && swapped(x, y, width) && oneEdit(x.from(2, width), y.from(2, width), width) {
		return 2
	}
	return 3
}

func (x shortText) from(n, width int) shortText {
	return shortText{x.letters >> (n * width), x.length - n}
}

// swapped reports whether the first two letters are those of the other text, the
// other way round.
func swapped(x, y shortText, width int) bool {
	letter := uint64(1)<<width - 1
	return y.length >= 2 && x.letters&letter == y.letters>>width&letter && x.letters>>width&letter == y.letters&letter
}

// oneEdit reports whether two texts are no more than one edit apart.
func oneEdit(x, y shortText, width int) bool {
	if x.length-y.length > 1 || y.length-x.length > 1 {
		return false
	}
	x, y = strip(x, y, width)
	return max(x.length, y.length) <= 1 || x.length == 2 && y.length == 2 && swapped(x, y, width)
}

func phoneByGist(a, b []uint64) uint8 {
	x, y, width, ok := bothShort(a[0], b[0])
	if !ok || width != 4 {
		return unsure
	}
	switch n := shortEdits(x, y, width); {
	case n <= 1:
		return 2
	case x.length >= 7 && y.length >= 7 && (x.letters>>(4*(x.length-7))^y.letters>>(4*(y.length-7)))&(1<<28-1) == 0:
		return 3
	case n == 2:
		return 4
	}
	return 5
}

func numberByGist(a, b []uint64) uint8 {
	switch n, ok := editsByGist(a[0], b[0]); {
	case !ok:
		return unsure
	case n <= 1:
		return 2
	case n == 2:
		return 3
	}
	return 4
}

func postcodeByGist(a, b []uint64) uint8 {
	x, y, width, ok := bothShort(a[0], b[0])
	if !ok {
		return unsure
	}
	area := uint(min(x.length, y.length)+1) / 2 * uint(width)
	switch {
	case oneEdit(x, y, width):
		return 2
	case (x.letters^y.letters)&(1<<area-1) == 0:
		return 3
	}
	return 4
}

func houseByGist(a, b []uint64) uint8 {
	x, y, width, ok := bothShort(a[0], b[0])
	switch {
	case !ok:
		return unsure
	case max(x.length, y.length) > 1 && oneEdit(x, y, width):
		return 2
	}
	return 3
}

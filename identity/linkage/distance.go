package linkage

import "math/bits"

// longest is the number of letters of a value that comparisons read. Longer ones
// are cut: nothing that tells two persons apart lies beyond it.
const longest = 64

// letters returns text as comparisons read it: a byte a letter. Letters beyond
// ASCII share the upper half of the bytes; two that fall together make two
// values look closer by one letter, never equal.
func letters(text string) []byte {
	b := make([]byte, 0, min(len(text), longest))
	for _, r := range text {
		if len(b) == longest {
			break
		}
		if r < 128 {
			b = append(b, byte(r))
		} else {
			b = append(b, 128+byte(uint32(r)*2654435761>>25))
		}
	}
	return b
}

// maskOf is the set of letters of a text: a bit for each of a to z and 0 to 9,
// and the rest shared by all others.
func maskOf(text []byte) uint64 {
	m := uint64(0)
	for _, c := range text {
		switch {
		case c >= 'a' && c <= 'z':
			m |= 1 << (c - 'a')
		case c >= '0' && c <= '9':
			m |= 1 << (26 + c - '0')
		default:
			m |= 1 << (36 + c%28)
		}
	}
	return m
}

// strange counts the letters of each of two texts that the other has not, a
// lower bound of the edits between them: an edit removes at most one from each.
func strange(a, b uint64) (inA, inB int) {
	return bits.OnesCount64(a &^ b), bits.OnesCount64(b &^ a)
}

// similarAtLeast is a bound that is cheap to know: false where Jaro-Winkler
// cannot reach least.
func similarAtLeast(a, b []byte, inA, inB int, least float64) bool {
	la, lb := float64(len(a)), float64(len(b))
	m := min(la-float64(inA), lb-float64(inB))
	if m <= 0 {
		return false
	}
	jaro := (m/la + m/lb + 1) / 3
	prefix := 0
	for prefix < min(4, len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	return jaro+float64(prefix)*.1*(1-jaro) >= least
}

// jaroWinkler returns the similarity of Winkler, "String Comparator Metrics and
// Enhanced Decision Rules in the Fellegi-Sunter Model of Record Linkage" (1990),
// between 0 and 1, with prefix scale .1 and a prefix of at most 4. Texts
// have at most 64 letters. Empty texts have similarity 0.
func jaroWinkler(a, b []byte) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	window := max(len(a), len(b))/2 - 1
	if window < 0 {
		window = 0
	}
	var takenA, takenB uint64
	for i, r := range a {
		for j := max(0, i-window); j < min(len(b), i+window+1); j++ {
			if takenB>>j&1 == 0 && b[j] == r {
				takenA |= 1 << i
				takenB |= 1 << j
				break
			}
		}
	}
	m := bits.OnesCount64(takenA)
	if m == 0 {
		return 0
	}
	moved := 0
	for x, y := takenA, takenB; x != 0; x, y = x&(x-1), y&(y-1) {
		if a[bits.TrailingZeros64(x)] != b[bits.TrailingZeros64(y)] {
			moved++
		}
	}
	matches := float64(m)
	jaro := (matches/float64(len(a)) + matches/float64(len(b)) + (matches-float64(moved)/2)/matches) / 3
	prefix := 0
	for prefix < min(4, len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	return jaro + float64(prefix)*.1*(1-jaro)
}

// edits returns the optimal string alignment distance: insertions, deletions,
// substitutions and transpositions of neighbours (Damerau 1964, no part edited
// twice). Texts have at most 64 letters. What exceeds most is returned
// as most+1, as soon as it is known.
func edits(a, b []byte, most int) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) < len(b) {
		a, b = b, a
	}
	switch {
	case len(a)-len(b) > most:
		return most + 1
	case len(b) == 0:
		return len(a)
	case most == 1 && len(a) == 1, most == 1 && len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]:
		return 1
	case most == 1: // the first letters differ, and the last
		return 2
	}
	return align(a, b, most)
}

// align is the dynamic programme of edits over what differs, a column of it in
// two words of bits: Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and
// Damerau Edit Distances" (2003). a is not the shorter one.
func align(a, b []byte, most int) int {
	var at [256]uint64 // where in b a letter stands
	for j, c := range b {
		at[c] |= 1 << j
	}
	// more and less say where a row of the column is one more or less than the
	// row above; zero, where a diagonal costs nothing; before is at of the letter
	// before.
	more, less, zero, before := ^uint64(0), uint64(0), uint64(0), uint64(0)
	last := uint64(1) << (len(b) - 1)
	distance := len(b)
	for i, c := range a {
		here := at[c]
		swap := ^zero & here << 1 & before
		zero = ((here&more + more) ^ more) | here | less | swap
		up, down := less|^(zero|more), zero&more
		switch {
		case up&last != 0:
			distance++
		case down&last != 0:
			distance--
		}
		if distance-(len(a)-1-i) > most {
			return most + 1
		}
		up, down = up<<1|1, down<<1
		more, less = down|^(zero|up), up&zero
		before = here
	}
	return min(distance, most+1)
}

// phonetic returns a code that most spellings of one sound share, at most five
// letters: the first sound, then the classes of consonants that follow, vowels
// dropped and repetitions once. It is of the family of Soundex (Russell 1918),
// with the digraphs of the larger European languages read first.
func phonetic(name []byte) uint64 {
	var code [5]byte
	n := 0
	last := byte(0)
	for i := 0; i < len(name) && n < len(code); i++ {
		next := byte(0)
		if i+1 < len(name) {
			next = name[i+1]
		}
		c, skip := sound(name[i], next, i == 0)
		i += skip
		if c == 0 { // a vowel parts two equal consonants
			last = 0
			if n == 0 {
				code[n], n = 'A', n+1
			}
			continue
		}
		if c == last || c == '-' {
			continue
		}
		code[n], n, last = c, n+1, c
	}
	packed := uint64(0)
	for _, c := range code[:n] {
		packed = packed<<8 | uint64(c)
	}
	return packed
}

// sound returns the class of a letter, 0 for a vowel and '-' for a silent
// letter, and how many letters after it belong to it.
func sound(r, next byte, first bool) (class byte, skip int) {
	switch r {
	case 'a', 'e', 'i', 'o', 'u', 'y', 'j':
		return 0, 0
	case 'h':
		if first {
			return 'H', 0
		}
		return '-', 0
	case 'w':
		if first {
			return 'F', 0
		}
		return '-', 0
	case 'p':
		if next == 'h' {
			return 'F', 1
		}
		return 'P', 0
	case 'b':
		return 'P', 0
	case 'f', 'v':
		return 'F', 0
	case 's', 'c', 'z', 'x':
		return sibilant(r, next)
	case 'k', 'q', 'g':
		if (r == 'g' || r == 'k') && next == 'n' && first {
			return '-', 0
		}
		return 'K', 0
	case 'd', 't':
		if next == 'h' {
			return 'T', 1
		}
		return 'T', 0
	case 'l':
		return 'L', 0
	case 'm', 'n':
		return 'N', 0
	case 'r':
		return 'R', 0
	}
	return '0' + r%10, 0 // another script, by its own letters
}

func sibilant(r, next byte) (class byte, skip int) {
	switch {
	case r == 's' && next == 'c', r == 'c' && next == 'z', r == 's' && next == 'z', r == 't' && next == 'z':
		return 'S', 1
	case r == 'c' && next == 'k':
		return 'K', 1
	case r == 'c' && (next == 'h' || next == 'e' || next == 'i' || next == 'y'):
		return 'S', 0
	case r == 'c':
		return 'K', 0
	}
	return 'S', 0
}

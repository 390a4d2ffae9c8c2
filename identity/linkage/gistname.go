package linkage

import "math/bits"

// A gist of a name is its letters (27 bits, all but a to z as one), its length (6),
// the first three letters (5 each), a hash of its sound (8) and a set of hashes of
// its groups of nicknames (8).
const (
	nameLetters = 1<<27 - 1
	nameLength  = 27
	nameFirst   = 33
	nameSound   = 48
	nameGroups  = 56
)

func nameGist(d *dictionary, v *value, out []uint64) {
	text := d.letters(v)
	out[0] = classesOf(text, 26) | uint64(len(text)-1)<<nameLength | firstClasses(text, 3, 5, 26)<<nameFirst | mix(v.code)>>56<<nameSound
	for _, g := range d.lists[v.more].groups {
		out[0] |= 1 << (nameGroups + g&7)
	}
}

// twoNames are what the gists of two names say together.
type twoNames struct {
	la, lb, inA, inB int
	// first is the most letters that are equal at the beginning, four for more.
	first int
	// differ are the bits that differ, both those that are set in both.
	differ, both uint64
}

func namesByGist(a, b uint64) twoNames {
	n := twoNames{la: int(a>>nameLength&63) + 1, lb: int(b>>nameLength&63) + 1, differ: a ^ b, both: a & b}
	n.inA, n.inB = bits.OnesCount64(a&n.differ&nameLetters), bits.OnesCount64(b&n.differ&nameLetters)
	if n.first = bits.TrailingZeros64(n.differ>>nameFirst) / 5; n.first >= 3 {
		n.first = 4
	}
	n.first = min(n.first, n.la, n.lb)
	return n
}

// begins reports whether the short name may be the beginning of the long one.
func (n *twoNames) begins() bool { return n.first >= min(n.la, n.lb, 3) }

// misspelt reports whether one may be the other with an error, as misspelt says.
func (n *twoNames) misspelt() bool {
	return max(n.inA, n.inB) <= 1 && n.la-n.lb <= 1 && n.lb-n.la <= 1 || likeness92.inReach(n.la, n.lb, n.inA, n.inB, n.first)
}

// similar reports whether they may sound alike or be similar.
func (n *twoNames) similar() bool {
	return n.differ>>nameSound&255 == 0 && min(n.la, n.lb) >= 3 || likeness80.inReach(n.la, n.lb, n.inA, n.inB, n.first)
}

func givenByGist(a, b []uint64) uint8 {
	n := namesByGist(a[0], b[0])
	if n.both>>nameGroups != 0 || n.begins() || n.misspelt() || n.similar() {
		return unsure
	}
	return 7
}

func surnameByGist(a, b []uint64) uint8 {
	n := namesByGist(a[0], b[0])
	inShort := n.inA
	if n.lb < n.la {
		inShort = n.inB
	}
	double := n.la-n.lb >= 3 || n.lb-n.la >= 3
	if double && inShort == 0 || n.misspelt() || n.similar() {
		return unsure
	}
	return 6
}

// oneNameByGist reports whether a given name and a surname may be the same.
func oneNameByGist(a, b uint64) bool {
	n := namesByGist(a, b)
	return n.misspelt()
}

// A gist of a street, a city or free text is its letters (36 bits, no more than a
// to z and 0 to 9), its length (6) and a set of hashes of its words (22).
const (
	textLetters = 1<<36 - 1
	textLength  = 36
	textWords   = 42
)

func textGist(d *dictionary, v *value, out []uint64) {
	text := d.letters(v)
	out[0] = classesOf(text, 63)&textLetters | uint64(len(text)-1)<<textLength
	for _, w := range d.lists[v.more].words {
		out[0] |= 1 << (textWords + w%22)
	}
}

// textByGist tells texts that have no word in common and too many strange letters.
func textByGist(a, b []uint64) uint8 {
	x, y := a[0], b[0]
	la, lb := int(x>>textLength&63)+1, int(y>>textLength&63)+1
	inA, inB := bits.OnesCount64(x&^y&textLetters), bits.OnesCount64(y&^x&textLetters)
	if x&y>>textWords == 0 && max(inA, inB, la-lb, lb-la) > max(la, lb)*35/100 {
		return 4
	}
	return unsure
}

// A gist of an e-mail address is the letters of the whole (40 bits), its length
// and that of its local part (7 each); the letters of the local part and its first
// four (6 each); and its code, the hashes of local part and domain.
const (
	mailLetters = 1<<40 - 1
	mailLength  = 40
	mailLocal   = 47
	mailFirst   = 40
)

func emailGist(d *dictionary, v *value, out []uint64) {
	text := d.letters(v)
	local := text[:v.local]
	out[0] = classesOf(text, 39) | uint64(len(text))<<mailLength | uint64(len(local))<<mailLocal
	out[1] = classesOf(local, 39) | firstClasses(local, 4, 6, 39)<<mailFirst
	out[2] = v.code
}

func emailByGist(a, b []uint64) uint8 {
	if a[2]>>32 == b[2]>>32 {
		return unsure
	}
	la, lb := int(a[0]>>mailLength&127), int(b[0]>>mailLength&127)
	if max(bits.OnesCount64(a[0]&^b[0]&mailLetters), bits.OnesCount64(b[0]&^a[0]&mailLetters), la-lb, lb-la) <= 2 {
		return unsure
	}
	la, lb = int(a[0]>>mailLocal&127), int(b[0]>>mailLocal&127)
	inA, inB := bits.OnesCount64(a[1]&^b[1]&mailLetters), bits.OnesCount64(b[1]&^a[1]&mailLetters)
	first := min(bits.TrailingZeros64((a[1]^b[1])>>mailFirst)/6, 4, la, lb)
	switch {
	case la > 0 && lb > 0 && likeness90.inReach(la, lb, inA, inB, first):
		return unsure
	case uint32(a[2]) == uint32(b[2]):
		return 5
	}
	return 6
}

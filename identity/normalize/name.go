package normalize

import (
	"slices"
	"strings"
	"unicode"
)

// PersonalName is a name taken apart, every part folded: lower case, Latin
// letters, no diacritics, words in single spaces. Hyphens stay, because they
// say that two words are one name.
type PersonalName struct {
	Given, Middle string
	// Surname is without its particles, which stand in Particles in their
	// order: "van der berg" is berg with van and der. Of a name in natural
	// order it is the last word; only "Surname, Given" tells more.
	Surname   string
	Particles []string
	// Suffix is the generation, "jr" or "iii"; Nickname what stood in quotes
	// or brackets. Neither is part of the canonical text.
	Suffix, Nickname string
}

// String returns the canonical text, "particles surname, given middle", which
// Name reads as the same name. A single word, which may be either, is that word.
func (n PersonalName) String() string {
	var b strings.Builder
	for _, p := range n.Particles {
		b.WriteString(p)
		if !strings.HasSuffix(p, "'") {
			b.WriteByte(' ')
		}
	}
	b.WriteString(n.Surname)
	if n.Surname != "" {
		b.WriteByte(',')
	}
	for _, part := range []string{n.Given, n.Middle} {
		if part != "" && b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(part)
	}
	return b.String()
}

// Name reads a personal name, in natural order or as "Surname, Given". Titles
// and degrees are dropped. It returns ErrEmpty where there is no letter, and
// ErrTooLong and ErrInvalid as Identifier does. It is for comparing names, by
// linkage and by people; a name is no identifier.
func Name(raw string) (PersonalName, error) {
	n, err := settle(raw, parseName)
	if err != nil {
		return PersonalName{}, err
	}
	if first, err := parseName(raw); err == nil {
		n.Suffix, n.Nickname = first.Suffix, first.Nickname // not in the text
	}
	return n, nil
}

// parseName is one pass.
func parseName(raw string) (PersonalName, error) {
	v, err := foldText(raw)
	if err != nil {
		return PersonalName{}, err
	}
	if isEmpty(v) || strings.IndexFunc(v, unicode.IsLetter) < 0 {
		return PersonalName{}, ErrEmpty
	}
	var n PersonalName
	v, n.Nickname = cutNickname(v)
	var parts [][]nameWord // between commas, without titles and suffixes
	for part := range strings.SplitSeq(v, ",") {
		if words := n.words(part, len(parts) == 0); len(words) > 0 {
			parts = append(parts, words)
		}
	}
	switch {
	case len(parts) == 0:
		if n.Suffix == "" {
			return PersonalName{}, ErrEmpty
		}
		n.Given, n.Suffix = n.Suffix, "" // a suffix alone is the name
	case len(parts) > 1:
		n.surnameFirst(parts[0], slices.Concat(parts[1:]...))
	case strings.HasSuffix(strings.TrimSpace(v), ","):
		n.surnameFirst(parts[0], nil)
	default:
		n.natural(parts[0])
	}
	return n, nil
}

// nameWord is one word, with the particle that is written into it: o' in
// o'brien, mc in mcdonald, al- in al-rashid. In a given name it stays there.
type nameWord struct{ prefix, text string }

// whole returns the word without an apostrophe, which is as often left out.
func (w nameWord) whole() string {
	return strings.TrimSuffix(w.prefix, "'") + w.text
}

// isParticle reports whether the word stands for itself as a particle.
func (w nameWord) isParticle() bool { return w.prefix == "" && particles[w.text] }

// surnameFirst takes "surname, given": particles may stand before the surname
// or, as in an index, after the given names.
func (n *PersonalName) surnameFirst(surname, given []nameWord) {
	cut := len(given)
	for cut > 1 && given[cut-1].isParticle() {
		cut--
	}
	n.setSurname(slices.Concat(given[cut:], surname))
	n.setGiven(given[:cut])
}

// natural takes "given middle particles surname".
func (n *PersonalName) natural(words []nameWord) {
	if len(words) == 1 {
		n.setGiven(words)
		return
	}
	start := len(words) - 1
	for start > 1 && words[start-1].isParticle() {
		start--
	}
	n.setSurname(words[start:])
	n.setGiven(words[:start])
}

// setSurname takes the particles off; the last word is never one.
func (n *PersonalName) setSurname(words []nameWord) {
	for len(words) > 1 && words[0].isParticle() {
		n.Particles = append(n.Particles, words[0].text)
		words = words[1:]
	}
	if first := words[0]; first.prefix != "" {
		n.Particles = append(n.Particles, strings.TrimSuffix(first.prefix, "-"))
		words = append([]nameWord{{text: first.text}}, words[1:]...)
	}
	n.Surname = joinWords(words)
}

func (n *PersonalName) setGiven(words []nameWord) {
	if len(words) > 0 {
		n.Given, n.Middle = words[0].whole(), joinWords(words[1:])
	}
}

func joinWords(words []nameWord) string {
	whole := make([]string, len(words))
	for i, w := range words {
		whole[i] = w.whole()
	}
	return strings.Join(whole, " ")
}

// words returns the words of one part between commas, without titles before and
// suffixes after them. In the first part the last word left is the name,
// whatever it is; a later part may be nothing but a degree.
func (n *PersonalName) words(part string, first bool) []nameWord {
	var words []string
	for _, field := range strings.FieldsFunc(part, isNameBreak) {
		words = append(words, splitDots(field)...)
	}
	for len(words) > 1 && titles[words[0]] {
		words = words[1:]
	}
	for len(words) > 0 {
		last := words[len(words)-1]
		if generations[last] {
			n.Suffix = last
		} else if !degrees[last] || first && len(words) == 1 {
			break
		}
		words = words[:len(words)-1]
	}
	out := make([]nameWord, 0, len(words))
	for _, word := range words {
		if w := readWord(word); w.text != "" {
			out = append(out, w)
		}
	}
	return out
}

// isNameBreak reports what stands between words: everything but letters, digits,
// marks, and the characters that are part of a word.
func isNameBreak(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && !strings.ContainsRune("'-.", r)
}

// splitDots splits initials, "j.r.r.", but not the dots of a title, "ph.d.".
func splitDots(word string) []string {
	if !strings.Contains(word, ".") {
		return []string{word}
	}
	joined := strings.ReplaceAll(word, ".", "")
	if titles[joined] || degrees[joined] || generations[joined] {
		return []string{joined}
	}
	return strings.FieldsFunc(word, func(r rune) bool { return r == '.' })
}

// readWord takes the particle off that is written into a word.
func readWord(word string) nameWord {
	word = strings.Trim(word, "-")
	before, rest, ok := strings.Cut(word, "'")
	rest = strings.Trim(strings.ReplaceAll(rest, "'", ""), "-")
	if ok && elided[before] && rest != "" {
		return nameWord{before + "'", rest}
	}
	word = strings.Trim(strings.ReplaceAll(word, "'", ""), "-")
	before, rest, ok = strings.Cut(word, "-")
	if article, known := hyphenated[before]; ok && known && strings.Trim(rest, "-") != "" {
		return nameWord{article + "-", strings.Trim(rest, "-")}
	}
	if rest, ok = strings.CutPrefix(word, "mc"); ok && len(rest) > 2 && isASCII(rest) {
		return nameWord{"mc", strings.TrimLeft(rest, "-")}
	}
	return nameWord{text: word}
}

// cutNickname takes out what stands in double quotes or brackets.
func cutNickname(v string) (rest, nickname string) {
	for _, pair := range []string{`""`, "()", "[]"} {
		open := strings.IndexByte(v, pair[0])
		if open < 0 {
			continue
		}
		if end := strings.IndexByte(v[open+1:], pair[1]); end > 0 && strings.TrimSpace(v[:open]+v[open+end+2:]) != "" {
			nickname = strings.Join(strings.FieldsFunc(v[open+1:open+1+end], isNameBreak), " ")
			v = v[:open] + " " + v[open+end+2:]
		}
	}
	return v, nickname
}

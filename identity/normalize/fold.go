package normalize

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// foldText returns text in lower case without diacritics, in Latin letters where
// it was Greek or Cyrillic. Names and addresses compare in this form; what is
// shown to people is never folded. Other scripts stay as they are.
func foldText(raw string) (string, error) {
	v, err := clean(raw)
	if err != nil {
		return "", err
	}
	v = strings.ToLower(v)
	if isASCII(v) {
		return v, nil
	}
	return norm.NFC.String(strings.ToLower(latin(romanGreek(norm.NFD.String(v))))), nil
}

// Text folds free text for comparison: lower case, without diacritics, Greek and
// Cyrillic in Latin letters, invisible characters and quotes around it cut. The
// result is for comparing and never a key. It returns ErrInvalid for what is
// not UTF-8 and ErrTooLong beyond MaxLength, as Identifier does.
func Text(raw string) (string, error) { return foldText(raw) }

func isASCII(v string) bool {
	for i := range len(v) {
		if v[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// latin replaces, in decomposed text, the letters that do not decompose, and
// drops the marks. Cyrillic letters that decompose (й, ё, ї, ў) are written as
// the letter below their mark.
func latin(v string) string {
	var b strings.Builder
	b.Grow(len(v))
	for _, r := range v {
		if r < utf8.RuneSelf {
			b.WriteByte(byte(r))
		} else if text, ok := letters[r]; ok {
			b.WriteString(text)
		} else if text, ok := cyrillic[r]; ok {
			b.WriteString(text)
		} else if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// letters are Latin letters that Unicode does not decompose, as people of the
// language write them without their keyboard, and typographic punctuation.
var letters = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'ø': "o", 'ł': "l", 'đ': "d", 'æ': "ae", 'œ': "oe", 'þ': "th", 'ð': "d", 'ı': "i",
	'ħ': "h", 'ŋ': "ng", 'ŧ': "t", 'ĸ': "q", 'ŀ': "l", 'ŉ': "n", 'ə': "e", 'ƒ': "f", 'ƙ': "k", 'ɓ': "b", 'ɗ': "d", 'ƴ': "y", 'ȷ': "j",
	'‐': "-", '‑': "-", '‒': "-", '–': "-", '—': "-", '―': "-", '−': "-", '﹣': "-", '－': "-", '⁃': "-", '・': " ", '·': " ",
	'’': "'", '‘': "'", '‛': "'", '´': "'", 'ʼ': "'", 'ʻ': "'", 'ʹ': "'", 'ʽ': "'", '′': "'", '՚': "'", '＇': "'",
	'“': `"`, '”': `"`, '„': `"`, '«': `"`, '»': `"`, '。': ".", '、': ",", '，': ",", '؛': ";", '،': ",",
}

// cyrillic is the table of ICAO Doc 9303 part 3, section 6.B, which passports
// of most countries with a Cyrillic alphabet follow: the people this product
// meets write their names in Latin letters as their passports do. ISO 9 maps
// letters to letters and back, which nobody writes.
var cyrillic = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ж': "zh", 'з': "z", 'и': "i", 'к': "k", 'л': "l",
	'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "kh", 'ц': "ts",
	'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "ie", 'ы': "y", 'ь': "", 'э': "e", 'ю': "iu", 'я': "ia",
	'і': "i", 'є': "ie", 'ґ': "g", 'ђ': "d", 'ј': "j", 'љ': "lj", 'њ': "nj", 'ћ': "c", 'џ': "dz", 'ѕ': "dz", 'ѣ': "ie", 'ѳ': "f", 'ѵ': "y",
}

// greek is ELOT 743 in its transcription, which Greek passports follow, without
// the diacritics of its transliteration.
var greek = map[rune]string{
	'α': "a", 'β': "v", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "i", 'θ': "th", 'ι': "i", 'κ': "k", 'λ': "l", 'μ': "m",
	'ν': "n", 'ξ': "x", 'ο': "o", 'π': "p", 'ρ': "r", 'σ': "s", 'ς': "s", 'τ': "t", 'υ': "y", 'φ': "f", 'χ': "ch", 'ψ': "ps", 'ω': "o",
}

// greekLetter is a letter of a decomposed text. Diaeresis keeps two vowels apart
// that would else be read together.
type greekLetter struct {
	r         rune
	diaeresis bool
}

// romanGreek transcribes the Greek letters of decomposed text.
func romanGreek(v string) string {
	if strings.IndexFunc(v, func(r rune) bool { return greek[r] != "" }) < 0 {
		return v
	}
	var text []greekLetter
	for _, r := range v {
		switch last := len(text) - 1; {
		case last >= 0 && greek[text[last].r] != "" && r == '\u0308':
			text[last].diaeresis = true
		case last >= 0 && greek[text[last].r] != "" && unicode.Is(unicode.Mn, r):
		default:
			text = append(text, greekLetter{r: r})
		}
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		used, out := romanAt(text, i)
		b.WriteString(out)
		i += used
	}
	return b.String()
}

// romanAt transcribes at position i and says how many letters that took.
func romanAt(text []greekLetter, i int) (int, string) {
	at := func(j int) rune {
		if j < 0 || j >= len(text) {
			return 0
		}
		return text[j].r
	}
	a, b := at(i), at(i+1)
	joined := b == 'υ' && !text[i+1].diaeresis
	switch {
	case a == 'ο' && joined:
		return 2, "ou"
	case (a == 'α' || a == 'ε' || a == 'η') && joined:
		// The sound is v before vowels and voiced consonants, f before others.
		if next := at(i + 2); next != 0 && strings.ContainsRune("αεηιουωβγδζλμνρ", next) {
			return 2, greek[a] + "v"
		}
		return 2, greek[a] + "f"
	case a == 'γ' && (b == 'γ' || b == 'ξ' || b == 'χ'):
		return 2, "n" + greek[b]
	case a == 'μ' && b == 'π' && greek[at(i-1)] == "":
		return 2, "b"
	}
	if out, ok := greek[a]; ok {
		return 1, out
	}
	return 1, string(a)
}

package normalize

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestName(t *testing.T) {
	for _, c := range []struct {
		raw, want string
		parts     PersonalName
	}{
		{"Ana Silva", "silva, ana", PersonalName{Given: "ana", Surname: "silva"}},
		{"  SILVA,   Ana ", "silva, ana", PersonalName{Given: "ana", Surname: "silva"}},
		{"Ana Maria Silva", "silva, ana maria", PersonalName{Given: "ana", Middle: "maria", Surname: "silva"}},
		{"João Pedro da Silva Santos", "santos, joao pedro da silva", PersonalName{Given: "joao", Middle: "pedro da silva", Surname: "santos"}},
		{"Maria da Conceição dos Santos", "dos santos, maria da conceicao", PersonalName{Given: "maria", Middle: "da conceicao", Surname: "santos", Particles: []string{"dos"}}},
		{"García Márquez, Gabriel José", "garcia marquez, gabriel jose", PersonalName{Given: "gabriel", Middle: "jose", Surname: "garcia marquez"}},
		{"de la Cruz, Juan", "de la cruz, juan", PersonalName{Given: "juan", Surname: "cruz", Particles: []string{"de", "la"}}},
		{"Ludwig van Beethoven", "van beethoven, ludwig", PersonalName{Given: "ludwig", Surname: "beethoven", Particles: []string{"van"}}},
		{"Beethoven, Ludwig van", "van beethoven, ludwig", PersonalName{Given: "ludwig", Surname: "beethoven", Particles: []string{"van"}}},
		{"Jan van der Berg", "van der berg, jan", PersonalName{Given: "jan", Surname: "berg", Particles: []string{"van", "der"}}},
		{"Van Morrison", "morrison, van", PersonalName{Given: "van", Surname: "morrison"}},
		{"Nguyen Van", "van, nguyen", PersonalName{Given: "nguyen", Surname: "van"}},
		{"Sinéad O’Connor", "o'connor, sinead", PersonalName{Given: "sinead", Surname: "connor", Particles: []string{"o'"}}},
		{"Gabriele D'Annunzio", "d'annunzio, gabriele", PersonalName{Given: "gabriele", Surname: "annunzio", Particles: []string{"d'"}}},
		{"D'Angelo Russell", "russell, dangelo", PersonalName{Given: "dangelo", Surname: "russell"}},
		{"N'Golo Kanté", "kante, ngolo", PersonalName{Given: "ngolo", Surname: "kante"}},
		{"Ronald McDonald", "mc donald, ronald", PersonalName{Given: "ronald", Surname: "donald", Particles: []string{"mc"}}},
		{"Ronald Mc Donald", "mc donald, ronald", PersonalName{Given: "ronald", Surname: "donald", Particles: []string{"mc"}}},
		{"Mckenzie Brown", "brown, mckenzie", PersonalName{Given: "mckenzie", Surname: "brown"}},
		{"Machado de Assis", "de assis, machado", PersonalName{Given: "machado", Surname: "assis", Particles: []string{"de"}}},
		{"Harun al-Rashid", "al rashid, harun", PersonalName{Given: "harun", Surname: "rashid", Particles: []string{"al"}}},
		{"Harun ar-Rashid", "al rashid, harun", PersonalName{Given: "harun", Surname: "rashid", Particles: []string{"al"}}},
		{"Harun Al Rashid", "al rashid, harun", PersonalName{Given: "harun", Surname: "rashid", Particles: []string{"al"}}},
		{"Mohammed bin Salman", "bin salman, mohammed", PersonalName{Given: "mohammed", Surname: "salman", Particles: []string{"bin"}}},
		{"Jean-Luc Picard", "picard, jean-luc", PersonalName{Given: "jean-luc", Surname: "picard"}},
		{"Jean‐Luc Picard", "picard, jean-luc", PersonalName{Given: "jean-luc", Surname: "picard"}},
		{"Mary Smith-Jones", "smith-jones, mary", PersonalName{Given: "mary", Surname: "smith-jones"}},
		{"J.R.R. Tolkien", "tolkien, j r r", PersonalName{Given: "j", Middle: "r r", Surname: "tolkien"}},
		{"Dr. John H. Smith, Jr., Ph.D.", "smith, john h", PersonalName{Given: "john", Middle: "h", Surname: "smith", Suffix: "jr"}},
		{"Mr John Smith III", "smith, john", PersonalName{Given: "john", Surname: "smith", Suffix: "iii"}},
		{"Prof. Dr. Angela Merkel", "merkel, angela", PersonalName{Given: "angela", Surname: "merkel"}},
		{"Exma. Sra. Dra. Ana Silva", "silva, ana", PersonalName{Given: "ana", Surname: "silva"}},
		{"José Silva Neto", "silva, jose", PersonalName{Given: "jose", Surname: "silva", Suffix: "neto"}},
		{"Silva, Dr. Ana", "silva, ana", PersonalName{Given: "ana", Surname: "silva"}},
		{"Don Johnson", "johnson, don", PersonalName{Given: "don", Surname: "johnson"}},
		{"Yo-Yo Ma", "ma, yo-yo", PersonalName{Given: "yo-yo", Surname: "ma"}},
		{`Robert "Bob" Smith`, "smith, robert", PersonalName{Given: "robert", Surname: "smith", Nickname: "bob"}},
		{"Robert (Bob) Smith", "smith, robert", PersonalName{Given: "robert", Surname: "smith", Nickname: "bob"}},
		{"Madonna", "madonna", PersonalName{Given: "madonna"}},
		{"Silva,", "silva,", PersonalName{Surname: "silva"}},
		{"Dr", "dr", PersonalName{Given: "dr"}},
		{"PhD", "phd", PersonalName{Given: "phd"}},
		{"Jr.", "jr", PersonalName{Given: "jr"}},
		{"Straße, Jürgen", "strasse, jurgen", PersonalName{Given: "jurgen", Surname: "strasse"}},
		{"Søren Ærø", "aero, soren", PersonalName{Given: "soren", Surname: "aero"}},
		{"Łukasz Đorđević", "dordevic, lukasz", PersonalName{Given: "lukasz", Surname: "dordevic"}},
		{"Þór Sigurðsson", "sigurdsson, thor", PersonalName{Given: "thor", Surname: "sigurdsson"}},
		{"Işık İnönü", "inonu, isik", PersonalName{Given: "isik", Surname: "inonu"}},
		{"Nguyễn Thị Ánh", "anh, nguyen thi", PersonalName{Given: "nguyen", Middle: "thi", Surname: "anh"}},
		{"Сергей Жуков", "zhukov, sergei", PersonalName{Given: "sergei", Surname: "zhukov"}},
		{"Щербаков, Юрий Алексеевич", "shcherbakov, iurii alekseevich", PersonalName{Given: "iurii", Middle: "alekseevich", Surname: "shcherbakov"}},
		{"Володимир Їжак", "izhak, volodimir", PersonalName{Given: "volodimir", Surname: "izhak"}},
		{"Ђорђе Његош", "njegosh, dorde", PersonalName{Given: "dorde", Surname: "njegosh"}},
		{"Γιώργος Παπαδόπουλος", "papadopoulos, giorgos", PersonalName{Given: "giorgos", Surname: "papadopoulos"}},
		{"Ευάγγελος Μπακογιάννης", "bakogiannis, evangelos", PersonalName{Given: "evangelos", Surname: "bakogiannis"}},
		{"Ευθύμιος Αϋφαντής", "ayfantis, efthymios", PersonalName{Given: "efthymios", Surname: "ayfantis"}},
		{"ＡＮＡ　ＳＩＬＶＡ", "silva, ana", PersonalName{Given: "ana", Surname: "silva"}},
		{"王小明", "王小明", PersonalName{Given: "王小明"}},
		{"김 철수", "철수, 김", PersonalName{Given: "김", Surname: "철수"}},
		{"Ana\u200b Sil\u00adva", "silva, ana", PersonalName{Given: "ana", Surname: "silva"}},
		{"Jennifer Null", "null, jennifer", PersonalName{Given: "jennifer", Surname: "null"}},
	} {
		got, err := Name(c.raw)
		if err != nil || got.String() != c.want {
			t.Errorf("Name(%q) is %q (%v), want %q", c.raw, got, err, c.want)
		}
		if d := cmp.Diff(c.parts, got); d != "" {
			t.Errorf("Name(%q): %s", c.raw, d)
		}
	}
}

func TestNameErrors(t *testing.T) {
	for raw, want := range map[string]error{
		"": ErrEmpty, " \u200b ": ErrEmpty, "null": ErrEmpty, "—": ErrEmpty, "123": ErrEmpty, ",": ErrEmpty, "...": ErrEmpty,
		"a\xff": ErrInvalid, "Jos\ufffd": ErrInvalid,
		strings.Repeat("a", 513): ErrTooLong, strings.Repeat("щ", 200): ErrTooLong, strings.Repeat("a", 1<<20): ErrTooLong,
	} {
		if got, err := Name(raw); !errors.Is(err, want) {
			t.Errorf("Name(%.20q) is %q, %v, want %v", raw, got, err, want)
		}
	}
}

// checkName holds a name to what is promised of every name.
func checkName(t rapid.TB, raw string) {
	t.Helper()
	n, err := Name(raw)
	if err != nil {
		if err == ErrInvalid && utf8.ValidString(raw) && !containsReplacement(raw) {
			t.Fatalf("%q: text without damage has no stable form", raw)
		}
		return
	}
	text := n.String()
	if text == "" || len(text) > MaxLength || !utf8.ValidString(text) || n.Given == "" && n.Surname == "" {
		t.Fatalf("%q gives %q, %+v", raw, text, n)
	}
	again, err := Name(text)
	n.Suffix, n.Nickname = "", ""
	again.Suffix, again.Nickname = "", ""
	if d := cmp.Diff(n, again); err != nil || d != "" {
		t.Fatalf("%q gives %q, which gives %q (%v): %s", raw, text, again, err, d)
	}
}

func TestNameProperties(t *testing.T) {
	word := rapid.SampledFrom([]string{
		"dr", "mr.", "jr", "phd", "Ph.D.", "de", "van", "der", "o'", "O'", "mc", "McA", "al-", "al", "ar-ra", "'", "-", ",", ".", "\"", "(", ")", "[", "]",
		"ana", "Silva", "é", "ß", "Щ", "й", "ου", "αϋ", "μπ", "γγ", "김", "王", "null", "0", "iii", "neto", "mc-x", "d'o'x", "ﬁ", "İ", "\u0301", "\u0308",
	})
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(word, 1, 8).Draw(t, "words")
		checkName(t, strings.Join(words, rapid.SampledFrom([]string{" ", "", ", ", "-"}).Draw(t, "between")))
		checkName(t, rapid.String().Draw(t, "any"))
	})
}

// TestNameOrder: both orders of a name of two words are one name.
func TestNameOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[A-Z][a-zéüøğ]{3,9}`).Filter(func(w string) bool {
			w, _ = foldText(w)
			return !titles[w] && !degrees[w] && !generations[w] && !particles[w] && !isEmpty(w)
		})
		given, surname := word.Draw(t, "given"), word.Draw(t, "surname")
		particle := rapid.SampledFrom([]string{"", "de ", "van der ", "O'", "Mc", "al-"}).Draw(t, "particle")
		natural, err := Name(given + " " + particle + surname)
		inverted, err2 := Name(strings.ToUpper(particle+surname) + ", " + given)
		if err != nil || err2 != nil || natural.String() != inverted.String() {
			t.Fatalf("%q (%v) and %q (%v)", natural, err, inverted, err2)
		}
	})
}

func FuzzName(f *testing.F) {
	for _, raw := range []string{"Dr. John H. Smith, Jr., Ph.D.", "Beethoven, Ludwig van", "Ευάγγελος Μπ", "O'Mc-al", "(Bob) \"x\"", "김 철수", "mc, , jr"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) { checkName(t, raw) })
}

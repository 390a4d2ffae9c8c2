package linkage

import (
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity/normalize"
)

// two puts two values into a dictionary.
func two(t *testing.T, typ Type, a, b string) (d *dictionary, x, y *value) {
	t.Helper()
	d = newDictionary()
	var at [2]uint32
	for i, raw := range []string{a, b} {
		v, form, ok := canonical(typ, normalize.DayFirst, raw)
		if !ok {
			t.Fatalf("%q is no %s", raw, typ)
		}
		at[i] = d.code(form, &v)
	}
	return d, &d.values[at[0]], &d.values[at[1]]
}

// levelOf names the level of two values.
func levelOf(t *testing.T, typ Type, a, b string) string {
	t.Helper()
	d, x, y := two(t, typ, a, b)
	if x == y {
		return scales[typ].levels[exact]
	}
	return scales[typ].levels[scales[typ].of(d, x, y)]
}

// levelled are two values and their level.
var levelled = []struct {
	typ  Type
	a, b string
	want string
}{
	{GivenName, "Ana", " ANA ", "exact"},
	{GivenName, "José", "Jose", "exact"},
	{GivenName, "William", "Bill", "nickname"},
	{GivenName, "Wilhelmina", "Wilhelmima", "one edit or Jaro-Winkler 0.92"},
	{GivenName, "J.", "Joanna", "initial or beginning"},
	{GivenName, "Katarzyna", "Catarina", "Jaro-Winkler 0.80 or sound"},
	{GivenName, "Rui", "Olga", "else"},
	{GivenName, "Robert Jr.", "Robert", "exact"},
	{Surname, "Müller", "MULLER", "exact"},
	{Surname, "Müller", "Mueller", "one edit or Jaro-Winkler 0.92"},
	{Surname, "O'Brien", "obrien", "exact"},
	{Surname, "Meier", "Meyer", "one edit or Jaro-Winkler 0.92"},
	{Surname, "Silva", "Silva Santos", "part of a double name"},
	{Surname, "Santos", "Oliveira Santos", "part of a double name"},
	{Surname, "Schmidt", "Szmit", "Jaro-Winkler 0.80 or sound"},
	{Surname, "Rossi", "Kowalski", "else"},
	{Date, "1980-02-03", "03.02.1980", "exact"},
	{Date, "1980-02-03", "1980-02-08", "one digit"},
	{Date, "1980-12-03", "1980-21-03", "one digit"},
	{Date, "1980-02-03", "1980-03-02", "day and month swapped"},
	{Date, "1980-02-03", "1980-02-19", "two of year, month, day"},
	{Date, "1980-12-30", "1981-01-24", "within a year"},
	{Date, "1980-12-30", "1994-12-15", "one of year, month, day"},
	{Date, "1980-12-30", "1955-07-15", "else"},
	{Email, "Ana.Silva@mail.example", "ana.silva@MAIL.example", "exact"},
	{Email, "ana.silva@mail.example", "ana.silva@post.example", "same local part"},
	{Email, "ana.silva@mail.example", "ana.slva@mail.exmple", "two edits"},
	{Email, "anasilva77@mail.example", "anasilva7@post.example", "local part Jaro-Winkler 0.90"},
	{Email, "ana@mail.example", "rui.costa@mail.example", "same domain"},
	{Email, "ana@mail.example", "rui.costa@post.example", "else"},
	{Phone, "+351 912 345 678", "912345678", "exact"},
	{Phone, "00351912345678", "0912345678", "exact"},
	{Phone, "912345678", "912345687", "one edit"},
	{Phone, "351 2345678", "27 2345678", "last seven digits"},
	{Phone, "912345678", "913345670", "two edits"},
	{Phone, "912345678", "255000111", "else"},
	{Postcode, "4000-123", "4000 123", "exact"},
	{Postcode, "4000-123", "4000-124", "one edit"},
	{Postcode, "SW1A 1AA", "SW1A 2BB", "same area"},
	{Postcode, "4000-123", "7100-999", "else"},
	{Number, "LC-123456", "LC 123456", "exact"},
	{Number, "123456", "123465", "one edit"},
	{Number, "123456", "124365", "two edits"},
	{Number, "123456", "987654", "else"},
	{House, "12", "12a", "one edit"},
	{House, "1", "2", "else"},
	{Street, "High St.", "High Street", "exact"},
	{Street, "Main Street 12", "12 Main St", "similarity 0.85"},
	{Street, "Rua de Santa Catarina", "Santa Catarina", "similarity 0.65 or half the words"},
	{Street, "High Street", "Elm Grove", "else"},
	{Year, "1980", "1981", "one digit"},
	{Year, "1979", "1988", "within ten years"},
	{Year, "1979", "2001", "else"},
	{Generation, "Jr.", "junior", "exact"},
	{Generation, "Jr.", "Sr.", "else"},
	{Category, "NSW", "nsw", "exact"},
	{Category, "m", "f", "else"},
}

func TestLevels(t *testing.T) {
	for _, c := range levelled {
		if got := levelOf(t, c.typ, c.a, c.b); got != c.want {
			t.Errorf("%s: %q and %q are %q, want %q", c.typ, c.a, c.b, got, c.want)
		}
		if got := levelOf(t, c.typ, c.b, c.a); got != c.want {
			t.Errorf("%s: %q and %q are %q, want %q", c.typ, c.b, c.a, got, c.want)
		}
	}
}

// Every type that is compared has a scale, and its levels fit into a pattern.
func TestScales(t *testing.T) {
	for _, typ := range Types() {
		s := scales[typ]
		if s == nil {
			if typ != Name && typ != Ignore { // taken apart, and not compared
				t.Errorf("%s has no scale", typ)
			}
			continue
		}
		if len(s.levels) > 16 || s.levels[missing] != "missing" || s.levels[exact] != "exact" || s.levels[s.last()] != "else" || s.near < exact || s.near >= s.last() {
			t.Errorf("%s: %+v", typ, s)
		}
		if s.swapped != 0 && s.levels[s.swapped] != "swapped" {
			t.Errorf("%s: level %d is not that of swapped names", typ, s.swapped)
		}
	}
}

// A level is the same both ways, of the scale, and never equality or, but for
// dates that have no part in common, missing.
func TestLevelsSymmetric(t *testing.T) {
	r := random(t)
	for _, typ := range Types() {
		s := scales[typ]
		if s == nil {
			continue
		}
		seen := map[uint8]int{}
		for range max(20, tries(t, 4000)/200) { // fewer do not show every level
			d := lexicon(r, typ, 40)
			for i := 1; i < len(d.values); i++ {
				for j := 1; j < i; j++ {
					a, b := &d.values[i], &d.values[j]
					there, back := s.of(d, a, b), s.of(d, b, a)
					if there != back {
						t.Fatalf("%s: %q and %q are at level %d, the other way round %d", typ, d.letters(a), d.letters(b), there, back)
					}
					if there == exact || there > s.last() || there == missing && typ != Date || there == s.swapped && s.swapped != 0 {
						t.Fatalf("%s: two values are at level %d", typ, there)
					}
					seen[there]++
				}
			}
		}
		for l := 2; l < len(s.levels); l++ {
			if seen[uint8(l)] == 0 && uint8(l) != s.swapped {
				t.Errorf("%s: no pair was at level %q: nothing was tested", typ, s.levels[l])
			}
		}
	}
}

// The bounds that levels ask first never change a level: without the sets of
// letters, which reject, each is the same.
func TestLevelsWithoutBounds(t *testing.T) {
	r := random(t)
	for _, typ := range []Type{GivenName, Surname, Email, Phone, Number, Street} {
		s := scales[typ]
		for range max(1, tries(t, 2000)/200) {
			d := lexicon(r, typ, 40)
			blind := *d
			blind.values = slices.Clone(d.values)
			for i := range blind.values {
				blind.values[i].mask = 0
			}
			for i := 1; i < len(d.values); i++ {
				for j := 1; j < i; j++ {
					if got, want := s.of(d, &d.values[i], &d.values[j]), s.of(&blind, &blind.values[i], &blind.values[j]); got != want {
						t.Fatalf("%s: %q and %q are at level %d, without bounds %d", typ, d.letters(&d.values[i]), d.letters(&d.values[j]), got, want)
					}
				}
			}
		}
	}
}

// names is a corpus of two records with a given name and a surname.
func names(t *testing.T, a, b [2]string) *comparer {
	t.Helper()
	c, err := prepare(tableOf("given_name|surname|city", a[0]+"|"+a[1]+"|x", b[0]+"|"+b[1]+"|y"), map[string]Type{"given_name": GivenName, "surname": Surname, "city": Category})
	if err != nil {
		t.Fatal(err)
	}
	return newComparer(c)
}

func TestSwappedNames(t *testing.T) {
	for _, c := range []struct {
		a, b           [2]string
		given, surname string
	}{
		{[2]string{"Ana", "Costa"}, [2]string{"Costa", "Ana"}, "swapped", "missing"},
		{[2]string{"Ana", "Costa"}, [2]string{"Kosta", "Ana"}, "swapped", "missing"},
		{[2]string{"Ana", "Costa"}, [2]string{"Rosso", "Ana"}, "else", "else"},
		{[2]string{"Oliver", "Costanza"}, [2]string{"Kostanza", "Oliver"}, "swapped", "missing"},
		{[2]string{"Ana", "Costa"}, [2]string{"Costa", ""}, "missing", "swapped"},
		{[2]string{"Ana", "Costa"}, [2]string{"", "Ana"}, "missing", "swapped"},
		{[2]string{"Ana", "Costa"}, [2]string{"Costa", "Maria"}, "else", "else"},
		{[2]string{"Ana", "Ana"}, [2]string{"Ana", "Costa"}, "exact", "else"},
		{[2]string{"Thomas", "James"}, [2]string{"James", "Thomas"}, "swapped", "missing"},
	} {
		cmp := names(t, c.a, c.b)
		p := cmp.compare(0, 1)
		g, s := cmp.corpus.given, cmp.corpus.surname
		given, surname := scales[GivenName].levels[p.level(g)], scales[Surname].levels[p.level(s)]
		if given != c.given || surname != c.surname {
			t.Errorf("%v and %v: %s and %s, want %s and %s", c.a, c.b, given, surname, c.given, c.surname)
		}
		if back := cmp.compare(1, 0); back != p {
			t.Errorf("%v and %v: pattern %x, the other way round %x", c.a, c.b, p, back)
		}
	}
}

package linkage

import (
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity/normalize"
)

// Whatever a value is, reading it ends without a panic, in a form that is not
// empty and that two readings share, and its keys and levels can be had.
func FuzzCanonical(f *testing.F) {
	for _, raw := range []string{"", "Ana", "N/A", "1980-02-03", "31.12.99", "12/25/1980", "ana@mail.example", "@", "a@", "+351 912", "ß\u0301", "Ω", "\xff\xfe", "-", "0", "SW1A 1AA", "Jr.", "12 High St.", strings.Repeat("é", 200), "Robert Smith, Jr", "\u200d", "x\x00y"} {
		f.Add(raw, "Anna")
	}
	f.Fuzz(func(t *testing.T, raw, other string) {
		for _, typ := range Types() {
			d := newDictionary()
			for _, order := range []normalize.Order{normalize.DayFirst, normalize.MonthFirst} {
				for _, s := range []string{raw, other} {
					v, form, ok := canonical(typ, order, s)
					if !ok {
						continue
					}
					if form == "" || len(v.letters) > longest || int(v.local) > len(v.letters) {
						t.Fatalf("%s: %q is read as %q, letters %q", typ, s, form, v.letters)
					}
					if _, again, ok := canonical(typ, order, s); !ok || again != form {
						t.Fatalf("%s: %q is read as %q, then as %q", typ, s, form, again)
					}
					d.code(form, &v)
				}
			}
			s := scales[typ]
			for i := 1; i < len(d.values); i++ {
				for _, p := range parts(typ) {
					p.of(&d.values[i], d.letters(&d.values[i]))
				}
				for j := 1; j < i && s != nil; j++ {
					a, b := &d.values[i], &d.values[j]
					if l, back := s.of(d, a, b), s.of(d, b, a); l != back || l > s.last() || l == exact {
						t.Fatalf("%s: %q and %q are at level %d, the other way round %d", typ, raw, other, l, back)
					}
				}
			}
			generationIn(raw)
			(&spec{typ: GivenName, parts: []Type{Name}}).read([]string{raw})
		}
	})
}

// Parts of dates are numbers that a code has room for, whatever they were read
// from, and a real date is read as what it is.
func FuzzDateParts(f *testing.F) {
	for _, s := range []string{"", "1980-02-03", "19800203", "3.2.1980", "02/03/1980", "1980-13-45", "99999999", "1-2-3", "1980--03", "t", "1980-02-03t10:00", "0000-00-00", "+198-1-1", "٣-٢-1980"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, order := range []normalize.Order{normalize.DayFirst, normalize.MonthFirst} {
			y, m, d, ok := dateParts(s, order)
			if !ok {
				continue
			}
			if y < 0 || y > 9999 || m < 0 || m > 99 || d < 0 || d > 99 {
				t.Fatalf("%q: %d %d %d", s, y, m, d)
			}
			if a, b, c := dateOf(dateCode(y, m, d)); a != y || b != m || c != d {
				t.Fatalf("%q: %d %d %d are kept as %d %d %d", s, y, m, d, a, b, c)
			}
			if v, form, ok := canonicalDate(s, order); ok && (len(form) != 8 || len(v.letters) != 8) {
				t.Fatalf("%q is read as %q", s, form)
			}
		}
	})
}

package linkage

import (
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity/normalize"
)

// compared are the types that values are read as.
func compared() []Type {
	return slices.DeleteFunc(Types(), func(t Type) bool { return t == Ignore })
}

// What people type where they have nothing to say, says nothing.
func TestPlaceholdersAreMissing(t *testing.T) {
	everywhere := []string{"", " ", "\t", "N/A", "n.a.", "NULL", "None", "nan", "unknown", "Not available", "-", "--", "?", "xxxx", "XXX", "test", "TBD", "\u200b"}
	for _, typ := range compared() {
		for _, raw := range everywhere {
			if _, form, ok := canonical(typ, normalize.DayFirst, raw); ok {
				t.Errorf("%s: %q is read as %q", typ, raw, form)
			}
		}
	}
	for _, c := range []struct {
		typ Type
		raw []string
	}{
		{Date, []string{"1900-01-01", "01.01.1900", "01/01/1900", "19000101", "1970-01-01", "1900-01-01T00:00:00Z", "1970-01-01 00:00:00", "0000-00-00", "00.00.0000", "9999-12-31", "0001-01-01", "1111-11-11", "soon"}},
		{Number, []string{"000-00-0000", "0", "00000", "999999999", "11111-11111"}},
		{Phone, []string{"000-00-0000", "0", "0000000000", "+0", "1111111111", "123", "555-5555", "none"}},
		{Email, []string{"a@a.com", "A@A.COM", "n/a@mail.example", "none@none.com", "test@test.com", "xxxx@xxxx.com", "@", "unknown@unknown.org"}},
		{Postcode, []string{"00000", "0000-000", "XXXXX"}},
		{Surname, []string{"Unbekannt", "xxxxxx", "000"}},
		{GivenName, []string{"anonymous", "Guest"}},
		{Day, []string{"0", "x", "-1"}},
		{Month, []string{"0", "00"}},
		{Year, []string{"0", "0000"}},
	} {
		for _, raw := range c.raw {
			if _, form, ok := canonical(c.typ, normalize.DayFirst, raw); ok {
				t.Errorf("%s: %q is read as %q", c.typ, raw, form)
			}
		}
	}
}

// Real values that look a little like nothing are kept.
func TestRealValuesAreRead(t *testing.T) {
	for _, c := range []struct {
		typ       Type
		raw, form string
	}{
		{GivenName, "Xi", "xi"},
		{GivenName, "Nan Yi", "nanyi"},
		{GivenName, "Jürgen", "jurgen"},
		{GivenName, "José", "jose"},
		{GivenName, "Jean-Luc", "jeanluc"},
		{GivenName, "Robert Jr", "robert"},
		{GivenName, "Ii", "ii"},
		{Surname, "Null Ng", "nullng"},
		{Surname, "O'Neil", "oneil"},
		{Surname, "Παπαδόπουλος", "papadopoulos"},
		{Surname, "Łęcki", "lecki"},
		{Date, "1900-01-02", "19000102"},
		{Date, "2.3.1980", "19800302"},
		{Date, "1980-13-40", "19801340"},
		{Date, "19800302", "19800302"},
		{Date, "1980-03-02T10:00:00Z", "19800302"},
		{Number, "0123", "0123"},
		{Number, "AB 12-3", "ab123"},
		{Phone, "+351 912 345 678", "912345678"},
		{Phone, "555-5556", "5555556"},
		{Email, "Ana+shop@Mail.Example", "ana+shop@mail.example"},
		{House, "0", "0"},
		{House, "12 B", "12b"},
		{House, "11111", "11111"},
		{Category, "F", "f"},
		{Category, "0", "0"},
		{Street, "12 High St.", "12highstreet"},
		{City, "St. Ives", "streetives"},
		{Generation, "Junior", "2"},
		{Generation, "III", "3"},
		{Year, "1980.0", "1980"},
		{Month, "02", "2"},
	} {
		_, form, ok := canonical(c.typ, normalize.DayFirst, c.raw)
		if !ok || form != c.form {
			t.Errorf("%s: %q is read as %q (%v), want %q", c.typ, c.raw, form, ok, c.form)
		}
	}
}

func TestDateOrder(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   normalize.Order
	}{
		{[]string{"25.12.1980", "01.02.1990"}, normalize.DayFirst},
		{[]string{"12/25/1980", "01/02/1990", "11/30/1990"}, normalize.MonthFirst},
		{[]string{"12/25/1980", "25/12/1980"}, normalize.DayFirst}, // undecided
		{[]string{"1980-12-25"}, normalize.DayFirst},
		{nil, normalize.DayFirst},
	} {
		if got := dateOrder(c.values); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
	// One record says only that a slash parts month and day, the column which.
	us := tableOf("dob|name", "12/25/1980|a b", "03/04/1981|c d", "10/31/1990|e f")
	c, err := prepare(us, map[string]Type{"dob": Date, "name": Name})
	if err != nil {
		t.Fatal(err)
	}
	if d := c.fields[0].dict; string(d.letters(&d.values[2])) != "19810304" {
		t.Errorf("4 March is read as %s", d.letters(&d.values[2]))
	}
}

func TestGenerations(t *testing.T) {
	for name, want := range map[string]string{
		"Robert Smith Jr.": "2", "Robert Smith, Sr": "1", "Smith III": "3", "Robert Junior": "2",
		"Robert": "", "Jr": "", "Junior": "", "Robert Smith": "", "": "", "Bob Sri": "", "a\xff jr": "",
	} {
		if got := generationIn(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := withoutGeneration("smith jr"); got != "smith" {
		t.Errorf("%q", got)
	}
}

// Whole names, and the same in two columns, are read alike.
func TestWholeNames(t *testing.T) {
	whole := spec{typ: Surname, columns: []string{"name"}, parts: []Type{Name}}
	for raw, want := range map[string]string{"Ana Costa": "costa", "COSTA, Ana": "costa", "Jan van der Berg": "vanderberg", "Müller, Jürgen": "muller", "Smith Jr., Robert": "smith"} {
		if _, form, ok := whole.read([]string{raw}); !ok || form != want {
			t.Errorf("%q: surname %q, want %q", raw, form, want)
		}
	}
	_, form, ok := (&spec{typ: Date, columns: []string{"y", "m", "d"}, parts: []Type{Year, Month, Day}}).read([]string{"1980", "2", ""})
	if !ok || form != "19800200" {
		t.Errorf("a date without a day is read as %q", form)
	}
}

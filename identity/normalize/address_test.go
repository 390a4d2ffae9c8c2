package normalize

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAddress(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		// English
		{"12 High Street, London SW1A 1AA", "12 high street, london sw1a1aa"},
		{"12 High St., London, sw1a1aa", "12 high street, london sw1a1aa"},
		{"Flat 3, 12 High St, London", "12 high street, unit 3, london"},
		{"Apt 3B 12 High Street London", "12 high street, unit 3b, london"},
		{"12 High Street Apt. 3b, London", "12 high street, unit 3b, london"},
		{"12 High Street #3B, London", "12 high street, unit 3b, london"},
		{"221B Baker Street\nLondon\nNW1 6XE", "221b baker street, london nw16xe"},
		{"12-14 St. James's St, London", "12-14 saint jamess street, london"},
		{"12 – 14 Saint Jamess Street, London", "12-14 saint jamess street, london"},
		{"1600 Pennsylvania Ave NW, Washington, DC 20500", "1600 pennsylvania avenue northwest, washington dc 20500"},
		{"1600 Pennsylvania Avenue Northwest Washington DC 20500-0003", "1600 pennsylvania avenue northwest, washington dc 20500"},
		{"12345 N Main St Apt 4, Springfield, IL 62701", "12345 north main street, unit 4, springfield il 62701"},
		{"12345 Main St, Springfield", "12345 main street, springfield"},
		{"12345 Broadway", "12345 broadway"},
		{"350 5th Ave, 2nd floor, New York NY 10118", "350 5th avenue, floor 2, new york ny 10118"},
		{"P.O. Box 123, Springfield IL 62701", "po box 123, springfield il 62701"},
		{"PO BOX 123 Springfield IL 62701", "po box 123, springfield il 62701"},
		{"Rose House, 12 Mill Ln, Oxford OX1 2JD", "12 mill lane, rose house oxford ox12jd"},
		{"High Street, Oxford", "high street, oxford"},
		// Portuguese
		{"Rua Augusta, 12, 1100-053 Lisboa", "12 rua augusta, lisboa 1100-053"},
		{"R. Augusta nº 12, Lisboa 1100-053", "12 rua augusta, lisboa 1100-053"},
		{"Rua Augusta 12 3º Esq., 1100-053 Lisboa", "12 rua augusta, floor 3 esq, lisboa 1100-053"},
		{"Rua Augusta, n.º 12, 3.º esquerdo, 1100-053 Lisboa", "12 rua augusta, floor 3 esq, lisboa 1100-053"},
		{"Rua Augusta 12 R/C Dto, Lisboa", "12 rua augusta, rc dto, lisboa"},
		{"Av. da Liberdade 110, 1269-046 Lisboa", "110 avenue da liberdade, lisboa 1269-046"},
		{"Avenida 25 de Abril, 12, Almada", "12 avenue 25 de abril, almada"},
		{"Praça da República 5, Coimbra", "5 place da republica, coimbra"},
		{"Av. Paulista, 1578, apto 42, São Paulo, 01310-200", "1578 avenue paulista, unit 42, sao paulo 01310-200"},
		{"Apartado 123, 2710-123 Sintra", "po box 123, sintra 2710-123"},
		// Spanish
		{"Calle Mayor, 5, 3º B, 28013 Madrid", "5 calle mayor, floor 3 unit b, madrid 28013"},
		{"C/ Mayor 5 3º B, 28013 Madrid", "5 calle mayor, floor 3 unit b, madrid 28013"},
		{"Avda. de América 12, Madrid", "12 avenue de america, madrid"},
		{"Pza. de España 1, 2º izq, Sevilla", "1 place de espana, floor 2 esq, sevilla"},
		// French
		{"12 bis rue de la Paix, 75002 Paris", "12bis rue de la paix, paris 75002"},
		{"12bis, Rue de la Paix, 75002 PARIS", "12bis rue de la paix, paris 75002"},
		{"5 av. Foch, 75116 Paris", "5 avenue foch, paris 75116"},
		{"3 bd. Saint-Michel, appt 4, 75006 Paris", "3 boulevard saint-michel, unit 4, paris 75006"},
		{"10 place de l'Église, 69001 Lyon", "10 place de l eglise, lyon 69001"},
		// German and Dutch
		{"Hauptstraße 12a, 10115 Berlin", "12a hauptstrasse, berlin 10115"},
		{"Hauptstr. 12 a, D-10115 Berlin", "12a hauptstrasse, berlin 10115"},
		{"10115 Berlin, Hauptstr. 12a", "12a hauptstrasse, berlin 10115"},
		{"Postfach 1234, 10115 Berlin", "po box 1234, berlin 10115"},
		{"Damrak 1, 1012 LG Amsterdam", "1 damrak, amsterdam 1012lg"},
		{"Damrak 1, 1012LG, Amsterdam", "1 damrak, amsterdam 1012lg"},
		// What is left
		{"ул. Ленина 5, Москва", "5 ul lenina, moskva"},
		{"Οδός Ερμού 12, Αθήνα", "12 odos ermou, athina"},
		{"SW1A 1AA", "sw1a1aa"},
		{"Lisboa", "lisboa"},
		{"12", "12"},
	} {
		got, err := Address(c.raw)
		if err != nil || got.String() != c.want {
			t.Errorf("Address(%q)\n is %q (%v), want\n    %q", c.raw, got, err, c.want)
		}
	}
}

func TestAddressParts(t *testing.T) {
	got, err := Address("Rua Augusta, 12, 3.º esquerdo, 1100-053 Lisboa, Portugal")
	want := PostalAddress{Number: "12", Street: []string{"rua", "augusta"}, Unit: "floor 3 esq", Postcode: "1100-053", City: "lisboa portugal"}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
	for raw, want := range map[string]error{
		"": ErrEmpty, " , ; ": ErrEmpty, "—": ErrEmpty, "a\xff": ErrInvalid, strings.Repeat("a", 1<<20): ErrTooLong,
		strings.Repeat("щ ", 200): ErrTooLong,
	} {
		if _, err := Address(raw); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", raw, err, want)
		}
	}
}

// checkAddress holds an address to what is promised of every address.
func checkAddress(t rapid.TB, raw string) {
	t.Helper()
	a, err := Address(raw)
	if err != nil {
		if err == ErrInvalid && utf8.ValidString(raw) && !containsReplacement(raw) {
			t.Fatalf("%q: text without damage has no stable form", raw)
		}
		return
	}
	text := a.String()
	if text == "" || len(text) > MaxLength || !utf8.ValidString(text) {
		t.Fatalf("%q gives %q, %+v", raw, text, a)
	}
	again, err := Address(text)
	if d := cmp.Diff(a, again); err != nil || d != "" {
		t.Fatalf("%q gives %q, which gives %q (%v): %s", raw, text, again, err, d)
	}
}

func TestAddressProperties(t *testing.T) {
	word := rapid.SampledFrom([]string{
		"12", "12a", "12-14", "1/2", "3º", "2nd", "12345", "1012", "lg", "sw1a", "1aa", "1000-001", "94105-1234", "d-10115", "-", "/", "#", ".", "'", ",", ";", "\n",
		"st", "st.", "street", "ave", "av", "rua", "r", "c/", "calle", "rd", "n", "no", "nº", "e", "nw", "hauptstr.", "strasse", "bis", "a", "b", "de", "l'eglise",
		"apt", "unit", "floor", "fl", "esq", "dto", "r/c", "block", "po box", "po", "box", "apartado", "bp", "london", "Straße", "é", "Щ", "김", "0",
	})
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(word, 1, 10).Draw(t, "words")
		checkAddress(t, strings.Join(words, rapid.SampledFrom([]string{" ", ", ", ""}).Draw(t, "between")))
		checkAddress(t, rapid.String().Draw(t, "any"))
	})
}

func FuzzAddress(f *testing.F) {
	for _, raw := range []string{"Flat 3, 12 High St, London SW1A 1AA", "Rua Augusta 12 3º Esq., 1100-053 Lisboa", "10115 Berlin, Hauptstr. 12 a", "C/ Mayor 5 3º B", "P.O. Box 1 # 2"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) { checkAddress(t, raw) })
}

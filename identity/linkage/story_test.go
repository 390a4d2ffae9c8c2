package linkage_test

import (
	"testing"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

// told is a record of a story: given name, surname, birth date, e-mail, phone,
// street, house number, city, postcode, customer number.
type told [10]string

const (
	atGiven = iota
	atSurname
	atBirth
	atEmail
	atPhone
	atStreet
	atHouse
	atCity
	atPostcode
	atNumber
)

// but returns a record with some values changed: position, value, position, …
func (r told) but(changes ...any) told {
	for i := 0; i < len(changes); i += 2 {
		r[changes[i].(int)] = changes[i+1].(string)
	}
	return r
}

// story is two records or more, and whether they are one person.
type story struct {
	name    string
	records []told
	one     bool
}

var (
	joana  = told{"Joana", "Vasconcelos", "1984-03-17", "joana.vasconcelos@mail.example", "+351 912 448 731", "Rua do Almada", "41", "Porto", "4050-036", "88201377"}
	robert = told{"Robert", "Hathersage", "1961-11-05", "r.hathersage@post.example", "+44 20 7946 0831", "Larkfield Road", "12", "Leeds", "LS6 2BT", "77310455"}
	elena  = told{"Elena", "Papadopoulou", "1990-07-28", "elena.pap@mail.example", "+30 694 551 2387", "Weaver Street", "7", "Hull", "HU3 1TP", "66412309"}
	dmitri = told{"Dmitri", "Volkov", "1977-09-12", "dvolkov77@post.example", "+44 161 496 0772", "Mill Lane", "88", "Derby", "DE1 3QT", "55190846"}
	none   = told{}
)

func stories() []story {
	one := func(name string, records ...told) story { return story{name, records, true} }
	two := func(name string, records ...told) story { return story{name, records, false} }
	return []story{
		// Records of one person.
		one("equal", joana, joana),
		one("upper case and spaces", joana, joana.but(atGiven, " JOANA ", atSurname, "VASCONCELOS", atStreet, "RUA DO ALMADA")),
		one("typing errors in everything", joana, told{"Joanna", "Vasconselos", "1984-03-71", "joana.vasconcellos@mail.example", "+351 912 448 713", "Rua do Almeda", "14", "Prto", "4050-063", "88201737"}),
		one("day and month swapped", robert, robert.but(atBirth, "1961-05-11")),
		one("swapped names", robert, robert.but(atGiven, "Hathersage", atSurname, "Robert", atNumber, "")),
		one("nickname", robert, robert.but(atGiven, "Bob", atNumber, "", atEmail, "")),
		one("initial", robert, robert.but(atGiven, "R.", atNumber, "", atEmail, "")),
		one("marriage name change", joana, joana.but(atSurname, "Brandão", atNumber, "")),
		one("double name", joana, joana.but(atSurname, "Vasconcelos Brandão", atEmail, "")),
		one("moved house", robert, robert.but(atStreet, "Orchard Close", atHouse, "3", atCity, "Bath", atPostcode, "BA1 2FJ", atNumber, "")),
		one("moved, other phone", robert, robert.but(atStreet, "Orchard Close", atHouse, "3", atCity, "Bath", atPostcode, "BA1 2FJ", atPhone, "+44 1225 496 012")),
		one("another mailbox", elena, elena.but(atEmail, "epapadopoulou@post.example")),
		one("Greek letters", elena, elena.but(atGiven, "Έλενα", atSurname, "Παπαδοπούλου", atNumber, "")),
		one("Cyrillic letters", dmitri, dmitri.but(atGiven, "Дмитрий", atSurname, "Волков", atNumber, "")),
		one("diacritics", joana.but(atGiven, "Zoë", atSurname, "Muñoz-Çelik"), joana.but(atGiven, "Zoe", atSurname, "Munoz Celik", atNumber, "")),
		one("half of it missing", robert, robert.but(atEmail, "", atPhone, "N/A", atStreet, "", atHouse, "", atNumber, "0000000")),
		one("a birth date that nobody has", elena, elena.but(atBirth, "1900-01-01")),
		one("address in other words", robert, robert.but(atStreet, "Larkfield Rd.", atNumber, "", atPhone, "020 7946 0831")),
		one("three records in a row", dmitri, dmitri.but(atNumber, "", atEmail, ""), dmitri.but(atNumber, "", atPhone, "", atSurname, "Volkow")),
		// Records of several.
		two("strangers", joana, robert),
		two("twins", joana, joana.but(atGiven, "Beatriz", atEmail, "beatriz.vasconcelos@mail.example", atNumber, "88209914")),
		two("twins with one phone and no number", joana.but(atNumber, ""), joana.but(atGiven, "Beatriz", atEmail, "beatriz.v@post.example", atNumber, "")),
		two("spouses with one mailbox and phone", robert, robert.but(atGiven, "Margaret", atBirth, "1964-02-19", atNumber, "77318820")),
		two("spouses with one mailbox and phone, no number", robert.but(atNumber, ""), robert.but(atGiven, "Margaret", atBirth, "1964-02-19", atNumber, "")),
		two("father and son of one name", robert, robert.but(atBirth, "1989-06-23", atEmail, "rob.h89@mail.example", atNumber, "77399102")),
		two("father and son, Sr and Jr", robert.but(atGiven, "Robert Sr"), robert.but(atGiven, "Robert Jr", atBirth, "1989-06-23", atEmail, "rob.h89@mail.example", atNumber, "77399102")),
		two("Sr and Jr without dates", robert.but(atGiven, "Robert Sr", atBirth, "", atEmail, "", atNumber, ""), robert.but(atGiven, "Robert Jr", atBirth, "", atEmail, "", atNumber, "")),
		two("two cousins", joana, joana.but(atGiven, "Mariana", atBirth, "1986-10-02", atEmail, "mariana.vasconcelos@mail.example", atPhone, "+351 933 120 774", atStreet, "Rua das Flores", atHouse, "19", atPostcode, "4050-262", atNumber, "88233105")),
		two("mother and daughter", elena, elena.but(atGiven, "Sofia", atBirth, "2012-01-30", atEmail, "", atNumber, "66498811")),
		two("flatmates", elena, elena.but(atGiven, "Priya", atSurname, "Raman", atBirth, "1991-12-09", atEmail, "priya.raman@post.example", atPhone, "+44 7700 900 611", atNumber, "66420017")),
		two("one name, two towns", dmitri, told{"Dmitri", "Volkov", "1969-02-04", "dmitri.v@mail.example", "+44 117 496 0553", "Harbour Street", "2", "Bristol", "BS1 4RN", "55827190"}),
		two("a role address", joana.but(atEmail, "info@acme.example"), dmitri.but(atEmail, "info@acme.example")),
		two("a phone that changed hands", joana, elena.but(atPhone, joana[atPhone])),
		two("nothing but a first name", none.but(atGiven, "Robert"), none.but(atGiven, "Robert")),
		two("nothing but a town", none.but(atCity, "Leeds", atSurname, "Smith"), none.but(atCity, "Leeds", atGiven, "Ann")),
		two("nothing but placeholders", none.but(atGiven, "N/A", atBirth, "1900-01-01", atPhone, "000-00-0000", atEmail, "a@a.com"), none.but(atGiven, "N/A", atBirth, "1900-01-01", atPhone, "000-00-0000", atEmail, "a@a.com")),
	}
}

// embed puts the records of a story at the end of invented ones.
func embed(t *testing.T, background *linkage.Table, records []told) *linkage.Table {
	t.Helper()
	out := &linkage.Table{Rows: background.Rows + len(records)}
	for i, c := range background.Columns {
		c.Values, c.Codes = c.Values[:len(c.Values):len(c.Values)], c.Codes[:len(c.Codes):len(c.Codes)]
		codes := map[string]uint32{}
		for code, v := range c.Values {
			codes[v] = uint32(code)
		}
		for _, r := range records {
			code, ok := codes[r[i]]
			if !ok {
				code = uint32(len(c.Values))
				codes[r[i]] = code
				c.Values = append(c.Values, r[i])
			}
			c.Codes = append(c.Codes, code)
		}
		out.Columns = append(out.Columns, c)
	}
	return out
}

// Of a population with households and errors, these are one person, and those
// are not. A story's records are the only ones of their kind, and are linked with
// all others.
func TestStories(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and what runs beside what is that of TestOrderOfRecords")
	}
	config := synthetic.Million()
	config.Errors = synthetic.Heavy
	background, _ := invented(t, config, 1500, 21)
	columns := []string{"given_name", "surname", "birth_date", "email", "phone", "street", "house_number", "city", "postcode", "customer_number"}
	for i, c := range background.Columns {
		if c.Name != columns[i] {
			t.Fatalf("column %d is called %q, want %q", i, c.Name, columns[i])
		}
	}
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			table := embed(t, background, s.records)
			r, err := linkage.Link(t.Context(), table, linkage.Options{Seed: 1, Budget: 60000}.Sampling(1<<15))
			if err != nil {
				t.Fatal(err)
			}
			first := r.Clusters[background.Rows]
			if int(first) != background.Rows {
				t.Errorf("a record of the story is with an invented one")
			}
			for i := background.Rows + 1; i < table.Rows; i++ {
				if (r.Clusters[i] == first) != s.one {
					x := indexOf(t, r.Model)
					for _, row := range []int{background.Rows, i} {
						if _, _, err := x.Add(valuesOf(t, x, table, row)); err != nil {
							t.Fatal(err)
						}
					}
					t.Errorf("one person: %v, want %v; %+v", r.Clusters[i] == first, s.one, x.Explain(0, 1))
				}
			}
		})
	}
}

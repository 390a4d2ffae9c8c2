package linkage

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/kindred-cdp/kindred/identity/normalize"
)

// nameTypes are the words of column names, in the languages that exports are
// written in, that say what a column holds. The first that fits decides; a name
// is tried whole and by its words.
var nameTypes = []struct {
	typ   Type
	words []string
}{
	{Email, []string{"email", "mail", "emailaddress", "correo"}},
	{Phone, []string{"phone", "telephone", "tel", "mobile", "cell", "telefon", "telefone", "telefono", "telemovel", "handy", "fax", "msisdn", "phonenumber"}},
	{Postcode, []string{"postcode", "zip", "zipcode", "postal", "plz", "postalcode", "cp", "postleitzahl"}},
	{House, []string{"streetnumber", "housenumber", "houseno", "streetno", "hausnummer", "hnr", "house", "doornumber", "streetnum"}},
	{Year, []string{"by", "birthyear", "yearofbirth", "yob", "geburtsjahr", "byear"}},
	{Month, []string{"bm", "birthmonth", "monthofbirth", "mob", "bmonth"}},
	{Day, []string{"bd", "birthday", "dayofbirth", "bday"}},
	{Date, []string{"dob", "dateofbirth", "birthdate", "birth", "born", "geburtsdatum", "naissance", "nascimento", "nacimiento", "date"}},
	{Number, []string{"ssn", "socsecid", "socsec", "nif", "tax", "vat", "passport", "nino", "nhs", "loyalty", "licence", "license", "iban", "account", "customerno", "customernumber", "idnumber", "document", "medicare", "sin", "dni"}},
	{GivenName, []string{"givenname", "firstname", "forename", "given", "first", "fname", "vorname", "prenom", "primeironome", "christianname", "middlename", "middle", "mname"}},
	{Surname, []string{"surname", "lastname", "familyname", "family", "last", "lname", "nachname", "familienname", "apellido", "apellidos", "apelido", "sobrenome", "maidenname"}},
	{Street, []string{"street", "strasse", "rua", "calle", "rue", "address", "addr", "adresse", "direccion", "morada", "streetname", "road"}},
	{City, []string{"city", "town", "suburb", "ort", "stadt", "ciudad", "cidade", "ville", "locality", "place", "municipality", "village", "wohnort"}},
	{Category, []string{"state", "country", "gender", "sex", "province", "region", "county", "title", "salutation", "land", "pais", "status", "type"}},
	{Name, []string{"fullname", "name", "nome", "nombre", "customername", "contact"}},
	{Year, []string{"year", "jahr", "ano"}},
	{Month, []string{"month", "monat", "mes"}},
	{Day, []string{"day", "tag", "dia"}},
	{Number, []string{"number", "id", "no", "nr", "num", "key", "ref", "code"}},
}

// infer returns the type of a column by its name, where its values agree, else
// by its values alone.
func infer(c *Column) Type {
	sample := sampleValues(c)
	if len(sample) == 0 {
		return Ignore
	}
	if typ, ok := typeOfName(c.Name); ok {
		if typ == Day && fits(sample, Date) > .6 { // "birthday" is more often a date
			return Date
		}
		if fits(sample, typ) >= .6 {
			return typ
		}
	}
	return typeOfValues(c, sample)
}

func typeOfName(name string) (Type, bool) {
	parts := nameParts(name)
	whole := strings.Join(parts, "")
	for _, t := range nameTypes {
		if slices.Contains(t.words, whole) {
			return t.typ, true
		}
	}
	for _, t := range nameTypes {
		for i := range parts {
			if slices.Contains(t.words, parts[i]) || i+1 < len(parts) && slices.Contains(t.words, parts[i]+parts[i+1]) {
				return t.typ, true
			}
		}
	}
	return "", false
}

// nameParts splits a column's name at everything but letters, and at camel case.
func nameParts(name string) []string {
	var parts []string
	var part strings.Builder
	flush := func() {
		if part.Len() > 0 {
			if folded, err := normalize.Text(part.String()); err == nil {
				parts = append(parts, folded)
			}
			part.Reset()
		}
	}
	lower := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r):
			flush()
		case unicode.IsUpper(r) && lower:
			flush()
			part.WriteRune(r)
		default:
			part.WriteRune(r)
		}
		lower = unicode.IsLower(r)
	}
	flush()
	return parts
}

// sampleValues returns up to 2 000 values of records spread over all: values as
// often as they occur, so that the many kinds of errors do not outvote the few
// values that are right.
func sampleValues(c *Column) []string {
	const most = 2000
	step := max(1, len(c.Codes)/most)
	var sample []string
	for row := 0; row < len(c.Codes); row += step {
		if v, err := normalize.Text(c.Value(row)); err == nil && v != "" {
			sample = append(sample, v)
		}
	}
	if len(sample) > 0 {
		return sample
	}
	for i := 1; i < min(len(c.Values), most); i++ { // a sparse column
		if v, err := normalize.Text(c.Values[i]); err == nil && v != "" {
			sample = append(sample, v)
		}
	}
	return sample
}

// fits returns the share of values that can be of typ.
func fits(values []string, typ Type) float64 {
	test := map[Type]func(string) bool{
		Date:     func(s string) bool { _, _, ok := canonicalDate(s, normalize.DayFirst); return ok },
		Email:    func(s string) bool { return strings.Contains(s, "@") },
		Phone:    func(s string) bool { _, _, ok := canonicalPhone(s); return ok },
		Year:     func(s string) bool { return between(s, 1700, 2200) },
		Month:    func(s string) bool { return between(s, 1, 12) },
		Day:      func(s string) bool { return between(s, 1, 31) },
		Postcode: func(s string) bool { return strings.ContainsAny(s, "0123456789") },
		Number:   func(s string) bool { return strings.ContainsAny(s, "0123456789") },
		House:    func(s string) bool { return strings.ContainsAny(s, "0123456789") && len(s) <= 12 },
		// Names hold no digits, but some typing errors do.
		GivenName: wordy, Surname: wordy, Name: wordy,
	}[typ]
	if test == nil {
		return 1
	}
	n := 0
	for _, v := range values {
		if test(v) {
			n++
		}
	}
	return float64(n) / float64(len(values))
}

func wordy(s string) bool { return !strings.ContainsAny(s, "0123456789@") }

func between(s string, least, most int) bool {
	n, err := strconv.Atoi(strings.TrimSuffix(s, ".0"))
	return err == nil && n >= least && n <= most
}

// typeOfValues decides without a telling name.
func typeOfValues(c *Column, sample []string) Type {
	digits, spaces, length := 0, 0, 0
	for _, v := range sample {
		if strings.ContainsAny(v, "0123456789") && strings.IndexFunc(squeeze(v), unicode.IsLetter) < 0 {
			digits++
		}
		if strings.Contains(v, " ") {
			spaces++
		}
		length += len(squeeze(v))
	}
	n := len(sample)
	few := len(c.Values)-1 <= 60 && len(c.Codes) >= 20*(len(c.Values)-1)
	switch {
	case fits(sample, Email) > .8:
		return Email
	case fits(sample, Date) > .8 && length >= 6*n:
		return Date
	case digits > n*8/10 && length >= 9*n && spaces+strings.Count(strings.Join(sample, ""), "+") > n/2:
		return Phone
	case few:
		return Category
	case digits > n*8/10 && length <= 4*n:
		return House
	case fits(sample, Number) > .8 && spaces < n/10:
		return Number
	}
	return Text
}

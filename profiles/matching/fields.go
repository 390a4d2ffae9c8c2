package matching

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/normalize"
)

// Field is one thing that records say, and the traits that say it.
type Field struct {
	// Column names the field in models and explanations.
	Column string
	// Type says how it is compared.
	Type linkage.Type
	// Traits are the names of traits, in any case and with any separators:
	// firstName, first_name and "First name" are one. Members of an object are
	// written after its name: address.city. Of several the newest counts.
	Traits []string
}

// The columns that are read from one another.
const (
	columnFirst = "first_name"
	columnLast  = "last_name"
	columnName  = "name"
)

// DefaultFields are the traits of the Segment spec, with the spellings that
// imports use.
func DefaultFields() []Field {
	return []Field{
		{columnFirst, linkage.GivenName, []string{"firstName", "givenName", "forename", "first", "fname", "vorname", "prenom"}},
		{columnLast, linkage.Surname, []string{"lastName", "surname", "familyName", "last", "lname", "nachname", "apellido", "apellidos", "apelido", "sobrenome"}},
		{columnName, linkage.Name, []string{"name", "fullName"}},
		{"email", linkage.Email, []string{"email", "emailAddress", "mail"}},
		{"phone", linkage.Phone, []string{"phone", "phoneNumber", "mobile", "mobilePhone", "telephone", "tel", "cell", "telefone", "telemovel", "telefon"}},
		{"birthday", linkage.Date, []string{"birthday", "birthdate", "dateOfBirth", "dob", "geburtsdatum", "dataNascimento"}},
		{"street", linkage.Street, []string{"street", "address", "streetAddress", "addressLine1", "address1", "address.street", "address.address1", "address.streetAddress"}},
		{"house", linkage.House, []string{"house", "houseNumber", "streetNumber", "address.house", "address.houseNumber", "address.streetNumber", "address.number"}},
		{"city", linkage.City, []string{"city", "town", "locality", "address.city", "address.town", "address.locality"}},
		{"postal_code", linkage.Postcode, []string{"postalCode", "postcode", "zip", "zipCode", "plz", "address.postalCode", "address.postcode", "address.zip", "address.zipCode"}},
		{"state", linkage.Category, []string{"state", "region", "province", "address.state", "address.region", "address.province"}},
		{"country", linkage.Category, []string{"country", "countryCode", "address.country", "address.countryCode"}},
		{"gender", linkage.Category, []string{"gender", "sex"}},
		{"suffix", linkage.Generation, []string{"suffix", "nameSuffix", "generation"}},
	}
}

// maxFields is what a model has room for, whole names being two of them.
const maxFields = 16

func validateFields(fields []Field) error {
	var errs []error
	columns, traits := map[string]bool{}, map[string]string{}
	for _, f := range fields {
		if f.Column == "" || columns[f.Column] {
			errs = append(errs, fmt.Errorf("matching: field %q must have a name of its own", f.Column))
		}
		columns[f.Column] = true
		if !slices.Contains(linkage.Types(), f.Type) || f.Type == linkage.Ignore {
			errs = append(errs, fmt.Errorf("matching: field %q: %q is no type of linkage", f.Column, f.Type))
		}
		for _, t := range f.Traits {
			name := foldTrait(t)
			if of, taken := traits[name]; taken || name == "" {
				errs = append(errs, fmt.Errorf("matching: trait %q of field %q is empty or of field %q already", t, f.Column, of))
			}
			traits[name] = f.Column
		}
	}
	if n := len(fields); n == 0 || n > maxFields {
		errs = append(errs, fmt.Errorf("matching: %d fields; 1 to %d can be compared", n, maxFields))
	}
	return errors.Join(errs...)
}

// foldTrait keeps the letters and digits of a name, in lower case.
func foldTrait(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// teller is a trait that says a field: its column, and its place among the traits
// of the field, of which the first counts where one event says several.
type teller struct{ column, rank int }

// fieldMap finds the column of a trait.
type fieldMap struct {
	fields []Field
	column map[string]teller // by folded name
	// first, last and name are the positions of those columns, -1 for none.
	first, last, name int
}

func newFieldMap(fields []Field) *fieldMap {
	m := &fieldMap{fields: fields, column: map[string]teller{}, first: -1, last: -1, name: -1}
	for i, f := range fields {
		for rank, t := range f.Traits {
			m.column[foldTrait(t)] = teller{i, rank}
		}
		switch f.Column {
		case columnFirst:
			m.first = i
		case columnLast:
			m.last = i
		case columnName:
			m.name = i
		}
	}
	return m
}

// asks reports whether a trait of that name may say something of a field: it is
// one, or an object with one.
func (m *fieldMap) asks(trait string) bool {
	name := foldTrait(trait)
	if _, ok := m.column[name]; ok {
		return true
	}
	return name == objectTrait
}

// each calls do for every field that a trait says something of; "" takes a value
// back.
func (m *fieldMap) each(trait, value string, do func(t teller, text string)) {
	name := foldTrait(trait)
	var object map[string]json.RawMessage
	if strings.HasPrefix(value, "{") && json.Unmarshal([]byte(value), &object) == nil {
		for member, v := range object {
			if t, ok := m.column[name+foldTrait(member)]; ok {
				do(t, plainText(string(v)))
			}
		}
		return
	}
	if t, ok := m.column[name]; ok {
		do(t, plainText(value))
	}
	if value == "null" { // of an object: all its members
		for known, t := range m.column {
			if name == objectTrait && strings.HasPrefix(known, name) {
				do(t, "")
			}
		}
	}
}

// objectTrait is the trait that is an object of several fields.
const objectTrait = "address"

// maxValue bounds a value that is compared, in bytes.
const maxValue = 400

// plainText is a JSON value as text: strings and numbers as they are, all else "".
func plainText(value string) string {
	text := ""
	switch {
	case value == "", value == "null", value == "true", value == "false", value[0] == '{', value[0] == '[':
		return ""
	case value[0] == '"':
		if json.Unmarshal([]byte(value), &text) != nil {
			return ""
		}
	default:
		text = value
	}
	if text = strings.TrimSpace(text); len(text) > maxValue {
		return ""
	}
	return text
}

// settle takes a whole name apart where its parts are not told otherwise, so that
// sources which tell the one and the other can be compared. The whole name stays
// where the fields have no parts.
func (m *fieldMap) settle(values []string) {
	if m.name < 0 || m.first < 0 || m.last < 0 || values[m.name] == "" {
		return
	}
	if values[m.first] == "" && values[m.last] == "" {
		if n, err := normalize.Name(values[m.name]); err == nil {
			values[m.first] = n.Given
			values[m.last] = strings.Join(append(slices.Clone(n.Particles), n.Surname), " ")
			if n.Suffix != "" {
				values[m.last] += " " + n.Suffix
			}
		}
	}
	values[m.name] = ""
}

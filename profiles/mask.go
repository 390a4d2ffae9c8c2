package profiles

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/identity"
)

// Masking shows what helps people to recognise a value, and not the value: an
// e-mail address by its first character and its domain, a phone number by its last
// two digits, everything else by its first character. The views of
// profiles/warehouse do the same in SQL, which a test holds against this.

// Hidden is shown where nothing of a value may be.
const Hidden = "***"

// Forms of values, in the syntax that Go and ClickHouse share. A date is no phone
// number.
var (
	mailForm  = regexp.MustCompile(`^\S+@[^@\s]+$`)
	phoneForm = regexp.MustCompile(`^[-+0-9 ()./]+$`)
	dateForm  = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	nonDigits = regexp.MustCompile(`[^0-9]`)
)

const (
	// phoneDigits is the least number of digits that may be a phone number, and
	// numberDigits that of a number without quotes.
	phoneDigits  = 7
	numberDigits = 9
	// recognised is the least length of a text that its first character does not
	// all but tell.
	recognised = 4
)

// personalTraits are names of traits whose values are personal, in lower case and
// without anything but letters and digits. Of a path, such as address.street, the
// last part counts.
var personalTraits = map[string]bool{
	"email": true, "mail": true, "emailaddress": true,
	"phone": true, "phonenumber": true, "mobile": true, "mobilephone": true, "telephone": true, "tel": true, "fax": true, "whatsapp": true,
	"name": true, "firstname": true, "lastname": true, "middlename": true, "fullname": true, "givenname": true, "familyname": true,
	"surname": true, "forename": true, "nickname": true, "maidenname": true, "username": true, "login": true, "displayname": true,
	"birthday": true, "birthdate": true, "dateofbirth": true, "dob": true,
	"address": true, "street": true, "streetaddress": true, "addressline1": true, "addressline2": true, "line1": true, "line2": true, "housenumber": true,
	"postalcode": true, "postcode": true, "zip": true, "zipcode": true,
	"latitude": true, "longitude": true, "lat": true, "lon": true, "lng": true, "geo": true,
	"ip": true, "ipaddress": true, "deviceid": true, "idfa": true, "gaid": true,
	"id": true, "userid": true, "externalid": true, "customerid": true, "anonymousid": true,
	"ssn": true, "nif": true, "taxid": true, "taxnumber": true, "vatnumber": true, "passport": true, "passportnumber": true, "nationalid": true, "idnumber": true,
	"iban": true, "card": true, "cardnumber": true, "accountnumber": true,
	"avatar": true, "photo": true, "picture": true, "image": true, "website": true, "url": true, "profileurl": true,
	"facebook": true, "twitter": true, "instagram": true, "linkedin": true, "tiktok": true, "telegram": true,
	"author": true, "handle": true, "subject": true, "description": true, "bio": true, "notes": true, "note": true, "comment": true, "comments": true, "message": true, "text": true, "body": true, "query": true,
}

// PersonalTrait reports whether the name of a trait or property says that its
// values are personal.
func PersonalTrait(name string) bool {
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		name = name[dot+1:]
	}
	return personalTraits[strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, name)]
}

// PersonalTraits returns the names that PersonalTrait knows, in no order.
func PersonalTraits() []string {
	list := make([]string, 0, len(personalTraits))
	for name := range personalTraits {
		list = append(list, name)
	}
	return list
}

// MaskIdentifier masks the value of an identifier by its form: an account may be
// named by an e-mail address.
func MaskIdentifier(id identity.Identifier) string { return maskText(id.Value) }

// maskText masks a text that is personal.
func maskText(s string) string {
	switch {
	case mailForm.MatchString(s):
		return firstOf(s) + Hidden + s[strings.LastIndexByte(s, '@'):]
	case phoneLike(s):
		digits := nonDigits.ReplaceAllString(s, "")
		return Hidden + digits[len(digits)-2:]
	case utf8.RuneCountInString(s) >= recognised:
		return firstOf(s) + Hidden
	case s == "":
		return ""
	}
	return Hidden
}

func firstOf(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return s[:size]
}

func phoneLike(s string) bool {
	return phoneForm.MatchString(s) && !dateForm.MatchString(s) && len(nonDigits.ReplaceAllString(s, "")) >= phoneDigits
}

// MaskTraitText masks the text of a trait or property, when its name or its form
// says that it is personal.
func MaskTraitText(name, text string) string {
	switch {
	case PersonalTrait(name), mailForm.MatchString(text), phoneLike(text):
		return maskText(text)
	case strings.Contains(text, "@"):
		return Hidden // An address may be anywhere in it.
	}
	return text
}

// MaskTrait masks a value of a trait or property, a JSON text. What is neither
// text, number, boolean nor null is hidden whole.
func MaskTrait(name string, value json.RawMessage) json.RawMessage {
	if len(value) == 0 {
		return value
	}
	switch value[0] {
	case '"':
		var text string
		if json.Unmarshal(value, &text) != nil {
			return json.RawMessage(`"` + Hidden + `"`)
		}
		masked, err := json.Marshal(MaskTraitText(name, text))
		if err != nil {
			return json.RawMessage(`"` + Hidden + `"`) // Impossible: a text always marshals.
		}
		return masked
	case 't', 'f', 'n':
		return value
	}
	if (value[0] == '-' || value[0] >= '0' && value[0] <= '9') && !PersonalTrait(name) && !longNumber(string(value)) {
		return value
	}
	return json.RawMessage(`"` + Hidden + `"`)
}

// longNumber reports a whole number that may be a phone number.
func longNumber(s string) bool {
	return strings.Trim(s, "0123456789") == "" && len(s) >= numberDigits
}

// MaskProperties masks each member of a JSON object.
func MaskProperties(object json.RawMessage) json.RawMessage {
	if len(object) == 0 {
		return object
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return nil // Nothing is safer than what cannot be read.
	}
	for name, value := range members {
		members[name] = MaskTrait(name, value)
	}
	masked, err := json.Marshal(members)
	if err != nil {
		return nil // Impossible: its values were parsed.
	}
	return masked
}

// Masked returns the profile as people see it who may not see personal values.
// p itself, which caches share, stays as it is.
func (p *Profile) Masked() *Profile {
	m := *p
	m.Identifiers = MaskIdentifiers(p.Identifiers)
	m.Traits = make([]Trait, len(p.Traits))
	for i, t := range p.Traits {
		t.Value = MaskTrait(t.Name, t.Value)
		m.Traits[i] = t
	}
	m.Recent = MaskEvents(p.Recent)
	return &m
}

// MaskIdentifiers returns identifiers with masked values; list stays as it is.
func MaskIdentifiers(list []Identifier) []Identifier {
	masked := make([]Identifier, len(list))
	for i, id := range list {
		id.Value = MaskIdentifier(id.Identifier)
		masked[i] = id
	}
	return masked
}

// MaskEvents returns events with what they say masked; list stays as it is.
func MaskEvents(list []Event) []Event {
	masked := make([]Event, len(list))
	for i, e := range list {
		e.Properties, e.Detail = MaskProperties(e.Properties), MaskProperties(e.Detail)
		masked[i] = e
	}
	return masked
}

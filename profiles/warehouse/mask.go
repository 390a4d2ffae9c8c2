package warehouse

import (
	"fmt"
	"slices"
	"strings"
)

// The masking of package profiles in SQL. The forms are the same texts, because Go
// and ClickHouse read regular expressions alike.
const (
	mailForm  = `'^\\S+@[^@\\s]+$'`
	phoneForm = `'^[-+0-9 ()./]+$'`
	dateForm  = `'^[0-9]{4}-[0-9]{2}-[0-9]{2}$'`
)

// personalTraits are the names that profiles.PersonalTrait knows; a test compares
// the two lists.
var personalTraits = strings.Fields(`
accountnumber address addressline1 addressline2 anonymousid author avatar bio birthdate birthday body card cardnumber comment comments
customerid dateofbirth description deviceid displayname dob email emailaddress externalid facebook familyname fax firstname
forename fullname gaid geo givenname handle housenumber iban id idfa idnumber image instagram ip ipaddress lastname lat latitude
line1 line2 linkedin lng login lon longitude maidenname mail message middlename mobile mobilephone name nationalid nickname
nif note notes passport passportnumber phone phonenumber photo picture postalcode postcode profileurl query ssn street
streetaddress subject surname taxid taxnumber tel telegram telephone text tiktok twitter url userid username vatnumber website
whatsapp zip zipcode`)

// PersonalTraits returns the normalised names of traits that views mask.
func PersonalTraits() []string { return slices.Clone(personalTraits) }

// maskedIdentifier is profiles.MaskIdentifier of a text expression.
func maskedIdentifier(text string) string {
	return fmt.Sprintf(`multiIf(match(%[1]s, %[2]s), concat(substringUTF8(%[1]s, 1, 1), '***@', arrayElement(splitByChar('@', %[1]s), -1)), `+
		`%[3]s, concat('***', right(replaceRegexpAll(%[1]s, '[^0-9]', ''), 2)), `+
		`lengthUTF8(%[1]s) >= 4, concat(substringUTF8(%[1]s, 1, 1), '***'), %[1]s = '', '', '***')`, text, mailForm, phoneLike(text))
}

func phoneLike(text string) string {
	return fmt.Sprintf(`(match(%[1]s, %[2]s) AND NOT match(%[1]s, %[3]s) AND length(replaceRegexpAll(%[1]s, '[^0-9]', '')) >= 7)`, text, phoneForm, dateForm)
}

// maskedTrait is profiles.MaskTrait of a name and a JSON text, without the quotes
// of texts.
func maskedTrait(name, value string) string {
	personal := fmt.Sprintf(`(replaceRegexpAll(lower(arrayElement(splitByChar('.', %s), -1)), '[^a-z0-9]', '') IN ('%s'))`,
		"toString("+name+")", strings.Join(personalTraits, "', '"))
	text := "JSONExtractString(" + value + ")"
	return fmt.Sprintf(`multiIf(startsWith(%[1]s, '"'), if(%[2]s OR match(%[3]s, %[4]s) OR %[5]s, %[6]s, if(position(%[3]s, '@') > 0, '***', %[3]s)), `+
		`%[1]s IN ('true', 'false', 'null', ''), %[1]s, `+
		`match(%[1]s, '^[-0-9]') AND NOT %[2]s AND NOT match(%[1]s, '^[0-9]{9,}$'), %[1]s, '***')`,
		value, personal, text, mailForm, phoneLike(text), maskedIdentifier(text))
}

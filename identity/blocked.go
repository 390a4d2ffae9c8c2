package identity

import (
	"strings"
	"unicode"
)

// blockedValues are placeholders that people and programs put where an
// identifier belongs. Values reach this list normalised (identity/normalize:
// trimmed, unquoted, width-folded), in lower case, and without punctuation
// around them. Numbers are not here: customer 12345 exists.
var blockedValues = map[string]bool{
	"anonymous": true, "anon": true, "guest": true, "visitor": true, "default": true,
	"test": true, "dummy": true, "-1": true, "true": true, "false": true,
	"n/a": true, "na": true, "none": true, "nil": true, "null": true, "undefined": true,
	"nan": true, "empty": true, "blank": true, "missing": true, "no value": true, "not set": true,
	"unknown": true, "not available": true, "not applicable": true, "not provided": true,
	"not_authenticated": true, "[object object]": true, "object object": true,
	"user_id": true, "userid": true, "anonymous_id": true, "anonymousid": true,
	"distinct_id": true, "distinctid": true, "email": true, "phone": true, "identify": true,
}

// blockedAddresses are e-mail addresses that belong to no one, beside those
// whose local part says so.
var blockedAddresses = map[string]bool{
	"a@a.com": true, "a@b.com": true, "aa@aa.com": true, "x@x.com": true, "abc@abc.com": true,
	"no@no.com": true, "me@me.com": true, "name@example.com": true, "user@example.com": true,
	"example@example.com": true, "email@example.com": true,
}

// blockedMailboxes are the local parts of addresses that no person reads.
// Shared ones that people do read (info, office) are not here: fan-out finds
// those, where they are shared.
var blockedMailboxes = map[string]bool{
	"noreply": true, "no-reply": true, "no_reply": true, "donotreply": true, "do-not-reply": true,
	"noemail": true, "no-email": true, "nomail": true, "null": true, "undefined": true, "nan": true,
	"none": true, "anonymous": true, "unknown": true, "test": true, "mailer-daemon": true, "n/a": true,
}

// BlockedByDefault reports the values that link no one by default: placeholders,
// and what its namespace cannot read. It is pure. Values are expected
// normalised; case does not matter.
func BlockedByDefault(id Identifier) bool {
	v := strings.ToLower(id.Value)
	if placeholder(v) {
		return true
	}
	switch id.Namespace {
	case Email:
		return unusableEmail(v)
	case Phone, Landline:
		return unusablePhone(v)
	case Social:
		_, handle, ok := strings.Cut(v, "/")
		return ok && placeholder(handle)
	}
	return false
}

// placeholder reports listed values, and values without any letter or any
// digit but 0.
func placeholder(v string) bool {
	// Nearly every value of a program has a digit other than 0, and of what is listed only one.
	for i := range len(v) {
		if c := v[i]; '1' <= c && c <= '9' {
			return v == "-1"
		}
	}
	if bare := strings.TrimFunc(v, around); len(bare) <= longestBlocked && (blockedValues[v] || blockedValues[bare]) {
		return true
	}
	return strings.IndexFunc(v, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsNumber(r) && r != '0'
	}) < 0
}

// longestBlocked is the length of the longest of blockedValues. Most values are
// longer, and are not looked up: a reload asks for each identifier.
const longestBlocked = len("not_authenticated")

// around reports the characters that may stand around a placeholder.
func around(r rune) bool {
	switch r {
	case ' ', '.', ',', ';', ':', '!', '?', '*', '_', '-', '+', '#', '=', '~', '/', '|', '(', ')', '[', ']', '{', '}', '<', '>':
		return true
	}
	return false
}

// unusableEmail reports what is no address of the public mail system, and
// addresses of no one.
func unusableEmail(v string) bool {
	local, domain, ok := strings.Cut(v, "@")
	if !ok || local == "" || strings.ContainsAny(v, " ,;<>()") || strings.Contains(domain, "@") {
		return true
	}
	dot := strings.LastIndexByte(domain, '.')
	if dot <= 0 || dot == len(domain)-1 || strings.Contains(v, "..") {
		return true
	}
	return blockedAddresses[v] || blockedMailboxes[local] || placeholder(local) && placeholder(domain[:dot])
}

// unusablePhone reports what is too short for a subscriber's number or has
// anything but digits, one digit repeated to the end, and counting.
func unusablePhone(v string) bool {
	number, _, _ := strings.Cut(v, ";ext=")
	digits := strings.TrimPrefix(number, "+")
	if len(digits) < 7 || len(digits) > 17 || strings.Trim(digits, "0123456789") != "" {
		return true
	}
	repeated := len(digits) - len(strings.TrimRight(digits, digits[len(digits)-1:]))
	if repeated == len(digits) || repeated >= 9 {
		return true
	}
	return strings.HasSuffix(digits, "123456789") || strings.HasPrefix("1234567890", digits) ||
		digits == "0123456789"
}

package normalize

import (
	"strings"

	"golang.org/x/net/idna"
)

// email normalises a cleaned address. What has no single @ between two parts is
// returned in lower case as it is.
func (n *Normalizer) email(v string) string {
	v = unwrap(strings.ToLower(v))
	at := strings.LastIndexByte(v, '@')
	if at <= 0 || at == len(v)-1 {
		return v
	}
	local, host := v[:at], v[at+1:]
	if strings.ContainsAny(local, "@ ") {
		return v
	}
	folded := domain(host)
	bare := local
	if n.StripPlusTags || n.ProviderRules {
		bare, folded = n.mailbox(local, folded)
	}
	if folded != host || len(bare) != len(local) {
		return bare + "@" + folded
	}
	return v
}

// unwrap takes the address out of "Name <address>" and "mailto:address".
func unwrap(v string) string {
	if strings.HasSuffix(v, ">") {
		if open := strings.LastIndexByte(v, '<'); open >= 0 {
			v = trim(v[open+1 : len(v)-1])
		}
	}
	for strings.HasPrefix(v, "mailto:") {
		v = trim(v[len("mailto:"):])
	}
	return v
}

// domain returns a domain in ASCII without its final dot, or as it is when it
// is no internationalised domain name.
func domain(v string) string {
	v = strings.TrimRight(v, ".")
	for i := range len(v) {
		if v[i] >= 0x80 {
			if ascii, err := idna.Lookup.ToASCII(v); err == nil {
				return ascii
			}
			return v
		}
	}
	return v
}

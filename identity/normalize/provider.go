package normalize

import "strings"

// plusProviders are the domains of large providers that deliver name+tag to
// name, by what they publish: Gmail (support.google.com/mail/answer/22370),
// Outlook.com and its older names (Microsoft, "Plus addressing", generally
// available there since 2013), iCloud (support.apple.com, "aliases"), Proton
// (proton.me/support/addresses-and-aliases), Fastmail (fastmail.help, "plus
// addressing"), Yandex (yandex.com/support/mail, "special addresses"), Zoho
// (zoho.com/mail/help, "plus addressing") and mailbox.org ("mail extensions").
// Not here: Yahoo and AOL, whose disposable names have another base than the
// account; and every company domain, whose server nobody can know.
var plusProviders = set(
	"gmail.com", "googlemail.com",
	"outlook.com", "hotmail.com", "live.com", "msn.com", "passport.com",
	"outlook.at", "outlook.be", "outlook.cl", "outlook.cz", "outlook.de", "outlook.dk", "outlook.es", "outlook.fr",
	"outlook.ie", "outlook.in", "outlook.it", "outlook.jp", "outlook.pt", "outlook.com.ar", "outlook.com.au", "outlook.com.br",
	"hotmail.be", "hotmail.ca", "hotmail.ch", "hotmail.cl", "hotmail.co.uk", "hotmail.com.ar", "hotmail.com.au", "hotmail.com.br",
	"hotmail.de", "hotmail.dk", "hotmail.es", "hotmail.fi", "hotmail.fr", "hotmail.gr", "hotmail.it", "hotmail.nl", "hotmail.no", "hotmail.se",
	"live.at", "live.be", "live.ca", "live.cl", "live.co.uk", "live.com.ar", "live.com.au", "live.com.mx", "live.com.pt",
	"live.de", "live.dk", "live.fi", "live.fr", "live.ie", "live.in", "live.it", "live.nl", "live.no", "live.se",
	"icloud.com", "me.com", "mac.com",
	"proton.me", "protonmail.com", "protonmail.ch", "pm.me",
	"fastmail.com", "fastmail.fm",
	"yandex.com", "yandex.ru", "ya.ru",
	"zoho.com", "zohomail.com", "mailbox.org",
)

// set returns the words as a set.
func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}

// mailbox returns the address that local@host is delivered to, by the options.
// Local parts in quotes are left alone: their characters mean themselves.
func (n *Normalizer) mailbox(local, host string) (string, string) {
	if strings.ContainsRune(local, '"') {
		return local, host
	}
	if n.StripPlusTags || n.ProviderRules && plusProviders[host] {
		if plus := strings.IndexByte(local, '+'); plus > 0 {
			local = local[:plus]
		}
	}
	if n.ProviderRules && (host == "gmail.com" || host == "googlemail.com") {
		// Dots do not count (support.google.com/mail/answer/7436150), and the
		// second domain is the first under the name it had in Germany and
		// Britain. Neither holds for company domains that Google serves.
		host = "gmail.com"
		if bare := strings.ReplaceAll(local, ".", ""); bare != "" {
			local = bare
		}
	}
	return local, host
}

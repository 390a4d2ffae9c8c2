package normalize

import (
	"errors"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

func TestIdentifier(t *testing.T) {
	for _, c := range []struct {
		ns        identity.Namespace
		raw, want string
	}{
		{identity.UserID, "42", "42"},
		{identity.UserID, "  42\t\n", "42"},
		{identity.UserID, `"42"`, "42"},
		{identity.UserID, `'42`, "42"},
		{identity.UserID, `\"42\"`, "42"},
		{identity.UserID, "“42”", "42"},
		{identity.UserID, " \" 42 \" ", "42"},
		{identity.UserID, "４２", "42"},
		{identity.UserID, "4\u200b2", "42"},
		{identity.UserID, "\ufeff42", "42"},
		{identity.UserID, "4\x002\x7f", "42"},
		{identity.UserID, "4\u00a02", "4 2"},
		{identity.UserID, "4\u00ad2\ufe0f\u3164\u2800", "42"},
		{identity.UserID, "AbC", "AbC"},
		{identity.UserID, "17850.0", "17850.0"},
		{identity.UserID, "e\u0301", "é"},
		{identity.UserID, "e\u200d\u0301", "é"}, // removing composes
		{identity.UserID, "it's", "it's"},
		{identity.UserID, "N/A", "N/A"}, // kept, and blocked
		{identity.AnonymousID, "6F9619FF-8B86-D011-B42D-00C04FC964FF", "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
		{identity.AnonymousID, "6F9619FF-8B86-D011-B42D-00C04FC964F", "6F9619FF-8B86-D011-B42D-00C04FC964F"},
		{identity.AnonymousID, "6F9619FF-8B86-D011-B42D-00C04FC964FG", "6F9619FF-8B86-D011-B42D-00C04FC964FG"},
		{identity.AnonymousID, "6F9619FF08B86-D011-B42D-00C04FC964FF", "6F9619FF08B86-D011-B42D-00C04FC964FF"},

		{identity.Email, "ana@example.com", "ana@example.com"},
		{identity.Email, " Ana@Example.COM ", "ana@example.com"},
		{identity.Email, "mailto:Ana@example.com", "ana@example.com"},
		{identity.Email, `"Ana Silva" <ana@example.com>`, "ana@example.com"},
		{identity.Email, "<ana@example.com>", "ana@example.com"},
		{identity.Email, "ana@example.com.", "ana@example.com"},
		{identity.Email, "ana@example.com'.", "ana@example.com"},
		{identity.Email, "ana+shop@example.com", "ana+shop@example.com"},
		{identity.Email, "a.na@gmail.com", "a.na@gmail.com"},
		{identity.Email, "ana@München.DE", "ana@xn--mnchen-3ya.de"},
		{identity.Email, "ana@xn--mnchen-3ya.de", "ana@xn--mnchen-3ya.de"},
		{identity.Email, "ana＠example．com", "ana@example.com"},
		{identity.Email, "JOÃO@example.com", "joão@example.com"},
		{identity.Email, "Ana Silva", "ana silva"}, // unreadable: kept, and blocked
		{identity.Email, "Ana@", "ana@"},
		{identity.Email, "ana@b@example.com", "ana@b@example.com"},

		{identity.Phone, "+351912345678", "+351912345678"},
		{identity.Phone, "+351 912 345 678", "+351912345678"},
		{identity.Phone, "+351-912.345/678", "+351912345678"},
		{identity.Phone, "00351 912345678", "+351912345678"},
		{identity.Phone, "tel:+351912345678", "+351912345678"},
		{identity.Phone, "+44 (0)20 7946 0958", "+442079460958"},
		{identity.Phone, "+4402079460958", "+442079460958"},
		{identity.Phone, "+39 06 12345678", "+390612345678"},
		{identity.Phone, "+351912345678 ext. 5", "+351912345678;ext=5"},
		{identity.Phone, "912 345 678", "912345678"}, // no region: kept
		{identity.Phone, "112", "112"},
		{identity.Phone, "Call Me", "Call Me"},
		{identity.Landline, "+351 21 123 4567", "+351211234567"},

		{identity.Social, "Instagram/@Ana", "instagram/ana"},
		{identity.Social, "@Ana", "ana"},
		{identity.Social, "twitter/ana", "twitter/ana"},
		{identity.Address, "  Rua   Augusta 1 ", "rua augusta 1"},
		{identity.RFID, "E280-1160", "e280-1160"},
		{"favourite_store", "Lisboa 3", "Lisboa 3"},
	} {
		got, err := Identifier(c.ns, c.raw)
		if err != nil || got.Value != c.want || got.Namespace != c.ns {
			t.Errorf("%s %q gives %q (%v), want %q", c.ns, c.raw, got.Value, err, c.want)
		}
	}
}

// TestMailboxes: options merge what the provider delivers to one mailbox, and
// nothing else.
func TestMailboxes(t *testing.T) {
	strip, provider := Options{StripPlusTags: true}, Options{ProviderRules: true}
	for _, c := range []struct {
		options   Options
		raw, want string
	}{
		{provider, "A.na.Silva+shop@GoogleMail.com", "anasilva@gmail.com"},
		{provider, "anasilva@gmail.com.", "anasilva@gmail.com"},
		{provider, "ana+a+b@hotmail.co.uk", "ana@hotmail.co.uk"},
		{provider, "a.na@outlook.com", "a.na@outlook.com"},
		{provider, "ana+shop@company.com", "ana+shop@company.com"},
		{provider, "a.na@company.com", "a.na@company.com"},
		{provider, "ana-shop@yahoo.com", "ana-shop@yahoo.com"},
		{provider, "ana+shop@gmail.com.pt", "ana+shop@gmail.com.pt"},
		{provider, "+shop@gmail.com", "+shop@gmail.com"},
		{provider, "...@gmail.com", "...@gmail.com"},
		{provider, "x\"a+b\"@gmail.com", "x\"a+b\"@gmail.com"},
		{strip, "ana+shop@company.com", "ana@company.com"},
		{strip, "+shop@company.com", "+shop@company.com"},
		{strip, "a.na@gmail.com", "a.na@gmail.com"},
		{strip, "ana+x@googlemail.com", "ana@googlemail.com"},
		{Options{}, "a.na+x@googlemail.com", "a.na+x@googlemail.com"},
	} {
		got, err := New(c.options).Identifier(identity.Email, c.raw)
		if err != nil || got.Value != c.want {
			t.Errorf("%+v %q gives %q (%v), want %q", c.options, c.raw, got.Value, err, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		ns   identity.Namespace
		raw  string
		want error
	}{
		{identity.UserID, "", ErrEmpty},
		{identity.UserID, " \t ", ErrEmpty},
		{identity.UserID, "\u200b\u00a0", ErrEmpty},
		{identity.UserID, `""`, ErrEmpty},
		{identity.UserID, "null", ErrEmpty},
		{identity.UserID, `"NULL"`, ErrEmpty},
		{identity.UserID, "ｎｕｌｌ", ErrEmpty},
		{identity.UserID, "n\u200bull", ErrEmpty},
		{identity.UserID, "undefined", ErrEmpty},
		{identity.UserID, "NaN", ErrEmpty},
		{identity.UserID, "0", ErrEmpty},
		{identity.UserID, "０００", ErrEmpty},
		{identity.UserID, "-0.0", ErrEmpty},
		{identity.CustomerNo, "000-00-0000", ErrEmpty},
		{identity.Device, "00000000-0000-0000-0000-000000000000", ErrEmpty},
		{identity.Device, "00:00:00:00:00:00", ErrEmpty},
		{identity.Email, "NULL", ErrEmpty},
		{identity.Email, "mailto:", ErrEmpty},
		{identity.Phone, "0000000", ErrEmpty},
		{identity.Phone, "(000) 000 000", ErrEmpty},
		{identity.Social, "@", ErrEmpty},
		{identity.UserID, strings.Repeat("a", 513), ErrTooLong},
		{identity.UserID, strings.Repeat("a", 1<<20), ErrTooLong},
		{identity.UserID, strings.Repeat("\ufdfa", 20), ErrTooLong}, // folds to 33 bytes each
		{identity.UserID, "a\xff", ErrInvalid},
		{identity.UserID, "Jos\ufffd", ErrInvalid},
		{"User ID", "42", identity.ErrNamespace},
	} {
		if got, err := Identifier(c.ns, c.raw); !errors.Is(err, c.want) || got != (identity.Identifier{}) {
			t.Errorf("%s %.40q gives %q, %v, want %v", c.ns, c.raw, got.Value, err, c.want)
		}
	}
	if _, err := Identifier(identity.UserID, "  "+strings.Repeat("a", 512)+"\n"); err != nil {
		t.Errorf("512 bytes with white space around them: %v", err)
	}
}

// TestBlockedInDisguise: blocked values join no one, in any case, quoting,
// white space, Unicode width and with zero-width characters.
func TestBlockedInDisguise(t *testing.T) {
	plain := map[identity.Namespace][]string{
		identity.UserID:      {"anonymous", "guest", "test", "n/a", "none", "unknown", "null", "undefined", "nan", "000", "[object object]", "not available", "-1"},
		identity.Email:       {"test@test.com", "a@a.com", "noreply@example.com", "none", "n/a", "null@null.com", "ana"},
		identity.Phone:       {"0000000000", "1234567890", "+351999999999", "n/a", "none", "112"},
		identity.Social:      {"instagram/null", "guest"},
		identity.AnonymousID: {"anonymous", "00000000-0000-0000-0000-000000000000"},
	}
	disguises := map[string]func(string) string{
		"as it is":        func(v string) string { return v },
		"upper case":      strings.ToUpper,
		"title case":      func(v string) string { return strings.ToUpper(v[:1]) + v[1:] },
		"double quotes":   func(v string) string { return `"` + v + `"` },
		"single quotes":   func(v string) string { return "'" + v + "'" },
		"curly quotes":    func(v string) string { return "“" + v + "”" },
		"escaped quotes":  func(v string) string { return `"\"` + v + `\""` },
		"leading quote":   func(v string) string { return "'" + v },
		"white space":     func(v string) string { return "\t " + v + "\u00a0\r\n" },
		"full width":      widen,
		"zero width":      func(v string) string { return v[:1] + "\u200b" + v[1:] + "\u200d" },
		"byte order mark": func(v string) string { return "\ufeff" + v },
		"soft hyphen":     func(v string) string { return v[:1] + "\u00ad" + v[1:] },
		"control":         func(v string) string { return v + "\x00" },
		"right to left":   func(v string) string { return "\u202e" + v + "\u202c" },
		"all at once":     func(v string) string { return " \"" + widen(strings.ToUpper(v[:1])+"\u2060"+v[1:]) + "\" " },
	}
	for ns, values := range plain {
		for _, v := range values {
			for name, disguise := range disguises {
				id, err := Identifier(ns, disguise(v))
				if err != nil && !errors.Is(err, ErrEmpty) {
					t.Errorf("%s %q, %s: %v", ns, v, name, err)
				}
				if err == nil && !identity.BlockedByDefault(id) {
					t.Errorf("%s %q, %s: %q is not blocked", ns, v, name, id.Value)
				}
			}
		}
	}
}

// widen writes ASCII in full width.
func widen(v string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '\u3000'
		case r > ' ' && r < 0x7f:
			return r - '!' + '！'
		}
		return r
	}, v)
}

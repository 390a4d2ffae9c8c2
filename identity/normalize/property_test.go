package normalize

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/kindred-cdp/kindred/identity"
)

var namespaces = []identity.Namespace{
	identity.UserID, identity.Email, identity.Phone, identity.Social, identity.Address, identity.RFID, identity.AnonymousID,
}

// checkOne holds a value to what is promised of every value.
func checkOne(t rapid.TB, n Normalizer, ns identity.Namespace, raw string) {
	t.Helper()
	id, err := n.Identifier(ns, raw)
	again, errAgain := n.Identifier(ns, raw)
	if id != again || err != errAgain {
		t.Fatalf("%s %q: %q (%v), then %q (%v)", ns, raw, id.Value, err, again.Value, errAgain)
	}
	if err != nil {
		if err == ErrInvalid && utf8.ValidString(raw) && !containsReplacement(raw) {
			t.Fatalf("%s %q: text without damage has no stable form", ns, raw)
		}
		return
	}
	if id.Value == "" || len(id.Value) > MaxLength || !utf8.ValidString(id.Value) {
		t.Fatalf("%s %q: bad value %q", ns, raw, id.Value)
	}
	for _, r := range id.Value {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			t.Fatalf("%s %q: %q keeps %U", ns, raw, id.Value, r)
		}
	}
	if twice, err := n.Identifier(ns, id.Value); err != nil || twice != id {
		t.Fatalf("%s %q gives %q, which gives %q (%v)", ns, raw, id.Value, twice.Value, err)
	}
}

func containsReplacement(v string) bool {
	for _, r := range v {
		if r == utf8.RuneError {
			return true
		}
	}
	return false
}

// TestEveryRune: every assigned code point, alone, inside and around a value;
// of the ideographs and syllables, which nothing folds, one in 97.
func TestEveryRune(t *testing.T) {
	for r := range rune(0xf0000) {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Tangut) && r%97 != 0 && r < 0xf900:
			continue
		case unicode.In(r, unicode.Co, unicode.Cs), r >= 0x17000 && r < 0x1b000, r >= 0x20000 && r < 0x2f800:
			continue
		case !unicode.IsGraphic(r) && !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point):
			continue
		}
		checkOne(t, Normalizer{}, identity.UserID, string(r))
		checkOne(t, Normalizer{}, identity.Email, string(r)+"a"+string(r)+"\u0301@b"+string(r)+".pt")
	}
}

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Half of the text is of characters that have made trouble.
		odd := rapid.StringOf(rapid.RuneFrom([]rune("aAİßſσΣςǅ0１９+-()@.<>:/\\\"'“”\u0301\u0300\u200b\u00ad\u00a0\u1160ﬁ①㎏\ufdfa\u2100 \tx")))
		raw := rapid.OneOf(rapid.String(), odd, rapid.StringMatching(`\+?[0-9 ()./-]{3,20}( ext\.? ?[0-9]{1,4})?`)).Draw(t, "raw")
		ns := rapid.SampledFrom(namespaces).Draw(t, "namespace")
		region := rapid.SampledFrom([]string{"", "PT", "US", "IT", "AR", "MX", "DE", "GB", "BR", "CI"}).Draw(t, "region")
		n := New(Options{region, rapid.Bool().Draw(t, "strip"), rapid.Bool().Draw(t, "provider")})
		checkOne(t, n, ns, raw)
		if local := rapid.StringMatching(`[a.+"' ]{1,6}`).Draw(t, "local"); ns == identity.Email {
			checkOne(t, n, ns, local+rapid.SampledFrom([]string{"@gmail.com", "@GoogleMail.com.", "@me.com", "@x.pt"}).Draw(t, "host"))
		}
	})
}

func FuzzIdentifier(f *testing.F) {
	for _, raw := range []string{"", "42", " \"null\" ", "Ana <ana@München.de>", "+44 (0)20 7946 0958", "００", "e\u200d\u0301", "a@b'.", "\xff", "1-800-FLOWERS", "tel:+1;phone-context=a;ext=0"} {
		for i := range namespaces {
			f.Add(uint8(i), raw)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, raw string) {
		checkOne(t, Normalizer{Region: "PT"}, namespaces[int(i)%len(namespaces)], raw)
	})
}

func FuzzEmail(f *testing.F) {
	for _, raw := range []string{"a.na+x@googlemail.com", "+@gmail.com", "Ana <a.@gmail.com.>", "mailto:a+b+c@me.com", ".+.@gmail.com"} {
		f.Add(raw, false, true)
		f.Add(raw, true, false)
	}
	f.Fuzz(func(t *testing.T, raw string, strip, provider bool) {
		checkOne(t, New(Options{StripPlusTags: strip, ProviderRules: provider}), identity.Email, raw)
	})
}

func FuzzPhone(f *testing.F) {
	for _, raw := range []string{"+351912345678", "912 345 678 x5", "00351", "+39 06 1", "(11) 15-2345-6789"} {
		f.Add(raw, "AR")
		f.Add(raw, "")
	}
	f.Fuzz(func(t *testing.T, raw, region string) {
		checkOne(t, Normalizer{Region: region}, identity.Phone, raw)
	})
}

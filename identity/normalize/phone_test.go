package normalize

import (
	"fmt"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

func TestPhoneRegion(t *testing.T) {
	for _, c := range []struct{ raw, region, want string }{
		{"912 345 678", "PT", "+351912345678"},
		{"912345678", "pt", "+351912345678"},
		{"(020) 7946-0958", "GB", "+442079460958"},
		{"(415) 555-2671", "US", "+14155552671"},
		{"1 415 555 2671", "US", "+14155552671"},
		{"+351912345678", "US", "+351912345678"},
		{"00351912345678", "PT", "+351912345678"},
		{"351912345678", "PT", "+351912345678"},
		{"٩١٢٣٤٥٦٧٨", "PT", "+351912345678"},
		{"12", "PT", "12"},
		{"912345678", "XX", "912345678"},
		{"1-800-FLOWERS", "US", "+18003569377"},
	} {
		if got, err := Phone(c.raw, c.region); err != nil || got != c.want {
			t.Errorf("Phone(%q, %q) is %q (%v), want %q", c.raw, c.region, got, err, c.want)
		}
	}
}

// TestE164AgreesWithParser: what isE164 lets pass is what the parser would
// have written, for the example numbers of every region.
func TestE164AgreesWithParser(t *testing.T) {
	fast, all := 0, 0
	for region := range phonenumbers.GetSupportedRegions() {
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE} {
			number := phonenumbers.GetExampleNumberForType(region, kind)
			if number == nil {
				continue
			}
			all++
			e164 := phonenumbers.Format(number, phonenumbers.E164)
			if isE164(e164) {
				fast++
				if parsed, ok := parsePhone(e164, ""); !ok || parsed != e164 {
					t.Errorf("%s: %s passes as it is, the parser says %s (%v)", region, e164, parsed, ok)
				}
			}
			if got, err := Phone(e164, ""); err != nil || got != e164 {
				t.Errorf("%s: %s becomes %s (%v)", region, e164, got, err)
			}
			// As people of the region write it: taking the separators out first
			// must not change what the parser reads.
			national := phonenumbers.Format(number, phonenumbers.NATIONAL)
			want, ok := parsePhone(national, region)
			if got, err := Phone(national, region); err != nil || !ok || got != want {
				t.Errorf("%s: %s becomes %s (%v), want %s", region, national, got, err, want)
			}
			international := phonenumbers.Format(number, phonenumbers.INTERNATIONAL)
			if got, err := Phone(international, ""); err != nil || got != e164 {
				t.Errorf("%s: %s becomes %s (%v), want %s", region, international, got, err, e164)
			}
		}
	}
	if fast*100 < all*85 {
		t.Errorf("only %d of %d numbers avoid the parser", fast, all)
	}
}

// TestCountryCodes: the table of lengths agrees with the parser's metadata.
func TestCountryCodes(t *testing.T) {
	for code := range phonenumbers.GetSupportedCallingCodes() {
		text := fmt.Sprintf("%d00", code)
		if got, want := countryCodeLength(text[0], text[1]), len(text)-2; got != want {
			t.Errorf("country code %d: length %d, want %d", code, got, want)
		}
	}
}

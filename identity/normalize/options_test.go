package normalize

import "testing"

// TestOptionsText: options come back from their text, and nothing else is one.
func TestOptionsText(t *testing.T) {
	for _, region := range []string{"", "PT", "US"} {
		for i := range 4 {
			o := Options{Region: region, StripPlusTags: i&1 > 0, ProviderRules: i&2 > 0}
			if got, err := ParseOptions(o.String()); err != nil || got != o {
				t.Errorf("%q gives %+v (%v), want %+v", o, got, err, o)
			}
		}
	}
	for _, bad := range []string{"+", "plus+", "pt", "region=pt", "region=XX", "region=Portugal"} {
		if o, err := ParseOptions(bad); err == nil {
			t.Errorf("%q gives %+v", bad, o)
		}
	}
}

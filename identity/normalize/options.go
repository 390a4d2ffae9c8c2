package normalize

import (
	"fmt"
	"strings"
)

// The words of Options as text.
const (
	textPlusTags  = "plus"
	textProviders = "mail"
	textRegion    = "region="
)

// String returns o as text that ParseOptions reads, without spaces; the zero
// value is empty.
func (o Options) String() string {
	var words []string
	if o.Region != "" {
		words = append(words, textRegion+o.Region)
	}
	if o.StripPlusTags {
		words = append(words, textPlusTags)
	}
	if o.ProviderRules {
		words = append(words, textProviders)
	}
	return strings.Join(words, "+")
}

// ParseOptions reads what String wrote.
func ParseOptions(text string) (Options, error) {
	var o Options
	if text == "" {
		return o, nil
	}
	for _, word := range strings.Split(text, "+") {
		region, isRegion := strings.CutPrefix(word, textRegion)
		switch {
		case word == textPlusTags:
			o.StripPlusTags = true
		case word == textProviders:
			o.ProviderRules = true
		case isRegion:
			o.Region = region
		default:
			return Options{}, fmt.Errorf("%q is no option of normalisation", word)
		}
	}
	return o, o.Validate()
}

// Validate reports a region whose phone numbers nobody can read.
func (o Options) Validate() error {
	if o.Region != "" && !KnownRegion(o.Region) {
		return fmt.Errorf("region must be empty or an ISO 3166 code in capitals with a phone numbering plan, such as PT, not %q", o.Region)
	}
	return nil
}

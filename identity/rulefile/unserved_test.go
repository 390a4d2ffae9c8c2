package rulefile_test

import (
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity/rulefile"
)

// What would change nothing is named, and the defaults are served whole.
func TestUnserved(t *testing.T) {
	if err := rulefile.Unserved(rulefile.Default()); err != nil {
		t.Errorf("defaults: %v", err)
	}
	f := rulefile.Default()
	f.Normalise = rulefile.Normalise{Region: "PT", StripPlusTags: true, ProviderRules: true}
	f.Rename = []string{"crm"}
	err := rulefile.Unserved(f)
	for _, key := range []string{"normalise.region", "normalise.strip_plus_tags", "normalise.provider_rules", "rename"} {
		if err == nil || !strings.Contains(err.Error(), key+": is not served") {
			t.Errorf("%v does not name %s", err, key)
		}
	}
}

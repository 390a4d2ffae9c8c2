package sample

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// TestDataIsUnchanged guards the file that the published figures are about.
func TestDataIsUnchanged(t *testing.T) {
	sum := sha256.Sum256([]byte(OnlineRetail()))
	if got := hex.EncodeToString(sum[:]); got != "737745256ddb4410bfe4e29f2dcb72329b7486e584837f1e84f9a07416cf7d45" {
		t.Errorf("the data file has the hash %s", got)
	}
}

// TestAttribution holds the notice to what the licence asks for.
func TestAttribution(t *testing.T) {
	text, err := os.ReadFile("ATTRIBUTION.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Daqing Chen", "UCI Machine Learning Repository", "10.24432/C5BW33", "CC BY 4.0", "No line and no value was changed"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("ATTRIBUTION.md does not say %q", want)
		}
	}
	if !strings.Contains(OnlineRetailAttribution, "CC BY 4.0") {
		t.Error("the attribution line names no licence")
	}
}

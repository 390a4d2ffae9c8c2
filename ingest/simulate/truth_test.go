package simulate

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTruthRoundTrip(t *testing.T) {
	w := mustGenerate(t, testConfig(), someCustomers(50))
	var b bytes.Buffer
	if err := w.Truth.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTruth(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.Truth.Ownerships(), got); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	owners := make(map[int]bool)
	for _, o := range got {
		owners[min(len(o.People), 2)] = true
	}
	if !owners[0] || !owners[1] || !owners[2] {
		t.Errorf("the truth lacks identifiers of nobody, of one or of several: %v", owners)
	}
	for _, bad := range []string{"", "a,b\n", "namespace,value,owner\n", "namespace,value,people\n\"x"} {
		if _, err := ReadTruth(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

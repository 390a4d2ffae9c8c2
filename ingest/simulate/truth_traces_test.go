package simulate

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The truth of the traces is read back as it was written, belongs to events that
// were made, and every kind has some.
func TestTruthOfTraces(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := mustGenerate(t, testConfig(), someCustomers(600))
	var stays, spots bytes.Buffer
	if err := WriteStays(&stays, w.Stays); err != nil {
		t.Fatal(err)
	}
	if err := WriteSpots(&spots, w.Spots); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadStays(&stays); err != nil || !cmp.Equal(got, w.Stays) || len(got) == 0 {
		t.Errorf("%d of %d stays, %v", len(got), len(w.Stays), err)
	}
	if got, err := ReadSpots(&spots); err != nil || !cmp.Equal(got, w.Spots) || len(got) == 0 {
		t.Errorf("%d of %d spots, %v", len(got), len(w.Spots), err)
	}
	places, found := map[string]bool{}, map[string]bool{}
	for _, s := range w.Spots {
		places[s.MessageID] = true
	}
	messages, records := readAll(t, w)
	fixes := map[string]bool{}
	for i, m := range messages {
		found[records[i].Topic] = true
		if m.Location != nil {
			fixes[m.ID] = true
		}
	}
	if !cmp.Equal(places, fixes) {
		t.Errorf("the truth names %d fixes, %d were made", len(places), len(fixes))
	}
	if len(found) != 8 { // Transactions come from the file.
		t.Errorf("events on %d topics", len(found))
	}
	for _, broken := range []string{"", "zone\n", "namespace,value,zone,technology,entered_ms,left_ms\na,b,c,d,x,1\n"} {
		if _, err := ReadStays(strings.NewReader(broken)); err == nil {
			t.Errorf("%q is read", broken)
		}
	}
}

package privacy

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// TestAccessTellsTheOldestFirst: of one identifier, source and quarter there are several
// sightings, in whatever parts of the table; what is said of them is in one order.
func TestAccessTellsTheOldestFirst(t *testing.T) {
	w := newWorld(t)
	var want []string
	for _, day := range []int{3, 0, 5, 1, 4, 2} { // Stored in no order, nor in its reverse.
		at := before.AddDate(0, 0, day)
		w.insert("identifiers", "workspace, identifier_id, source, period, namespace, value, first_event, first_received, last_event, last_received",
			"main", anaUser, "web", 8104, "user_id", "ana", at, at, at, at)
		want = append(want, at.Format(time.DateOnly))
	}
	slices.Sort(want)
	var out bytes.Buffer
	ana := &profiles.Profile{ID: identity.ProfileID(anaUser), Keys: []identity.Key{identity.Key(anaUser)}}
	if err := NewStore(w.conn).Access(t.Context(), "main", ana, &out); err != nil {
		t.Fatal(err)
	}
	var told struct {
		Tables struct {
			Identifiers []struct {
				LastEvent string `json:"last_event"`
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &told); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range told.Tables.Identifiers {
		got = append(got, row.LastEvent)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("sightings -want +got:\n%s", d)
	}
}

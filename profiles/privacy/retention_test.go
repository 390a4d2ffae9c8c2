package privacy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseRetention(t *testing.T) {
	const day = 24 * time.Hour
	f := func(text string, want Retention, ok bool) {
		t.Helper()
		got, err := ParseRetention(text)
		if d := cmp.Diff(want, got); d != "" || (err == nil) != ok {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	f("", Retention{}, true)
	f("location=90, behaviour=395", Retention{"location": 90 * day, "behaviour": 395 * day}, true)
	f("audit=730", Retention{"audit": 730 * day}, true)
	f("location", nil, false)
	f("location=0", nil, false)
	f("catalogue=9", nil, false)
}

// TestRetention deletes old events of one kind, with their typed parts, and no other.
func TestRetention(t *testing.T) {
	w := newWorld(t)
	now := after
	for i, kind := range []string{"location", "location", "behaviour"} {
		received := []time.Time{now.Add(-100 * 24 * time.Hour), now.Add(-time.Hour), now.Add(-100 * 24 * time.Hour)}[i]
		w.insert("events", "workspace, anchor_id, time, received_time, message_hash, kind", "main", 1, received, received, i, kind)
		w.insert("dead_letters", "workspace, received_time, topic, offset, letter_id", "main", received, "kindred."+kind, i, i)
		if kind == "location" {
			w.insert("location_facts", "workspace, anchor_id, time, received_time, message_hash", "main", 1, received, received, i)
		}
	}
	for i, age := range []time.Duration{800, 700} {
		w.insert("audit_log", "workspace, time, entry_id, complete, action", "main", now.Add(-24*age*time.Hour), i, true, "read")
	}
	worker := w.worker(func() time.Time { return now })
	worker.cfg.Retention = Retention{"location": 90 * 24 * time.Hour, "audit": 730 * 24 * time.Hour}
	if _, err := worker.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := worker.awaitMutations(t.Context(), []string{"events", "location_facts", "dead_letters", "audit_log"}); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]string{"events": "2", "location_facts": "1", "dead_letters": "2", "audit_log": "1"} {
		if got := w.column("SELECT toString(count()) FROM " + table); got[0] != want {
			t.Errorf("%s has %s rows, want %s", table, got[0], want)
		}
	}
	mutations := w.column("SELECT toString(count()) FROM system.mutations WHERE database = currentDatabase()")
	if _, err := worker.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := w.column("SELECT toString(count()) FROM system.mutations WHERE database = currentDatabase()"); again[0] != mutations[0] {
		t.Errorf("tables are rewritten again the same day")
	}
}

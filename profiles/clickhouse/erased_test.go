package clickhouse_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestErasedIsMasked: an erasure hides a person before any row is gone, and of one who
// comes again it hides the past.
func TestErasedIsMasked(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	store, err := clickhouse.New(clickhouse.DefaultConfig(), conn, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	w := clickhousetest.New(t, conn, "main")
	ana, ben := w.Person("user_id:ana"), w.Person("user_id:ben")
	for i, id := range []string{"user_id:ana", "user_id:ben"} {
		w.Add(clickhousetest.Event{MessageID: string(rune('a' + i)), Name: "Identify", Type: "identify", Time: day, Identifiers: []string{id}, Traits: map[string]any{"country": "PT"}})
	}
	w.Flush(t.Context())
	exec := func(text string, args ...any) {
		t.Helper()
		if err := conn.Exec(t.Context(), text, args...); err != nil {
			t.Fatal(err)
		}
	}
	find := func(id identity.ProfileID) (*profiles.Profile, error) {
		return profiles.Find(t.Context(), store, "main", identity.Key(id))
	}
	if p, err := find(ana); err != nil || len(p.Traits) != 1 {
		t.Fatalf("before: %+v, %v", p, err)
	}
	erased := day.Add(365 * 24 * time.Hour)
	exec("INSERT INTO identity_erasures (workspace, id, what, erased_at, erasure_id) VALUES ('main', ?, 'identifier', ?, 'e')", uint64(ana), erased)
	exec("INSERT INTO identity_erasures (workspace, id, what, erased_at, erasure_id) VALUES ('main', ?, 'shared', ?, 'e')", uint64(ben), erased)
	if _, err := store.Resolve(t.Context(), "main", identity.Key(ana)); !errors.Is(err, profiles.ErrNotFound) {
		t.Errorf("an erased identifier resolves: %v", err)
	}
	if _, err := store.Load(t.Context(), "main", ana); !errors.Is(err, profiles.ErrNotFound) {
		t.Errorf("an erased profile loads: %v", err)
	}
	if names, err := store.Identifiers(t.Context(), "main", []identity.Key{identity.Key(ana), identity.Key(ben)}); err != nil || len(names) != 1 {
		t.Errorf("values of keys: %v, %v", names, err)
	}
	if p, err := find(ben); err != nil || len(p.Traits) != 1 {
		t.Errorf("who shared something with her: %+v, %v", p, err)
	}
	again := erased.Add(time.Hour)
	exec("INSERT INTO identifiers (workspace, identifier_id, source, period, namespace, value, first_event, first_received, last_event, last_received) VALUES ('main', ?, 'web', 8105, 'user_id', 'ana', ?, ?, ?, ?)", uint64(ana), again, again, again, again)
	exec("INSERT INTO events (workspace, anchor_id, time, message_hash, message_id, kind, name, received_time) VALUES ('main', ?, ?, 77, 'new', 'behaviour', 'Back', ?)", uint64(ana), again, again)
	p, err := find(ana)
	if err != nil || len(p.Traits) != 0 || p.Activity.Total() != 1 || len(p.Recent) != 1 || p.Recent[0].MessageID != "new" || !p.Identifiers[0].FirstSeen.Equal(again) {
		t.Errorf("who comes again: %+v, %v", p, err)
	}
}

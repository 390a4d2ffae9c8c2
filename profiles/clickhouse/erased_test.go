package clickhouse_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// TestSearchFindsNobodyErased: from the erasure on, and before any row is gone, a search
// finds the others only; and of one who comes again not by what was said before.
func TestSearchFindsNobodyErased(t *testing.T) {
	store, w := newStore(t)
	ctx := t.Context()
	people := map[identity.ProfileID]string{}
	for i, name := range []string{"ana", "anabel"} {
		id := "user_id:" + name
		people[w.Person(id, "email:"+name+"@example.com")] = name
		w.Add(clickhousetest.Event{MessageID: string(rune('a' + i)), Name: "Identify", Type: "identify", Time: day, Identifiers: []string{id, "email:" + name + "@example.com"}, Traits: map[string]any{"country": "PT"}})
	}
	w.Flush(ctx)
	exec := func(text string, args ...any) {
		t.Helper()
		if err := w.Conn.Exec(ctx, text, args...); err != nil {
			t.Fatal(err)
		}
	}
	found := func(want ...string) {
		t.Helper()
		if d := cmp.Diff(want, searched(t, store, people)); d != "" {
			t.Errorf("found (-want +got):\n%s", d)
		}
	}
	anabel := []string{"a trait of anabel", "email:anabel@example.com of anabel", "user_id:anabel of anabel"}
	found("a trait of ana", anabel[0], "email:ana@example.com of ana", anabel[1], "user_id:ana of ana", anabel[2])
	erased := day.Add(365 * 24 * time.Hour)
	members := []identity.Key{w.Key("user_id:ana"), w.Key("email:ana@example.com")}
	for _, key := range members {
		exec("INSERT INTO identity_erasures (workspace, id, what, erased_at, erasure_id) VALUES ('main', ?, 'identifier', ?, 'e')", uint64(key), erased)
	}
	exec("INSERT INTO identity_erasures (workspace, id, what, erased_at, erasure_id) SELECT 'main', anchor_id, 'set', ?, 'e' FROM anchor_members WHERE workspace = 'main' AND identifier_id = ?", erased, uint64(members[0]))
	found(anabel...)
	if named := statedIn(t, store); len(named) != 1 || people[named[0]] != "anabel" {
		t.Errorf("a search by trait names %v, want Anabel alone", named)
	}
	again := erased.Add(time.Hour)
	exec("INSERT INTO identifiers (workspace, identifier_id, source, period, namespace, value, first_event, first_received, last_event, last_received) VALUES ('main', ?, 'web', 8105, 'user_id', 'ana', ?, ?, ?, ?)", uint64(members[0]), again, again, again, again)
	found(anabel[0], anabel[1], "user_id:ana of ana", anabel[2])
	exec("INSERT INTO trait_observations (workspace, anchor_id, trait, time, message_hash, received_time, source, value) VALUES ('main', ?, 'country', ?, 78, ?, 'web', '\"PT\"')", uint64(members[0]), again, again)
	found("a trait of ana", anabel[0], anabel[1], "user_id:ana of ana", anabel[2])
}

// statedIn are the profiles that a search for people of Portugal names.
func statedIn(t *testing.T, store *clickhouse.Store) (named []identity.ProfileID) {
	t.Helper()
	matches, err := store.ByTrait(t.Context(), "main", "country", []string{`"PT"`}, profiles.SearchQuery{Limit: 9})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range matches {
		if m.Profile != 0 {
			named = append(named, m.Profile)
		}
	}
	return named
}

// searched is what searches for ana and for people of Portugal find, as the API shows it:
// identifiers of somebody, and those of whom the trait stands.
func searched(t *testing.T, store *clickhouse.Store, people map[identity.ProfileID]string) []string {
	t.Helper()
	byPrefix, err := store.ByPrefix(t.Context(), "main", "", "ana", profiles.SearchQuery{Limit: 9})
	if err != nil || len(byPrefix) == 0 {
		t.Fatalf("by prefix: %+v, %v", byPrefix, err)
	}
	byTrait, err := store.ByTrait(t.Context(), "main", "country", []string{`"PT"`}, profiles.SearchQuery{Limit: 9})
	if err != nil || len(byTrait) == 0 {
		t.Fatalf("by trait: %+v, %v", byTrait, err)
	}
	var got []string
	for _, m := range byPrefix {
		if m.Profile != 0 {
			got = append(got, m.Identifier.String()+" of "+people[m.Profile])
		}
	}
	for _, m := range byTrait {
		p, err := profiles.Find(t.Context(), store, "main", identity.Key(m.Profile))
		if err == nil && len(p.Traits) > 0 {
			got = append(got, "a trait of "+people[p.ID])
		} else if err != nil && !errors.Is(err, profiles.ErrNotFound) {
			t.Fatal(err)
		}
	}
	slices.Sort(got)
	return got
}

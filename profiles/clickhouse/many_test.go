package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
)

// mustEqualAlone checks that ids read together are what each is alone, and that
// keys resolve as each does alone.
func mustEqualAlone(t *testing.T, store *clickhouse.Store, ids []identity.ProfileID, keys []identity.Key) {
	t.Helper()
	ctx := t.Context()
	many, err := store.LoadMany(ctx, "main", ids)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		alone, err := store.Load(ctx, "main", id)
		if err != nil && !errors.Is(err, profiles.ErrNotFound) {
			t.Fatal(err)
		}
		if d := cmp.Diff(alone, many[i]); d != "" {
			t.Errorf("profile %d (-alone +together):\n%s", i, d)
		}
	}
	found, err := store.ResolveMany(ctx, "main", keys)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		alone, err := store.Resolve(ctx, "main", key)
		if err != nil && !errors.Is(err, profiles.ErrNotFound) {
			t.Fatal(err)
		}
		if alone != found[i] {
			t.Errorf("key %d: alone %v, together %v", i, alone, found[i])
		}
	}
}

// TestGroupOfAProfile: its own row counts, whatever was said of an id that it took in since;
// and that one, where it has none, or is said to be none any more.
func TestGroupOfAProfile(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	store, w := newStore(t)
	user, cookie := "user_id:ana", "anonymous_id:ana"
	ana := w.Person(user, cookie)
	w.Add(clickhousetest.Event{MessageID: "1", Name: "Seen", Time: day, Identifiers: []string{user, cookie}})
	step := func(key string, minutes int, stage string, want *profiles.Group) {
		t.Helper()
		at := day.Add(time.Duration(minutes) * time.Minute)
		w.Group(clickhousetest.Group{Profile: identity.ProfileID(w.Key(key)), Time: at, Stage: stage, Persona: "p1", Name: "Buyers", Model: "m", Recency: 5, Frequency: 4, Money: 3})
		w.Flush(t.Context())
		p, err := store.Load(t.Context(), "main", ana)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, p.Group); d != "" {
			t.Errorf("after %s is %q (-want +got):\n%s", key, stage, d)
		}
		mustEqualAlone(t, store, []identity.ProfileID{ana}, nil)
	}
	group := func(minutes int, stage string) *profiles.Group {
		return &profiles.Group{Stage: stage, Persona: "p1", PersonaName: "Buyers", ModelVersion: "m", Recency: 5, Frequency: 4, Money: 3, Since: day.Add(time.Duration(minutes) * time.Minute)}
	}
	step(cookie, 0, "lead", group(0, "lead"))
	step(user, 1, "active", group(1, "active"))
	step(cookie, 2, "lapsed", group(1, "active"))
	step(user, 3, "", group(2, "lapsed"))
	step(cookie, 4, "", nil)
}

// TestLoadMany reads together people who share a tablet, had a phone one after the
// other, live together, bought, were written to and had traits removed, others who
// are nobody now, and the same one twice.
func TestLoadMany(t *testing.T) {
	ctx := context.Background()
	store, w := newStore(t)
	ana, ben := anaAndBen(w)
	u1, u2 := recycled(w)
	ids := []identity.ProfileID{ana, ben, u1, u2, identity.ProfileID(w.Key("user_id:ana")), 12345, ana}
	for i := range 12 {
		user := fmt.Sprintf("user_id:n%d", i)
		id := w.Person(user, fmt.Sprintf("anonymous_id:n%d", i))
		ids = append(ids, id)
		for j := range 3 + 5*i {
			e := clickhousetest.Event{
				MessageID: fmt.Sprintf("n%d-%d", i, j), Name: "Seen", Time: day.Add(time.Duration(j*i) * time.Hour), Identifiers: []string{user},
				Properties: map[string]any{"j": j}, Traits: map[string]any{"plan": fmt.Sprint(j % 3), "n": j},
			}
			if j%2 == 1 {
				e.Identifiers = []string{fmt.Sprintf("anonymous_id:n%d", i)}
			}
			w.Add(e)
		}
		for n, key := range []string{user, fmt.Sprintf("anonymous_id:n%d", i)} { // Its own, one that it took in, or none.
			if i&(1<<n) != 0 {
				w.Group(clickhousetest.Group{Profile: identity.ProfileID(w.Key(key)), Time: day.Add(time.Duration(n) * time.Hour), Stage: []string{"lead", ""}[i>>2&1], Persona: key, Name: "buyers", Money: 4})
			}
		}
		w.Score(clickhousetest.Score{Profile: id, Name: "churn", Model: "m2", AsOf: day, ComputedAt: day.Add(time.Hour), Value: float64(i)})
	}
	w.House("landline:+351210000000", ana, ids[8], ids[9])
	w.Flush(ctx)
	keys := []identity.Key{
		w.Key("email:ana@example.com"), w.Key("device:tablet"), w.Key("landline:+351210000000"), w.Key("email:nobody@example.com"), identity.Key(ben), 0, w.Key("user_id:n3"),
	}
	mustEqualAlone(t, store, ids, keys)
	if p, err := store.LoadMany(ctx, "other", ids); err != nil || p[0] != nil {
		t.Errorf("of another workspace: %v, %v", p[0], err)
	}
}

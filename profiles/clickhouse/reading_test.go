package clickhouse_test

import (
	"context"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestOnlyCountedRowsAreRead writes rows of the reading that must not count: of
// a flush that is not published, and of an owner that was replaced.
func TestOnlyCountedRowsAreRead(t *testing.T) {
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(t)
	store, err := clickhouse.New(clickhouse.DefaultConfig(), conn, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	w := clickhousetest.New(t, conn, "main")
	ana, ben := w.Person("email:ana@example.com", "user_id:ana"), w.Person("user_id:ben")
	w.Add(clickhousetest.Event{MessageID: "1", Name: "View", Time: day, Identifiers: []string{"email:ana@example.com", "user_id:ana"}},
		clickhousetest.Event{MessageID: "2", Name: "View", Time: day, Identifiers: []string{"user_id:ben"}})
	w.Flush(ctx)

	move := func(epoch, sequence uint64, to identity.ProfileID) {
		t.Helper()
		err := conn.Exec(ctx, "INSERT INTO identifier_profile (workspace, identifier_id, epoch, sequence, profile_id, previous_id) VALUES ('main', ?, ?, ?, ?, 0)",
			uint64(w.Key("user_id:ana")), epoch, sequence, uint64(to))
		if err != nil {
			t.Fatal(err)
		}
	}
	publish := func(epoch, sequence uint64) {
		t.Helper()
		if err := warehouse.PublishReading(ctx, conn, "main", warehouse.Version{Epoch: epoch, Sequence: sequence}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, want identity.ProfileID) {
		t.Helper()
		store.Refresh("main")
		if got, err := store.Resolve(ctx, "main", w.Key("user_id:ana")); err != nil || got != want {
			t.Errorf("%s: resolved to %v, %v, want %v", when, got, err, want)
		}
		p, err := store.Load(ctx, "main", ben)
		if err != nil || (p.IdentifierCount == 2) != (want == ben) {
			t.Errorf("%s: %+v, %v", when, p, err)
		}
		// The event with both identifiers is the user id's.
		if p != nil && (p.Activity.Total() == 2) != (want == ben) {
			t.Errorf("%s: %v", when, p.Activity)
		}
	}
	move(1, 100, ben)
	check("not published", ana)
	publish(1, 100)
	check("published", ben)
	if _, err := warehouse.StartEpoch(ctx, conn, "main", 2, time.Now()); err != nil {
		t.Fatal(err)
	}
	move(1, 200, ana)
	publish(1, 200)
	check("by an owner that was replaced", ben)
	move(2, 1, ana)
	publish(2, 1)
	check("by its successor", ana)
}

// TestVersionIsReusedForItsAge reads a new version when the old one has aged,
// and at once when somebody says so.
func TestVersionIsReusedForItsAge(t *testing.T) {
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(t)
	clock := day
	store, err := clickhouse.New(clickhouse.DefaultConfig(), conn, func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	w := clickhousetest.New(t, conn, "main")
	w.Add(clickhousetest.Event{MessageID: "1", Name: "View", Time: day, Identifiers: []string{"email:ana@example.com", "user_id:ana"}})
	w.Flush(ctx)
	resolve := func() identity.ProfileID {
		t.Helper()
		id, err := store.Resolve(ctx, "main", w.Key("user_id:ana"))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	alone := identity.ProfileID(w.Key("user_id:ana"))
	if resolve() != alone {
		t.Error("not its own profile before any merge")
	}
	ana := w.Person("email:ana@example.com", "user_id:ana")
	w.Flush(ctx)
	if resolve() != alone {
		t.Error("a version within its age was not reused")
	}
	clock = clock.Add(clickhouse.DefaultConfig().VersionAge)
	if resolve() != ana {
		t.Error("an aged version was reused")
	}
}

// TestWithdrawalsAreReadAgain within the second for which the cache holds what was read
// before a change for out of date, and not for each read.
func TestWithdrawalsAreReadAgain(t *testing.T) {
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(t)
	clock := day
	store, err := clickhouse.New(clickhouse.DefaultConfig(), conn, func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	w := clickhousetest.New(t, conn, "main")
	one := clickhouse.Standing{Score: profiles.Score{Name: "churn", ComputedAt: day}}
	score := func(whose identity.ProfileID, at time.Time) {
		w.Score(clickhousetest.Score{Profile: whose, Name: one.Name, AsOf: at, ComputedAt: at, Detail: "{}"})
		w.Flush(ctx)
	}
	stands := func() bool {
		t.Helper()
		which, err := store.ScoresOf(ctx, "main")
		if err != nil || len(which.Names()) != 1 {
			t.Fatalf("%v, %v", which.Names(), err)
		}
		return which.Stands(one)
	}
	score(7, day)
	if !stands() {
		t.Error("a score that nothing withdrew does not stand")
	}
	score(0, day.Add(time.Minute))
	if !stands() {
		t.Error("what was withdrawn is asked for with each read")
	}
	clock = clock.Add(900 * time.Millisecond)
	if stands() {
		t.Error("a score that was withdrawn stands after .9 s")
	}
}

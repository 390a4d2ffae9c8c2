package warehouse_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// tenure is a past tenure, until so many minutes after epochZero.
type tenure struct {
	until int
	owner uint64
}

func minute(n int) time.Time { return epochZero.Add(time.Duration(n) * time.Minute) }

// tenures writes the past tenures of an identifier with profile, all of them in
// one row, and the flag.
func (l *ledger) tenures(identifier, profile uint64, past ...tenure) {
	l.t.Helper()
	untils, owners := []time.Time{}, []uint64{}
	for _, p := range past {
		untils, owners = append(untils, minute(p.until)), append(owners, p.owner)
	}
	l.v.Sequence++
	l.exec("INSERT INTO identifier_tenures (workspace, identifier_id, epoch, sequence, untils, owners) VALUES (?, ?, ?, ?, ?, ?)",
		l.workspace, identifier, l.v.Epoch, l.v.Sequence, untils, owners)
	l.exec("INSERT INTO identifier_profile (workspace, identifier_id, epoch, sequence, profile_id) VALUES (?, ?, ?, ?, ?)",
		l.workspace, identifier, l.v.Epoch, l.v.Sequence, profile)
	l.moving(identifier, identifier)
}

// moving says that an anchor is decided by a moving identifier.
func (l *ledger) moving(anchor, identifier uint64) {
	l.t.Helper()
	l.exec("INSERT INTO anchor_owner (workspace, anchor_id, epoch, sequence, owner_id, has_tenures) VALUES (?, ?, ?, ?, ?, true)",
		l.workspace, anchor, l.v.Epoch, l.v.Sequence, identifier)
}

// event is something that happened to an anchor.
type event struct {
	anchor uint64
	minute int
}

// resolveEvents reads the profile of each event.
func resolveEvents(t *testing.T, conn driver.Conn, events ...event) []uint64 {
	t.Helper()
	anchors, minutes := []uint64{}, []int64{}
	for _, e := range events {
		anchors, minutes = append(anchors, e.anchor), append(minutes, minute(e.minute).UnixMilli())
	}
	got := resolveEventsBy(t, conn, warehouse.Reading{}, anchors, minutes)
	wantProfiles(t, "bound to the version", resolveEventsBy(t, conn, readingNow(t, conn, "main"), anchors, minutes), got...)
	return got
}

// resolveEventsBy reads profiles at once and in two parts.
func resolveEventsBy(t *testing.T, conn driver.Conn, r warehouse.Reading, anchors []uint64, minutes []int64) (got []uint64) {
	t.Helper()
	const events = `(SELECT arrayJoin(arrayMap((a, m) -> (a, fromUnixTimestamp64Milli(m, 'UTC')), {anchors:Array(UInt64)}, {minutes:Array(Int64)})) AS e)`
	args := r.Args(clickhouse.Named("anchors", anchors), clickhouse.Named("minutes", minutes), clickhouse.Named("workspace", "main"))
	if err := conn.QueryRow(t.Context(), "SELECT groupArray(p) FROM (SELECT "+r.EventProfile("e.1", "e.2")+" AS p FROM "+events+")", args...).Scan(&got); err != nil {
		t.Fatal(err)
	}
	var parts []uint64
	owner, profile := r.EventOwner("e.1", "e.2", "owner")
	if err := conn.QueryRow(t.Context(), "SELECT groupArray("+profile+") FROM (SELECT "+owner+" AS owner FROM "+events+")", args...).Scan(&parts); err != nil {
		t.Fatal(err)
	}
	wantProfiles(t, "in two parts", parts, got...)
	return got
}

func TestTenuresDecideByTime(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	l := newLedger(t, conn, "main", 1)
	const phone, u1, u2, cookie = 10, 1, 2, 3
	l.v.Sequence++
	l.moving(set|1, phone)
	l.moving(set|3, phone+1) // without tenures
	l.owner(set|2, cookie)
	l.profile(phone, u2)
	l.profile(u1, 7)
	l.tenures(phone, u2, tenure{100, u1}, tenure{200, cookie})
	events := []event{{phone, 99}, {phone, 100}, {phone, 199}, {phone, 200}, {set | 1, -1000}, {set | 1, 150}, {set | 1, 9999}, {set | 2, 5}, {u1, 5}, {0, 5}, {set | 9, 5}, {set | 3, 5}}
	none := []uint64{phone, phone, phone, phone, 0, 0, 0, 0, u1, 0, 0, 0}
	told := []uint64{7, cookie, cookie, u2, 7, cookie, u2, cookie, 7, 0, 0, phone + 1}
	wantProfiles(t, "before publication", resolveEvents(t, conn, events...), none...)
	l.publish()
	wantProfiles(t, "from the recent layer", resolveEvents(t, conn, events...), told...)
	fold(t, conn)
	wantProfiles(t, "from the base", resolveEvents(t, conn, events...), told...)
	wantProfiles(t, "without a time", resolve(t, conn, phone, set|1), u2, u2)

	// All expressions in one query, of several columns and of one twice.
	var got []uint64
	query := "SELECT [" + warehouse.EventProfile("a", "t") + ", " + warehouse.EventProfile("b", "t") + ", " + warehouse.AnchorProfile("a") + ", " +
		warehouse.IdentifierProfile("c") + ", " + warehouse.EventProfile("a", "t") + `]
		FROM (SELECT toUInt64(10) AS a, toUInt64(1) AS b, toUInt64(1) AS c, toDateTime64('2025-06-01 12:00:00', 3, 'UTC') AS t)
		WHERE ` + warehouse.EventProfile("a", "t") + " = 7 AND " + warehouse.IdentifierProfile("c") + " = 7"
	if err := conn.QueryRow(t.Context(), query).Scan(&got); err != nil {
		t.Fatal(err)
	}
	wantProfiles(t, "all in one query", got, 7, 7, u2, 7, 7)

	l.profile(u1, 8) // The owner of a tenure moves; the tenures do not.
	l.publish()
	wantProfiles(t, "an owner that moved", resolveEvents(t, conn, event{phone, 0}, event{phone, 150}), 8, cookie)
	l.tenures(phone, u1, tenure{50, u2})
	wantProfiles(t, "another list, not published", resolveEvents(t, conn, event{phone, 0}, event{phone, 60}), 8, 8)
	l.publish()
	wantProfiles(t, "another list over the base", resolveEvents(t, conn, event{phone, 0}, event{phone, 60}), u2, u1)
	l.tenures(phone, u2)
	l.publish()
	wantProfiles(t, "no tenures any more", resolveEvents(t, conn, event{phone, 0}, event{phone, 60}), u2, u2)
	fold(t, conn)
	wantProfiles(t, "no tenures any more, folded", resolveEvents(t, conn, event{phone, 0}, event{phone, 60}), u2, u2)
}

// TestTenuresOfAReplacedOwner: what a paused owner still says of tenures counts
// for nobody, in either layer.
func TestTenuresOfAReplacedOwner(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	old := newLedger(t, conn, "main", 1)
	old.tenures(10, 10, tenure{100, 1})
	old.publish()
	next := newLedger(t, conn, "main", 2)
	old.tenures(10, 10, tenure{100, 2})
	old.publish()
	wantProfiles(t, "late rows", resolveEvents(t, conn, event{10, 0}), 1)
	fold(t, conn)
	wantProfiles(t, "late rows, folded", resolveEvents(t, conn, event{10, 0}), 1)
	next.tenures(10, 10, tenure{100, 3})
	next.publish()
	old.tenures(10, 10)
	old.publish()
	wantProfiles(t, "rows of the successor", resolveEvents(t, conn, event{10, 0}), 3)
}

// TestViewsAskTenures: the typed views, visits too, give an event to the owner
// of its time.
func TestViewsAskTenures(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	l := newLedger(t, conn, "main", 1)
	l.tenures(10, 2, tenure{100, 1})
	l.publish()
	for _, at := range []int{99, 100} {
		l.exec("INSERT INTO events (workspace, anchor_id, time, message_hash, kind) VALUES ('main', 10, ?, ?, 'behaviour')", minute(at), at)
		l.exec("INSERT INTO transaction_facts (workspace, anchor_id, time, message_hash, type) VALUES ('main', 10, ?, ?, 'order')", minute(at), at)
		for _, table := range []string{"social_facts", "location_facts", "support_facts", "feedback_facts", "contact_facts"} {
			l.exec("INSERT INTO "+table+" (workspace, anchor_id, time, message_hash) VALUES ('main', 10, ?, ?)", minute(at), at)
		}
		l.exec("INSERT INTO sensor_facts (workspace, anchor_id, time, message_hash, zone, phase) VALUES ('main', 10, ?, ?, ?, 'enter')", minute(at), at, fmt.Sprint("z", at))
	}
	for _, view := range []string{
		"behaviour_events", "events_masked", "transactions", "social_interactions", "locations", "support_contacts", "feedback",
		"contacts", "sensor_readings",
	} {
		var got []uint64
		if err := conn.QueryRow(t.Context(), "SELECT groupArray(profile_id) FROM (SELECT profile_id FROM "+view+" ORDER BY time)").Scan(&got); err != nil {
			t.Fatal(err)
		}
		wantProfiles(t, view, got, 1, 2)
	}
	for query, want := range map[string][]uint64{
		"SELECT groupArray(profile_id) FROM (SELECT profile_id FROM visits ORDER BY entered)":           {1, 2},
		"SELECT groupArray(profile_id) FROM (SELECT profile_id FROM profiles ORDER BY profile_id)":      {1, 2},
		"SELECT groupArray(orders) FROM (SELECT orders FROM profiles ORDER BY profile_id)":              {1, 1},
		"SELECT groupArray(profile_id) FROM (SELECT profile_id FROM anchor_profile)":                    {},
		"SELECT groupArray(profile_id) FROM (SELECT profile_id FROM transactions WHERE profile_id = 1)": {1},
	} {
		var got []uint64
		if err := conn.QueryRow(t.Context(), query).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); len(want)+len(got) > 0 && diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// TestTenuresAgainstModel: random moves, tenures, publications, successors, late
// rows and folds, against a model in memory.
func TestTenuresAgainstModel(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	steps := 60
	if n, err := strconv.Atoi(os.Getenv("KINDRED_TEST_COUNT")); err == nil {
		steps = max(steps, n/50)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	profiles, told := map[uint64]uint64{}, map[uint64][]tenure{}
	model := func(e event) uint64 {
		id := e.anchor
		for _, p := range told[id] {
			if e.minute < p.until {
				id = p.owner
				break
			}
		}
		if p, ok := profiles[id]; ok {
			return p
		}
		return id
	}
	random := func() (past []tenure) {
		for n, until := r.IntN(4), 0; n > 0; n-- {
			until += 1 + r.IntN(5)
			past = append(past, tenure{until, 1 + r.Uint64N(6)})
		}
		return past
	}
	l := newLedger(t, conn, "main", 1)
	var replaced *ledger
	pending := func() {}
	for step := range steps {
		switch k := r.IntN(20); {
		case k < 9:
			id, to, past := 1+r.Uint64N(6), 1+r.Uint64N(6), random()
			l.tenures(id, to, past...)
			pending = after(pending, func() { profiles[id], told[id] = to, past })
		case k < 14:
			l.publish()
			pending()
			pending = func() {}
		case k < 16:
			replaced = l
			l = newLedger(t, conn, "main", l.v.Epoch+1)
			pending = func() {}
		case k < 18 && replaced != nil:
			replaced.tenures(1+r.Uint64N(6), 1+r.Uint64N(6), random()...)
			replaced.publish()
		default:
			fold(t, conn)
		}
		var events []event
		var want []uint64
		for id := range uint64(7) {
			for m := range 16 {
				events = append(events, event{id, m})
				want = append(want, model(event{id, m}))
			}
		}
		if diff := cmp.Diff(want, resolveEvents(t, conn, events...)); diff != "" {
			t.Fatalf("step %d (-want +got):\n%s", step, diff)
		}
	}
}

func (l *ledger) household(profile, household uint64) {
	l.t.Helper()
	l.v.Sequence++
	l.exec("INSERT INTO household_profile (workspace, profile_id, epoch, sequence, household_id) VALUES (?, ?, ?, ?, ?)",
		l.workspace, profile, l.v.Epoch, l.v.Sequence, household)
}

// TestHouseholdsView shows whole flushes, and what counts only.
func TestHouseholdsView(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	l := newLedger(t, conn, "main", 1)
	check := func(when, want string) {
		t.Helper()
		var got string
		const query = "SELECT toString(arraySort(groupArray((household_id, profile_id)))) FROM households WHERE workspace = 'main'"
		if err := conn.QueryRow(context.WithoutCancel(t.Context()), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", when, got, err, want)
		}
	}
	l.household(1, 90)
	l.household(2, 90)
	check("before publication", "[]")
	l.publish()
	check("after publication", "[(90,1),(90,2)]")
	fold(t, conn)
	check("folded", "[(90,1),(90,2)]")
	l.household(2, 0)
	l.household(3, 91)
	next := newLedger(t, conn, "main", 2)
	l.publish()
	check("rows past the cut", "[(90,1),(90,2)]")
	next.household(1, 0)
	next.publish()
	check("of the successor", "[(90,2)]")
	var other uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM households WHERE workspace = 'other'").Scan(&other); err != nil || other != 0 {
		t.Errorf("%d rows of another workspace, %v", other, err)
	}
}

// TestTenuresFlagWhatWasDecidedBefore runs the migration over sets that an owner
// before it decided, in either layer: those that a phone decides, and all where
// other rules were declared.
func TestTenuresFlagWhatWasDecidedBefore(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn, cfg := warehousetest.NewTestDatabaseConfig(t)
	l, other := newLedger(t, conn, "main", 1), newLedger(t, conn, "ruled", 1)
	l.exec("INSERT INTO identifiers (workspace, identifier_id, namespace) VALUES ('main', 10, 'phone'), ('main', 11, 'email'), ('ruled', 12, 'device')")
	l.exec("INSERT INTO identity_rules (workspace, version, rules) VALUES ('ruled', 2, '{}')")
	l.owner(set|1, 10)
	l.owner(set|2, 11)
	l.publish()
	fold(t, conn)
	l.owner(set|3, 10)
	l.owner(set|4, 11)
	l.publish()
	other.owner(set|5, 12)
	other.publish()
	execute(t, conn, "ALTER TABLE schema_migrations DELETE WHERE version >= 14 SETTINGS mutations_sync = 2")
	if err := migrate(cfg); err != nil {
		t.Fatal(err)
	}
	for identifier := range uint64(3) {
		l.v.Sequence++
		l.exec("INSERT INTO identifier_tenures (workspace, identifier_id, epoch, sequence, untils, owners) VALUES ('main', ?, 1, ?, ?, ?)",
			10+identifier, l.v.Sequence, []time.Time{minute(5)}, []uint64{7})
	}
	l.publish()
	var events []event
	for i := range uint64(4) {
		events = append(events, event{set | (i + 1), 4})
	}
	wantProfiles(t, "sets decided before", resolveEvents(t, conn, events...), 7, 11, 7, 11)
	wantProfiles(t, "where rules were declared", resolveEventsBy(t, conn, warehouse.Reading{}, []uint64{set | 5}, []int64{minute(4).UnixMilli()}), 7)
}

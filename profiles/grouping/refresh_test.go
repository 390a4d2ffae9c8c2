package grouping

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/lifecycle"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// Everybody has the stage that the rules give, and the personas are the kinds of people
// that were made.
func TestRefresh(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	settle(t, conn, each)
	now := today
	w := newWorker(t, conn, func() time.Time { return now })
	s := refresh(t, w)
	if !s.Fitted || s.Personas != 3 || s.Profiles != 4*each || s.Grouped != 3*each || s.Customers != 2*each || s.Changed != 4*each || s.Currency != "EUR" {
		t.Fatalf("%+v", s)
	}
	all := current(t, conn)
	persona := map[uint64]string{}
	for id, g := range all {
		kind := id / 1000 * 1000
		want := map[uint64]string{buyersFrom: "loyal", browsersFrom: "lead", complainFrom: "active", strangersFrom: "anonymous"}[kind]
		if kind == complainFrom && (id-complainFrom)%4 > 0 {
			want = "loyal" // Three purchases or more.
		}
		if g.stage != want {
			t.Errorf("%d is %s, want %s", id, g.stage, want)
		}
		if before, ok := persona[kind]; ok && before != g.persona {
			t.Errorf("%d has persona %q, others of its kind %q", id, g.persona, before)
		}
		persona[kind] = g.persona
		if bought := g.grades != [3]uint8{}; bought != (kind == buyersFrom || kind == complainFrom) {
			t.Errorf("%d has grades %v", id, g.grades)
		}
	}
	if persona[strangersFrom] != "" || persona[buyersFrom] == persona[browsersFrom] || persona[buyersFrom] == persona[complainFrom] {
		t.Errorf("personas by kind: %v", persona)
	}
	if buyer, other := all[buyersFrom+3].grades, all[complainFrom].grades; buyer[0] <= other[0] || buyer[1] <= other[1] || buyer[2] <= other[2] {
		t.Errorf("grades of a buyer %v, of one who complains %v", buyer, other)
	}
	names := map[string]string{}
	if err := conn.QueryRow(t.Context(), "SELECT names FROM persona_models WHERE version = ?", s.Version).Scan(&names); err != nil {
		t.Fatal(err)
	}
	if name := names[persona[complainFrom]]; !strings.Contains(strings.ToLower(name), "support") && !strings.Contains(name, "billing") {
		t.Errorf("who complains is called %q, of %v", name, names)
	}

	found, err := NewReader(conn).Personas(t.Context(), "main")
	if err != nil || len(found.Cards) != 3 || found.Version != s.Version || found.Refused != "" {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, card := range found.Cards {
		if card.Profiles != each || card.Size != each || card.Name != names[card.ID] {
			t.Errorf("%+v", card)
		}
	}
	stages, err := NewReader(conn).Stages(t.Context(), "main")
	if err != nil || len(stages) != 8 || stages[0] != (StageSize{lifecycle.Anonymous, each}) {
		t.Errorf("%v, %v", stages, err)
	}

	// Later, by another worker that knows nothing of the first: nothing is new.
	now = now.Add(time.Minute)
	rows := count(t, conn, "profile_groups")
	again := refresh(t, newWorker(t, conn, func() time.Time { return now }))
	if again.Fitted || again.Changed != 0 || again.Version != s.Version || count(t, conn, "profile_groups") != rows {
		t.Errorf("again: %+v", again)
	}
	// Whoever has loaded a past asks for a new model at once.
	anew, err := w.Refit(t.Context())
	if err != nil || !anew.Fitted || anew.Personas != 3 {
		t.Errorf("asked for: %+v, %v", anew, err)
	}
	all = current(t, conn)
	// Next day the model is fitted anew; everybody keeps the id of the persona.
	now = now.Add(24 * time.Hour)
	next := refresh(t, w)
	if !next.Fitted || next.Personas != 3 {
		t.Errorf("next day: %+v", next)
	}
	for id, g := range current(t, conn) {
		if g.persona != all[id].persona {
			t.Errorf("%d is in %s, was in %s", id, g.persona, all[id].persona)
		}
	}
}

// A profile that is merged away, or restricted, has no group from that moment; what
// was is kept.
func TestWhoIsGone(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	settle(t, conn, each)
	now := today
	w := newWorker(t, conn, func() time.Time { return now })
	refresh(t, w)
	before := current(t, conn)
	// Who complains is one with a buyer, whose own row counts; a stranger with somebody
	// of whom nothing stands.
	assign(t, conn, 1, complainFrom+1, buyersFrom)
	assign(t, conn, 2, strangersFrom+1, 99)
	merged := current(t, conn)
	if _, there := merged[complainFrom+1]; there || merged[buyersFrom] != before[buyersFrom] || merged[99] != before[strangersFrom+1] {
		t.Errorf("merged: %v, %v, %v", merged[complainFrom+1], merged[buyersFrom], merged[99])
	}
	exec(t, conn, "INSERT INTO restrictions (workspace, identifier_id, revision, restricted, changed_at) VALUES ('main', ?, 1, true, ?)", uint64(browsersFrom), today)
	if _, there := current(t, conn)[browsersFrom]; there {
		t.Error("who is restricted has a group")
	}
	s := refresh(t, w) // The clock stands still.
	if s.Withdrawn != 3 || s.Profiles != 4*each-2 {
		t.Errorf("%+v", s)
	}
	after := current(t, conn)
	if len(after) != 4*each-2 || after[99] != before[strangersFrom+1] {
		t.Errorf("%d profiles, the merged stranger %v", len(after), after[99])
	}
	if n := count(t, conn, "(SELECT DISTINCT time FROM profile_groups WHERE profile_id = 3001)"); n != 2 {
		t.Errorf("rows of %d times of who was merged, want one after the other", n)
	}
}

// Of few people there is a stage and no persona, and the reason is stored.
func TestFewPeople(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	w := newWorker(t, conn, func() time.Time { return today })
	if s := refresh(t, w); s.Profiles != 0 || s.Changed != 0 || !strings.HasPrefix(s.Refused, "not enough data: 0 usable rows") {
		t.Errorf("nobody: %+v", s)
	}
	settle(t, conn, 20)
	s := refresh(t, w)
	if s.Profiles != 80 || s.Grouped != 0 || s.Refused == "" {
		t.Errorf("few: %+v", s)
	}
	var refused string
	if err := conn.QueryRow(t.Context(), "SELECT refused FROM persona_models ORDER BY computed_at DESC LIMIT 1").Scan(&refused); err != nil || refused != s.Refused {
		t.Errorf("%q is stored, %v", refused, err)
	}
}

// Of each month the shares of who was in a stage add up to 1, and everybody is counted.
func TestTransitions(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	row := func(id uint64, at, stage string) {
		exec(t, conn, "INSERT INTO profile_groups (workspace, profile_id, time, stage) VALUES ('main', ?, parseDateTime64BestEffort(?, 3, 'UTC'), ?)", id, at, stage)
	}
	row(1, "2026-01-10 00:00:00", "lead")
	row(1, "2026-02-03 00:00:00", "new")
	row(1, "2026-02-28 23:59:59.999", "active")
	row(2, "2026-01-20 00:00:00", "lead")
	row(3, "2026-01-31 23:59:59", "lead")
	row(3, "2026-02-10 00:00:00", "")
	row(0, "2026-02-10 00:00:00", "")
	row(4, "2026-02-01 00:00:00", "anonymous")
	type step struct {
		month, from, to string
		profiles        uint64
		share           float64
	}
	var got []step
	rows, err := conn.Query(t.Context(), Transitions(), clickhouse.Named("workspace", "main"), clickhouse.Named("from", "2026-01-15"), clickhouse.Named("to", "2026-03-01"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s step
		var month time.Time
		if err := rows.Scan(&month, &s.from, &s.to, &s.profiles, &s.share); err != nil {
			t.Fatal(err)
		}
		if s.month = month.Format("2006-01"); math.IsNaN(s.share) {
			s.share = -1
		}
		got = append(got, s)
	}
	third := 1. / 3
	want := []step{
		{"2026-01", "", "lead", 3, -1},
		{"2026-02", "", "anonymous", 1, -1},
		{"2026-02", "lead", "", 1, third},
		{"2026-02", "lead", "active", 1, third},
		{"2026-02", "lead", "lead", 1, third},
		{"2026-03", "active", "active", 1, 1},
		{"2026-03", "anonymous", "anonymous", 1, 1},
		{"2026-03", "lead", "lead", 1, 1},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(step{})); d != "" {
		t.Errorf("transitions (-want +got):\n%s", d)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	month := func(m time.Month) time.Time { return time.Date(2026, m, 1, 0, 0, 0, 0, time.UTC) }
	list, err := NewReader(conn).Transitions(t.Context(), "main", month(1), month(3))
	if err != nil || len(list) != len(want) || list[3].From != "lead" || !list[3].Month.Equal(month(2)) || list[3].Share != third {
		t.Errorf("%v, %v", list, err)
	}
}

// Run ends with its context, and a refresh that fails does not end it.
func TestRun(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	started := make(chan struct{}, 100)
	w := newWorker(t, conn, func() time.Time {
		started <- struct{}{}
		return today
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	<-started
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := w.Refresh(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a refresh that was cut short: %v", err)
	}
}

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	err := Config{Topics: -1}.Validate()
	for _, part := range []string{"no workspace", "period, timeout and refit", "topics", "personas", "lifecycle"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	if _, err := New(DefaultConfig(), Deps{}); err == nil {
		t.Error("New without dependencies")
	}
}

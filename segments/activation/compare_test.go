package activation_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/segments/activation"
)

// testNewDestinationIsToldOfWhoIsThere begins with members, changes while it does, and
// takes another segment.
func testNewDestinationIsToldOfWhoIsThere(t *testing.T, s *stage) {
	s.cfg.Window = 4 // So that it takes several parts.
	s.restart(s.conn)
	ids := s.people(9)
	s.changed(in("loyal", ids...)...)
	s.changed(append(out("loyal", ids[8]), in("at-risk", ids[:2]...)...)...)
	r := newReceiver(t)
	s.define("crm", r.definition(""))
	s.define("later", r.definition(`,"backfill":false,"name":"later"`))
	s.step()
	if got := r.keys(); len(got) != 8 || slices.ContainsFunc(got, func(k string) bool { return strings.Contains(k, ids[8].String()) }) {
		t.Errorf("told of %v, want the eight who are in", got)
	}
	s.changed(out("loyal", ids[0])...)
	r.clear()
	s.step()
	if got := r.keys(); len(got) != 2 { // Of both destinations.
		t.Errorf("told of %v, want of the one who left", got)
	}
	r.clear()
	s.define("crm", strings.Replace(r.definition(""), `["loyal"]`, `["loyal","at-risk"]`, 1))
	s.step()
	want := []string{"at-risk/2/" + ids[0].String(), "at-risk/2/" + ids[1].String()}
	slices.Sort(want)
	got := r.keys()
	slices.Sort(got)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("told of %v, want of %v", got, want)
	}
	if d, err := s.store.Get(context.Background(), s.workspace, "crm"); err != nil || d.State.SyncedAt.IsZero() || d.State.Delivered != 11 {
		t.Errorf("%+v, %v", d, err)
	}
}

// testComparisonGoesOnWhereItWasKilled has a new destination whose worker dies.
func testComparisonGoesOnWhereItWasKilled(t *testing.T, s *stage) {
	s.cfg.Window, s.cfg.Parallel, s.cfg.Commit = 4, 2, time.Nanosecond
	ids := s.people(9)
	s.changed(in("loyal", ids...)...)
	r := newReceiver(t)
	s.define("crm", r.definition(""))
	ctx, end := context.WithCancel(context.Background())
	r.answers(func(n int, _ taken) (int, map[string]string) {
		if n == 6 {
			end()
		}
		return 200, nil
	})
	s.restart(s.conn)
	if _, err := s.worker.Step(ctx); err == nil {
		t.Fatal("it was not killed")
	}
	r.answers(nil)
	s.restart(s.conn)
	s.step()
	keys := r.accepted()
	slices.Sort(keys)
	if n := len(slices.Compact(keys)); n != 9 || len(r.accepted()) >= 18 {
		t.Errorf("told of %d by %d messages, want of 9 by less than twice as many", n, len(r.accepted()))
	}
	if st := s.state("crm"); st.SyncedAt.IsZero() {
		t.Errorf("%+v", st)
	}
}

// testWhoWasMergedAwayIsToldByItsIdAlone merges one person into another.
func testWhoWasMergedAwayIsToldByItsIdAlone(t *testing.T, s *stage) {
	ctx := context.Background()
	ids := s.people(2)
	own, mapped := newReceiver(t), newReceiver(t)
	s.define("own", own.definition(`,"traits":["*"]`))
	s.define("mapped", mapped.definition(`,"fields":[{"to":"email","from":"identifier.email"}]`))
	s.changed(in("loyal", ids...)...)
	s.step()
	s.world.Person("user_id:u0", "email:p0@example.com", "user_id:u1", "email:p1@example.com")
	s.world.Flush(ctx)
	s.pass(time.Minute) // The store keeps the version that it read for a moment.
	own.clear()
	mapped.clear()
	s.changed(out("loyal", ids[1])...)
	s.step()
	if len(own.messages()) != 1 || !strings.Contains(string(own.messages()[0].body), `"merged_into":"`+ids[0].String()) || strings.Contains(string(own.messages()[0].body), "Porto") {
		t.Errorf("by ids: %s", own.messages())
	}
	if len(mapped.messages()) != 0 {
		t.Errorf("who is still in by an address was told to have left: %s", mapped.messages())
	}
}

func testChangesNeedTheRevisionThatStands(t *testing.T, s *stage) {
	ctx := context.Background()
	r := newReceiver(t)
	s.define("crm", r.definition(""))
	for _, c := range []activation.Change{
		{Expected: 0, Definition: []byte(r.definition(""))},
		{Expected: s.last + 8, Archive: true},
	} {
		err := activation.NewDefinitions(s.conn).Apply(ctx, activation.Place{Workspace: s.workspace, Destination: "crm", Revision: s.last + 8, Time: s.clock()}, c)
		if err == nil || !strings.HasPrefix(err.Error(), "conflict") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	s.check(activation.NewDefinitions(s.conn).Apply(ctx, activation.Place{Workspace: s.workspace, Destination: "crm", Revision: s.last + 9, Time: s.clock()}, activation.Change{Expected: s.last, Archive: true}))
	if list, err := s.store.List(ctx, s.workspace); err != nil || len(list) != 0 {
		t.Errorf("archived: %v, %v", list, err)
	}
	var secrets uint64
	s.check(s.conn.QueryRow(ctx, "SELECT length(argMax(secrets, revision)) FROM destinations").Scan(&secrets))
	if secrets != 0 {
		t.Error("an archived destination keeps secrets")
	}
	s.step() // Of nobody.
}

// testReceiverThatLostThingsIsPutRight has what the receiver was told changed behind its
// back, and compares by order and by the clock.
func testReceiverThatLostThingsIsPutRight(t *testing.T, s *stage) {
	ctx := context.Background()
	ids := s.people(4)
	r := newReceiver(t)
	s.define("crm", r.definition(`,"sync_hours":24`))
	s.changed(in("loyal", ids[:3]...)...)
	s.step()
	sync := func(everybody bool) []string {
		t.Helper()
		r.clear()
		s.last++
		s.check(activation.NewDefinitions(s.conn).Sync(ctx, activation.Place{Workspace: s.workspace, Destination: "crm", Revision: s.last, Time: s.clock()}, activation.Sync{Everybody: everybody}))
		s.worker.Redefined()
		s.step()
		keys := r.keys()
		slices.Sort(keys)
		return keys
	}
	if got := sync(false); len(got) != 0 {
		t.Errorf("nothing is different, and it was told %v", got)
	}
	// One who is in was never told of; one who is not was told to be.
	s.check(s.conn.Exec(ctx, "ALTER TABLE destination_told DELETE WHERE profile_id = ? SETTINGS mutations_sync = 2", uint64(ids[0])))
	s.changed(out("loyal", ids[1])...)
	s.step()
	s.check(s.conn.Exec(ctx, "ALTER TABLE destination_told DELETE WHERE profile_id = ? SETTINGS mutations_sync = 2", uint64(ids[1])))
	s.check(s.conn.Exec(ctx, "INSERT INTO destination_told (workspace, destination, segment, profile_id, block, entered) VALUES (?, 'crm', 'loyal', ?, 1, true)", s.workspace, uint64(ids[1])))
	want := []string{"loyal/1/" + ids[0].String(), "loyal/2/" + ids[1].String()}
	if got := sync(false); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("told %v, want %v", got, want)
	}
	mark := fmt.Sprintf("/again-%d", s.last+1)
	again := []string{"loyal/1/" + ids[0].String() + mark, "loyal/1/" + ids[2].String() + mark}
	slices.Sort(again)
	if got := sync(true); len(got) != 2 || !slices.Contains(got, again[0]) || !slices.Contains(got, again[1]) {
		t.Errorf("told %v, want %v", got, again)
	}
	// The clock alone asks for it too, once.
	s.check(s.conn.Exec(ctx, "ALTER TABLE destination_told DELETE WHERE profile_id = ? SETTINGS mutations_sync = 2", uint64(ids[2])))
	for day, want := range []int{0, 1, 1} {
		if day == 0 {
			r.clear()
		} else {
			s.pass(23 * time.Hour)
			s.step()
			s.pass(2 * time.Hour)
		}
		s.step()
		if got := r.keys(); len(got) != want {
			t.Errorf("day %d: told %v, want %d", day, got, want)
		}
	}
}

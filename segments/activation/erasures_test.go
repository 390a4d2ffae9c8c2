package activation_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/privacy"
)

// deletions are the states of what destinations are to be told of erasures.
func (s *stage) deletions() map[string]string {
	s.Helper()
	var states map[string]string
	s.check(s.conn.QueryRow(s.Context(), `SELECT groupUniqArray((concat(destination, '/', lower(hex(profile_id))), state))::Map(String, String) FROM
		(SELECT destination, profile_id, argMax(state, version) AS state FROM destination_erasures WHERE workspace = ? GROUP BY destination, profile_id)`, s.workspace).Scan(&states))
	return states
}

// testWhoWasToldIsToldOfTheErasure erases two people of whom receivers were told. One that
// knows them by their ids gets a message each, again until it takes it; of one that knows
// them by an address it is on record that somebody has to tell it.
func testWhoWasToldIsToldOfTheErasure(t *testing.T, s *stage) {
	ids := s.people(3)
	r, mapped := newReceiver(t), newReceiver(t)
	s.define("crm", r.definition(""))
	s.define("mapped", mapped.definition(`,"fields":[{"to":"mail","from":"identifier.email","required":true}]`))
	s.step()
	s.changed(in("loyal", ids...)...)
	s.step()
	s.changed(out("loyal", ids[1])...) // It keeps whom it was told of, also when they have left.
	s.step()
	s.pass(time.Hour)
	s.world.Erase(t.Context(), ids[0], s.clock(), "user_id:u0", "email:p0@example.com")
	s.world.Erase(t.Context(), ids[1], s.clock(), "user_id:u1", "email:p1@example.com")
	s.world.Flush(t.Context())
	s.pass(time.Minute)
	gone := privacy.Gone{Erasure: "e", At: s.clock().Add(-time.Minute), Profiles: append([]identity.ProfileID{1, 2}, ids[:2]...)}
	for range 2 { // Killed before the rows went, and done again.
		counts, err := s.store.Erased(t.Context(), s.workspace, gone, s.clock())
		s.check(err)
		if d := cmp.Diff(map[string]uint64{"crm": 2, "mapped": 2}, counts); d != "" {
			t.Error(d)
		}
	}
	s.check(s.conn.Exec(t.Context(), "DELETE FROM destination_told WHERE workspace = ? AND profile_id IN (?, ?)", s.workspace, uint64(ids[0]), uint64(ids[1])))
	if counts, err := s.store.Erased(t.Context(), s.workspace, gone, s.clock()); err != nil || counts["crm"] != 2 {
		t.Errorf("with the rows gone: %v, %v", counts, err)
	}
	r.clear()
	mapped.clear()
	r.answers(func(n int, _ taken) (int, map[string]string) { return map[bool]int{true: 503, false: 200}[n == 1], nil })
	for range 20 {
		s.step()
		s.pass(time.Second)
	}
	s.restart(s.conn)
	s.step()
	accepted := r.accepted()
	slices.Sort(accepted)
	want := []string{"erased/e/" + ids[0].String(), "erased/e/" + ids[1].String()}
	slices.Sort(want)
	if d := cmp.Diff(want, accepted); d != "" {
		t.Error(d)
	}
	for _, m := range r.messages() {
		var body struct {
			ID, Type, Destination string
			Time                  time.Time
			Profile               map[string]any
		}
		s.check(json.Unmarshal(m.body, &body))
		if body.Type != "profile.erased" || body.ID != m.key || body.Destination != "crm" || !body.Time.Equal(gone.At) || len(body.Profile) != 1 ||
			!strings.HasSuffix(m.key, "/"+body.Profile["id"].(string)) || m.header.Get("Kindred-Signature") == "" {
			t.Errorf("%s: %s", m.key, m.body)
		}
	}
	if got := mapped.keys(); len(got) != 0 {
		t.Errorf("who knows people by their address was told %v", got)
	}
	states := map[string]string{}
	for _, id := range ids[:2] {
		states["crm/"+id.String()], states["mapped/"+id.String()] = "delivered", "by_hand"
	}
	if d := cmp.Diff(states, s.deletions()); d != "" {
		t.Error(d)
	}
	if st := s.state("crm"); len(s.recorder.sent) != 8 || st.Letters != 0 {
		t.Errorf("on record %d, %+v", len(s.recorder.sent), st)
	}
}

// testWhoIsErasedOnTheWayIsToldOf erases somebody while the receiver takes the message,
// and somebody who is told of again before the deletion is.
func testWhoIsErasedOnTheWayIsToldOf(t *testing.T, s *stage) {
	ids := s.people(2)
	r := newReceiver(t)
	s.define("crm", r.definition(""))
	s.step()
	r.answers(func(n int, _ taken) (int, map[string]string) {
		if n == 1 {
			s.world.Erase(t.Context(), ids[0], s.clock(), "user_id:u0", "email:p0@example.com")
			s.world.Flush(t.Context())
		}
		return 200, nil
	})
	s.changed(in("loyal", ids[0])...)
	for range 10 {
		s.step()
		s.pass(time.Second)
	}
	key := "loyal/1/" + ids[0].String()
	if d := cmp.Diff([]string{key, "erased/late/" + key + "/" + ids[0].String()}, r.accepted()); d != "" {
		t.Error(d)
	}
	r.clear()
	before := s.clock()
	s.pass(time.Second)
	s.changed(in("loyal", ids[1])...)
	s.step()
	_, err := s.store.Erased(t.Context(), s.workspace, privacy.Gone{Erasure: "e", At: before, Profiles: ids[1:]}, s.clock())
	s.check(err)
	for range 10 {
		s.pass(time.Second)
		s.step()
	}
	if got := r.accepted(); len(got) != 1 || s.deletions()["crm/"+ids[1].String()] != "obsolete" {
		t.Errorf("told of %v, %v", got, s.deletions())
	}
}

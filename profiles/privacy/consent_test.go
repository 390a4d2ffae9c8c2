package privacy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// TestConsentStands: per purpose, channel and address the latest statement, of two of
// one time the refusal, and nothing of before an erasure.
func TestConsentStands(t *testing.T) {
	w := newWorld(t)
	n := 0
	say := func(anchor, address uint64, channel string, at time.Time, granted bool) {
		n++
		w.insert("consents", "workspace, anchor_id, purpose, channel, address_id, time, message_hash, received_time, source, granted, origin, message_id",
			"main", anchor, "marketing", channel, address, at, n, at, "web", granted, "traits", string(rune('a'+n)))
	}
	say(anaUser, anaMail, "email", before, true)
	say(anaUser, anaMail, "email", before, false)
	say(anaUser, anaMail, "email", before, true)
	say(anaUser, 0, "email", before, true)
	say(anaUser, 0, "sms", after, false)
	say(anaUser, 0, "sms", before, true)
	say(bobUser, 0, "sms", after.Add(time.Hour), true)
	ana := &profiles.Profile{
		ID: identity.ProfileID(anaUser), Keys: []identity.Key{identity.Key(anaUser)},
		Identifiers: []profiles.Identifier{{Identifier: identity.Identifier{Namespace: "email", Value: "ana@example.com"}, Key: identity.Key(anaMail)}},
	}
	stands := func(want ...string) {
		t.Helper()
		c, err := NewStore(w.conn).Consent(t.Context(), "main", ana)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range c.Current {
			got = append(got, s.Channel+" "+s.Address+map[bool]string{true: " yes", false: " no"}[s.Granted])
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	}
	stands("email  yes", "email email:ana@example.com no", "sms  no")
	w.erase("e", []uint64{anaUser}, nil, anaUser)
	stands("sms  no")
}

package cache

import (
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// TestPackedProfiles: what is packed is what comes out, with what was kept at it the
// second time it was made, and that is at hand without the profile for as long as the
// profile would be; what cannot be unpacked is read again.
func TestPackedProfiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, broken := newWorld(), false
		form := &Form{
			Pack: func(p *profiles.Profile) []byte {
				return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(p.ID)), uint64(p.IdentifierCount))
			},
			Unpack: func(b []byte) (*profiles.Profile, error) {
				if broken {
					return nil, errors.New("it is broken")
				}
				id, n := binary.Uvarint(b)
				version, _ := binary.Uvarint(b[n:])
				return &profiles.Profile{ID: identity.ProfileID(id), IdentifierCount: int(version)}, nil
			},
		}
		c := run(t, DefaultConfig(), Deps{Store: w, Now: time.Now, Registerer: prometheus.NewRegistry(), Form: form})
		find := func(version int, loads int64, answer any) {
			t.Helper()
			p, err := profiles.Find(t.Context(), c, "main", 1)
			if err != nil || p.ID != 2 || p.IdentifierCount != version || w.loads.Load() != loads {
				t.Fatalf("%+v, %v, after %d loads, want version %d after %d", p, err, w.loads.Load(), version, loads)
			}
			c.settle()
			if p.Answered() != answer {
				t.Errorf("answered %v, want %v", p.Answered(), answer)
			}
			id, at := c.Answer("main", 1)
			if at != answer || answer != nil && id != 2 {
				t.Errorf("%v of %v is at hand, want %v", at, id, answer)
			}
			p.Keep("the view", 8)
		}
		find(0, 1, nil)
		find(0, 1, nil)
		find(0, 1, "the view")
		if _, at := c.Answer("other", 1); at != nil {
			t.Error("the view is at hand in another workspace")
		}
		w.mu.Lock()
		w.version[2] = 7
		w.mu.Unlock()
		c.Invalidate("main", 1)
		if _, at := c.Answer("main", 1); at != nil {
			t.Error("a view of before is at hand")
		}
		find(7, 2, nil)
		find(7, 2, nil)
		find(7, 2, "the view")
		time.Sleep(61 * time.Second) // Nobody vouches.
		if _, at := c.Answer("main", 1); at != nil {
			t.Error("a view is at hand that may be out of date")
		}
		find(7, 3, nil)
		broken = true
		find(7, 4, nil)
	})
}

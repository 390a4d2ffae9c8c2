package graph

import (
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// TestKnown: a key is unknown only while the graph was surely given no sighting
// of it, whatever was erased or expired since.
func TestKnown(t *testing.T) {
	g := New(identity.DefaultRules())
	see := func(k identity.Key, ns identity.Namespace, p identity.Period, received int64) {
		g.SeeIdentifier(identity.Node{Key: k, Namespace: ns}, "app", p, identity.Span{FirstEvent: received, FirstReceived: received})
	}
	expect := func(what string, k identity.Key, want bool) {
		t.Helper()
		if got := g.Known(k); got != want {
			t.Errorf("%s: Known = %v, want %v", what, got, want)
		}
	}
	expect("never seen", 1, false)
	see(1, identity.Email, 8000, 10)
	expect("before a flush", 1, true)
	g.Flush()
	g.Erase(1, 20)
	g.Erase(2, 20)
	see(2, identity.Email, 8000, 15)
	g.Flush()
	expect("erased", 1, true)
	expect("erased before it was seen", 2, true)
	expect("never seen, beside what was erased", 3, false)
	g.Expire(identity.Device, 8001)
	see(4, identity.Device, 8000, 30)
	expect("expired before it was seen", 4, true)
}

package graph

import (
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// TestEarlierClaimStands: two clusters that claim one wall join. The earlier of
// their claims stands, so a rival that came between them finds no room.
func TestEarlierClaimStands(t *testing.T) {
	rules := identity.DefaultRules()
	rules.GroupCap = 4
	for _, keys := range [][]identity.Key{{1, 2}, {2, 1}} {
		user := identity.Node{Key: 10, Namespace: identity.UserID}
		cookie := func(k identity.Key) identity.Node {
			return identity.Node{Key: k, Namespace: identity.AnonymousID}
		}
		early, late, rival, seat := cookie(keys[0]), cookie(keys[1]), cookie(3), cookie(4)
		g, o := New(rules), oracle.New(rules)
		for _, s := range []identity.Sighting{
			seen("server", at(1), user, seat),
			seen("server", at(2), seat, early),
			seen("server", at(3), seat, rival),
			seen("server", at(4), seat, late),
			seen("server", at(5), early, late),
		} {
			g.See(s)
			o.See(s)
			g.Flush()
		}
		want := o.Evaluate()
		for _, n := range []identity.Node{user, seat, early, late, rival} {
			if g.Profile(n.Key) != want.Profile[n.Key] {
				t.Errorf("keys %v: profile of %d is %v, want %v", keys, n.Key, g.Profile(n.Key), want.Profile[n.Key])
			}
		}
		if got := g.Members(g.Profile(user.Key)); !slices.Equal(got, []identity.Key{1, 2, 4, 10}) {
			t.Errorf("keys %v: the wall admits %v", keys, got)
		}
	}
}

func TestMembersFollowAnyIssuedID(t *testing.T) {
	g := New(identity.DefaultRules())
	g.See(seen("server", at(1), nodeOf(4, 0)))
	g.Flush()
	issued := g.Profile(key(4, 0))
	g.See(seen("server", at(0), nodeOf(0, 0), nodeOf(4, 0)))
	c := g.Flush()
	want := []identity.Key{key(0, 0), key(4, 0)}
	slices.Sort(want)
	if got := g.Members(issued); !slices.Equal(got, want) {
		t.Errorf("members of %v are %v, want %v", issued, got, want)
	}
	if len(c.Moves) == 0 || g.Members(identity.ProfileID(77)) != nil {
		t.Errorf("moves %v, members of an unknown id %v", c.Moves, g.Members(77))
	}
	if g.Profile(77) != 77 {
		t.Errorf("an unknown identifier is not its own profile")
	}
}

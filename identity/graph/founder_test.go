package graph

import (
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// both tells a graph and the definition the same, and compares on demand.
type both struct {
	t *testing.T
	g *Graph
	o *oracle.Oracle
	w *world
}

func newBoth(t *testing.T, rules *identity.Rules) *both {
	b := &both{t: t, g: New(rules), o: oracle.New(rules), w: &world{rules: rules}}
	b.g.heldFrom = 1
	return b
}

func (b *both) see(source string, onDay int, members ...identity.Node) {
	s := seen(source, time.Date(2024, 1, 1+onDay, 0, 0, 0, 0, time.UTC).UnixMilli(), members...)
	b.g.See(s)
	b.o.See(s)
	b.w.nodes = append(b.w.nodes, members...)
}

func (b *both) flush() {
	b.t.Helper()
	b.g.Flush()
	if err := same(b.g, nil, b.o.Evaluate(), b.w); err != nil {
		b.t.Error(err)
	}
}

// TestFounderMovesIntoItsWall: the founder of a wall is in a cluster that it
// admitted. An expiry makes it first seen later, and follow the wall itself.
func TestFounderMovesIntoItsWall(t *testing.T) {
	rules := identity.DefaultRules()
	user := rules.Namespaces[identity.UserID]
	user.FanOutDown = 1
	rules.Namespaces[identity.UserID] = user
	rules.Untrusted = map[string]bool{"web": true}
	u1, u2, e1, e2, c1 := nodeOf(0, 1), nodeOf(0, 2), nodeOf(1, 1), nodeOf(1, 2), nodeOf(4, 1)
	b := newBoth(t, rules)
	b.see("server", 0, e1)
	b.see("server", 50, u2, e2) // u2 is crowded with e-mails, and links to none,
	b.see("server", 60, u2, e1) // but shields e1 from what a browser says.
	b.see("web", 100, e1, c1)
	b.see("server", 200, u1, c1)
	b.see("web", 300, u1, e1)
	b.flush()
	before := identity.PeriodOf(time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC))
	b.g.Expire(identity.Email, before)
	b.o.Expire(identity.Email, before)
	b.flush()
}

// TestFounderOfAGroupThatOutgrowsC: a loose group grows beyond C in the flush in
// which its unit, with an older founder, is decided anew.
func TestFounderOfAGroupThatOutgrowsC(t *testing.T) {
	rules := identity.DefaultRules()
	rules.UnitCap = 4
	e1, e2 := nodeOf(1, 1), nodeOf(1, 2)
	b := newBoth(t, rules)
	b.see("server", 1, e2)
	b.see("server", 2, e1, nodeOf(4, 1))
	b.see("server", 3, e1, e2)
	b.flush()
	b.see("server", 4, e1, nodeOf(4, 2))
	b.see("server", 5, e1, nodeOf(4, 3))
	b.see("server", 6, e1, nodeOf(4, 4))
	b.see("server", 0, e2)
	b.flush()
}

// TestWallKeepsACannotLink: an e-mail that a wall admitted with a cluster comes
// to follow the wall itself. What the wall holds still knows its cannot-link, and
// refuses the one that it is cut from.
func TestWallKeepsACannotLink(t *testing.T) {
	b := newBoth(t, identity.DefaultRules())
	u1, e1, e2, c1, c2, c3 := nodeOf(0, 1), nodeOf(1, 1), nodeOf(1, 2), nodeOf(4, 1), nodeOf(4, 2), nodeOf(4, 3)
	d := identity.Decision{Kind: identity.CannotLink, A: min(e1.Key, e2.Key), B: max(e1.Key, e2.Key), On: true, ID: "cut"}
	b.g.Decide(d)
	b.o.Decide(d)
	b.see("server", 1, u1, c1)
	b.see("server", 2, u1, c2)
	b.see("server", 3, u1, c3)
	b.see("server", 4, e1, c1)           // A claim on u1, by the cookie.
	b.see("server", 4, nodeOf(1, 3), c3) // Another claim keeps the wall's tally.
	b.flush()
	b.see("server", 5, e1, u1)
	b.flush()
	b.see("server", 6, e2, c2)
	b.flush()
}

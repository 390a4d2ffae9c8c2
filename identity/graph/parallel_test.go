package graph

import (
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// TestWorkersMarkHomes: an e-mail address that a flush on several processors finds
// to be seen with too many others leaves its household, whose values belong to the
// component of no worker. Nothing but that mark says so.
func TestWorkersMarkHomes(t *testing.T) {
	g := New(identity.DefaultRules())
	g.portion, g.workers = 1, 2
	mail := identity.Node{Key: 1, Namespace: identity.Email}
	meet := func(other identity.Node) {
		g.See(identity.Sighting{Members: []identity.Node{mail, other}, Source: "server", Period: 1})
	}
	meet(identity.Node{Key: 2, Namespace: identity.Landline})
	g.Flush()
	if _, ok := g.Household(identity.ProfileID(mail.Key)); !ok || !g.unevaluated() {
		t.Fatal("the address has no household, or the next flush would not be on several processors")
	}
	for i := range 11 { // As strong, and no principals: these would mark it at once.
		meet(identity.Node{Key: identity.Key(10 + i), Namespace: identity.Email})
	}
	g.Flush()
	if h, ok := g.Household(identity.ProfileID(mail.Key)); ok {
		t.Errorf("an address seen with 11 others is in household %s", h)
	}
}

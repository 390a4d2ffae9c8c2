package graph_test

import (
	"fmt"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

func Example() {
	keys := identity.NewKeyer(identity.Secret{}, "demo")
	node := func(ns identity.Namespace, value string) identity.Node {
		return identity.Node{Key: keys.Key(identity.Identifier{Namespace: ns, Value: value}), Namespace: ns}
	}
	anna, mail := node(identity.UserID, "anna"), node(identity.Email, "anna@example.org")
	cookie := node(identity.AnonymousID, "c-1")

	g := graph.New(identity.DefaultRules())
	see := func(at int64, members ...identity.Node) {
		day := identity.DayOfMillis(at)
		g.See(identity.Sighting{Members: members, Source: "shop", Span: identity.Span{
			FirstEvent: at, FirstReceived: at, LastEvent: day, LastReceived: day,
		}})
	}
	see(1, mail, cookie)
	see(2, anna)
	g.Flush()
	fmt.Println("one profile before the login:", g.Profile(anna.Key) == g.Profile(cookie.Key))

	see(3, anna, mail)
	changes := g.Flush()
	fmt.Println("one profile after it:", g.Profile(anna.Key) == g.Profile(cookie.Key))
	fmt.Println("identifiers that moved:", len(changes.Moves))
	// Output:
	// one profile before the login: false
	// one profile after it: true
	// identifiers that moved: 1
}

package inquiry_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/inquiry"
)

// demo is a graph of one rule.
type demo struct{ inquiry.Inquirer }

func (demo) Why(_ context.Context, _ string, a, b identity.Member) (identity.Explanation, error) {
	return identity.Explanation{A: a.Identifier, B: b.Identifier, Barrier: &identity.Barrier{
		Kind: identity.BarrierLimit, From: a.Identifier, To: b.Identifier, Detail: "one profile may hold 1 of user_id",
	}}, nil
}

func Example() {
	secret := identity.Secret{} // The installation's.
	owner := httptest.NewServer(inquiry.NewHandler(demo{}, secret, time.Now, nil))
	defer owner.Close()

	c, err := inquiry.NewClient([]string{owner.URL}, secret, time.Now)
	if err != nil {
		panic(err)
	}
	keys := identity.NewKeyer(secret, "shop")
	member := func(value string) identity.Member {
		id := identity.Identifier{Namespace: identity.UserID, Value: value}
		return identity.Member{Identifier: id, Key: keys.Key(id)}
	}
	e, err := c.Why(context.Background(), "shop", member("anna"), member("ben"))
	fmt.Println(e.Same, e.Barrier.Kind, e.Barrier.Detail, err)
	// Output: false limit one profile may hold 1 of user_id <nil>
}

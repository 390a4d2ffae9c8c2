package oracle_test

import (
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// A browser is seen with a cookie only, then logs in: the cookie follows the
// user id, and the profile is named after the identifier seen first.
func Example() {
	keyer := identity.NewKeyer(identity.Secret{}, "main")
	user := identity.Identifier{Namespace: identity.UserID, Value: "42"}
	cookie := identity.Identifier{Namespace: identity.AnonymousID, Value: "a1"}

	o := oracle.New(identity.DefaultRules())
	see := func(at time.Time, ids ...identity.Identifier) {
		s := identity.Sighting{Source: "web", Period: identity.PeriodOf(at), Span: identity.Span{
			FirstEvent: at.UnixMilli(), FirstReceived: at.UnixMilli(),
			LastEvent: identity.DayOf(at), LastReceived: identity.DayOf(at),
		}}
		for _, id := range ids {
			s.Members = append(s.Members, identity.Node{Key: keyer.Key(id), Namespace: id.Namespace})
		}
		o.See(s)
	}
	day := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	see(day, cookie)
	see(day.AddDate(0, 0, 1), cookie, user)

	r := o.Evaluate()
	founder := identity.ProfileID(keyer.Key(cookie))
	fmt.Println(r.Profile[keyer.Key(user)] == founder, r.Profile[keyer.Key(cookie)] == founder)
	fmt.Println(r.Profiles, "profile,", r.Merges, "merge")
	// Output:
	// true true
	// 1 profile, 1 merge
}

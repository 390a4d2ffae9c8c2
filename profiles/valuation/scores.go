package valuation

import (
	"strings"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// The scores that this package writes, one row each per profile.
const (
	// PAlive is the probability that the customer has not dropped out; its
	// interval is the uncertainty of the fitted parameters.
	PAlive = "p_alive"
	// ExpectedPurchases90d is the number of purchase days expected within 90
	// days; its interval is predictive.
	ExpectedPurchases90d = "expected_purchases_90d"
	// ExpectedSpend is the expected amount per purchase day; its interval is
	// that of the customer's own mean.
	ExpectedSpend = "expected_spend"
	// LifetimeValue1y is the discounted spend of the next 52 weeks (times the
	// margin); its interval is predictive.
	LifetimeValue1y = "lifetime_value_1y"
	// ContributionMargin is what the customer's purchases have left so far after
	// all known costs; where costs of goods are unknown they are expected, and the
	// interval is what it is if that revenue left nothing, and all of itself.
	ContributionMargin = "contribution_margin"
	// LifetimeMargin1y is LifetimeValue1y as margin instead of revenue. Neither
	// exists where too little of the costs is known.
	LifetimeMargin1y = "lifetime_margin_1y"
	// Population is the score of the row of profile 0 that describes a refresh:
	// its value is the number of profiles with a lifetime value, its detail the
	// model and the data. The other scores of profile 0 are the means over all
	// profiles, with the least and the greatest as interval.
	Population = "lifetime"
)

// The horizons of the scores in weeks.
const (
	yearWeeks    = 52
	quarterWeeks = 90.0 / 7
)

// Names lists the scores per profile.
func Names() []string {
	return []string{PAlive, ExpectedPurchases90d, ExpectedSpend, LifetimeValue1y, ContributionMargin, LifetimeMargin1y}
}

// Standing is the SQL condition on a row of scores, one of Names, under which
// it stands: no complete refresh without it has followed. It binds
// {workspace:String}. Combine it with the newest computed_at per profile and
// score.
const Standing = `computed_at >= (SELECT max(computed_at) FROM scores WHERE workspace = {workspace:String} AND profile_id = 0 AND score = 'lifetime')`

// CurrentScores returns the SELECT of the standing scores of all profiles of a
// workspace, one row per profile and score, with the columns profile_id, score,
// model_version, as_of, computed_at, value, lower, upper and detail. It binds
// {workspace:String} and is made to be a subquery: filters on profile_id and
// score are pushed into it. Ids that now belong to another profile, and profiles whose
// processing is restricted, are left out.
func CurrentScores() string {
	return `SELECT profile_id, score, model_version, as_of, computed_at, value, lower, upper, detail
FROM scores
WHERE workspace = {workspace:String} AND profile_id != 0
    AND score IN ('` + strings.Join(Names(), "', '") + `')
    AND ` + Standing + `
    AND ` + warehouse.IdentifierProfile("profile_id") + ` = profile_id
    AND ` + warehouse.Unrestricted("profile_id") + `
ORDER BY computed_at DESC
LIMIT 1 BY profile_id, score`
}

// Package grouping is the worker that tells what kind of customer each profile is:
// its persona (profiles/personas), its stage of life (profiles/lifecycle) and its
// grades by recency, frequency and money. It reads what every profile did from
// ClickHouse, and writes what has changed to the table profile_groups, and models of
// personas to persona_models. It is the only writer of both, and holds no state that
// a restart would lose.
//
// # What people are told apart by
//
// The columns of Features: what they do on the site, in stores and on social
// networks, what they buy, what they ask and answer and how content they sound, what
// becomes of messages to them, and what support contacts are about most. What is not
// known of somebody, such as the sentiment of who never said anything, counts as the
// middle. Personas are of people who are known or have bought: of the stage
// anonymous nobody has one.
//
// Purchases are those of package valuation; amounts are those in the currency with
// the most orders, less refunds.
//
// # When what is computed
//
// Every refresh assigns everybody anew, by the model that stands; the model is fitted
// again when it is Config.Refit old, when there are half as many people again, or when
// it does not fit the features any more. The stage goes by the time and by the scores
// of package valuation. Rows are written for profiles of which something has changed,
// so that the table is the history, too.
//
// # Which rows stand
//
// The newest row of an id stands, unless it has no stage: then the profile is gone
// (merged away, erased, restricted). What stands for a profile is its own row, and
// where it has none that of an id that was merged into it since, the newest: Current
// says so in SQL.
package grouping

// Package segments says who: a Definition is a boolean tree over leaves about
// one profile, the same tree as JSON in the API and as SQL in ClickHouse.
//
// This package holds the tree, its JSON form with limits and precise errors,
// and the Previewer that callers need. It knows no SQL: segments/sql compiles
// and runs definitions, and segments/text writes and reads them as text.
//
// A definition in JSON:
//
//	{"all": [
//	  {"trait": "country", "op": "in", "value": ["PT", "BR"]},
//	  {"event": "Order Completed", "count": {"gte": 2}, "within": "30d",
//	   "where": [{"property": "revenue", "op": "gt", "value": 50}]},
//	  {"any": [{"score": "churn", "op": "gte", "value": 0.7}, {"identifier": "email"}]},
//	  {"revenue": {"gte": 100}, "currency": "GBP", "within": "90d"},
//	  {"not": {"orders": {"gte": 1}, "within": "7d"}}
//	]}
//
// # What it means
//
// Windows. within is (now - within, now]; from and until are [from, until). A
// leaf with both asks for events in both. A date is midnight in zone (UTC
// without one) by the clocks of that day; where midnight does not exist, it is
// the instant that Go's time.Date gives. The canonical form has instants. Times
// have milliseconds, and now is cut to them.
//
// Order. Events stand in the order of time, and of equal times in the order of
// the keyed hash of the message: two events are never at the same place, and
// neither arrival nor batching plays a part. first, last and sequences go by it.
//
// Types. A test holds only between values of one type: text with text, number
// with number, by value; "5" is not 5. A missing property, null and a value of
// another type fail every test, neq included; not(…) finds those who have none.
// Texts compare byte by byte. each asks some element of an array to pass, and
// fails where there is no array; elements that are no objects have no properties.
//
// Measures. sum is 0 without numbers and days is 0 without events, so both can
// hold for a profile that did nothing; average, min and max fail there.
//
// Sequences. Each step takes one event behind that of the step before. after
// bounds the time since the step taken before, both ends included; span the time
// from the first event to the last; without forbids events strictly between the
// two. within, from and until restrict all of them, exclusions too. A sequence
// holds if any choice of events satisfies all of it; an optional step may be
// left out, and bounds of the next then count from the step before.
//
//	{"sequence": [
//	  {"event": "Product Viewed"},
//	  {"event": "Cart Viewed", "optional": true},
//	  {"event": "Cart Abandoned", "after": {"lte": "1h"}, "without": {"event": "Order Completed"}}
//	], "within": "7d", "span": "1d"}
//
// Traits. A name that is declared as a computed trait means what a profile shows of
// it: a count and a sum are 0 for who did nothing, all others are missing there.
//
// Scores. The newest value counts, or an end of its interval:
//
//	{"score": "lifetime_value_1y", "end": "lower", "op": "gte", "value": 200}
//
// Consent. What stands of the statements for a purpose is granted, denied or unknown,
// and exactly one of them. A statement about all channels speaks of each of them, one
// about all addresses of each address; of those that speak of a channel and an address
// the latest stands, and of several at one time a refusal. Granted is who grants by an
// address at least; where addresses are named, only these count. Without a channel any
// channel that is named will do.
//
//	{"consent": "marketing", "channel": "email", "is": "granted"}
//
// Holdouts. The place of a profile is sipHash64(name + "/" + id) % 10000 / 100, with the
// id as it is shown and a key of zeros: anybody can work it out, it never changes, and
// places under different names have nothing to do with each other. A merge leaves the
// place of the profile that stays, so the other's people may change sides; an unmerge
// gives it back.
//
//	{"not": {"holdout": "spring-2026", "percent": {"lt": 10}}}
//
// Other segments. The leaf means what the named segment means at the time of the
// evaluation, in the same instant; Resolve puts the tree in its place, refuses unknown
// names and circles, and counts the leaves of the whole.
//
//	{"all": [{"segment": "at-risk"}, {"not": {"segment": "staff"}}]}
//
// Households and accounts. A household counts its profiles, the own one included, and
// is 0 for those who have none. Accounts count those of a profile that pass; the newest
// statement of each trait of an account stands, and null removes it.
//
//	{"household": {"gte": 2}}
//	{"accounts": {"gte": 1}, "in": ["acme"], "where": [{"trait": "plan", "op": "eq", "value": "gold"}]}
//
// Personas and stages. The leaf holds for who is in the group by the last refresh of
// the worker, which is at most some minutes old. Ids of personas stay from model to
// model; one that is gone has nobody.
//
//	{"any": [{"persona": "p3"}, {"stage": "at_risk"}]}
//
// Places. A fix is in a circle by its distance on a sphere, in a polygon by the corners
// as a map of degrees has them, or in a cell of H3; what lies exactly on an edge may be
// either. minutes is the longest time from the first to the last of fixes in the place
// with none elsewhere between them. Nobody is known to be anywhere between two fixes.
//
//	{"location": {"near": {"lat": 38.72, "lon": -9.14, "km": 5}}, "minutes": {"gte": 30}, "within": "30d"}
//
// Goods. bought counts the orders that stand and have a line of a product, or of a
// category: as the catalogue has the product now, at any level, or as the line says.
//
//	{"bought": {"gte": 1}, "category": "Shoes", "within": "90d"}
//
// Voices. nps takes the newest answer on the scale of 0 to 10; sentiment averages, to
// six decimal places, what the customer has said and what was scored.
//
//	{"nps": "detractor", "within": "90d"}
//	{"sentiment": {"lt": -0.3}, "in": "social", "within": "30d"}
package segments

// Package segments says who: a Definition is a boolean tree over leaves about
// one profile, the same tree as JSON in the API and as SQL in ClickHouse.
//
// This package holds the tree, its JSON form with limits and precise errors,
// and the Previewer that callers need. It knows no SQL: segments/sql compiles
// and runs definitions.
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
package segments

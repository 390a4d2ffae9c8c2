// Package text reads and writes segment definitions as text, the third form beside
// JSON and blocks:
//
//	country in ("PT", "BR") and did "Order Completed" >= 2 times in 30d
//
// Parse turns text into the JSON form, which segments checks: what may be said is
// said in one place, and each fault of it is told by line and column. Format writes
// the JSON form of a definition as text. Every definition has a text, and reading that
// text gives an equal definition. The package knows no workspace and no store.
//
// # Grammar
//
//	tree     = and { "or" and } .
//	and      = term { "and" term } .
//	term     = "not" term | "(" tree ")" | "all" "(" tree ")" | "any" "(" tree ")" | leaf .
//	leaf     = [ "trait" ] name test
//	         | "did" event [ bound { bound } "times" | measure bound { bound } ] window [ where ]
//	         | ( "first" | "last" ) event window where
//	         | "sequence" "(" step { "then" step } ")" window [ "span" duration ]
//	         | ( "orders" | "refunds" | "revenue" ) [ currency ] bound { bound } [ "in" duration ]
//	         | "has" name                                      // an identifier
//	         | "score" name [ "lower" | "upper" ] bound
//	         | "consent" name [ "by" name ] ( "granted" | "denied" | "unknown" )
//	         | "holdout" name bound { bound }                  // percent
//	         | "segment" name
//	         | "persona" name | "stage" name
//	         | "household" bound { bound }                     // profiles
//	         | "accounts" bound { bound } [ "in" list ] [ where ]
//	         | "location" place [ bound { bound } "times" | "minutes" bound { bound } ] window
//	         | "bought" [ "product" name ] [ "category" name ] bound { bound } "times" [ "in" duration ]
//	         | "nps" ( "promoter" | "passive" | "detractor" ) [ "in" duration ]
//	         | "sentiment" [ "of" ( "social" | "support" | "feedback" ) ] bound { bound } [ "in" duration ] .
//	place    = "near" "(" number "," number "," number ")"     // latitude, longitude, kilometres
//	         | "inside" "(" number number { "," number number } ")" // corners
//	         | "cell" name .                                   // of H3
//	event    = name [ "of" kind ] .
//	step     = [ "optional" ] event [ where ] [ "after" bound { bound } ]
//	           [ "without" event [ where ] ] .                 // bounds are durations
//	where    = "where" "(" property test { "and" property test } ")" .
//	property = name [ "[]." name ] .                           // of some element of an array
//	measure  = ( "sum" | "average" | "min" | "max" ) "(" name ")" | "days" .
//	window   = [ "in" duration ] [ "from" time ] [ "until" time ] [ "zone" name ] .
//	test     = bound | "in" list | "contains" value | "exists" .
//	bound    = ( "=" | "!=" | ">" | ">=" | "<" | "<=" ) value .
//	list     = "(" value { "," value } ")" .
//	value    = string | number | "true" | "false" .
//
// A string is one of JSON. A name is a string, or letters, digits, _ and dots that
// begin with a letter or _; a trait that is named like a word of the language needs
// the word trait before it. Durations are whole numbers
// with m, h, d or w; times are those of the JSON form. Parentheses keep the tree as it
// is written: (a and b) and c has two levels.
package text

// Package mapping turns the records of other systems (the payload of a webhook,
// a row of a file) into messages of package wire, as a declaration says. The
// same language serves both doors; it is TOML, or the same tree in JSON:
//
//	source = "help-desk"              # of the messages, unless the door has its own
//	ignore = [{ field = "${type}", is = "ping" }]
//
//	[[events]]                        # each rule whose conditions hold makes messages
//	kind    = "support"
//	name    = "Ticket Updated"        # a constant
//	when    = [{ field = "${type}", in = ["created", "updated"] }]
//	foreach = "tickets[]"             # one message for each element; optional
//	id      = "${id}-${updated_at}"
//	time    = { from = "${updated_at}", format = "yyyy-MM-dd HH:mm", zone = "Europe/Lisbon" }
//	identifiers = [{ namespace = "email", from = "${requester.email}" }]
//	properties  = "rest"              # or "all", a list of names, or a table;
//	                                  # "rest inferred" makes numbers of texts
//	traits      = { firstName = "${vorname}", address = { city = "${ort}" } }
//
//	[events.support]                  # the typed part, by the names of package wire
//	case_id = "${id}"
//	channel = { from = "${via}", map = { web = "email", "*" = "bot" }, default = "email" }
//
// # Strings
//
// A string is a constant with placeholders: "${path}" is the value at the path,
// and keeps its type when it is the whole string. A path is a list of names with
// dots between them ("requester.email"); it takes an element of a list by number
// ("lines[0].sku") or by a member ("answers[field.ref=nps].number"); a name with
// dots or brackets is quoted ("[\"a.b\"]"). Within foreach, "^" begins at the
// element around the list, "^^" at the one around that, "$" at the whole record,
// and "@" is the element itself. "${a|b}" is the first that is there. A null, an
// empty string and a path to nowhere are missing; a string with a missing
// placeholder is missing. What the record does not say itself: ${#line}, ${#file},
// ${#index} (of the element), ${#hash} (of the record's bytes), ${#source} (of the
// file's or delivery's bytes).
//
// # Values
//
// Where a string may stand, a table may: from (a string, or a list of which the
// first present counts), default, required = true, map (words to words, "*" for
// the others), case ("lower", "upper"), split (a separator; gives a list), as
// ("text", "number", "integer", "decimal", "bool", "time", "date"), decimal and
// thousands (the characters of numbers), divide (100 turns cents into units), true
// and false (lists of words), format and zone (of times and dates), keep = true
// (what is no date in its formats stays text). Fields of typed parts know their
// type and need no as. In properties, traits and context a table with none of
// these words is an object of its own, which is left out where it is empty.
//
// Formats of times are "rfc3339" (the default), "unix", "unix_ms", or a pattern
// of yyyy yy MM M MMM MMMM dd d HH hh mm ss SSS a XXX Z EEE and 'literal' text; a
// list of formats is tried in turn. Without zone, times without an offset are UTC.
//
// A mapping is checked as a whole when it is loaded, and every fault names its
// key and line. It is immutable, safe for concurrent use, and never executes
// anything: no loops but foreach, no functions, no access to anything outside.
package mapping

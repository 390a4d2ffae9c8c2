// Package features says what was known of every profile at a moment: one row of numbers
// per profile, made from its events and their typed parts by one query, in which the
// moment (as_of) is a bound parameter. The same query makes the rows that models are
// trained on and those that they score, so that no second implementation can differ.
//
// # Point in time
//
// Only events count that happened before as_of and had been received by then, and they
// belong to whom identity held them to belong to at that moment: what the reading has
// changed since is undone (warehouse.Changed). A merge that came later joins no rows.
//
// History that was imported today was received today: under Received there is nothing to
// know of last year. Under EventTime what had happened counts, whenever it came, and
// identity is what the evidence of that time gives (Deps.Then), or, without that, what it
// is today: who uses it must say so.
//
// # Whose
//
// Rows of people whose processing is restricted, and what was erased and is not rewritten
// yet, are left out. Answers (Labels) are by what is known now: whether a person did
// something after as_of is a fact, however it became known; so each row has the present
// id of its profile beside the one of that time.
//
// Amounts of different currencies are never added: one is asked for.
package features

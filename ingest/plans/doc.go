// Package plans holds events against tracking plans: what a source has promised
// to send, as a JSON Schema (draft 2020-12) for each event and version. A plan
// says what happens to an event that breaks its rules: nothing, a warning that
// is counted and explained, or a dead letter.
//
// A schema describes the whole message as package wire documents it, so that
// pointers in violations are those of the message: /properties/revenue,
// /transaction/currency, /identifiers/0/namespace.
//
// Schemas come from people and must not be able to stop ingest. They refer to
// nothing outside themselves, do not recurse, and their patterns are RE2. What
// holding one message against one schema can cost is known before it is done, as
// a product of two sizes; a message for which that is too much breaks the rule
// "cost". So a verdict depends on the message and the plan alone, never on the
// time that it took.
//
// Plans are immutable by revision (see package control, which writes them). The
// Reader gives ingest the sets of plans; it never writes.
package plans

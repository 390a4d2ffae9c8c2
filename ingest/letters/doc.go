// Package letters is what people do with dead letters: list, inspect, edit,
// replay and discard them. A letter never changes; actions are appended to it by
// the owner of kindred.control (package control), and what became of each replay
// by ingest, so that its history is whole.
//
// A replay publishes the letter's message, as it came or as it was edited, to
// the topic of its kind, with a signed header that names the letter and the
// attempt. Ingest treats it like any message: it is held against the same rules
// and deduplicated by its id. When it breaks a rule again, no second letter is
// made: the outcome is added to the first. Publishing is at least once, and a
// message that comes twice is an event once.
package letters

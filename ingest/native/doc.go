// Package native reads the bodies of the native HTTP intake: one message of
// package wire, an array of them, or lines of them without end. It checks each
// by the rules that ingest applies, gives the good ones to an intake.Submitter
// in chunks as they come, and says of every other one where it stood and which
// rule it breaks.
//
// Memory is bounded by one chunk and one message whatever the body's length,
// also after decompression. What cannot be accepted becomes a dead letter, so
// that nothing that was readable as an event is lost.
//
// The package knows neither HTTP nor Kafka.
package native

// Package privacy is what a person may ask of the data about them, beyond the ledger:
// it rewrites the tables after an erasure, proves that with a signed certificate, says
// how far it is, and writes out everything that is known of one person.
//
// # Erasure
//
// The owner of the identity ledger takes the command: from its outcome on the person
// is nobody to every reader, and what was received of them until then counts no more
// wherever it comes from. It leaves a list of what is gone, as keyed hashes, in
// identity_erasures. The worker of this package makes a batch of what waits there,
// finds the rows, and rewrites each table once for all of the batch, in three steps,
// because each needs what the next one takes away: what is found by the hashes of the
// events and by the values of the identifiers; the events and what was made of them;
// the identifiers. It then counts again, and goes on until nothing is left, waits
// until the engine has removed the files of before, and signs.
//
// The worker inserts into no table of others: it only deletes what a command of the
// identity role named. Kafka keeps what was sent until its retention ends; what is read
// again from there is passed over by ingest and by identity. Lists of keyed hashes
// (identifier_profile, anchor_owner, identity_changes, seen_messages) stay: they hold
// no values, and are what makes old data stay out.
//
// # Retention
//
// Once a day it deletes the events of the kinds that are kept for a time only, and the
// entries of the audit log that are too old.
//
// cmd calls the package; it calls no other role.
package privacy

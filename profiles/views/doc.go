// Package views keeps the whole view of each profile as one value of the table
// profile_lookup, and answers from these rows what would otherwise take a dozen
// queries over events. It stands under the identifier that founded the profile; under its
// others stand aliases, and beside it copies of its scores and of its group, so that one
// question by keys brings all of a profile.
//
// A row is a copy, and a copy may be out of date. So the Reader serves a row only where
// it knows that it is what the view is made of, and whatever does not agree is read from
// the events themselves. A row that is missing, late, lost or of another version of this
// program therefore costs time, never truth. What is looked at:
//
//   - Whether an event of the profile was stored since: ingest writes a note of each, and
//     commits nothing before it is written; the Feed has those that the projector has not
//     worked on. Where the feed is behind, has lost some, or names the profile, the row
//     is compared with the events: how many events lie under its anchors, with the sum
//     of their hashes, and how many rows of identifiers under its keys. Ingest writes
//     the facts of events before the events, and the Projector counts before it reads:
//     who counts the same has read all of it.
//   - Whether a change of identity after the row's version names the profile, one of
//     its identifiers or its household. The reader keeps the changes since the mark of
//     the projector in memory, and asks for more when a new version is published. The
//     mark says up to which change all rows were read again, so that no row is older
//     than what the memory of changes holds. A projector that was paused, and replaced
//     meanwhile, cannot write late: before each write it takes a lease, which is to prove
//     to the broker that the notes are its own, and the engine writes nothing once that
//     ended by its own clock.
//   - Whether the row was made by the same encoding and rules, and whether the time has
//     changed anything: see Config.Fresh.
//
// Scores are no part of a row: they are computed for everybody at once, so that every
// row would change with them. They stand beside it, put there by the engine as they are
// computed (the views lookup_scores and lookup_groups). Profiles with identifiers that
// move between people or that were erased once have rows without a view.
//
// The Projector is of the role worker and the only writer. It reads again the profiles
// whose events were stored (the topic kindred.stored), those that changes of identity
// name, and at its start those that have no row that agrees. Its cost grows with what
// changed, not with what is there, but for that sweep. It sweeps again where notes were
// lost, after erasures and retention, and once a day: an insert that the engine had begun
// when the notes went to another process in order could end after that one's first.
package views

// Package views keeps the whole view of each profile as one row of the table
// profile_views, and answers from these rows what would otherwise take a dozen
// queries over events.
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
//     than what the memory of changes holds; a projector that was replaced and writes
//     late leaves a row of a lesser stamp, which the newer one hides.
//   - Whether the row was made by the same encoding and rules, and whether the time has
//     changed anything: see Config.Fresh.
//
// Scores are no part of a row: they are computed for everybody at once, so that every
// row would change with them. They are read beside it. Profiles with identifiers that
// move between people or that were erased once have rows without a view.
//
// The Projector is of the role worker and the only writer. It reads again the profiles
// whose events were stored (the topic kindred.stored), those that changes of identity
// name, and at its start those that have no row that agrees. Its cost grows with what
// changed, not with what is there, but for that sweep. It sweeps again where notes were
// lost, after erasures and retention, and once a day: a projector that was paused for
// longer than its session between reading and writing could leave a row that nothing
// else would find.
package views

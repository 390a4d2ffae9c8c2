// Package cache keeps profiles in memory in front of any profiles.Store.
//
// It decorates a Store with a ristretto cache bounded in bytes, joins equal
// reads that run at once into one, remembers for a moment what does not exist,
// and forgets at once what Invalidate names.
//
// # Invalidation
//
// An entry is forgotten by name, not by a version in its key: a version of the
// whole reading would empty the cache at every flush of the identity owner,
// though a flush touches a handful of profiles. Names are identifier keys.
// A profile id is one too, so a single call serves every notice: identity names
// the identifiers and profiles that moved, ingest the identifiers of stored
// events. A cached profile is forgotten when any identifier it holds is named, one
// that was its at an earlier time, or its household.
//
// What was read before an invalidation is never served to a caller who comes
// after it, even when the read was under way: see ledger.go.
//
// # How long an answer lives
//
// Fresh (a minute) from when it was read, whatever may have happened; beyond that, and
// up to TTL, only while somebody vouches that all that changed it would have named it.
// A minute alone is too short: at 5000 reads a second by Zipf's law, all but the first
// 20 000 people are asked for less than once a minute, so that of a million no more than
// 73 % of reads could hit, whatever the memory (88 % with TTL). Two designs:
//
//   - All that changes a profile is told over Kafka as well: the workers that compute
//     scores and groups, and each feed that lost something. It is told within
//     milliseconds, but whoever changes something and is killed before it tells leaves
//     answers that are wrong until TTL; so does a reader of the topic that is behind
//     without knowing; and whole populations are computed at once, for hours of names.
//   - What is stored is looked at, every few seconds (Watch). That is what is built. A
//     change is found where it is, whoever made it and whatever became of him; while it
//     cannot be looked, or the reader of notes is behind, nobody vouches, and every
//     answer has its minute as before. It costs three small queries a workspace each
//     time, and what is only found there may be seconds late, a minute at most.
//
// Watch knows of these sources: events and what is told in them (notes, which the reader
// of Sources.Stored has to have heard up to the end of their topic), identity (the table
// of changes, so that an owner that is killed before its notice costs nothing; a new
// owner, which may take back what was published last), scores, their withdrawal, stages
// and personas (rows that came; nobody is named, so that all of the workspace has its
// minute), and notes that were lost, as those of erasures and of retention are (Lost). The
// passing of time is told by Deps.Holds. Segments, consent and restrictions are no part
// of a profile. TTL bounds what a source that is missing in this list could do.
package cache

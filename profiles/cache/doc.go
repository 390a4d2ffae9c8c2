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
// after it, even when the read was under way: see ledger.go. An entry that no
// notice names, because a notice was lost, lives for TTL at most.
package cache

// Package oracle is the executable definition of a profile: the function from
// a ledger (sightings, pairs, scored pairs of records, decisions, expiry, erasure)
// to profiles and households, written
// straight from its specification, with no thought of speed. Every Evaluate
// starts from nothing. It exists so that identity/graph, which keeps the same
// function current as entries arrive, has something to be equal to; no process
// calls it. It shares no code with identity/graph and never sees values.
//
// The ledger is a set, so an Oracle keeps raw sightings and forgets only exact
// duplicates. Evaluate then runs the steps in order, one file each:
//
//	counted.go   which sightings count; first seen, last seen, trust
//	eligible.go  step 0: rejected, blocked, void, generic, crowded
//	tenures.go   step 0: retired pairs of moving identifiers
//	fuse.go      step 1: must-linked identifiers are one node; evidence order
//	follow.go    step 2: nodes follow stronger ones; groups
//	join.go      step 3: loose groups join within their unit
//	claims.go    step 4: fixed groups admit the clusters that claim them; ids
//	linkage.go   step 5: profiles join by the scores of their records
//	households.go   profiles that share landlines and addresses; after all steps
//
// # Readings
//
// Where the specification leaves room, this package reads it so:
//
//   - An event time later than its received time is set to it, on every span
//     handed in. On spans that intake has already clamped this changes nothing.
//     The period is the caller's: it must be that of the clamped event time.
//   - A sighting received at or before an erasure of its key does not count,
//     judged by its first received time. Sightings are not merged here, so
//     erasures may stand before or after later evidence. A ledger that stores
//     merged rows agrees as long as an erasure is applied before later evidence.
//   - An identifier with pairs but no counted sighting of its own is gone, and
//     so are its pairs.
//   - "Rejected" covers pairs that are rejected and pairs that are directly
//     cannot-linked, for shields and fan-out too: an operator has denied both.
//   - A block decision that is off does not unblock a value that the rules
//     block: it only takes back an earlier block decision.
//   - Household identifiers are in no pair and no must-link; their profile is 0.
//   - Shields, void pairs, fan-out and tenures go by the ranks of identifiers.
//     Everything after fusion goes by the ranks of nodes, the evidence order
//     included (rank of the weaker node, rank of the stronger node, first seen,
//     low key, high key); otherwise a follower could be admitted before the
//     node that it follows. Owners of past tenures use that same order.
//   - Fan-out of 0 is taken literally: one neighbour is too many.
//   - Tenures work in whole days (last seen is a day): a tenure ends where the
//     day of the next first seen minus the latest last day exceeds the gap. It
//     is computed over pairs to strictly stronger identifiers that are eligible
//     so far, one interval per pair. Until is the first seen of the next
//     tenure's first pair, in milliseconds.
//   - A limit is broken when more than N identifiers of its namespace, not all
//     of one fused node, would meet; with a window, when some half-open window
//     [t, t + length) of first seen holds them. So a fused node may exceed the
//     limit inside, and still gain members of other namespaces.
//   - A principal's limit is 1 also where its rank is not the least.
//   - A cannot-link forbids two sides to meet; inside a fused node it is void.
//   - Caps G and C count identifiers, not nodes.
//   - The rank of a pair, for the level of a unit, is that of its weaker node.
//     Pairs weaker than the level of a unit are ignored for joins and claims
//     alike: a group at its own level claims nothing.
//   - Of the scores of one pair by one model the greatest (time, weight) stands,
//     as of decisions; a later score below the review threshold withdraws it.
//     Weights beyond 32 bits are cut to them. A model is chosen by the rules. A
//     score made at or before an erasure of an end does not count, like a sighting.
//   - A scored pair says nothing of its ends on their own, and does not ask for
//     trust. "Rejected" covers direct cannot-links here too; an end that is a
//     household value is not read. What a unit beyond C ignores is missing in
//     its averages. A link threshold below 1 is 1, so that nothing joins by
//     having no score.
//   - A refused pair of clusters stays refused without a note of it: limits,
//     cannot-links and caps that forbid two sets forbid all that hold them.
//   - Households are no step: an edge is a counted pair of a household value and
//     an identifier, not rejected, neither end blocked, the identifier not
//     generic. The fan-out of a value is the number of its distinct profiles, as
//     nothing that follows could make that circular. A component of more than C
//     values and profiles is no household, as it is no person.
//   - Profiles, Merges: gone identifiers and households count for neither.
package oracle

// Package live keeps the members of segments: it stores their definitions, evaluates
// them for whoever has changed, and writes down who entered and who left, when, and by
// which leaf. It is the only writer of segment_definitions, segment_changes,
// segment_states and segment_told, and holds no state that a restart would lose.
//
// # Two designs
//
//  1. Counters per profile and leaf, moved by each event. An event costs little, but
//     a merge, an unmerge, an erasure or a late event changes counters of the past,
//     traits survive by rules that no counter knows, and a counter that went wrong
//     once stays wrong.
//  2. Evaluate the definitions by the queries that a preview runs, restricted to the
//     profiles that have changed, and compare with what the store says of the members,
//     which the worker reads at its start and keeps as bits (chosen). The membership is a
//     function of what is stored: whatever has moved it, the next evaluation finds it, and
//     live members cannot drift away from a preview. All segments share few queries, and
//     equal leaves are asked once. Leaves that count events are counted by the worker,
//     from the stored events of those profiles, and tests hold both ways together.
//
// # When
//
// Three things ask for an evaluation. News name the identifiers of which something was
// stored or that moved between profiles: segments are evaluated for the profiles
// that have these, also for those of the past tenures of the identifiers. Where nothing
// was stored but events of one name, only the segments are that ask for it, and nothing
// where none does, unless somebody is new. Who is new is evaluated for all segments, and
// once more when identity has stored the identifier. Time: each
// evaluation brings with it when the first event or transaction of a profile leaves a
// window or comes into one, and the profile is evaluated again for that millisecond:
// begun as long before as an evaluation takes, stored and told not before.
// And there is an evaluation over all profiles after a start, when news were lost, for
// a definition that is new or has changed, for new scores, and every few hours, which
// is as far ahead as due times are kept. What the catalogue says of products is no news
// of anybody, and counts from the next such evaluation on. After one over all the next
// one over all rests, while those of some go on. Where more people are due than one takes,
// whoever was due first comes first, and the lag of who waits is a metric. When nothing
// happens and nothing is due, nothing runs.
//
// # Once and in order
//
// The changes of a workspace are appended in numbered blocks. Block n is the difference
// between an evaluation and the blocks below n, and it is inserted under the token
// (workspace, n), so that the store keeps one block n, whole, whoever came first. A
// worker that finds another's block in the place of its own drops what it has evaluated
// and reads again; one that was killed between two blocks of a large difference has
// written a right part of it, and its successor writes the rest. A change has a name,
// (segment, block, profile), that is the same for whoever tells of it.
//
// A query that fails is asked again for each of its segments. One that cannot be
// evaluated is marked so in segment_states and keeps its members; the others go on.
package live

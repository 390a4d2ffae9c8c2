// Package live keeps the members of segments: it stores their definitions, evaluates
// them again and again, and writes down who entered and who left. It is the only
// writer of segment_definitions, segment_changes and segment_states, and holds no
// state that a restart would lose.
//
// # Two designs
//
//  1. Counters per profile and leaf, moved by each event. An event costs little, but
//     a merge, an unmerge, an erasure or a late event changes counters of the past,
//     traits survive by rules that no counter knows, and a counter that went wrong
//     once stays wrong.
//  2. Evaluate the definition by the query that a preview runs, and compare with what
//     the store says of the members (chosen). The membership is a function of what is
//     stored: whatever has moved it, an event, a merge, an erasure or the time, the
//     next evaluation finds it, and live members cannot drift away from a preview.
//     It costs a query over all profiles per segment, so it runs when something was
//     stored or a period has passed, and never more than a share of the time.
//
// # Once and in order
//
// Changes of a segment are appended in numbered blocks. Block n is the difference
// between an evaluation and the blocks below n, and it is inserted under the token
// (workspace, segment, n), so that the store keeps one block n, whole, whoever came
// first. A worker that finds another's block in the place of its own drops what it
// has evaluated and reads again; one that was killed between two blocks of a large
// difference has written a right part of it, and its successor writes the rest. A
// change has a name, (workspace, segment, block, profile), that is the same for
// whoever tells of it.
//
// A segment whose evaluation fails is marked so in segment_states and keeps its
// members; the others go on.
package live

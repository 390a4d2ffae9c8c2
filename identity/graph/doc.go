// Package graph keeps profiles current: it is the function from a ledger of
// sightings, scored pairs of records, decisions, expiries and erasures to
// profiles and households, evaluated again only where something changed. What
// the function is, package identity/oracle says in its plainest form; the two
// share no code and are tested to be equal.
//
// A Graph belongs to one goroutine, the owner of a workspace's ledger. It holds
// keys and times only: no values, no messages, nothing per event or per set of
// identifiers. It reads and writes no storage and never looks at a clock.
//
//	g := graph.New(identity.DefaultRules())
//	g.See(sighting)        // any number of entries, in any order
//	changes := g.Flush()   // evaluate, and say what changed
//	id := g.Profile(key)
//
// # How it works
//
// Entries are applied at once to identifiers (nodes) and pairs (edges). What
// that can have changed is marked, and Flush computes the marked parts of each
// step again from the output of the step before:
//
//	see.go, rows.go, forget.go   which sightings count
//	edges.go, status.go          step 0: shields, void, generic, crowded
//	tenure.go                    step 0: retired pairs, owners of past tenures
//	fuse.go, order.go            step 1: must-linked nodes, the evidence order
//	follow.go                    step 2: whom a node follows
//	regroup.go, admit.go         step 2: groups
//	unit.go, kruskal.go          step 3: loose groups join, within C
//	claim.go                     step 4: walls admit what claims them
//	score.go, linkage.go         step 5: super-nodes with scored records
//	reach.go, average.go         step 5: units within C, and average linkage
//	home.go, household.go        households of the profiles found
//	found.go, flush.go           ids, and what changed
//	portions.go, plain.go        of all at once, and of most in one go
//	explain.go, path.go          why two identifiers are one profile
//	between.go, barrier.go       or why not: the pair between them, and the rule
//	refusal.go                   that refused it
//	subgraph.go, health.go       one profile and all of them, for people
//	bridges.go                   pairs that hold two parts together
//	review.go                    scored pairs that wait for a person's decision
//
// An edge lies in one of two lists of each of its ends: live edges are open, and
// no more than the fan-outs of its namespaces allow; all others are parked, and
// only an operator's decision, an expiry, an erasure or a shield that comes or
// goes reads those. The kept tally of a large group or a claimed wall settles a
// move in constant time in the two common cases: whatever fits displaces no one,
// and what does not fit and comes last concerns no one else. Everything else is
// at most the work of a group within G or a unit within C, times fan-outs.
//
// A unit of linkage is found by one search that takes the greatest weight at its
// edge first: the weight over which a component is within C shows by itself,
// whatever the number of weights. It is noted, and stands until a pair counts no
// more or a record is in another profile. Steps 0 to 4 do not know of linkage: a group
// keeps the founder that they give it, and a bond over it the one of the whole.
//
// # Readings
//
// Where the definition leaves room this package reads it as identity/oracle
// does. What only concerns keeping it current:
//
//   - Rows are kept per period, not per source: a source's trust is applied when
//     a sighting is read, and expiry takes whole periods. A rebuild under other
//     rules is another Graph.
//   - Erase must come before sightings of its key that were received later, as
//     the owner of the rows stamps it; on loading, erasures come first.
//   - Household values move from their own key to profile 0 when first seen.
//   - A new identifier is a flip only where its earlier sightings may have
//     expired or been erased; otherwise no old set can hold it.
//   - Pairs of an identifier and a household value are kept with their rows like
//     all others, as edges of a kind of their own in lists of their own: steps 0
//     to 5 do not see them. Those of a value seen with too many profiles are
//     hidden, so that nothing scans them from the other end.
//   - The model is of the rules, so a model switch is another Graph. Scored pairs
//     of an identifier that has expired are kept: they count when it is seen again.
//   - Identifiers that are gone keep their place in memory until a rebuild.
package graph

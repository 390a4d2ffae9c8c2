// Package ledger is the identity role: the process that owns the evidence of a
// set of workspaces, keeps it in ClickHouse, drives the graph over it, publishes
// the reading that queries use, and tells others what changed.
//
// One partition of the evidence topic has one owner at a time, under one
// generation of the consumer group. A batch of evidence goes through these
// steps, in this order:
//
//	start rows of class flips, when there are any
//	scored pairs of records                         idempotent, need no fence
//	evidence: identifiers, pairs, members of sets   idempotent, needs no fence
//	sets                                            so that a set has all its rows
//	reading: identifier_profile, anchor_owner, identifier_tenures,
//	  household_profile, identity_changes, ends of flips
//	version                                         makes the whole flush visible
//	notices
//	commit of the offset, with the last notice      fenced by the generation
//
// What models of linkage say of pairs of records travels on the same topic: scores
// are entries of the same ledger, in no order, and are flushed with the evidence
// around them. Those of every model are stored; those of the model that the rules
// name are evaluated, and loaded when a workspace is opened.
//
// Commands of operators travel on the same topic, and not on that of the other
// commands, because their effect depends on the evidence before them: one owner
// applies both, in one order, under one fence. A batch is cut at a command. What
// came before it is flushed, the command is judged by the graph as it then is,
// and has a flush of its own:
//
//	start rows of class flips, when there are any
//	decisions, whole, beside the reading            or a version of the rules
//	version, as above                               when anything changed
//	outcome: identity_commands                      of what was refused, too
//	notices, commit
//
// A command with an outcome is not done again, and one with decisions and no
// outcome is finished, not judged anew: the inserts of both are named by the
// command, so whoever makes them makes them once. Declared rules are a new
// reading of the same ledger: it is loaded under them beside the graph in use,
// and the difference is published as one version.
//
// An erasure is a command like the others, but no decision: see erasure. What it takes
// is stored in identity_erasures before it is published, and loaded before all else.
//
// Of evidence the ledger keeps what made it: an event, or an alias, which says of
// two identifiers that they are one person. Ingest names it ("alias" is the type
// of a behaviour event), it is part of the key of a stored pair, and where the
// rules let the source rename, an alias of two user ids is a must-link: see
// rename. That is derived from the stored evidence, never stored.
//
// A crash between any two of them loses nothing and doubles nothing that a
// reader sees. The rows of the reading carry (epoch, sequence). An epoch is one
// ownership; it is handed out by a fenced commit, so that no two owners can
// share one. A successor first records the cut of every epoch before its own —
// the last version that they published — and then reads under it, so rows of a
// half-done flush, and rows that a paused owner writes after it woke up, count
// nowhere. It then loads the evidence, evaluates it, and publishes only the
// difference to what is published.
//
// What counts, as a rule for every reader of the reading's tables: the rows of
// the last epoch up to its published version; of the previous epoch that its row
// in identity_epochs names, up to the cut in that row; and so on along the chain
// of previous epochs. Rows of epochs beside the chain do not count, nor do cuts
// that their owners recorded. Of the rows of a key that count, the greatest
// (epoch, sequence) stands.
//
// The package never reads events, never normalises values, and logs no
// identifier values. cmd calls it; ingest/kafka supplies partitions, and
// profiles/warehouse publishes versions, through the interfaces declared here.
package ledger

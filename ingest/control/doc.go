// Package control is the way in for what people decide: definitions and actions
// travel as commands on the topic kindred.control, and one owner applies them in
// order. It is the only writer of the tables that its handlers write.
//
// # Order and repetition
//
// The topic has one partition and its group one owner at a time. The revision of
// a command is its offset + 1: all that the command writes carries it, so that
// revisions are a total order over everything that was ever decided. A handler
// looks only at what has a lower revision, and inserts under a token made of the
// command's place. A command that is applied again, because its owner died before
// the commit or was paused and woke up beside its successor, therefore comes to
// the same rows, and the store keeps them once.
//
// Definitions carry the revision that their author has seen. When another change
// came in between, the command is refused as a conflict and nothing is written.
//
// Senders wait for the outcome of their command, which is written last: who sees
// it sees what the command wrote.
package control

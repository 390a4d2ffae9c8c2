// Package audit keeps the record of who read what of whom, and who changed what:
// the table audit_log, of which it is the only writer.
//
// Entries are written in blocks. Whoever begins a change waits until its entry is
// stored; whoever completes one, or notes a reading, waits only while the queue is
// full. A block that cannot be stored is tried again, under the same token, until
// it is: nothing is given up while the process lives. What a crash can take are
// readings of the last moment and outcomes of changes, never that a change was
// begun.
package audit

// Package ingest turns the records of the event topics into rows: it decodes,
// validates and deduplicates them, stores them exactly once, and publishes what
// they say about identity. It is stateless by partition, so that any member of
// the consumer group can take over any partition at any moment.
//
// It never decides who a person is (package identity does, later and off this
// path), never drops what it cannot read (a dead letter keeps the bytes, the
// place and the reason), and knows neither ClickHouse nor HTTP: it declares the
// Store and Partition that it needs and cmd plugs them in.
//
// # Delivery
//
// For each batch the owner of a partition
//
//  1. commits a plan, the range of offsets, as metadata of the unchanged offset,
//     fenced by the group generation;
//  2. inserts the rows of that range, every table with the same token, so that
//     the store ignores a second insert of the same range;
//  3. publishes evidence and waits for the acknowledgement;
//  4. commits the offset after the range.
//
// A successor finds the plan and does the same range again with the same token.
// Where the predecessor's rows had arrived, or still arrive late, they are
// stored once. Copies of one message meet in one partition, so a message is new
// unless its hash is in the batch, in the in-memory filter and then in the
// stored message hashes. Hashes stored by the planned range itself do not count
// while it is done again; each remembers its range, so that hashes of an earlier
// reading of the same records in other ranges do.
//
// While there is a backlog the next batch is read and decoded during the storing
// of the one before. What is read and not stored is bounded for all partitions
// together.
//
// What product events and orders mention of a product is stored when it says
// something new, and once an hour of event time otherwise, by each process. The
// view of the catalogue may then show what is outdated by that much where events
// arrive out of order; what catalogue events state is always stored.
//
// Two designs were weighed. Idempotent rows (a replacing table keyed by message
// hash) need no plan, but every reader then pays for FINAL or counts doubles
// until a merge, and the sort key must hold the message hash before time.
// Transactions across Kafka and ClickHouse do not exist. The plan costs one more
// offset commit for each batch and leaves plain append-only tables.
package ingest

// Package kafka is the Kafka side of the roles that consume: it owns the
// partitions of a consumer group, one goroutine each, reads them with the
// broker's append time, and commits offsets with metadata under the fence of
// the group generation. It also creates topics and makes writers.
//
// It stands on kafka-go. One thing kafka-go does not give is the append time of
// a record: under message.timestamp.type=LogAppendTime the broker leaves the
// producer's times in the records and puts its own into the header of the
// batch, which kafka-go drops. A received time that any producer can choose
// would let an untrusted source win identity ties, so this package sends
// kafka-go's fetch request through kafka-go's transport and decodes the record
// batches itself (records.go).
//
// What else it sees to, against any broker from Apache Kafka 0.11 to today's:
//
//   - Transactions: records are read when their transaction has been committed,
//     never when it is open or was rolled back (decode in records.go).
//   - Retention that removed what was not read: it is counted, logged as an error
//     with its place, and reading goes on after it. A log that is shorter than
//     what was read of it is read again from its start (consumer.go).
//   - Batches that inflate to more than memory should hold are read in pieces,
//     and what a producer wrote wrong becomes a message that can be a dead
//     letter, so that no record stops its partition (inflate.go).
//   - A commit that the broker did not answer is repeated under the same fence.
//   - Records above the size of an ordinary request are written one by one.
//
// The tests run against the embedded broker, and with `make test-kafka` against
// a real Apache Kafka.
package kafka

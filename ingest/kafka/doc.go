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
package kafka

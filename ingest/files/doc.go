// Package files imports files of events: it reads a file as a stream, turns it
// into messages of package wire, and hands them to a Publisher in batches.
//
// An import is deterministic: the same file gives the same records in the same
// order, byte for byte. That is what lets an interrupted import continue after
// the last batch that was acknowledged (Progress), so that a kill at any moment
// costs at most one batch published twice, which ingest recognises by its
// message ids.
//
// What the columns of a file mean is declared by a mapping (package mapping) and
// read by Mapped: CSV, lines or an array of JSON, and Parquet, compressed or not.
// Messages reads files of messages that need no mapping, and OnlineRetail the
// sample data. Preview shows what a file would become, Suggest guesses a mapping.
//
// What cannot be read is never dropped: it becomes a record with the header
// wire.HeaderReject, whose value is the raw bytes.
//
// The package knows neither Kafka nor ClickHouse, and nothing of identity. The
// command line plugs the broker in; package simulate reuses its delivery.
package files

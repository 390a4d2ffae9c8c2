package files

import (
	"context"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Header is one header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Record is one record for a topic. The receiver must not change its bytes.
type Record struct {
	Topic   string
	Key     []byte
	Value   []byte
	Headers []Header
}

// Publisher sends records to a broker.
type Publisher interface {
	// Publish sends records to topic in order and returns nil after the broker
	// has acknowledged every one of them. After an error any part of them may
	// have arrived. Publish is called from one goroutine at a time; it keeps
	// neither the slice nor the records after it returns.
	Publish(ctx context.Context, topic string, records []Record) error
}

// Feed produces the records of one import or simulation.
type Feed interface {
	// Records calls emit for every record in order, always all of them and
	// always the same, and returns the first error of emit or its own.
	Records(ctx context.Context, emit func(Record) error) error
	// Snapshot returns a copy of the counts of what was emitted so far, for
	// the progress file. It is called between two calls of emit.
	Snapshot() any
}

// WorkspaceHeaders returns the headers that address a workspace: none for the
// default workspace, to which records without the header belong.
func WorkspaceHeaders(workspace string) []Header {
	if workspace == "" || workspace == wire.DefaultWorkspace {
		return nil
	}
	return []Header{{Key: wire.HeaderWorkspace, Value: []byte(workspace)}}
}

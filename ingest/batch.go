package ingest

import (
	"context"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Seen is the memory of one stored message.
type Seen struct {
	Workspace string
	Hash      Hash
	BodyHash  uint64
	Position  Position
	// Range tells the planned range that stored it, 0 where that is not known.
	Range uint32
}

// Batch is what one planned range of a partition stores.
type Batch struct {
	Kind        wire.Kind
	Events      []*Event
	DeadLetters []*DeadLetter
	Seen        []Seen
	// Catalogue is what the events say of the catalogue, computed once, so that
	// whoever inserts the batch again inserts the same rows.
	Catalogue []CatalogueRow
	// Revision is that of the tracking plans which broke Violations.
	Revision   uint64
	Violations []Violated
	// Outcomes are those of replayed dead letters.
	Outcomes []Outcome
}

// Store keeps batches. Implementations: ingest/clickhouse.
type Store interface {
	// Insert stores every table's rows of the batch under token: what was made of
	// events first, events after it, the message hashes last. A table that has had
	// the token before, from any process at any time, ignores its rows. On error
	// any part of the batch may have been stored, and the caller inserts the same
	// batch again.
	Insert(ctx context.Context, token string, b *Batch) error
	// Lookup returns what is stored of the given hashes in the workspace.
	Lookup(ctx context.Context, workspace string, hashes []Hash) (map[Hash]Seen, error)
	// Scan calls f for every stored hash of the messages of one partition.
	Scan(ctx context.Context, topic string, partition int, f func(Hash)) error
}

// insert stores b under token and remembers what is stored then.
func (p *Pipeline) insert(ctx context.Context, token string, b *Batch, finishing bool) error {
	b.Catalogue = p.said.rows(b.Events)
	if err := p.retry(ctx, "insert", func() error { return p.deps.Store.Insert(ctx, token, b) }); err != nil {
		p.said.forget(b.Catalogue)
		return err
	}
	for _, s := range b.Seen {
		p.filter.add(s.Hash)
	}
	if finishing { // The store may have ignored these for an earlier owner's.
		p.said.forget(b.Catalogue)
	} else {
		p.said.note(b.Catalogue)
	}
	return nil
}

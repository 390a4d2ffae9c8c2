package ingest

import (
	"context"
	"fmt"
)

// decoded is a record after decoding: an event, a dead letter, or nothing when
// it was forwarded or turned out a copy.
type decoded struct {
	event  *Event
	letter *DeadLetter
}

func (d decoded) seen() Seen {
	if d.event != nil {
		return Seen{d.event.Workspace, d.event.Hash, d.event.BodyHash, d.event.Position}
	}
	return Seen{d.letter.Workspace, d.letter.Hash, d.letter.BodyHash, d.letter.Position}
}

type dedupeKey struct {
	workspace string
	hash      Hash
}

// deduplicate fills the batch with what is new among records, in order. The
// copy that was stored first counts; a copy with the same body is dropped and
// counted, one with another body becomes a dead letter.
func (p *Pipeline) deduplicate(ctx context.Context, records []decoded, b *Batch) error {
	stored, err := p.lookup(ctx, records)
	if err != nil {
		return err
	}
	for _, r := range records {
		s := r.seen()
		key := dedupeKey{s.Workspace, s.Hash}
		before, known := stored[key]
		switch {
		case known && before.Position != s.Position && before.BodyHash == s.BodyHash:
			p.metrics.duplicates.WithLabelValues(string(b.Kind)).Inc()
			continue
		case known && before.Position != s.Position:
			r = p.reused(r, before)
			s = r.seen()
			if again, ok := stored[dedupeKey{s.Workspace, s.Hash}]; ok && again.Position != s.Position {
				continue
			}
		}
		stored[dedupeKey{s.Workspace, s.Hash}] = s
		b.Seen = append(b.Seen, s)
		if r.event != nil {
			b.Events = append(b.Events, r.event)
		} else {
			b.DeadLetters = append(b.DeadLetters, r.letter)
		}
	}
	return nil
}

// lookup asks the store for the hashes that the filter has met.
func (p *Pipeline) lookup(ctx context.Context, records []decoded) (map[dedupeKey]Seen, error) {
	candidates := map[string][]Hash{}
	for _, r := range records {
		s := r.seen()
		if p.filter.has(s.Hash) {
			candidates[s.Workspace] = append(candidates[s.Workspace], s.Hash)
		}
	}
	stored := make(map[dedupeKey]Seen, len(records))
	for workspace, hashes := range candidates {
		p.metrics.exactChecks.Add(float64(len(hashes)))
		found, err := p.deps.Store.Lookup(ctx, workspace, hashes)
		if err != nil {
			return nil, fmt.Errorf("look up message hashes: %w", err)
		}
		for h, s := range found {
			stored[dedupeKey{workspace, h}] = s
		}
	}
	return stored, nil
}

// reused turns an event whose message id was taken by another body into a dead
// letter. A dead letter is known by its bytes, so it needs no such care.
func (p *Pipeline) reused(r decoded, before Seen) decoded {
	e := r.event
	if e == nil {
		return r
	}
	lo, hi := p.decoder.keyer(e.Workspace).Message("reused", string(e.Kind), e.Source, e.ID, fmt.Sprint(e.BodyHash))
	return decoded{letter: &DeadLetter{
		Workspace: e.Workspace, Received: e.Received, Source: e.Source, Reason: ReasonReused,
		Detail:    fmt.Sprintf("message id was used before with another body, at %s/%d offset %d", before.Position.Topic, before.Position.Partition, before.Position.Offset),
		MessageID: e.ID, Position: e.Position, Value: e.raw, Headers: map[string]string{},
		Hash: Hash{lo, hi}, BodyHash: e.BodyHash,
	}}
}

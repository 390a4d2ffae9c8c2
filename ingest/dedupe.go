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
	replay *Replay    // the dead letter that the record replays, if any
	broken []Violated // rules of tracking plans
}

func (d decoded) seen() Seen {
	if d.event != nil {
		return Seen{Workspace: d.event.Workspace, Hash: d.event.Hash, BodyHash: d.event.BodyHash, Position: d.event.Position}
	}
	return Seen{Workspace: d.letter.Workspace, Hash: d.letter.Hash, BodyHash: d.letter.BodyHash, Position: d.letter.Position}
}

type dedupeKey struct {
	workspace string
	hash      Hash
}

// deduplicate fills the batch with what is new among records, in order. The
// copy that was stored first counts; a copy with the same body is dropped and
// counted, one with another body becomes a dead letter. What a planned range
// itself has stored is new while that range is being finished, and only then: a
// topic that is read again from its start stores nothing, also when a range of
// other bounds over the same records is finished after a crash.
//
// What is new is held against the tracking plans here, and not before, because
// a copy of what is stored needs no verdict.
func (p *Pipeline) deduplicate(ctx context.Context, records []decoded, pl plan, finishing bool, plans PlanSet, b *Batch) error {
	stored := map[dedupeKey]Seen{}
	b.Seen = make([]Seen, 0, len(records))
	index := newSeenIndex(len(records))
	for len(records) > 0 {
		if err := p.lookup(ctx, records, stored); err != nil {
			return err
		}
		var reused []decoded
		for _, r := range records {
			s := r.seen()
			s.Range = pl.hash()
			before, known := Seen{}, false
			if at := index.find(b.Seen, &s); at >= 0 {
				before, known = b.Seen[at], true
			} else if len(stored) > 0 {
				before, known = stored[dedupeKey{s.Workspace, s.Hash}]
			}
			switch {
			case !known, finishing && before.Position == s.Position && (before.Range == s.Range || before.Range == 0):
				judged := p.judge(r, plans)
				if judged.event == nil && r.event != nil {
					reused = append(reused, judged)
					continue
				}
				index.put(s.Hash, len(b.Seen))
				b.add(judged, s)
			case before.BodyHash == s.BodyHash || r.event == nil:
				p.metrics.duplicates.WithLabelValues(string(b.Kind)).Inc()
				if before.Position != s.Position { // else it is the same record, read again
					b.outcome(r, ReplayDuplicate)
				}
			default:
				again := p.reused(r.event, before)
				again.replay = r.replay
				reused = append(reused, again)
			}
		}
		// The dead letters of reused ids and of blocked events may be copies
		// themselves.
		records = reused
	}
	return nil
}

// seenIndex finds the messages of a batch by their hashes, which are keyed and
// uniform and so serve as they are: open addressing, half full at most.
type seenIndex struct {
	slots []int32 // position + 1 in the batch's Seen
}

func newSeenIndex(n int) *seenIndex {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return &seenIndex{slots: make([]int32, size)}
}

// find returns the position of s among list, or -1.
func (x *seenIndex) find(list []Seen, s *Seen) int {
	mask := uint64(len(x.slots) - 1)
	for i := s.Hash[0] & mask; x.slots[i] != 0; i = (i + 1) & mask {
		at := int(x.slots[i] - 1)
		if list[at].Hash == s.Hash && list[at].Workspace == s.Workspace {
			return at
		}
	}
	return -1
}

// put notes that the message of hash h, which find does not know, stands at
// position at. A record adds one message at most, so there is room.
func (x *seenIndex) put(h Hash, at int) {
	mask := uint64(len(x.slots) - 1)
	i := h[0] & mask
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = int32(at + 1)
}

func (b *Batch) add(r decoded, s Seen) {
	b.Seen = append(b.Seen, s)
	b.Violations = append(b.Violations, r.broken...)
	b.outcome(r, ReplayStored)
	switch {
	case r.event != nil:
		b.Events = append(b.Events, r.event)
	case r.replay == nil:
		b.DeadLetters = append(b.DeadLetters, r.letter)
	}
}

// lookup asks the store for the hashes that the filter has met.
func (p *Pipeline) lookup(ctx context.Context, records []decoded, stored map[dedupeKey]Seen) error {
	candidates := map[string][]Hash{}
	for _, r := range records {
		s := r.seen()
		if p.filter.has(s.Hash) {
			candidates[s.Workspace] = append(candidates[s.Workspace], s.Hash)
		}
	}
	for workspace, hashes := range candidates {
		p.metrics.exactChecks.Add(float64(len(hashes)))
		found, err := p.deps.Store.Lookup(ctx, workspace, hashes)
		if err != nil {
			return fmt.Errorf("look up message hashes: %w", err)
		}
		for h, s := range found {
			stored[dedupeKey{workspace, h}] = s
		}
	}
	return nil
}

// reused makes the dead letter of an event whose message id was taken by
// another body. The letter is known by id and body, so that it too is kept once.
func (p *Pipeline) reused(e *Event, before Seen) decoded {
	lo, hi := p.decoder.keyer(e.Workspace).Message("reused", string(e.Kind), e.Source, e.ID, fmt.Sprint(e.BodyHash))
	return decoded{letter: &DeadLetter{
		Workspace: e.Workspace, Received: e.Received, Source: e.Source, Reason: ReasonReused,
		Detail:    fmt.Sprintf("message id was used before with another body, at %s/%d offset %d", before.Position.Topic, before.Position.Partition, before.Position.Offset),
		MessageID: e.ID, Position: e.Position, Value: e.raw, Headers: map[string]string{},
		Hash: Hash{lo, hi}, BodyHash: e.BodyHash,
	}}
}

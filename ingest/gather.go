package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// batchRead is a batch on its way: read and decoded, not yet planned. Of its
// records only what they said is kept.
type batchRead struct {
	list    []decoded
	moved   []kafka.Message // to other partitions
	rest    []kafka.Message // fetched too, for the batch after it
	records int
	born    time.Time // when the broker took the first record
	next    int64     // the offset after the last record
	size    int64     // bytes taken from the buffer
	full    bool      // a bound ended it: there is more
	err     error
}

// read gathers and decodes the batch that begins at offset: what the broker has
// from there on, up to the bounds of a batch; nothing when nothing arrived. rest
// holds the first records where they were fetched before.
//
// One partition reads at a time, once its first records are here. A batch then
// grows to what the store takes in best, a few large parts, where partitions
// that read side by side would share the buffer and make many small ones.
func (p *Pipeline) read(ctx context.Context, part Partition, kind wire.Kind, offset int64, rest []kafka.Message) (b batchRead) {
	b.next = offset
	if len(rest) == 0 {
		if rest, b.err = p.fetch(ctx, part, offset); b.err != nil || len(rest) == 0 {
			return b
		}
	}
	if b.err = p.turn.Acquire(ctx, 1); b.err != nil {
		return b
	}
	defer p.turn.Release(1)
	for {
		n, err := p.take(ctx, &b, rest)
		if err != nil {
			b.err = err
			return b
		}
		start := p.deps.Clock()
		p.decode(p.decoder, part, kind, rest[:n], &b)
		p.step("decode", start)
		if n < len(rest) {
			b.full, b.rest = true, rest[n:]
			return b
		}
		if b.next >= rest[n-1].HighWaterMark {
			return b // Waiting for more would only delay what is there.
		}
		if rest = more(ctx, part, b.next); len(rest) == 0 {
			return b
		}
	}
}

// moreWait bounds a fetch of records that the broker is known to have.
const moreWait = 2 * time.Second

// more fetches while it is the partition's turn, and so never waits for a broker
// that does not answer: the other partitions may be led by others. What was read
// until then is stored, and the next read meets the fault again, out of turn.
func more(ctx context.Context, part Partition, offset int64) []kafka.Message {
	ctx, cancel := context.WithTimeout(ctx, moreWait)
	defer cancel()
	records, err := part.Fetch(ctx, offset)
	if err != nil {
		return nil
	}
	return records
}

func (p *Pipeline) fetch(ctx context.Context, part Partition, offset int64) (records []kafka.Message, err error) {
	err = p.retry(ctx, "fetch", func() (err error) {
		records, err = part.Fetch(ctx, offset)
		return err
	})
	return records, err
}

// take returns how many of the records b has room for.
func (p *Pipeline) take(ctx context.Context, b *batchRead, records []kafka.Message) (int, error) {
	for i := range records {
		ok, err := p.room(ctx, b, b.records+i, int64(len(records[i].Value)))
		if err != nil || !ok {
			return i, err
		}
	}
	return len(records), nil
}

// room takes n bytes of the buffer that all partitions share, for one record
// more than so many. The first record of a batch waits for it; a batch that has
// records ends where there is none, so that waiting batches never hold what
// others wait for.
func (p *Pipeline) room(ctx context.Context, b *batchRead, records int, n int64) (bool, error) {
	n = min(n, p.cfg.BufferBytes)
	switch {
	case records == 0:
		if err := p.buffer.Acquire(ctx, n); err != nil {
			return false, err
		}
	case records >= p.cfg.BatchRecords, b.size+n > int64(p.cfg.BatchBytes), !p.buffer.TryAcquire(n):
		return false, nil
	}
	b.size += n
	return true, nil
}

// decode adds to b the events and dead letters that the records are, and sets
// aside those that belong to another partition.
func (p *Pipeline) decode(decoder *Decoder, part Partition, kind wire.Kind, records []kafka.Message, b *batchRead) {
	if len(records) == 0 {
		return
	}
	if b.records == 0 {
		b.born = records[0].Time
	}
	b.records += len(records)
	b.next = records[len(records)-1].Offset + 1
	room := make([]Event, len(records)) // One allocation for all of them.
	b.list = slices.Grow(b.list, len(records))
	var msg message
	for i := range records {
		m := &records[i]
		ev, letter := decoder.decode(kind, m, &room[i], &msg)
		if ev != nil && p.spent(ev) {
			p.metrics.erased.Inc() // Nothing to forward.
			continue
		}
		if ev != nil && !ev.forwarded && wire.Partition(ev.Source, ev.ID, part.Count()) != part.ID() {
			b.moved = append(b.moved, forward(m, ev))
			continue
		}
		b.list = append(b.list, decoded{event: ev, letter: letter, replay: decoder.replayOf(m)})
	}
}

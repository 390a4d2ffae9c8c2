package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// ErrLost reports that the group has given the partition to another member: a
// commit was refused by the fence of the generation. The owner must stop; what
// it has not committed will be done again by its successor.
var ErrLost = errors.New("partition ownership lost")

// Partition is one partition owned under one generation of a consumer group.
// Its methods are safe for concurrent use.
type Partition struct {
	topic      string
	id, count  int
	generation int
	member     string
	group      string
	offset     int64
	metadata   string
	transport  *kafka.Transport
	client     *kafka.Client
	addr       net.Addr
	maxBytes   int
	maxWait    time.Duration
	lag        func(topic string, partition int, lag int64)
	lost       func(topic string, partition int, from, to int64)
	leave      func() // ends this ownership

	mu      sync.Mutex // Protects what follows, and is held by a fetch.
	decoder decoder
	// No record stands from skipFrom up to skipTo: the broker has said so.
	skipFrom, skipTo int64
	// empty is how many fetches in a row have found nothing. A record that comes ends the
	// wait of a fetch at once, so that nothing is late by a longer one; and of a hundred
	// partitions in which nothing happens, each request costs the broker and the reader.
	empty int
}

// Topic returns the topic's name.
func (p *Partition) Topic() string { return p.topic }

// ID returns the partition's number.
func (p *Partition) ID() int { return p.id }

// Count returns the number of partitions of the topic.
func (p *Partition) Count() int { return p.count }

// Generation returns the group generation that fences the commits.
func (p *Partition) Generation() int32 { return int32(p.generation) }

// Committed returns the offset to go on from and the metadata of the last
// commit, as they were when the generation began.
func (p *Partition) Committed() (offset int64, metadata string) { return p.offset, p.metadata }

// Fetch returns the records from offset on, oldest first, waiting up to the
// configured time for one to arrive; none is no error. Record times are the
// broker's append times. HighWaterMark is set to where reading ends for now: the
// end of the log, or of its transactions that have ended. Records of
// transactions that were rolled back are left out.
//
// Records that retention has removed before they were read are reported, as an
// error in the log and in kindred_kafka_lost_records_total, and the records
// after them are returned; Next tells the caller of the gap. ErrLost means that
// the log has been replaced by a shorter one, which the next owner starts anew.
func (p *Partition) Fetch(ctx context.Context, offset int64) ([]kafka.Message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		from := p.next(offset)
		res, err := p.fetch(ctx, from)
		if err != nil {
			return nil, err
		}
		if p.empty++; len(res.records) > 0 {
			p.empty = 0
		}
		records, next, err := p.decoder.decode(nil, res.records, from, res.aborted)
		if err != nil {
			return nil, err
		}
		p.lag(p.topic, p.id, max(0, res.highWatermark-next))
		if len(records) == 0 {
			if next == from {
				return nil, nil
			}
			// Markers and rolled back records only: the reader must get past them.
			p.skip(from, next)
			if next < res.lastStable {
				continue
			}
			return nil, nil
		}
		end := res.lastStable
		if next >= end {
			end = records[len(records)-1].Offset + 1
		}
		for i := range records {
			records[i].HighWaterMark = end
		}
		return records, nil
	}
}

// fetch is one request. An offset before the log is answered from its start.
func (p *Partition) fetch(ctx context.Context, offset int64) (*fetchResponse, error) {
	wait := p.maxWait << min(p.empty/2, 2)
	m, err := p.transport.RoundTrip(ctx, p.addr, newFetch(p.topic, p.id, offset, p.maxBytes, wait))
	if err != nil {
		return nil, fmt.Errorf("fetch %s/%d: %w", p.topic, p.id, err)
	}
	res, ok := m.(*fetchResponse)
	if !ok {
		return nil, fmt.Errorf("fetch %s/%d: unexpected response %T", p.topic, p.id, m)
	}
	switch err := res.partitionError(); {
	case errors.Is(err, kafka.OffsetOutOfRange):
		first, _, err := bounds(ctx, p.client, p.topic, p.id)
		if err != nil {
			return nil, err
		}
		if first <= offset {
			p.leave() // Whoever owns the partition next finds its place anew.
			return nil, fmt.Errorf("fetch %s/%d at offset %d: the log has been replaced by a shorter one: %w", p.topic, p.id, offset, ErrLost)
		}
		p.lost(p.topic, p.id, offset, first)
		p.skip(offset, first)
		return p.fetch(ctx, first)
	case err != nil:
		return nil, fmt.Errorf("fetch %s/%d at offset %d: %w", p.topic, p.id, offset, err)
	}
	return res, nil
}

// Next returns the least offset, from offset on, that may still hold a record:
// offset itself unless a fetch has met a gap there.
func (p *Partition) Next(offset int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next(offset)
}

func (p *Partition) next(offset int64) int64 {
	if offset >= p.skipFrom && offset < p.skipTo {
		return p.skipTo
	}
	return offset
}

// skip notes that no record stands from from up to to.
func (p *Partition) skip(from, to int64) {
	if from > p.skipTo || from < p.skipFrom {
		p.skipFrom = from
	}
	p.skipTo = to
}

// commitPause separates two tries of a commit.
const commitPause = 100 * time.Millisecond

// Commit stores offset, the next record to read, and metadata. A broker that
// does not answer, or a coordinator that moves, is asked again until ctx ends,
// which it does when the member is out of the group: to repeat a commit under
// one generation is harmless, whether the first one arrived or not. An error
// that wraps ErrLost means that another member owns the partition now.
func (p *Partition) Commit(ctx context.Context, offset int64, metadata string) error {
	for {
		err := p.commit(ctx, offset, metadata)
		var code kafka.Error
		if err == nil || ctx.Err() != nil || errors.As(err, &code) && !code.Temporary() {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(commitPause):
		}
	}
}

func (p *Partition) commit(ctx context.Context, offset int64, metadata string) error {
	res, err := p.client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{
		Addr: p.addr, GroupID: p.group, GenerationID: p.generation, MemberID: p.member,
		Topics: map[string][]kafka.OffsetCommit{p.topic: {{Partition: p.id, Offset: offset, Metadata: metadata}}},
	})
	if err != nil {
		return fmt.Errorf("commit %s/%d: %w", p.topic, p.id, err)
	}
	for _, part := range res.Topics[p.topic] {
		if outOfGroup(part.Error) {
			return fmt.Errorf("commit %s/%d: %w: %w", p.topic, p.id, ErrLost, part.Error)
		}
		if part.Error != nil {
			return fmt.Errorf("commit %s/%d: %w", p.topic, p.id, part.Error)
		}
	}
	return nil
}

// outOfGroup reports whether the coordinator refuses the member or its generation.
func outOfGroup(err error) bool {
	return errors.Is(err, kafka.IllegalGeneration) || errors.Is(err, kafka.UnknownMemberId) ||
		errors.Is(err, kafka.RebalanceInProgress) || errors.Is(err, kafka.FencedInstanceID)
}

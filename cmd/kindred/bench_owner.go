package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	segkafka "github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/ledger"
)

// benchLog is a partition of evidence in memory. It knows when each record was
// handed to the owner and when the owner had done with it, so that a benchmark
// of identity measures identity and not a broker.
type benchLog struct {
	mu        sync.Mutex // protects the fields below
	records   []segkafka.Message
	handed    []time.Time // when each record was
	done      int64       // records committed
	metadata  string
	slowest   time.Duration // from hand-out to commit, since last asked
	changed   chan struct{} // closed and replaced by every append and commit
	ownership int32
}

func newBenchLog() *benchLog { return &benchLog{changed: make(chan struct{})} }

func (l *benchLog) touch() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// add appends a record and returns its offset.
func (l *benchLog) add(value []byte, headers ...segkafka.Header) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := int64(len(l.records))
	l.records = append(l.records, segkafka.Message{Offset: at, Time: now(), Value: value, Headers: headers})
	l.handed = append(l.handed, time.Time{})
	l.touch()
	return at
}

// command appends a command.
func (l *benchLog) command(c identity.Command) (int64, error) {
	value, err := json.Marshal(c)
	if err != nil {
		return 0, fmt.Errorf("write a command: %w", err)
	}
	return l.add(value, segkafka.Header{Key: identity.HeaderCommand, Value: []byte("1")}), nil
}

// wait returns when the record at offset is done, with the time of its hand-out.
func (l *benchLog) wait(ctx context.Context, offset int64) (handed time.Time, err error) {
	for {
		l.mu.Lock()
		changed, done, at := l.changed, l.done > offset, l.handed[offset]
		l.mu.Unlock()
		if done {
			return at, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return at, ctx.Err()
		}
	}
}

// takeSlowest returns the longest that a record took since the last call.
func (l *benchLog) takeSlowest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	slowest := l.slowest
	l.slowest = 0
	return slowest
}

// join starts an ownership.
func (l *benchLog) join() *benchPartition {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ownership++
	return &benchPartition{log: l, generation: l.ownership, offset: l.done, metadata: l.metadata}
}

// benchPartition is ledger.Partition on a benchLog.
type benchPartition struct {
	log        *benchLog
	generation int32
	offset     int64
	metadata   string
}

var _ ledger.Partition = (*benchPartition)(nil)

// ID implements ledger.Partition.
func (*benchPartition) ID() int { return 0 }

// Generation implements ledger.Partition.
func (p *benchPartition) Generation() int32 { return p.generation }

// Committed implements ledger.Partition.
func (p *benchPartition) Committed() (int64, string) { return p.offset, p.metadata }

// Fetch implements ledger.Partition.
func (p *benchPartition) Fetch(ctx context.Context, offset int64) ([]segkafka.Message, error) {
	l := p.log
	for {
		l.mu.Lock()
		changed := l.changed
		if fresh := l.records[offset:]; len(fresh) > 0 {
			at := now()
			for i := range fresh {
				l.handed[int(offset)+i] = at
			}
			l.mu.Unlock()
			return append([]segkafka.Message(nil), fresh...), nil
		}
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Commit implements ledger.Partition.
func (p *benchPartition) Commit(_ context.Context, offset int64, metadata string) error {
	l := p.log
	l.mu.Lock()
	defer l.mu.Unlock()
	at := now()
	for ; l.done < offset; l.done++ {
		l.slowest = max(l.slowest, at.Sub(l.handed[l.done]))
	}
	l.metadata = metadata
	l.touch()
	return nil
}

// timedPublisher notes when a version was last made readable.
type timedPublisher struct {
	readingPublisher
	mu   sync.Mutex
	last time.Time // protected by mu
}

// Publish implements ledger.Publisher.
func (p *timedPublisher) Publish(ctx context.Context, workspace string, epoch, sequence uint64) error {
	err := p.readingPublisher.Publish(ctx, workspace, epoch, sequence)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = now()
	return err
}

func (p *timedPublisher) readable() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// unread takes notices and rejections and keeps none.
type unread struct{}

// WriteMessages implements ledger.Notifier.
func (unread) WriteMessages(context.Context, ...segkafka.Message) error { return nil }

// Reject implements ledger.Rejecter.
func (unread) Reject(_ context.Context, rejections []ledger.Rejection) error {
	return fmt.Errorf("a record was rejected: %s", rejections[0].Detail)
}

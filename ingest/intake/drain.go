package intake

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// OverflowPartition is one owned partition of the overflow topic.
// Implementation: kafka.Partition.
type OverflowPartition interface {
	Committed() (offset int64, metadata string)
	Fetch(ctx context.Context, offset int64) ([]kafka.Message, error)
	Commit(ctx context.Context, offset int64, metadata string) error
}

// Drain gives what the overflow topic holds back to the topics of the kinds:
// when ingest is not behind, and each partition, which is each group of
// diverted sources, at an equal share.
type Drain struct {
	producer Producer
	shares   *Shares
	clock    func() time.Time
	log      *slog.Logger
}

// NewDrain returns an inert drain.
func NewDrain(producer Producer, shares *Shares, clock func() time.Time, log *slog.Logger) *Drain {
	return &Drain{producer: producer, shares: shares, clock: clock, log: log}
}

// maxDrained bounds the records of one step.
const maxDrained = 1000

// Own drains p until ctx ends or a commit is refused. After a crash a step is
// repeated; the copies are known by their message ids.
func (d *Drain) Own(ctx context.Context, p OverflowPartition) error {
	offset, _ := p.Committed()
	for ctx.Err() == nil {
		behind, share := d.shares.Pressure()
		if behind {
			if d.wait(ctx, 200*time.Millisecond) != nil {
				return nil
			}
			continue
		}
		records, err := p.Fetch(ctx, offset)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			d.log.Warn("read the overflow", "error", err)
			if d.wait(ctx, time.Second) != nil {
				return nil
			}
			continue
		}
		for len(records) > 0 && ctx.Err() == nil {
			step := records[:min(len(records), maxDrained)]
			begin := d.clock()
			if err := d.give(ctx, step); err != nil {
				d.log.Warn("drain the overflow", "error", err)
				break
			}
			offset = step[len(step)-1].Offset + 1
			if err := p.Commit(ctx, offset, ""); err != nil {
				return err
			}
			records = records[len(step):]
			pause := time.Duration(float64(len(step))/share*float64(time.Second)) - d.clock().Sub(begin)
			if d.wait(ctx, pause) != nil {
				return nil
			}
			if behind, share = d.shares.Pressure(); behind {
				break
			}
		}
	}
	return nil
}

// give writes records to the topics they were meant for.
func (d *Drain) give(ctx context.Context, records []kafka.Message) error {
	to := map[place][]kafka.Record{}
	for i := range records {
		m := &records[i]
		kind := wire.Behaviour
		headers := make([]kafka.Header, 0, len(m.Headers))
		for _, h := range m.Headers {
			if h.Key == wire.HeaderKind {
				kind = wire.Kind(h.Value)
				continue
			}
			headers = append(headers, h)
		}
		topic := kind.Topic()
		n, err := d.producer.Partitions(ctx, topic)
		if err != nil {
			return fmt.Errorf("partitions of %s: %w", topic, err)
		}
		at := place{topic, wire.PartitionOfKey(m.Key, n)}
		to[at] = append(to[at], kafka.Record{Key: kafka.NewBytes(m.Key), Value: kafka.NewBytes(m.Value), Headers: headers})
	}
	for at, list := range to {
		if _, err := d.producer.Produce(ctx, at.topic, at.partition, list); err != nil {
			return err
		}
	}
	return nil
}

func (d *Drain) wait(ctx context.Context, pause time.Duration) error {
	if pause <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

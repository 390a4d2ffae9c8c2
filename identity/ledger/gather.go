package ledger

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"
)

// gatherer reads ahead of the owner and cuts what it read into batches.
type gatherer struct {
	cfg     Config
	fetched chan []kafka.Message
	rest    []kafka.Message
	paused  <-chan time.Time // fires FlushPause after the last batch; nil before the first one
}

func newGatherer(cfg Config) *gatherer {
	return &gatherer{cfg: cfg, fetched: make(chan []kafka.Message, 1)}
}

// fetch reads p from offset on until ctx ends or a read fails.
func (g *gatherer) fetch(ctx context.Context, p Partition, offset int64) error {
	for {
		messages, err := p.Fetch(ctx, offset)
		if err != nil {
			return err
		}
		if len(messages) == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		offset = messages[len(messages)-1].Offset + 1
		select {
		case g.fetched <- messages:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// next returns the records of one batch: at most BatchRecords, those that come
// within BatchWait of the first or within FlushPause of the last batch, or up to
// a command, for which somebody waits. With wait it blocks for the first one;
// without, it takes what there is and may return none.
func (g *gatherer) next(ctx context.Context, wait bool) ([]kafka.Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	batch := g.take(nil)
	if len(batch) == 0 {
		if !wait {
			select {
			case g.rest = <-g.fetched:
				return g.take(batch), nil
			default:
				return batch, nil
			}
		}
		select {
		case messages := <-g.fetched:
			g.rest = messages
			batch = g.take(nil)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	timer := time.NewTimer(g.cfg.BatchWait)
	defer timer.Stop()
	batch = g.fill(ctx, batch, timer.C)
	batch = g.fill(ctx, batch, g.paused)
	g.paused = time.After(g.cfg.FlushPause)
	return batch, nil
}

// fill adds what is fetched before the timer fires or ctx ends, until the batch
// is full; a nil timer has fired.
func (g *gatherer) fill(ctx context.Context, batch []kafka.Message, timer <-chan time.Time) []kafka.Message {
	commands := firstCommand(batch) < len(batch)
	for timer != nil && len(batch) < g.cfg.BatchRecords && !commands {
		select {
		case g.rest = <-g.fetched:
			n := len(batch)
			batch = g.take(batch)
			commands = firstCommand(batch[n:]) < len(batch)-n
		case <-timer:
			return batch
		case <-ctx.Done():
			return batch // What is there is worth a flush.
		}
	}
	return batch
}

// take moves records from what is left of the last fetch to batch.
func (g *gatherer) take(batch []kafka.Message) []kafka.Message {
	n := min(len(g.rest), g.cfg.BatchRecords-len(batch))
	batch = append(batch, g.rest[:n]...)
	g.rest = g.rest[n:]
	return batch
}

package intake

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// submission waits until all its chunks are written.
type submission struct {
	mu   sync.Mutex // Protects left, err and ends.
	left int
	err  error
	ends map[place]int64 // offsets behind its records, or behind later ones of their batch
	done chan struct{}
}

func (s *submission) finish(to place, end int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = errors.Join(s.err, err)
	s.ends[to] = max(s.ends[to], end)
	if s.left--; s.left == 0 {
		close(s.done)
	}
}

// chunk is the part of one submission that goes to one partition together.
type chunk struct {
	to      place
	sub     *submission
	records []kafka.Record
	bytes   int
}

// queue is what waits for one partition. One goroutine, run, writes it.
type queue struct {
	gate   *Gate
	to     place
	mu     sync.Mutex // Protects the fields below.
	chunks []chunk
	closed bool
	wake   chan struct{} // holds a token when there is something new
}

func newQueue(g *Gate, to place) *queue {
	return &queue{gate: g, to: to, wake: make(chan struct{}, 1)}
}

func (q *queue) push(c chunk) {
	q.mu.Lock()
	q.chunks = append(q.chunks, c)
	q.mu.Unlock()
	q.signal()
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns what makes the next batch, and whether more can come.
func (q *queue) take() (batch []chunk, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	bytes, records := 0, 0
	n := 0
	for n < len(q.chunks) {
		c := &q.chunks[n]
		if n > 0 && (bytes+c.bytes > q.gate.cfg.MaxBatchBytes || records+len(c.records) > q.gate.cfg.MaxBatchRecords) {
			break
		}
		bytes, records, n = bytes+c.bytes, records+len(c.records), n+1
	}
	batch = append(batch, q.chunks[:n]...)
	rest := copy(q.chunks, q.chunks[n:])
	clear(q.chunks[rest:])
	q.chunks = q.chunks[:rest]
	return batch, !q.closed
}

func (q *queue) run(ctx context.Context) {
	defer q.gate.work.Done()
	var records []kafka.Record
	for {
		batch, more := q.take()
		if len(batch) == 0 {
			if !more {
				return
			}
			<-q.wake
			continue
		}
		records = records[:0]
		var size int64
		for _, c := range batch {
			records = append(records, c.records...)
			size += int64(c.bytes)
		}
		end, err := q.write(ctx, records)
		q.gate.release(size)
		for _, c := range batch {
			c.sub.finish(q.to, end, err)
		}
		clear(records)
	}
}

// write tries until the broker has taken the batch or ctx ends, and returns the
// offset behind it. Submitters may have given up meanwhile; what they try again is
// known by its id.
func (q *queue) write(ctx context.Context, records []kafka.Record) (end int64, err error) {
	g := q.gate
	for {
		start := g.deps.Clock()
		end, err := g.deps.Producer.Produce(ctx, q.to.topic, q.to.partition, records)
		if err == nil {
			g.metrics.batchRecords.Observe(float64(len(records)))
			g.metrics.batchSeconds.Observe(g.deps.Clock().Sub(start).Seconds())
			return end, nil
		}
		if ctx.Err() != nil {
			return 0, ErrClosed
		}
		if errors.Is(err, kafka.MessageSizeTooLarge) && len(records) > 1 {
			return q.halve(ctx, records)
		}
		if permanent(err) {
			return 0, err
		}
		g.metrics.retries.Inc()
		g.deps.Logger.Warn("write to kafka", "error", err, "retry_in", g.cfg.RetryPause)
		select {
		case <-ctx.Done():
			return 0, ErrClosed
		case <-time.After(g.cfg.RetryPause):
		}
		rewind(records)
	}
}

// halve writes a batch that the broker finds too large in two.
func (q *queue) halve(ctx context.Context, records []kafka.Record) (end int64, err error) {
	rewind(records)
	half := len(records) / 2
	first, err1 := q.write(ctx, records[:half])
	second, err2 := q.write(ctx, records[half:])
	return max(first, second), errors.Join(err1, err2)
}

// rewind makes the bytes of the records readable again.
func rewind(records []kafka.Record) {
	for i := range records {
		for _, b := range []kafka.Bytes{records[i].Key, records[i].Value} {
			if s, ok := b.(interface {
				Seek(int64, int) (int64, error)
			}); ok {
				_, _ = s.Seek(0, 0)
			}
		}
	}
}

// permanent reports errors that trying again does not cure.
func permanent(err error) bool {
	return errors.Is(err, kafka.MessageSizeTooLarge) || errors.Is(err, kafka.InvalidTopic) ||
		errors.Is(err, kafka.TopicAuthorizationFailed) || errors.Is(err, kafka.ClusterAuthorizationFailed)
}

package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Config bounds a Gate.
type Config struct {
	// MaxBytes is the greatest sum of values that wait for the broker. Default 64 MiB.
	MaxBytes int64
	// MaxBatchBytes bounds one batch to one partition. Default 900 KiB, below
	// the 1 MiB that brokers accept by default.
	MaxBatchBytes int
	// MaxBatchRecords bounds the records of one batch. Default 5000.
	MaxBatchRecords int
	// AckTimeout is how long a submission waits for the broker before it is
	// told to come again. Default 10 s.
	AckTimeout time.Duration
	// RetryPause is the pause after a failed batch. Default 100 ms.
	RetryPause time.Duration
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{MaxBytes: 64 << 20, MaxBatchBytes: 900 << 10, MaxBatchRecords: 5000, AckTimeout: 10 * time.Second, RetryPause: 100 * time.Millisecond}
}

// Validate reports every fault of c.
func (c Config) Validate() error {
	var errs []error
	if c.MaxBytes < 1<<20 || c.MaxBatchBytes < 1<<10 || c.MaxBatchRecords < 1 {
		errs = append(errs, errors.New("intake: at least 1 MiB in all, 1 KiB and one record a batch"))
	}
	if c.AckTimeout <= 0 || c.RetryPause <= 0 {
		errs = append(errs, errors.New("intake: acknowledgement timeout and retry pause must be positive"))
	}
	return errors.Join(errs...)
}

// Producer writes one batch to one partition and returns when every in-sync
// replica has it: the offset behind its last record. Implementation: kafka.Producer.
type Producer interface {
	Partitions(ctx context.Context, topic string) (int, error)
	Produce(ctx context.Context, topic string, partition int, records []kafka.Record) (end int64, err error)
}

// Deps are what a Gate needs from outside.
type Deps struct {
	Producer Producer
	// Route, when set, may send an item elsewhere than to its kind's topic.
	Route    Router
	Clock    func() time.Time
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Router decides where the items of a source go.
type Router interface {
	// Divert reports whether n more items of the source go to the overflow
	// topic instead of the topics of their kinds.
	Divert(workspace, source string, n int) bool
}

// Gate is the Submitter on Kafka. Each partition has at most one batch on its
// way; what arrives meanwhile makes the next one, so that batches grow by
// themselves with the load and a single event on an idle system waits for
// nothing.
type Gate struct {
	cfg     Config
	deps    Deps
	metrics *metrics
	ctx     context.Context // ends with Run
	mu      sync.Mutex      // Protects the fields below.
	waiting int64           // bytes
	queues  map[place]*queue
	open    bool
	work    sync.WaitGroup
}

type place struct {
	topic     string
	partition int
}

var _ Submitter = (*Gate)(nil)

// New returns an inert gate, which refuses submissions until Run.
func New(cfg Config, deps Deps) (*Gate, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Registry)
	if err != nil {
		return nil, err
	}
	return &Gate{cfg: cfg, deps: deps, metrics: m, queues: map[place]*queue{}}, nil
}

// Run opens the gate until ctx ends; it then refuses new submissions, writes
// out what waits, and returns.
func (g *Gate) Run(ctx context.Context) error {
	writing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g.mu.Lock()
	g.ctx, g.open = writing, true
	g.mu.Unlock()
	<-ctx.Done()
	g.mu.Lock()
	g.open = false
	for _, q := range g.queues {
		q.close()
	}
	g.mu.Unlock()
	defer context.AfterFunc(writing, stop)()
	timer := time.AfterFunc(g.cfg.AckTimeout, stop)
	defer timer.Stop()
	g.work.Wait()
	return nil
}

// Submit implements Submitter.
func (g *Gate) Submit(ctx context.Context, workspace string, items []Item) error {
	if len(items) == 0 {
		return nil
	}
	sub := &submission{done: make(chan struct{}), ends: map[place]int64{}}
	chunks, err := g.address(ctx, workspace, items, sub)
	if err != nil {
		g.metrics.refused.WithLabelValues("unreachable").Inc()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// Nobody but an operator can mend this, and clients can only come again.
		g.deps.Logger.Warn("submit", "error", err)
		return Overloaded{After: time.Second}
	}
	var size int64
	for _, c := range chunks {
		size += int64(c.bytes)
	}
	sub.left = len(chunks)
	if err := g.enqueue(chunks, size); err != nil {
		return err
	}
	timer := time.NewTimer(g.cfg.AckTimeout)
	defer timer.Stop()
	select {
	case <-sub.done:
		if sub.err == nil {
			g.count(items)
			note(ctx, sub.ends)
		}
		return sub.err
	case <-timer.C:
		g.metrics.refused.WithLabelValues("slow").Inc()
		return Overloaded{After: g.cfg.AckTimeout}
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *Gate) enqueue(chunks []chunk, size int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.open:
		return ErrClosed
	// One submission always fits into an empty gate, however large.
	case g.waiting > 0 && g.waiting+size > g.cfg.MaxBytes:
		g.metrics.refused.WithLabelValues("full").Inc()
		return Overloaded{After: time.Second}
	}
	g.waiting += size
	g.metrics.waiting.Set(float64(g.waiting))
	for _, c := range chunks {
		q, ok := g.queues[c.to]
		if !ok {
			q = newQueue(g, c.to)
			g.queues[c.to] = q
			g.work.Add(1)
			go q.run(g.ctx)
		}
		q.push(c)
	}
	return nil
}

func (g *Gate) release(size int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting -= size
	g.metrics.waiting.Set(float64(g.waiting))
}

// OverflowTopic holds what sources sent beyond their share until it is drained.
const OverflowTopic = "kindred.overflow"

// address groups the items into chunks by partition, in order. It fails when
// the broker does not tell the partitions of a topic in time.
func (g *Gate) address(ctx context.Context, workspace string, items []Item, sub *submission) ([]chunk, error) {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.AckTimeout)
	defer cancel()
	common := []kafka.Header{{Key: wire.HeaderWorkspace, Value: []byte(workspace)}}
	divert := g.deps.Route != nil && g.deps.Route.Divert(workspace, items[0].Source, len(items))
	var chunks []chunk
	open := map[place]int{} // index of the chunk that takes more
	for i := range items {
		it := &items[i]
		rec, to, err := g.record(ctx, it, common, divert)
		if err != nil {
			return nil, err
		}
		size := len(it.Value) + len(it.ID) + 64
		at, ok := open[to]
		if !ok || chunks[at].bytes+size > g.cfg.MaxBatchBytes || len(chunks[at].records) >= g.cfg.MaxBatchRecords {
			at = len(chunks)
			open[to] = at
			chunks = append(chunks, chunk{to: to, sub: sub, records: make([]kafka.Record, 0, min(len(items)-i, g.cfg.MaxBatchRecords))})
		}
		chunks[at].records = append(chunks[at].records, rec)
		chunks[at].bytes += size
	}
	return chunks, nil
}

func (g *Gate) record(ctx context.Context, it *Item, common []kafka.Header, divert bool) (kafka.Record, place, error) {
	topic, headers := it.Kind.Topic(), common
	if it.Reject != nil {
		headers = append(headers[:len(headers):len(headers)],
			kafka.Header{Key: wire.HeaderReject, Value: []byte(it.Reject.Detail)},
			kafka.Header{Key: wire.HeaderReason, Value: []byte(it.Reject.Reason)},
			kafka.Header{Key: wire.HeaderSource, Value: []byte(it.Source)},
			kafka.Header{Key: wire.HeaderPosition, Value: []byte(it.Reject.Position)})
	}
	if divert {
		topic = OverflowTopic
		headers = append(headers[:len(headers):len(headers)], kafka.Header{Key: wire.HeaderKind, Value: []byte(it.Kind)})
	}
	n, err := g.deps.Producer.Partitions(ctx, topic)
	if err != nil {
		return kafka.Record{}, place{}, fmt.Errorf("submit: %w", err)
	}
	partition := wire.Partition(it.Source, it.ID, n)
	if divert {
		// One source, one partition: the others of the overflow pass it by.
		partition = wire.Partition(it.Source, "", n)
	}
	return kafka.Record{
		Key:     kafka.NewBytes(wire.PartitionKey(it.Source, it.ID)),
		Value:   kafka.NewBytes(it.Value),
		Headers: headers,
	}, place{topic, partition}, nil
}

func (g *Gate) count(items []Item) {
	// Runs of equal labels are counted at once: the items of a submission are
	// mostly of one kind.
	for i := 0; i < len(items); {
		j := i + 1
		for j < len(items) && items[j].Kind == items[i].Kind && (items[j].Reject == nil) == (items[i].Reject == nil) {
			j++
		}
		verdict := "accepted"
		if items[i].Reject != nil {
			verdict = "refused"
		}
		g.metrics.events.WithLabelValues(string(items[i].Kind), items[i].Source, verdict).Add(float64(j - i))
		i = j
	}
}

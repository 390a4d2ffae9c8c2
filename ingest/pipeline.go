package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/semaphore"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/jsonscan"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Partition is one owned partition of an event topic. Implementation:
// ingest/kafka. One goroutine fetches while another may commit.
type Partition interface {
	Topic() string
	ID() int
	// Count is the number of partitions of the topic.
	Count() int
	// Committed is where to go on, and what the last owner wrote beside it.
	Committed() (offset int64, metadata string)
	// Fetch blocks up to its maximum wait and may return no records. Record
	// times are the broker's append times, and HighWaterMark is the offset after
	// the last record that the broker has.
	Fetch(ctx context.Context, offset int64) ([]kafka.Message, error)
	// Commit is fenced: an error may mean that another member owns the
	// partition, and the caller must stop.
	Commit(ctx context.Context, offset int64, metadata string) error
}

// gapped is a Partition whose log may lack offsets: of records that retention
// removed before they were read, and of markers of transactions.
type gapped interface {
	// Next returns the least offset, from offset on, that may still hold a record.
	Next(offset int64) int64
}

// Publisher writes records and returns when the broker has acknowledged them
// all. A *kafka.Writer is one.
type Publisher interface {
	WriteMessages(ctx context.Context, msgs ...kafka.Message) error
}

// Deps are what a Pipeline needs from outside.
type Deps struct {
	Store     Store
	Publisher Publisher
	Decoder   *Decoder
	// Plans, when set, are the tracking plans that events are held against.
	Plans Plans
	// Erased, when set, tells what was erased.
	Erased Erased
	// Stored, when set, is told the identifiers of stored events, so that caches
	// can forget what they hold of them: by the name of the event, or "" where
	// more is stored of it than a row among events. It must be quick.
	Stored func(workspace string, keys map[string][]identity.Key)
	// Told, when set, waits until others know what Stored was told. Offsets are not
	// committed before, so that a crash in between tells it again.
	Told     func(ctx context.Context) error
	Clock    func() time.Time
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Pipeline stores the records of the partitions it is given. Own may run for
// many partitions at once; they share the filter and the evidence cache.
type Pipeline struct {
	cfg     Config
	deps    Deps
	decoder *Decoder
	filter  *filter
	acked   *acknowledged
	said    *mentioned
	buffer  *semaphore.Weighted // bytes of records in memory
	turn    *semaphore.Weighted // of the partition that reads
	sources labels
	metrics *metrics
}

// New returns an inert pipeline.
func New(cfg Config, deps Deps) (*Pipeline, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Erased == nil {
		deps.Erased = nothingErased{}
	}
	m, err := newMetrics(deps.Registry)
	if err != nil {
		return nil, fmt.Errorf("register ingest metrics: %w", err)
	}
	p := &Pipeline{
		cfg: cfg, deps: deps, decoder: deps.Decoder, filter: newFilter(cfg.FilterBytes), acked: newAcknowledged(cfg.EvidenceCache),
		said: newMentioned(cfg.CatalogueCache), buffer: semaphore.NewWeighted(cfg.BufferBytes), turn: semaphore.NewWeighted(1), metrics: m,
	}
	p.acked.erased = deps.Erased.Until
	return p, nil
}

// Own stores the records of p until ctx ends or a commit is refused; it returns
// nil at the end of ctx and the refusal otherwise. Errors of the store and of
// the broker are retried without end: the partition then lags, and nothing is
// lost.
func (p *Pipeline) Own(ctx context.Context, part Partition) error {
	kind := wire.Kind(strings.TrimPrefix(part.Topic(), "kindred."))
	offset, metadata := part.Committed()
	planned, unfinished, err := parsePlan(metadata)
	if err != nil {
		return fmt.Errorf("%s/%d: %w", part.Topic(), part.ID(), err)
	}
	if err := p.retry(ctx, "read erasures", func() error { return p.deps.Erased.Refresh(ctx) }); err != nil {
		return ended(ctx, err)
	}
	err = p.retry(ctx, "load message hashes", func() error {
		return p.deps.Store.Scan(ctx, part.Topic(), part.ID(), p.filter.add)
	})
	if err != nil {
		return ended(ctx, err)
	}
	if unfinished {
		if err := p.finish(ctx, part, kind, planned); err != nil {
			return ended(ctx, err)
		}
		offset = planned.to
	}
	return ended(ctx, p.follow(ctx, part, kind, offset))
}

// follow stores what comes after offset, batch by batch. While there is a
// backlog the next batch is read and decoded during the storing of the one
// before.
func (p *Pipeline) follow(ctx context.Context, part Partition, kind wire.Kind, offset int64) error {
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	ahead := make(chan batchRead, 1)
	read := func(offset int64, rest []kafka.Message) {
		reading.Add(1)
		go func() {
			defer reading.Done()
			ahead <- p.read(ctx, part, kind, offset, rest)
		}()
	}
	// What was read and not stored gives its memory back, whatever ends this.
	defer func() {
		cancel()
		reading.Wait()
		select {
		case b := <-ahead:
			p.buffer.Release(b.size)
		default:
		}
	}()
	read(offset, nil)
	for {
		b := <-ahead
		if b.err != nil || ctx.Err() != nil {
			p.buffer.Release(b.size)
			return b.err
		}
		if b.records == 0 {
			read(offset, nil)
			continue
		}
		if b.full {
			read(b.next, b.rest)
			b.rest = nil
		}
		begin := p.deps.Clock()
		err := p.store(ctx, part, kind, offset, b)
		p.buffer.Release(b.size)
		if err != nil {
			return err
		}
		offset = b.next
		if !b.full {
			p.pace(ctx, begin, b.records)
			read(offset, nil)
		}
	}
}

// store plans a batch and does it.
func (p *Pipeline) store(ctx context.Context, part Partition, kind wire.Kind, offset int64, b batchRead) error {
	pl := plan{from: offset, to: b.next, revision: p.revision(), form: p.decoder.form, born: b.born.UnixMilli()}
	if err := p.commit(ctx, part, pl.from, pl.String()); err != nil {
		return err
	}
	return p.process(ctx, part, kind, pl, b, false)
}

// finish does a range that an earlier owner planned but did not commit. The
// range must be read whole: a part of it under the same token would be ignored
// where the predecessor's insert arrived, and lose the rest where it did not.
func (p *Pipeline) finish(ctx context.Context, part Partition, kind wire.Kind, pl plan) error {
	p.deps.Logger.Info("finishing a planned range", "topic", part.Topic(), "partition", part.ID(), "from", pl.from, "to", pl.to)
	records, err := p.again(ctx, part, pl.from, pl.to)
	if err != nil {
		return err
	}
	decoder, err := p.decoder.in(pl.form)
	if err != nil {
		return fmt.Errorf("finish a planned range: %w", err)
	}
	b := batchRead{}
	p.decode(decoder, part, kind, records, &b)
	return p.process(ctx, part, kind, pl, b, true)
}

// again reads exactly the records from offset up to to.
func (p *Pipeline) again(ctx context.Context, part Partition, offset, to int64) (records []kafka.Message, err error) {
	for offset < to {
		var got []kafka.Message
		err := p.retry(ctx, "fetch", func() (err error) {
			got, err = part.Fetch(ctx, offset)
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(got) == 0 {
			if g, ok := part.(gapped); ok && g.Next(offset) >= to {
				break
			}
		}
		for _, m := range got {
			if m.Offset >= to {
				return records, nil
			}
			records = append(records, m)
			offset = m.Offset + 1
		}
	}
	return records, nil
}

// pace waits until a batch may begin, after one that began at last.
func (p *Pipeline) pace(ctx context.Context, last time.Time, records int) {
	took := p.deps.Clock().Sub(last)
	wait := p.cfg.pause(took, records) - took
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

const (
	pacedRecords = 1000 // the size from which on a batch makes the pause longer
	storingShare = 3    // what storing may take of the time of a partition, one in so many
)

// pause is the time from the beginning of a batch, which took so long to store and held so
// many records, to that of the next one. Without load it keeps the store from making a part
// for each event. Under load it grows with what the batch held: a part of 8 000 events costs
// the store half as much again for each of them as one of 15 000, and what that saves keeps
// the events from waiting longer. It grows as well where the store has much else to do: what
// a part costs, to make, to merge and to read until then, is nearly the same with 150 events
// as with 600, and is missing to whoever reads.
func (c Config) pause(took time.Duration, records int) time.Duration {
	pause := c.Pace * time.Duration(max(1, records/pacedRecords))
	if c.Pace > 0 {
		pause = max(pause, storingShare*took)
	}
	return min(max(c.Pace, c.MaxPace), pause)
}

// process stores one planned range: steps 2 to 4 of the delivery. Finishing
// means that an earlier owner may have stored some of it.
func (p *Pipeline) process(ctx context.Context, part Partition, kind wire.Kind, pl plan, in batchRead, finishing bool) error {
	start := p.deps.Clock()
	if len(in.moved) > 0 {
		if err := p.retry(ctx, "forward", func() error { return p.deps.Publisher.WriteMessages(ctx, in.moved...) }); err != nil {
			return err
		}
		p.metrics.forwarded.Add(float64(len(in.moved)))
	}
	plans, err := p.plansAt(ctx, pl.revision)
	if err != nil {
		return err
	}
	// An event that was sent after an erasure was answered is never held for one of
	// before it, by what was acknowledged of it.
	if err := p.retry(ctx, "read erasures", func() error { return p.deps.Erased.Refresh(ctx) }); err != nil {
		return err
	}
	in.list = p.withoutErased(in.list)
	b := &Batch{Kind: kind}
	if err := p.retry(ctx, "deduplicate", func() error {
		*b = Batch{Kind: kind, Revision: pl.revision}
		return p.deduplicate(ctx, in.list, pl, finishing, plans, b)
	}); err != nil {
		return err
	}
	start = p.step("deduplicate", start)
	if err := p.insert(ctx, pl.token(part.Topic(), part.ID()), b, finishing); err != nil {
		return err
	}
	p.announce(b.Events)
	start = p.step("insert", start)
	if err := p.publish(ctx, b); err != nil {
		return err
	}
	if p.deps.Told != nil { // By now it mostly is.
		if err := p.deps.Told(ctx); err != nil {
			return err
		}
	}
	start = p.step("evidence", start)
	if err := p.commit(ctx, part, pl.to, ""); err != nil {
		return err
	}
	p.step("commit", start)
	p.count(b, in)
	return nil
}

// announce tells Stored of the identifiers of the events.
func (p *Pipeline) announce(events []*Event) {
	if p.deps.Stored == nil {
		return
	}
	all := map[string]map[string][]identity.Key{}
	for _, e := range events {
		keys := all[e.Workspace]
		if keys == nil {
			keys = map[string][]identity.Key{}
			all[e.Workspace] = keys
		}
		name := e.alone()
		for _, m := range e.Members {
			keys[name] = append(keys[name], m.Key)
		}
	}
	for workspace, keys := range all {
		p.deps.Stored(workspace, keys)
	}
}

// alone is the name of an event of which nothing is stored but its row among events, ""
// for one that states traits, a consent, a membership, or is of another kind.
func (e *Event) alone() string {
	if e.Kind != wire.Behaviour || e.Type == "group" || len(e.Consents) > 0 || !jsonscan.IsNull(e.Traits) {
		return ""
	}
	return e.Name
}

// forward addresses a copy of m to the partition where all copies of its
// message meet. It is marked, so that a change of the partition count between
// the two reads cannot send it round in circles. And the mark says when m
// was received: as new it would pass an erasure that nobody knew of yet here.
func forward(m *kafka.Message, ev *Event) kafka.Message {
	headers := append(append([]kafka.Header{}, m.Headers...), kafka.Header{Key: wire.HeaderForwarded, Value: strconv.AppendInt(nil, ev.Received, 10)})
	return kafka.Message{Topic: m.Topic, Key: wire.PartitionKey(ev.Source, ev.ID), Value: m.Value, Headers: headers}
}

func (p *Pipeline) publish(ctx context.Context, b *Batch) error {
	all := p.acked.evidence(b.Events)
	if len(all) == 0 {
		return nil
	}
	msgs := records(all)
	if err := p.retry(ctx, "publish evidence", func() error { return p.deps.Publisher.WriteMessages(ctx, msgs...) }); err != nil {
		return err
	}
	p.acked.note(all)
	p.metrics.evidence.Add(float64(len(msgs)))
	return nil
}

// errFenced marks a refused commit, which must not be retried.
type errFenced struct{ error }

func (e errFenced) Unwrap() error { return e.error }

// commit stores the offset. Whatever goes wrong ends the ownership: whether the
// broker took the commit or not, the successor reads what stands there.
func (p *Pipeline) commit(ctx context.Context, part Partition, offset int64, metadata string) error {
	if err := part.Commit(ctx, offset, metadata); err != nil {
		return errFenced{err}
	}
	return nil
}

// retry calls f until it succeeds, ctx ends, or the ownership does.
func (p *Pipeline) retry(ctx context.Context, what string, f func() error) error {
	pause := p.cfg.RetryMin
	for {
		err := f()
		if err == nil || ctx.Err() != nil || errors.As(err, new(errFenced)) {
			return err
		}
		p.metrics.retries.Inc()
		p.deps.Logger.Warn(what, "error", err, "retry_in", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, p.cfg.RetryMax)
	}
}

func (p *Pipeline) step(name string, start time.Time) time.Time {
	now := p.deps.Clock()
	p.metrics.batchSeconds.WithLabelValues(name).Observe(now.Sub(start).Seconds())
	return now
}

func (p *Pipeline) count(b *Batch, in batchRead) {
	sources := map[string]int{}
	for _, e := range b.Events {
		sources[e.Source]++
	}
	for source, n := range sources {
		p.metrics.events.WithLabelValues(string(b.Kind), p.sources.of(source)).Add(float64(n))
	}
	for _, dl := range b.DeadLetters {
		p.metrics.deadLetters.WithLabelValues(string(b.Kind), p.sources.of(dl.Source), string(dl.Reason)).Inc()
	}
	for _, v := range b.Violations {
		p.metrics.violations.WithLabelValues(string(b.Kind), v.Rule, v.mode()).Inc()
	}
	for _, o := range b.Outcomes {
		p.metrics.replays.WithLabelValues(string(b.Kind), o.Result).Inc()
	}
	p.metrics.batchRecords.Observe(float64(in.records))
	if in.records > 0 {
		p.metrics.freshness.Observe(p.deps.Clock().Sub(in.born).Seconds())
	}
}

// ended turns whatever happened after the end of ctx into a clean stop.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

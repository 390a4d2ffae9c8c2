package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"
)

// owner is one ownership of one partition.
type owner struct {
	ledger  *Ledger
	cfg     Config
	deps    Deps
	store   *store
	metrics *metrics
	log     *slog.Logger
	p       Partition

	begun    time.Time
	offset   int64  // the next record to read
	epoch    uint64 // of this ownership
	sequence uint64 // of the last change; counts over all workspaces
	noticed  version
	flipped  uint64 // flips started in this epoch
	flush    uint32 // batches whose evidence was written

	spaces map[string]*space
	// turn holds one while a batch is processed, or a command is tried: what
	// changes a graph has it.
	turn chan struct{}
	// The caches hold what is stored. Keys of identifiers and sets already mix
	// in the workspace, so one cache serves all of them.
	stored *cache[sightKey, sightSpan]
	prints *cache[uint64, uint32] // of the names of keys
	sets   *cache[uint64, struct{}]
}

func newOwner(l *Ledger, p Partition) *owner {
	return &owner{
		ledger: l, cfg: l.cfg, deps: l.deps, store: l.store, metrics: l.metrics, p: p,
		log:    l.log.With("partition", p.ID(), "generation", p.Generation()),
		spaces: map[string]*space{}, turn: make(chan struct{}, 1),
		stored: newCache[sightKey, sightSpan](l.cfg.CacheEntries),
		prints: newCache[uint64, uint32](4 * l.cfg.CacheEntries),
		sets:   newCache[uint64, struct{}](l.cfg.CacheEntries),
	}
}

func (o *owner) now() time.Time       { return o.deps.Now() }
func (o *owner) at(step string) error { return o.ledger.at(step) }

// start takes an epoch, opens every workspace that the partition has, and
// publishes the notices that the last owner left.
func (o *owner) start(ctx context.Context) error {
	offset, metadata := o.p.Committed()
	m, err := parseMark(metadata)
	if err != nil {
		// Whoever reset the offsets wrote it. Nothing is lost: epochs are also
		// in the tables, and notices may repeat.
		o.log.Warn("commit metadata ignored, all notices will be published again", "error", err)
	}
	last, err := o.store.lastEpochs(ctx)
	if err != nil {
		return err
	}
	var workspaces []string
	epoch := m.Epoch
	for name, e := range last {
		if o.deps.Owns(name, o.p.ID()) {
			workspaces = append(workspaces, name)
			epoch = max(epoch, e)
		}
	}
	slices.Sort(workspaces)
	o.begun, o.offset, o.epoch, o.noticed = o.now(), offset, epoch+1, m.Noticed
	// The fence makes the epoch this owner's: whoever is replaced cannot commit
	// it, and whoever comes later reads it here.
	if err := o.at("take epoch"); err != nil {
		return err
	}
	if err := o.commit(ctx); err != nil {
		return err
	}
	for _, name := range workspaces {
		if _, err := o.open(ctx, name); err != nil {
			return fmt.Errorf("open workspace %s: %w", name, err)
		}
	}
	if err := o.renotify(ctx, workspaces); err != nil {
		return err
	}
	return o.commit(ctx)
}

// run reads evidence and flushes it until ctx ends or a step fails.
func (o *owner) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	g := newGatherer(o.cfg)
	group.Go(func() error { return g.fetch(ctx, o.p, o.offset) })
	group.Go(func() error {
		// A batch in progress goes on for a while after ctx has ended: half a
		// batch is safe, but costs the successor work.
		work, stop := drain(ctx, o.cfg.DrainTimeout)
		defer stop()
		for {
			messages, err := g.next(ctx, !o.flipping())
			if err != nil {
				return err
			}
			if len(messages) == 0 && !o.flipping() {
				continue
			}
			if err := o.process(work, messages); err != nil {
				return err
			}
		}
	})
	return group.Wait()
}

// drain returns a context that ends d after ctx does.
func drain(ctx context.Context, d time.Duration) (context.Context, func()) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		pause(work, d)
		cancel()
	})
	return work, func() { unhook(); cancel() }
}

// commit stores how far the owner is.
func (o *owner) commit(ctx context.Context) error {
	if err := o.at("commit"); err != nil {
		return err
	}
	m := mark{Epoch: o.epoch, Noticed: o.noticed}
	if err := o.p.Commit(ctx, o.offset, m.String()); err != nil {
		return fmt.Errorf("commit offset %d: %w", o.offset, err)
	}
	return nil
}

func (o *owner) flipping() bool {
	for _, sp := range o.spaces {
		if sp.flips.pending() {
			return true
		}
	}
	return false
}

// process takes one batch through all steps, evidence up to a command and then
// the command, so that both are applied in the order in which they came. See the
// package comment for the steps and for why a stop between any two of them does
// no harm.
func (o *owner) process(ctx context.Context, messages []kafka.Message) error {
	o.turn <- struct{}{}
	defer func() { <-o.turn }()
	for {
		n := firstCommand(messages)
		if n == len(messages) {
			return o.processFitting(ctx, messages)
		}
		if n > 0 {
			if err := o.processFitting(ctx, messages[:n]); err != nil {
				return err
			}
		}
		if err := o.processCommand(ctx, messages[n]); err != nil {
			return err
		}
		if messages = messages[n+1:]; len(messages) == 0 {
			return nil
		}
	}
}

// pass notes that the records up to m are done.
func (o *owner) pass(m *kafka.Message) {
	o.offset = m.Offset + 1
	o.metrics.lag.WithLabelValues(fmt.Sprint(o.p.ID())).Set(float64(max(0, m.HighWaterMark-o.offset)))
}

// processFitting takes evidence and links through flushes that are not too large.
func (o *owner) processFitting(ctx context.Context, messages []kafka.Message) error {
	for {
		n := fitting(messages)
		if err := o.processEvidence(ctx, messages[:n]); err != nil {
			return err
		}
		if messages = messages[n:]; len(messages) == 0 {
			return nil
		}
	}
}

func (o *owner) processEvidence(ctx context.Context, messages []kafka.Message) error {
	begun := o.now()
	b, err := o.read(ctx, messages)
	if err != nil {
		return err
	}
	c, err := o.evaluate(ctx, b)
	if err != nil {
		return err
	}
	if err := o.publish(ctx, c); err != nil {
		return err
	}
	published := o.now()
	for i := range messages {
		o.metrics.publicationSeconds.Observe(published.Sub(messages[i].Time).Seconds())
	}
	if len(messages) > 0 {
		o.pass(&messages[len(messages)-1])
	}
	if err := o.commit(ctx); err != nil {
		return err
	}
	o.metrics.evidence.Add(float64(len(b.evidence)))
	o.metrics.flushes.Inc()
	o.metrics.flushSeconds.Observe(o.now().Sub(begun).Seconds())
	return nil
}

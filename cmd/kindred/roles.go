package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/segmentio/kafka-go/compress"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/ledger"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/ingest"
	ingeststore "github.com/kindred-cdp/kindred/ingest/clickhouse"
	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/grouping"
	"github.com/kindred-cdp/kindred/profiles/matching"
	"github.com/kindred-cdp/kindred/profiles/nextproduct/scoring"
	"github.com/kindred-cdp/kindred/profiles/privacy"
	"github.com/kindred-cdp/kindred/profiles/valuation"
	"github.com/kindred-cdp/kindred/profiles/venues"
	"github.com/kindred-cdp/kindred/profiles/views"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// roles are the long-running parts of one process.
type roles struct {
	p        *platform
	registry *prometheus.Registry
	shares   *intake.Shares
	gate     *intake.Gate
	overflow *kafka.Consumer
	pipeline *ingest.Pipeline
	ingest   *kafka.Consumer
	identity *kafka.Consumer
	ledger   *ledger.Ledger
	folder   *warehouse.Folder
	valuer   *valuation.Worker
	grouper  *grouping.Worker
	next     *scoring.Worker
	venues   *venues.Worker
	matcher  *matching.Worker
	eraser   *privacy.Worker
	// projector makes the rows of views, of profiles that noted tells of.
	projector *views.Projector
	noted     *kafka.Consumer
	offsets   *kafka.Offsets // of what the projector waits for
	decided   *decisions
	web       *web
	news      *news        // of stored events, to other processes
	graph     api.Identity // answers from the graph; nil where nobody can be asked
	commands  writer       // for the commands to identity
	writer    closer
	producer  *kafka.Producer
}

type closer interface{ Close() error }

// intakeCodec compresses what the intake writes to Kafka.
const intakeCodec = compress.Lz4

// newRoles wires every role. Nothing runs yet.
func newRoles(p *platform) (*roles, error) {
	r := &roles{p: p, registry: prometheus.NewRegistry()}
	r.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	writer := kafka.NewWriter(p.brokers)
	r.writer, r.commands = writer, writer
	r.news = newNews(writer, p.log.With("role", "ingest"))
	var err error
	r.producer = kafka.NewProducer(p.brokers, intakeCodec)
	if r.shares, err = intake.NewShares(r.sharesConfig(), r.lag, now, p.log.With("role", "intake"), r.registry); err != nil {
		return nil, err
	}
	r.gate, err = intake.New(intake.DefaultConfig(), intake.Deps{
		Producer: r.producer, Route: r.shares, Clock: now, Logger: p.log.With("role", "intake"), Registry: r.registry,
	})
	if err != nil {
		return nil, err
	}
	decoder, err := newDecoder(p)
	if err != nil {
		return nil, err
	}
	commands, err := r.consumer(control.Group, []string{control.Topic})
	if err != nil {
		return nil, err
	}
	then := func(ctx context.Context, workspace string, at time.Time) (iter.Seq2[identity.Key, identity.ProfileID], error) {
		return r.ledger.AsOf(ctx, workspace, at)
	}
	if r.decided, err = newDecisions(p, commands, writer, decoder, then, r.registry); err != nil {
		return nil, err
	}
	r.pipeline, err = ingest.New(ingest.DefaultConfig(), ingest.Deps{
		Store: p.settings.faults.store(ingeststore.New(p.conn).WithBulk(p.bulk, bulkConnections)), Publisher: p.settings.faults.publisher(writer), Decoder: decoder, Plans: r.decided.reader, Erased: ingeststore.NewErased(p.conn), Stored: r.stored, Told: r.news.written, Clock: now, Logger: p.log.With("role", "ingest"), Registry: r.registry,
	})
	if err != nil {
		return nil, err
	}
	if r.ingest, err = r.consumer(ingestGroup, eventTopics()); err != nil {
		return nil, err
	}
	if r.overflow, err = r.consumer(overflowGroup, []string{intake.OverflowTopic}); err != nil {
		return nil, err
	}
	if r.identity, err = r.consumer(identityGroup, []string{ingest.EvidenceTopic}); err != nil {
		return nil, err
	}
	store, err := profilestore.New(profilestore.DefaultConfig(), p.conn, now)
	if err != nil {
		return nil, err
	}
	r.ledger, err = ledger.New(ledger.DefaultConfig(), ledger.Deps{
		DB:         p.conn,
		NewGraph:   ledger.NewGraph,
		Rules:      standingRules(p.settings.apiKeys),
		Normalizer: normalize.New(p.settings.normalise),
		Keyer:      func(workspace string) identity.Keyer { return identity.NewKeyer(p.secret, workspace) },
		Publisher:  readingPublisher{p},
		Notifier:   toTopic{writer, identityTopic},
		Rejecter:   deadLetterRejecter{writer},
		Stakes:     stakes(store),
		Now:        now, Log: p.log.With("role", "identity"), Metrics: r.registry,
	})
	if err != nil {
		return nil, err
	}
	if r.folder, err = warehouse.NewFolder(p.settings.faults.fold(warehouse.DefaultFoldConfig()), p.conn, now, p.log); err != nil {
		return nil, err
	}
	worth := valuation.DefaultConfig()
	if worth.Costs, err = valuation.ReadCosts(p.settings.costs); err != nil {
		return nil, err
	}
	r.valuer, err = valuation.New(worth, valuation.Deps{
		Conn: p.conn, Clock: now, Logger: p.log.With("role", "worker"), Registerer: r.registry,
	})
	if err != nil {
		return nil, err
	}
	r.next, err = scoring.New(scoring.DefaultConfig(), scoring.Deps{Conn: p.conn, Clock: now, Logger: p.log.With("role", "worker")})
	if err != nil {
		return nil, err
	}
	r.grouper, err = grouping.New(grouping.DefaultConfig(), grouping.Deps{
		Conn: p.conn, Clock: now, Logger: p.log.With("role", "worker"), Registerer: r.registry,
	})
	if err != nil {
		return nil, err
	}
	if r.venues, err = newVenues(p, r.registry); err != nil {
		return nil, err
	}
	if r.matcher, err = newMatcher(p, writer, r.registry); err != nil {
		return nil, err
	}
	if r.eraser, err = newEraser(p, r.news.everybody, r.registry); err != nil {
		return nil, err
	}
	r.offsets = kafka.NewOffsets(p.brokers)
	if r.projector, err = newProjector(p, r.settle, r.registry); err != nil {
		return nil, err
	}
	if r.noted, err = r.consumer(viewsGroup, []string{storedTopic}); err != nil {
		return nil, err
	}
	r.graph = r.graphKeeper()
	if r.web, err = newWeb(p, r); err != nil {
		return nil, err
	}
	r.web.news = r.news
	if p.settings.roles.has(roleAPI) {
		r.decided.rescored = r.web.cache.Invalidate
	}
	return r, nil
}

func (r *roles) consumer(group string, topics []string) (*kafka.Consumer, error) {
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.Group, cfg.Topics = r.p.brokers, group, topics
	cfg.SessionTimeout = r.p.settings.sessionTimeout
	return kafka.NewConsumer(cfg, kafka.Deps{Logger: r.p.log, Registry: r.registry})
}

func (r *roles) sharesConfig() intake.SharesConfig {
	cfg := intake.DefaultSharesConfig()
	cfg.Budget = float64(r.p.settings.sourceBudget)
	return cfg
}

// lag is how far ingest is behind.
func (r *roles) lag(ctx context.Context) (behind, written int64, err error) {
	return kafka.Progress(ctx, r.p.brokers, ingestGroup, eventTopics())
}

func (r *roles) runOverflow(ctx context.Context) error {
	drain := intake.NewDrain(r.producer, r.shares, now, r.p.log.With("role", "ingest"))
	g, ctx := errgroup.WithContext(ctx)
	if !r.p.settings.roles.has(roleAPI) { // Otherwise the intake runs them.
		g.Go(func() error { return r.shares.Run(ctx) })
	}
	g.Go(func() error {
		return r.overflow.Run(ctx, func(ctx context.Context, p *kafka.Partition) error { return drain.Own(ctx, p) })
	})
	return g.Wait()
}

func (r *roles) stored(workspace string, keys map[string][]identity.Key) {
	if r.p.settings.roles.has(roleAPI) {
		all := slices.Concat(slices.Collect(maps.Values(keys))...)
		r.web.feed.Announce(workspace, all) // Before the note can come back.
		r.web.stored(workspace, all)
	}
	r.news.note(workspace, keys)
}

// stage is a group of loops of one role that stop together, after the stage
// before it.
type stage struct {
	name string
	role role
	runs []func(context.Context) error
}

// run starts every role of the process and returns when ctx has ended and all have stopped, in
// the order HTTP, intake, ingest, identity, worker; or when one of them fails.
// ready is called with the API's address once it answers, or with nil where the
// process has no API.
func (r *roles) run(ctx context.Context, ready func(net.Addr)) error {
	defer func() { _, _ = r.writer.Close(), r.producer.Close() }()
	stages := []stage{
		{"http", roleAPI, []func(context.Context) error{func(ctx context.Context) error { return r.web.serve(ctx, ready) }}},
		{"intake", roleAPI, []func(context.Context) error{r.gate.Run, r.shares.Run, r.decided.ring.Run, r.decided.restricted.Run, r.web.audit.Run}},
		{"ingest", roleIngest, []func(context.Context) error{r.runIngest, r.runOverflow, r.decided.reader.Run, r.news.run}},
		{"identity", roleIdentity, []func(context.Context) error{r.runIdentity, r.serveGraph}},
		{"worker", roleWorker, []func(context.Context) error{r.valuer.Run, r.grouper.Run, r.next.Run, r.venues.Run, r.matcher.Run, r.eraser.Run, r.runViews, r.decided.run}},
		{"cache", roleAPI, []func(context.Context) error{r.web.follow, r.web.followStored, r.web.runCache}},
	}
	if !r.p.settings.roles.has(roleIngest) {
		stages[4].runs = append(stages[4].runs, r.news.run) // The worker has news of erasures.
	}
	failed, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var running []func() // each stops one stage and waits for it
	var mu sync.Mutex
	var errs []error
	if !r.p.settings.roles.has(roleAPI) {
		ready(nil)
	}
	for _, s := range stages {
		if !r.p.settings.roles.has(s.role) {
			continue
		}
		stageCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		g, stageCtx := errgroup.WithContext(stageCtx)
		for _, run := range s.runs {
			g.Go(func() error {
				err := run(stageCtx)
				if err == nil && stageCtx.Err() == nil {
					err = errors.New("ended by itself")
				}
				if err != nil && !errors.Is(err, context.Canceled) {
					err = fmt.Errorf("%s: %w", s.name, err)
					fail(err)
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
				return err
			})
		}
		running = append(running, func() { cancel(); _ = g.Wait() })
	}
	<-failed.Done()
	for _, stop := range running {
		stop()
	}
	mu.Lock()
	defer mu.Unlock()
	return errors.Join(errs...)
}

func (r *roles) runIngest(ctx context.Context) error {
	if r.decided.reader.Ready(ctx) != nil {
		return nil // The end of ctx.
	}
	return r.ingest.Run(ctx, func(ctx context.Context, p *kafka.Partition) error {
		ctx, part := r.p.settings.faults.partition(ctx, p)
		return r.pipeline.Own(ctx, part)
	})
}

// runIdentity owns the ledger again after an error, because nothing is lost by
// it and the cause may pass; a cause that stays shows in the log and on /readyz.
func (r *roles) runIdentity(ctx context.Context) error {
	return r.identity.Run(ctx, func(ctx context.Context, p *kafka.Partition) error {
		err := r.ownLedger(ctx, p)
		if err != nil && ctx.Err() == nil {
			r.p.log.Error("identity owner stopped", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
		return nil
	})
}

// ownLedger publishes profiles, and folds what is published, for as long as the
// partition belongs to this process: of several identity processes one works.
func (r *roles) ownLedger(ctx context.Context, p *kafka.Partition) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.folder.Run(ctx) })
	g.Go(func() error {
		defer stop()
		return r.ledger.Own(ctx, r.p.settings.faults.evidence(p))
	})
	return g.Wait()
}

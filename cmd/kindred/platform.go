package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/deploy/embedded"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// Topics that are no event kinds. Evidence has one partition, because one owner
// keeps a workspace's whole ledger.
const (
	identityTopic   = "kindred.identity"
	ingestGroup     = "kindred-ingest"
	overflowGroup   = "kindred-overflow"
	identityGroup   = "kindred-identity"
	eventRetention  = 7 * 24 * time.Hour
	ledgerRetention = 7 * 24 * time.Hour
)

// platform is what every role stands on: the two engines, migrated and with
// their topics, and the secrets of the installation.
type platform struct {
	settings  *settings
	ui        *ui
	log       *slog.Logger
	secret    identity.Secret
	collector collector
	conn      driver.Conn
	bulk      driver.Conn // for the inserts of events; of the role ingest only
	warehouse warehouse.Config
	brokers   []string
	download  time.Duration // spent on fetching the engine library
}

// now is the one clock of the process.
func now() time.Time { return time.Now() }

func eventTopics() []string {
	var names []string
	for _, k := range wire.Kinds() {
		names = append(names, k.Topic())
	}
	return names
}

// withPlatform starts what is embedded, prepares both engines, runs body, and
// stops everything after it. An engine that fails ends body, and its reason is
// the error.
func withPlatform(ctx context.Context, s *settings, u *ui, body func(context.Context, *platform) error) (err error) {
	p := &platform{settings: s, ui: u, log: u.logger(s)}
	p.collector.memory = embedded.MachineBytes()
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w; name another one with --data", err)
	}
	if p.secret, err = identitySecret(s); err != nil {
		return err
	}
	go p.collector.run(ctx)
	engines := newEngines(ctx)
	defer func() { err = errors.Join(err, engines.stop()) }()
	if err := p.startClickHouse(ctx, engines); err != nil {
		return err
	}
	if err := p.startKafka(ctx, engines); err != nil {
		return err
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	for _, conn := range []driver.Conn{p.conn, p.bulk} {
		if conn != nil {
			defer func() { _ = conn.Close() }()
		}
	}
	bodyCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(engines.failed, func() { cancel(context.Cause(engines.failed)) })()
	err = body(bodyCtx, p)
	if cause := context.Cause(engines.failed); cause != nil {
		return cause
	}
	return err
}

// engines are the embedded engines that run, and the first failure among them.
type engines struct {
	ctx    context.Context // ends when they are to stop
	cancel context.CancelFunc
	failed context.Context // ends with the cause when one fails
	fail   context.CancelCauseFunc
	wait   sync.WaitGroup
	mu     sync.Mutex
	errs   []error // Of engines that failed while stopping. Protected by mu.
}

// newEngines outlives ctx: the roles drain into the engines after ctx ends.
func newEngines(ctx context.Context) *engines {
	e := &engines{}
	e.ctx, e.cancel = context.WithCancel(context.WithoutCancel(ctx))
	e.failed, e.fail = context.WithCancelCause(context.WithoutCancel(ctx))
	return e
}

// start runs an engine and waits until it is ready, has failed, or ctx ends.
func (e *engines) start(ctx context.Context, name string, run func(ctx context.Context, ready func()) error) error {
	ready := make(chan struct{})
	ended := make(chan error, 1)
	e.wait.Add(1)
	go func() {
		defer e.wait.Done()
		err := run(e.ctx, sync.OnceFunc(func() { close(ready) }))
		ended <- err
		select {
		case <-ready:
		default:
			return // It never was ready: start returns the reason.
		}
		switch {
		case e.ctx.Err() != nil && err != nil:
			e.mu.Lock()
			e.errs = append(e.errs, fmt.Errorf("%s: %w", name, err))
			e.mu.Unlock()
		case e.ctx.Err() == nil:
			if err == nil {
				err = errors.New("nobody asked it to")
			}
			e.fail(fmt.Errorf("%s stopped: %w", name, err))
		}
	}()
	select {
	case <-ready:
		return nil
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *engines) stop() error {
	e.cancel()
	e.wait.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	return errors.Join(e.errs...)
}

func (p *platform) startClickHouse(ctx context.Context, e *engines) error {
	s := p.settings
	p.warehouse = warehouse.DefaultConfig()
	switch {
	case !s.roles.needsClickHouse():
		return nil
	case s.clickhouseURL != "", !s.roles.has(roleClickHouse):
		return p.awaitClickHouse(ctx)
	}
	begun := now()
	library := embedded.Library{Path: s.clickhouseLib}
	path, err := library.Ensure(ctx, func(stage string, done, total int64) {
		p.ui.progress("ClickHouse engine, "+stage, done, total, "MB")
	})
	if err != nil {
		return err
	}
	p.download = now().Sub(begun)
	cfg := embedded.DefaultClickHouseConfig()
	cfg.Library, cfg.DataDir = path, filepath.Join(s.data, "clickhouse")
	cfg.TCPPort, cfg.HTTPPort, cfg.MemoryBytes = s.clickhousePort, s.clickhouseHTTPPort, s.engineMemory
	cfg.Database, cfg.AnalystPassword = "kindred", s.analystPassword
	cfg.AnalystGrants = warehouse.AnalystGrants(cfg.Database)
	ch, err := embedded.NewClickHouse(cfg, p.log.With("engine", "clickhouse"))
	if err != nil {
		return err
	}
	err = e.start(ctx, "the embedded ClickHouse", func(ctx context.Context, ready func()) error {
		return ch.Run(ctx, func(dsn string) error {
			p.warehouse.URL = dsn
			ready()
			return nil
		})
	})
	if err != nil {
		return err
	}
	return p.migrate(ctx)
}

func (p *platform) migrate(ctx context.Context) error {
	return warehouse.Migrate(ctx, p.warehouse, now, p.log)
}

func (p *platform) startKafka(ctx context.Context, e *engines) error {
	s := p.settings
	if !s.roles.needsKafka() {
		return nil
	}
	p.brokers = s.brokerAddresses()
	if len(s.kafkaBrokers) == 0 && s.roles.has(roleBroker) {
		cfg := embedded.DefaultKafkaConfig()
		cfg.DataDir, cfg.Port, cfg.Now = filepath.Join(s.data, "kafka"), s.kafkaPort, s.faults.clock(now)
		k, err := embedded.NewKafka(cfg, p.log.With("engine", "kafka"))
		if err != nil {
			return err
		}
		err = e.start(ctx, "the embedded Kafka", func(ctx context.Context, ready func()) error {
			return k.Run(ctx, func(brokers []string) error {
				p.brokers = brokers
				ready()
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	return p.await(ctx, "Kafka", func(ctx context.Context) error {
		if err := reachable(ctx, p.brokers); err != nil {
			return err
		}
		return ensureTopics(ctx, s, p.brokers)
	})
}

// reachable says in plain words when no broker listens.
func reachable(ctx context.Context, brokers []string) error {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	var errs []error
	for _, b := range brokers {
		conn, err := dialer.DialContext(ctx, "tcp", b)
		if err == nil {
			return conn.Close()
		}
		errs = append(errs, fmt.Errorf("no Kafka at %s: %w", b, err))
	}
	return fmt.Errorf("%w; start it with `kindred up`, or name a running Kafka with KINDRED_KAFKA_BROKERS", errors.Join(errs...))
}

func ensureTopics(ctx context.Context, s *settings, brokers []string) error {
	topics := []kafka.Topic{
		{Name: ingest.EvidenceTopic, Partitions: 1, Retention: ledgerRetention},
		{Name: identityTopic, Partitions: 1, Retention: ledgerRetention},
		{Name: storedTopic, Partitions: 1, Retention: storedRetention},
		{Name: segmentsTopic, Partitions: 1, Retention: segmentsRetention},
		{Name: control.Topic, Partitions: 1, Retention: ledgerRetention},
	}
	for _, name := range append(eventTopics(), intake.OverflowTopic) {
		topics = append(topics, kafka.Topic{Name: name, Partitions: s.kafkaPartitions, Retention: eventRetention})
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := kafka.EnsureTopics(ctx, brokers, s.kafkaReplication, topics); err != nil {
		return fmt.Errorf("%w: check that Kafka runs at %v, or change KINDRED_KAFKA_BROKERS", err, brokers)
	}
	return nil
}

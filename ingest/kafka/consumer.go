package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
)

// Config says how a consumer group reads.
type Config struct {
	// Brokers are host:port addresses; at least one.
	Brokers []string
	// Group is the consumer group's id.
	Group string
	// Topics are the topics to own partitions of.
	Topics []string
	// SessionTimeout is how long a silent member keeps its partitions. Default 10 s.
	SessionTimeout time.Duration
	// MaxBytes bounds one fetch of one partition. Default 2 MiB.
	MaxBytes int
	// MaxWait bounds how long one fetch waits for a record; where several in a row found
	// none, they wait for up to four times as long. Default 500 ms.
	MaxWait time.Duration
}

// DefaultConfig returns the defaults without brokers, group and topics.
func DefaultConfig() Config {
	return Config{SessionTimeout: 10 * time.Second, MaxBytes: 2 << 20, MaxWait: 500 * time.Millisecond}
}

// Validate reports every fault of c.
func (c Config) Validate() error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("kafka: no brokers"))
	}
	if c.Group == "" || len(c.Topics) == 0 {
		errs = append(errs, errors.New("kafka: group and topics are required"))
	}
	if c.SessionTimeout < time.Second || c.MaxBytes < 1<<16 || c.MaxWait <= 0 {
		errs = append(errs, errors.New("kafka: session timeout under 1 s, max bytes under 64 KiB or no max wait"))
	}
	return errors.Join(errs...)
}

// Deps are what a Consumer needs from outside.
type Deps struct {
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Consumer is one member of a consumer group.
type Consumer struct {
	cfg  Config
	log  *slog.Logger
	lag  *prometheus.GaugeVec
	lost *prometheus.CounterVec
}

// NewConsumer returns an inert consumer; Run joins the group.
func NewConsumer(cfg Config, deps Deps) (*Consumer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	lag := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "kindred_kafka_lag_records", Help: "Records not yet fetched, by group, topic and partition.",
		ConstLabels: prometheus.Labels{"group": cfg.Group},
	}, []string{"topic", "partition"})
	lost := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kindred_kafka_lost_records_total", Help: "Offsets that the broker's retention removed before they were read, by group, topic and partition.",
		ConstLabels: prometheus.Labels{"group": cfg.Group},
	}, []string{"topic", "partition"})
	if err := errors.Join(deps.Registry.Register(lag), deps.Registry.Register(lost)); err != nil {
		return nil, fmt.Errorf("register consumer metrics: %w", err)
	}
	return &Consumer{cfg: cfg, log: deps.Logger.With("group", cfg.Group), lag: lag, lost: lost}, nil
}

// Owner does the work of one partition until ctx ends, ownership is lost
// (ErrLost), or it can do no more. It is called once per partition and
// generation, each call in a goroutine of its own.
type Owner func(ctx context.Context, p *Partition) error

// Run is a member of the group until ctx ends, calling own for each partition
// it is given. An error of own other than ErrLost or the end of its context
// ends Run with that error.
func (c *Consumer) Run(ctx context.Context, own Owner) error {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: c.cfg.Group, Brokers: c.cfg.Brokers, Topics: c.cfg.Topics,
		HeartbeatInterval: c.cfg.SessionTimeout / 4, SessionTimeout: c.cfg.SessionTimeout,
		RebalanceTimeout: c.cfg.SessionTimeout, JoinGroupBackoff: time.Second,
		StartOffset: kafka.FirstOffset,
		ErrorLogger: kafka.LoggerFunc(func(f string, a ...any) { c.log.Debug("consumer group", "detail", fmt.Sprintf(f, a...)) }),
	})
	if err != nil {
		return fmt.Errorf("join group %s: %w", c.cfg.Group, err)
	}
	transport := &kafka.Transport{ClientID: "kindred", IdleTimeout: time.Minute, MetadataTTL: metadataTTL}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(c.cfg.Brokers...), Timeout: 30 * time.Second, Transport: transport}

	failed := &failure{}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed.cancel = cancel
	defer func() { _ = group.Close() }()
	for {
		gen, err := group.Next(ctx)
		switch {
		case ctx.Err() != nil:
			failed.wait()
			return failed.err()
		case err != nil:
			c.log.Warn("no generation yet", "error", err)
			continue
		}
		if err := c.start(ctx, gen, client, transport, own, failed); err != nil {
			return err
		}
	}
}

// failure collects the first fatal error of the owners and ends the run.
type failure struct {
	mu     sync.Mutex
	first  error
	cancel context.CancelFunc
	owners sync.WaitGroup
}

func (f *failure) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first == nil {
		f.first = err
	}
	f.cancel()
}

func (f *failure) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first
}

func (f *failure) wait() { f.owners.Wait() }

func (c *Consumer) start(ctx context.Context, gen *kafka.Generation, client *kafka.Client, transport *kafka.Transport, own Owner, failed *failure) error {
	parts, err := c.partitions(ctx, gen, client, transport)
	if err != nil {
		// The generation must be left for the group to try again.
		if ctx.Err() == nil {
			c.log.Warn("read committed offsets", "error", err)
		}
		gen.Start(func(genCtx context.Context) {
			select {
			case <-genCtx.Done():
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		})
		return nil
	}
	c.log.Info("partitions owned", "generation", gen.ID, "partitions", len(parts))
	for _, p := range parts {
		failed.owners.Add(1)
		gen.Start(func(genCtx context.Context) {
			defer failed.owners.Done()
			ownCtx, stop := context.WithCancel(genCtx)
			defer stop()
			defer context.AfterFunc(ctx, stop)()
			p.leave = stop
			err := own(ownCtx, p)
			switch {
			case err == nil, errors.Is(err, ErrLost), ownCtx.Err() != nil:
			default:
				failed.set(fmt.Errorf("partition %s/%d: %w", p.topic, p.id, err))
			}
		})
	}
	if len(parts) == 0 {
		// A member without partitions stays in the group as a standby.
		gen.Start(func(genCtx context.Context) {
			select {
			case <-genCtx.Done():
			case <-ctx.Done():
			}
		})
	}
	return nil
}

// partitions reads what the last owners committed for the assigned partitions.
func (c *Consumer) partitions(ctx context.Context, gen *kafka.Generation, client *kafka.Client, transport *kafka.Transport) ([]*Partition, error) {
	topics := map[string][]int{}
	names := []string{}
	for topic, assigned := range gen.Assignments {
		if len(assigned) == 0 {
			continue
		}
		names = append(names, topic)
		for _, a := range assigned {
			topics[topic] = append(topics[topic], a.ID)
		}
	}
	if len(topics) == 0 {
		return nil, nil
	}
	counts, err := partitionCounts(ctx, client, names)
	if err != nil {
		return nil, err
	}
	res, err := client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: gen.GroupID, Topics: topics})
	if err != nil {
		return nil, fmt.Errorf("fetch offsets of group %s: %w", gen.GroupID, err)
	}
	if res.Error != nil {
		return nil, fmt.Errorf("fetch offsets of group %s: %w", gen.GroupID, res.Error)
	}
	var parts []*Partition
	for topic, committed := range res.Topics {
		for _, o := range committed {
			if o.Error != nil {
				return nil, fmt.Errorf("fetch offset of %s/%d: %w", topic, o.Partition, o.Error)
			}
			p := &Partition{
				topic: topic, id: o.Partition, count: counts[topic], generation: int(gen.ID), member: gen.MemberID, group: gen.GroupID,
				offset: o.CommittedOffset, metadata: o.Metadata, transport: transport, client: client, addr: client.Addr,
				maxBytes: c.cfg.MaxBytes, maxWait: c.cfg.MaxWait, lag: c.setLag, lost: c.addLost, leave: func() {},
				decoder: decoder{topic: topic, partition: o.Partition, budget: inflatedFetches * c.cfg.MaxBytes},
			}
			if err := c.place(ctx, client, p); err != nil {
				return nil, err
			}
			parts = append(parts, p)
		}
	}
	return parts, nil
}

func (c *Consumer) setLag(topic string, partition int, lag int64) {
	c.lag.WithLabelValues(topic, fmt.Sprint(partition)).Set(float64(lag))
}

// inflatedFetches bounds what one fetch may become in memory, as a multiple of
// MaxBytes.
const inflatedFetches = 4

// place moves p to where its log can be read. A group without a commit starts
// at the start. A commit beyond the end means that the log has lost its end or
// was made anew: reading it from the start repeats records, which the store
// knows, where waiting for it to grow would pass over new ones in silence.
func (c *Consumer) place(ctx context.Context, client *kafka.Client, p *Partition) error {
	first, end, err := bounds(ctx, client, p.topic, p.id)
	switch {
	case err != nil:
		return err
	case p.offset > end:
		c.log.Error("the log is shorter than what was read of it, and is read again from its start",
			"topic", p.topic, "partition", p.id, "committed", p.offset, "first", first, "end", end)
		p.offset, p.metadata = first, ""
	case p.offset < 0:
		p.offset = first
	}
	return nil
}

// addLost says loudly which records are gone.
func (c *Consumer) addLost(topic string, partition int, from, to int64) {
	c.log.Error("records were removed by the broker's retention before they were read, and are lost; reading goes on after them",
		"topic", topic, "partition", partition, "from", from, "to", to)
	c.lost.WithLabelValues(topic, fmt.Sprint(partition)).Add(float64(to - from))
}

package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sync/errgroup"
)

// KafkaConfig says where the broker keeps its log and where it listens.
type KafkaConfig struct {
	// DataDir is the folder of topics, messages and committed offsets; made if missing. Empty: all in memory (tests).
	DataDir string
	// Host is the loopback address to listen on; the broker names 127.0.0.1. Default 127.0.0.1.
	Host string
	// Port is the port to listen on; 0 takes a free one. Default 9092.
	Port int
	// NoSync leaves writing to disk to the operating system: faster, and a loss of power loses the last messages.
	// Default false: an acknowledged message is on disk.
	NoSync bool
	// MinFreeBytes is the free disk space under which the broker does not start. Default 512 MiB.
	MinFreeBytes uint64
	// RetentionBytes is the size above which a partition's log is shortened, by whole segments that every consumer
	// group has committed; what is not committed always stays. 0 keeps everything. Default 256 MiB.
	RetentionBytes int64
	// RetentionInterval is the time between two looks at the sizes. Default 1 min.
	RetentionInterval time.Duration
	// SegmentBytes is the size of one file of a partition's log. Default 32 MiB.
	SegmentBytes int64
	// Now is the clock of the times of arrival that messages get. Default time.Now.
	Now func() time.Time
	// LockTimeout bounds the wait for a data folder that a dying process still holds. Default 15 s.
	LockTimeout time.Duration
	// offsetsCheck is how often the broker looks for offsets to forget; 0: its default. For tests.
	offsetsCheck time.Duration
}

// DefaultKafkaConfig returns the documented defaults; DataDir is for the caller to fill.
func DefaultKafkaConfig() KafkaConfig {
	return KafkaConfig{
		Host:              "127.0.0.1",
		Port:              9092,
		MinFreeBytes:      512 << 20,
		RetentionBytes:    256 << 20,
		RetentionInterval: time.Minute,
		SegmentBytes:      32 << 20,
		Now:               time.Now,
		LockTimeout:       15 * time.Second,
	}
}

// Validate reports every fault of the configuration at once.
func (c KafkaConfig) Validate() error {
	errs := validateAddress("kafka", c.Host, c.Port)
	if c.Host != "127.0.0.1" {
		errs = append(errs, fmt.Errorf("kafka: host %q: the embedded broker listens on 127.0.0.1 only", c.Host))
	}
	if c.RetentionBytes < 0 || c.RetentionInterval <= 0 || c.SegmentBytes < 1<<10 {
		errs = append(errs, errors.New("kafka: retention bytes are negative, its interval is not positive or segments are below 1 KiB"))
	}
	if c.Now == nil {
		errs = append(errs, errors.New("kafka: clock is missing"))
	}
	if c.LockTimeout < 0 {
		errs = append(errs, errors.New("kafka: lock timeout is negative"))
	}
	return errors.Join(errs...)
}

// Kafka is a broker in this process. Use it once: New, then Run.
type Kafka struct {
	cfg KafkaConfig
	log *slog.Logger
}

// NewKafka checks the configuration. It starts nothing and touches no file. A nil logger is silent.
func NewKafka(cfg KafkaConfig, log *slog.Logger) (*Kafka, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Kafka{cfg: cfg, log: log}, nil
}

// Run starts the broker and blocks until ctx ends (result nil, everything on disk), until ready returns an error, or
// until the broker fails. It calls ready once, with the broker's address, when clients can connect.
func (k *Kafka) Run(ctx context.Context, ready func(brokers []string) error) error {
	if k.cfg.DataDir != "" {
		if err := prepareFolder(k.cfg.DataDir, k.cfg.MinFreeBytes); err != nil {
			return err
		}
		lock, err := lockFolder(ctx, k.cfg.DataDir, k.cfg.LockTimeout)
		if err != nil {
			return err
		}
		defer lock.Release()
	}
	fault := newFault()
	cluster, err := kfake.NewCluster(k.options(fault)...)
	if err != nil {
		return fmt.Errorf("start kafka broker: %w", err)
	}
	defer cluster.Close()
	stampAppendTimes(cluster, k.cfg.Now)
	addrs := cluster.ListenAddrs()
	k.log.Info("kafka broker is ready", "addresses", addrs)
	if err := ready(addrs); err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	work, running := errgroup.WithContext(running)
	work.Go(func() error {
		select {
		case <-running.Done():
			return nil
		case <-fault.raised:
			return fmt.Errorf("kafka broker: %w", fault.err)
		}
	})
	if k.cfg.DataDir != "" && k.cfg.RetentionBytes > 0 {
		work.Go(func() error { return k.retain(running, addrs) })
	}
	return work.Wait()
}

// options are the broker's: one node, time stamps of arrival, topics only by request.
// offsetsMinutes are a hundred years, for which committed offsets are kept.
const offsetsMinutes = 100 * 365 * 24 * 60

func (k *Kafka) options(fault *fault) []kfake.Opt {
	opts := []kfake.Opt{
		kfake.Ports(k.cfg.Port),
		kfake.ClusterID("kindred"),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			ln, err := net.Listen(network, address)
			if err != nil {
				return nil, portError("Kafka", k.cfg.Host, k.cfg.Port, err)
			}
			return &watchedListener{Listener: ln, fault: fault}, nil
		}),
		kfake.WithLogger(brokerLog{log: k.log, fault: fault}),
		kfake.BrokerConfigs(map[string]string{
			"log.message.timestamp.type": "LogAppendTime", // What clients are told; stampAppendTimes does it.
			// As short as the consumers' own least setting: a standby takes over that soon.
			"group.min.session.timeout.ms": "1000",
			"log.segment.bytes":            strconv.FormatInt(k.cfg.SegmentBytes, 10),
			// A hundred years in milliseconds between two rounds of the broker's own retention: see retain.
			"log.cleaner.backoff.ms": "3155760000000",
			// Offsets of a machine that was switched off for a week must not be forgotten. Not more than a hundred
			// years: the broker counts them in nanoseconds, of which 64 bits hold 292 years, and forgets at once what
			// runs over.
			"offsets.retention.minutes":           strconv.Itoa(offsetsMinutes),
			"offsets.retention.check.interval.ms": strconv.FormatInt(cmp.Or(k.cfg.offsetsCheck, 10*time.Minute).Milliseconds(), 10),
		}),
	}
	if k.cfg.DataDir != "" {
		opts = append(opts, kfake.DataDir(k.cfg.DataDir))
		if !k.cfg.NoSync {
			opts = append(opts, kfake.SyncWrites())
		}
	}
	return opts
}

package live

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

// Config says how often segments are evaluated and what an evaluation may cost.
type Config struct {
	// Rules are the survivorship rules of traits.
	Rules profiles.Rules
	// Period between evaluations when nothing was stored: windows empty and scores
	// change without news. Default 1 min.
	Period time.Duration
	// Pause is the least time between evaluations. Default 500 ms.
	Pause time.Duration
	// Rest is how many times as long as an evaluation took the worker rests after it:
	// it takes a share of 1/(1+Rest) of the time at most. Default 2.
	Rest float64
	// MaxExecution and MaxMemory bound the query of one segment. Defaults 60 s and
	// 2 GiB.
	MaxExecution time.Duration
	MaxMemory    int64
	// Block is the greatest number of changes that are stored at once. Default 100 000.
	Block int
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{
		Rules: profiles.DefaultRules(), Period: time.Minute, Pause: 500 * time.Millisecond, Rest: 2,
		MaxExecution: time.Minute, MaxMemory: 2 << 30, Block: 100_000,
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	errs := []error{c.Rules.Validate()}
	if c.Period <= 0 || c.Pause <= 0 || !(c.Rest >= 0) || c.MaxExecution < time.Second || c.MaxMemory < 1<<20 || c.Block < 1 {
		errs = append(errs, errors.New("live segments: period, pause and block must be positive, rest not negative, max execution a second and max memory a mebibyte, or more"))
	}
	return errors.Join(errs...)
}

// Publisher tells others of changes.
type Publisher interface {
	// Publish returns when all changes have been taken. It may be called again with
	// changes that it has taken before.
	Publish(ctx context.Context, workspace string, changes []segments.Change) error
}

// Deps are what a Worker needs of its surroundings; all are required.
type Deps struct {
	// Conn is a connection to Kindred's database with the right to write.
	Conn driver.Conn
	// Clock tells the present, the end of all windows.
	Clock      func() time.Time
	Publisher  Publisher
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Worker keeps the members of all live segments. Its methods are safe for
// concurrent use, but Run and Refresh are for one caller at a time.
type Worker struct {
	cfg     Config
	deps    Deps
	store   *Store
	wanted  chan struct{}
	changes *prometheus.CounterVec
	failed  prometheus.Gauge
	seconds prometheus.Histogram
}

// New returns a worker that does nothing yet.
func New(cfg Config, deps Deps) (*Worker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Conn == nil || deps.Clock == nil || deps.Publisher == nil || deps.Logger == nil || deps.Registerer == nil {
		return nil, errors.New("live segments: connection, clock, publisher, logger and registerer are required")
	}
	w := &Worker{
		cfg: cfg, deps: deps, store: NewStore(deps.Conn), wanted: make(chan struct{}, 1),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_segment_changes_total", Help: "Profiles that entered or left a segment.",
		}, []string{"direction"}),
		failed: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kindred_segments_failed", Help: "Segments whose last evaluation failed; they keep their members.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kindred_segments_refresh_seconds", Help: "Time to evaluate all segments once.", Buckets: prometheus.ExponentialBuckets(.01, 3, 9),
		}),
	}
	for _, c := range []prometheus.Collector{w.changes, w.failed, w.seconds} {
		if err := deps.Registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Request makes Run evaluate soon. It does not wait; requests that come while one is
// outstanding are one.
func (w *Worker) Request() {
	select {
	case w.wanted <- struct{}{}:
	default:
	}
}

// Run evaluates at once, then whenever Request asks and every period, until ctx ends.
// What fails is logged and tried again. It returns nil when ctx has ended.
func (w *Worker) Run(ctx context.Context) error {
	ticker := time.NewTicker(w.cfg.Period)
	defer ticker.Stop()
	for {
		start := w.deps.Clock()
		if err := w.Refresh(ctx); err != nil && ctx.Err() == nil {
			w.deps.Logger.Error("refresh of segments", "error", err)
		}
		took := w.deps.Clock().Sub(start)
		w.seconds.Observe(took.Seconds())
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(w.cfg.Pause, time.Duration(float64(took)*w.cfg.Rest))):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-w.wanted:
		}
	}
}

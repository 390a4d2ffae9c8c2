package valuation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
)

// Worker values the profiles of one workspace. Its methods are safe for
// concurrent use.
type Worker struct {
	cfg     Config
	deps    Deps
	metrics *metrics
	wanted  chan struct{}
	busy    sync.Mutex // held by the refresh that runs
	last    *standing  // what stands, by what this worker knows; nil for nothing
}

// New returns a worker that does nothing yet.
func New(cfg Config, deps Deps) (*Worker, error) {
	if err := errors.Join(cfg.Validate(), deps.validate()); err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register valuation metrics: %w", err)
	}
	return &Worker{cfg: cfg, deps: deps, metrics: m, wanted: make(chan struct{}, 1)}, nil
}

// Run refreshes at once and whenever Request asks, and updates every period
// (Config.Period), until ctx ends. One that fails is logged and counted, and the scores
// before it stand: the next one tries again. It returns nil when ctx has ended.
func (w *Worker) Run(ctx context.Context) error {
	for do := w.Refresh; ; {
		s, err := do(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			w.deps.Logger.Error("valuation refresh", "error", err)
		}
		due := time.NewTimer(w.cfg.pause(s.Seconds))
		select {
		case <-ctx.Done():
			due.Stop()
			return nil
		case <-due.C:
			do = w.Update
		case <-w.wanted:
			due.Stop()
			do = w.Refresh
		}
	}
}

// pause is the time from the end of a refresh that took so many seconds to the next.
func (c Config) pause(seconds float64) time.Duration {
	return max(c.Period, time.Duration(9*seconds*float64(time.Second)))
}

// Request makes Run refresh soon. It does not wait; requests that come while
// one is outstanding are one.
func (w *Worker) Request() {
	select {
	case w.wanted <- struct{}{}:
	default:
	}
}

// Refresh reads, fits, scores and writes once, and returns what it did. With
// too little data it withdraws the scores, says so in Summary.NotEnoughData, and
// returns no error. When nothing has changed since the standing scores it writes
// nothing. Refreshes and updates run one at a time.
func (w *Worker) Refresh(ctx context.Context) (Summary, error) { return w.run(ctx, false) }

func (w *Worker) run(ctx context.Context, update bool) (Summary, error) {
	w.busy.Lock()
	defer w.busy.Unlock()
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	start := w.deps.Clock()
	s, err := w.refresh(ctx, start, update)
	s.Seconds = w.deps.Clock().Sub(start).Seconds()
	w.metrics.done(s, err)
	if err != nil {
		return Summary{}, err
	}
	w.deps.Logger.Info("valuation refreshed", "workspace", s.Workspace, "customers", s.Customers,
		"customers_with_value", s.CustomersWithValue, "model", s.Model, "model_version", s.ModelVersion,
		"unchanged", s.Unchanged, "updated", s.Updated, "not_enough_data", s.NotEnoughData, "fallback", s.Fallback, "seconds", s.Seconds)
	return s, nil
}

func (w *Worker) refresh(ctx context.Context, asOf time.Time, update bool) (Summary, error) {
	asOf = asOf.UTC().Truncate(time.Millisecond)
	s := Summary{Workspace: w.cfg.Workspace, AsOf: asOf, Rejected: map[lifetime.Reason]int{}, spread: map[string]spread{}}
	before, err := w.published(ctx)
	if err != nil {
		return s, fmt.Errorf("read published valuation: %w", profilestore.Concise(err))
	}
	h, err := w.readHistory(ctx, asOf)
	if err != nil {
		return s, err
	}
	s.describe(h, lifetime.DayOf(asOf))
	if update {
		if done, err := w.update(ctx, h, before, &s); done || err != nil {
			return s, err
		}
	}
	w.last = nil
	cfg := w.cfg
	if cfg.Lifetime, err = w.models(h, before, &s); err != nil {
		return s, fmt.Errorf("choose lifetime models: %w", err)
	}
	fitted, err := lifetime.Fit(h.customers, cfg.Lifetime)
	switch {
	case errors.Is(err, lifetime.ErrNotEnoughData):
		s.NotEnoughData = err.Error()
	case err != nil:
		return s, fmt.Errorf("fit lifetime models: %w", err)
	default:
		s.fitted(fitted)
		s.margins(h, cfg)
	}
	s.ModelVersion = s.version(cfg)
	inputs := h.fingerprint(s.ModelVersion)
	// Where rows of updates have followed, the inputs are not those of all that stands.
	if before.inputs == inputs && !before.newest.After(before.computedAt) {
		s.Unchanged, s.CustomersWithValue, s.TotalValue = true, before.customers, before.total
		w.remember(before.computedAt, s, fitted, h)
		return s, nil
	}
	s.ComputedAt = w.later(before.newest)
	if fitted != nil {
		if err := w.score(ctx, h, fitted, &s); err != nil {
			return s, err
		}
	}
	if err := w.publish(ctx, &s, inputs); err != nil {
		return s, fmt.Errorf("publish valuation: %w", profilestore.Concise(err))
	}
	w.remember(s.ComputedAt, s, fitted, h)
	return s, nil
}

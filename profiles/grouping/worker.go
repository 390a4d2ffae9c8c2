package grouping

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/kindred-cdp/kindred/profiles/personas"
)

// Worker groups the profiles of one workspace. Its methods are safe for concurrent
// use.
type Worker struct {
	cfg     Config
	deps    Deps
	metrics *metrics
	busy    sync.Mutex // held by the refresh that runs
}

// New returns a worker that does nothing yet.
func New(cfg Config, deps Deps) (*Worker, error) {
	if err := errors.Join(cfg.Validate(), deps.validate()); err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register grouping metrics: %w", err)
	}
	return &Worker{cfg: cfg, deps: deps, metrics: m}, nil
}

// Run refreshes at once and then every period until ctx ends. A refresh that fails is
// logged and counted, and what was stored before stands: the next one tries again. It
// returns nil when ctx has ended.
func (w *Worker) Run(ctx context.Context) error {
	ticker := time.NewTicker(w.cfg.Period)
	defer ticker.Stop()
	for {
		_, err := w.Refresh(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			w.deps.Logger.Error("grouping refresh", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Summary says what a refresh did.
type Summary struct {
	// AsOf is the end of the data.
	AsOf time.Time
	// Profiles have a stage, Grouped of them a persona, and Customers have bought.
	Profiles, Grouped, Customers int
	// Changed is the number of profiles with another stage, persona or grade than
	// before, Withdrawn of those that are none any more.
	Changed, Withdrawn int
	// Fitted says that the model is new, Refused why it has no personas.
	Fitted   bool
	Refused  string
	Personas int
	Version  string
	Currency string
	Seconds  float64
}

// Refresh reads, assigns, and writes what has changed, once; it fits a new model first
// where one is due. Refreshes run one at a time.
func (w *Worker) Refresh(ctx context.Context) (Summary, error) { return w.once(ctx, false) }

// Refit is Refresh with a new model, made as if there had been none: for whoever has
// loaded a past, of which a model may have seen a part.
func (w *Worker) Refit(ctx context.Context) (Summary, error) { return w.once(ctx, true) }

func (w *Worker) once(ctx context.Context, anew bool) (Summary, error) {
	w.busy.Lock()
	defer w.busy.Unlock()
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	start := w.deps.Clock()
	s, err := w.refresh(ctx, start.UTC().Truncate(time.Millisecond), anew)
	s.Seconds = w.deps.Clock().Sub(start).Seconds()
	w.metrics.done(s, err)
	if err != nil {
		return Summary{}, err
	}
	w.deps.Logger.Info("profiles grouped", "workspace", w.cfg.Workspace, "profiles", s.Profiles, "grouped", s.Grouped, "customers", s.Customers,
		"changed", s.Changed, "withdrawn", s.Withdrawn, "fitted", s.Fitted, "personas", s.Personas, "refused", s.Refused,
		"model_version", s.Version, "seconds", s.Seconds)
	return s, nil
}

func (w *Worker) refresh(ctx context.Context, asOf time.Time, anew bool) (Summary, error) {
	s := Summary{AsOf: asOf}
	before, err := w.standing(ctx)
	if err != nil {
		return s, err
	}
	p, model, err := w.model(ctx, asOf, before, anew, &s)
	if err != nil {
		return s, err
	}
	s.Version, s.Personas, s.Refused, s.Currency = model.Version, len(model.Personas), model.Refused, p.currency
	groups := w.group(p, model, asOf, &s)
	return s, w.write(ctx, p, groups, &s)
}

// model reads everybody, and returns the model that assigns them: the one that stands,
// or a new one.
func (w *Worker) model(ctx context.Context, asOf time.Time, before *standing, anew bool, s *Summary) (*people, *personas.Model, error) {
	if before != nil && !anew && asOf.Sub(before.computedAt) < w.cfg.Refit {
		p, err := w.read(ctx, asOf, before.topics)
		if err != nil {
			return nil, nil, err
		}
		if table := w.groupable(p, asOf); !w.due(before.model, table) {
			return p, before.model, nil
		}
	}
	topics, err := w.readTopics(ctx, asOf)
	if err != nil {
		return nil, nil, err
	}
	p, err := w.read(ctx, asOf, topics)
	if err != nil {
		return nil, nil, err
	}
	var last *personas.Model
	if before != nil && !anew {
		last = before.model
	}
	model, _, err := personas.Fit(w.groupable(p, asOf), w.cfg.Personas, last)
	if err != nil {
		return nil, nil, fmt.Errorf("fit personas: %w", err)
	}
	s.Fitted = true
	return p, model, w.publish(ctx, model, topics, asOf, before)
}

// due reports whether people have become so many, or so different, that a model of
// today would be another one.
func (w *Worker) due(m *personas.Model, t personas.Table) bool {
	rows := len(t.IDs)
	switch {
	case m.Refused == "":
		return !m.Fits(t) || 2*rows >= 3*m.Rows
	case m.Rows < w.cfg.Personas.MinRows:
		return rows >= w.cfg.Personas.MinRows
	}
	return 2*rows >= 3*m.Rows
}

// topicsOf are the topics among the features of a model.
func topicsOf(names []string) []string {
	topics := []string{}
	for _, name := range names {
		if topic, ok := strings.CutPrefix(name, topicPrefix); ok {
			topics = append(topics, topic)
		}
	}
	return topics
}

package forecast

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Worker trains and scores the models of all workspaces. One of them is enough; two that
// ran for a moment would do the same twice. Its methods are safe for concurrent use.
type Worker struct {
	cfg     Config
	deps    Deps
	store   *Store
	metrics *metrics
	wanted  chan struct{}

	busy     sync.Mutex // held by the look that runs, which uses what follows
	ticked   time.Time  // of the last event
	followed map[string]time.Time

	mu      sync.Mutex // Protects changed.
	changed map[string]map[identity.Key]bool
}

// mostChanged bounds the identifiers that wait to be scored; beyond it the daily run
// finds them.
const mostChanged = 200_000

// New returns a worker that does nothing yet.
func New(cfg Config, deps Deps) (*Worker, error) {
	if err := errors.Join(cfg.Validate(), deps.validate()); err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register metrics of models: %w", err)
	}
	return &Worker{
		cfg: cfg, deps: deps, store: NewStore(deps.Conn), metrics: m, wanted: make(chan struct{}, 1),
		followed: map[string]time.Time{}, changed: map[string]map[identity.Key]bool{},
	}, nil
}

// Changed says that something was stored of the profiles of identifiers. It does not
// wait.
func (w *Worker) Changed(workspace string, keys ...identity.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.changed[workspace]
	if of == nil {
		of = map[identity.Key]bool{}
		w.changed[workspace] = of
	}
	for _, k := range keys {
		if len(of) >= mostChanged {
			return
		}
		of[k] = true
	}
}

// take returns some of the identifiers that changed.
func (w *Worker) take(workspace string) []identity.Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	var keys []identity.Key
	for k := range w.changed[workspace] {
		if len(keys) == w.cfg.MaxChanged {
			break
		}
		keys = append(keys, k)
		delete(w.changed[workspace], k)
	}
	return keys
}

// Redefined says that somebody decided something of a model.
func (w *Worker) Redefined() {
	select {
	case w.wanted <- struct{}{}:
	default:
	}
}

// Run looks at the models until ctx ends. A look that fails is logged and counted, and
// the next one tries again. It returns nil when ctx has ended.
func (w *Worker) Run(ctx context.Context) error {
	ticker := time.NewTicker(w.cfg.Beat)
	defer ticker.Stop()
	last := ""
	for {
		err := w.Look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		text := ""
		if err != nil {
			w.metrics.failed.Inc()
			text = err.Error()
		}
		if text != "" && text != last {
			w.deps.Logger.Error("models", "error", err)
		}
		last = text
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-w.wanted:
		}
	}
}

// Look does what is to be done of every model, one at a time: withdraw, promote, train,
// score. A model that fails keeps no other one from its turn.
func (w *Worker) Look(ctx context.Context) error {
	w.busy.Lock()
	defer w.busy.Unlock()
	list, err := w.store.models(ctx, "", "")
	if err != nil {
		return err
	}
	var errs []error
	scorers := map[string][]*Model{}
	for _, m := range list {
		if err := w.attend(ctx, m); err != nil {
			errs = append(errs, fmt.Errorf("model %s: %w", m.Name, err))
		}
		if m.Champion != "" && !m.archived {
			scorers[m.Workspace] = append(scorers[m.Workspace], m)
		}
	}
	for workspace, models := range scorers {
		errs = append(errs, w.follow(ctx, workspace, models))
	}
	w.forget(scorers)
	return errors.Join(errs...)
}

// forget drops what changed in workspaces where nothing is scored.
func (w *Worker) forget(scorers map[string][]*Model) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for workspace := range w.changed {
		if scorers[workspace] == nil {
			delete(w.changed, workspace)
		}
	}
}

// attend does what is to be done of a model.
func (w *Worker) attend(ctx context.Context, m *Model) error {
	now := w.deps.Clock().UTC().Truncate(time.Millisecond)
	if w.stale(m) {
		if err := w.withdraw(ctx, m); err != nil {
			return err
		}
	}
	if m.archived || m.Text == nil {
		return nil
	}
	if p := m.events[eventPromoted]; m.promoted > p.revision && m.has(m.promoteTo) {
		if err := w.tell(ctx, m, eventPromoted, m.promoteTo, reason{"promoted by hand"}); err != nil {
			return err
		}
	}
	if w.due(m, now) {
		if err := w.train(ctx, m, now); err != nil {
			return err
		}
	}
	if scored := m.events[eventScored]; m.Champion != "" && (scored.version != m.Champion || m.withdrawn() || now.Sub(scored.time) >= w.cfg.Daily) {
		return w.scoreAll(ctx, m, now)
	}
	return nil
}

// stale reports whether scores stand that answer no question any more.
func (w *Worker) stale(m *Model) bool {
	_, ever := m.events[eventScored]
	return ever && !m.withdrawn() && (m.archived || m.Champion == "")
}

// withdrawn reports whether the scores were withdrawn after they were written.
func (m *Model) withdrawn() bool {
	h, ever := m.events[eventWithdrawn]
	return ever && h.time.After(m.events[eventScored].time)
}

// has reports whether the model has a version that answers its question.
func (m *Model) has(version string) bool {
	for _, v := range m.Versions {
		if v.Version == version && v.question == m.Definition.question() {
			return true
		}
	}
	return false
}

// due reports whether the model is to be trained: when it was ordered, when nothing was
// trained for its question, and by its schedule; again some time after one that came to
// nothing.
func (w *Worker) due(m *Model, now time.Time) bool {
	question, last, answered := m.Definition.question(), time.Time{}, uint64(0)
	for _, event := range []string{eventTrained, eventRefused, eventStopped, eventFailed} {
		h, ok := m.events[event]
		if !ok {
			continue
		}
		answered = max(answered, h.revision)
		if h.question == question && h.time.After(last) && !h.time.Before(m.ChangedAt) {
			last = h.time
		}
	}
	switch {
	case m.trainOrder > answered, last.IsZero() && m.Champion == "":
		return true
	case m.Champion == "":
		return now.Sub(last) >= w.cfg.Retry
	}
	if last.IsZero() {
		last = m.ChangedAt
	}
	every := m.Definition.schedule()
	return every > 0 && now.Sub(last) >= every
}

// follow scores the profiles that changed.
func (w *Worker) follow(ctx context.Context, workspace string, models []*Model) error {
	now := w.deps.Clock().UTC().Truncate(time.Millisecond)
	some := slices.ContainsFunc(models, func(m *Model) bool { return len(m.Definition.Eligible) > 0 })
	if some && now.Sub(w.followed[workspace]) < w.cfg.Pause {
		return nil
	}
	keys := w.take(workspace)
	if len(keys) == 0 {
		return nil
	}
	w.followed[workspace] = now
	ids, err := w.deps.Features.Present(ctx, keys)
	if err == nil && len(ids) > 0 {
		for _, m := range models {
			err = errors.Join(err, w.scoreSome(ctx, m, ids, now))
		}
	}
	if err != nil {
		w.Changed(workspace, keys...) // The next look tries again.
	}
	return err
}

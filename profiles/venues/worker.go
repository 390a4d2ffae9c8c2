package venues

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// Worker keeps the table location_venues of one workspace. Two workers on one
// workspace write the same answers twice, and harm nothing.
type Worker struct {
	cfg     Config
	deps    Deps
	metrics *metrics

	busy      sync.Mutex // held by the run that uses what follows
	model     *Model     // nil before the first refresh
	table     venueTable
	refreshed time.Time
	revision  uint64
	latest    time.Time            // greatest time of receipt seen
	recent    map[string]time.Time // fixes judged within the overlap, by hash
}

// New returns a worker that does nothing yet.
func New(cfg Config, deps Deps) (*Worker, error) {
	if err := errors.Join(cfg.Validate(), deps.validate()); err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register venue metrics: %w", err)
	}
	return &Worker{cfg: cfg, deps: deps, metrics: m, recent: map[string]time.Time{}}, nil
}

// Run judges what there is and then what comes, until ctx ends. A run that fails
// is logged and counted, and the next one tries again. It returns nil when ctx
// has ended.
func (w *Worker) Run(ctx context.Context) error {
	ticker := time.NewTicker(w.cfg.Period)
	defer ticker.Stop()
	for {
		if _, err := w.Look(ctx); err != nil && ctx.Err() == nil {
			w.deps.Logger.Error("assign venues", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Look judges the fixes that came since the last look; all of them when the
// venue table has changed or a refresh is due. It returns how many assignments it
// wrote. Looks run one at a time.
func (w *Worker) Look(ctx context.Context) (written int, err error) {
	w.busy.Lock()
	defer w.busy.Unlock()
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	start, what := w.deps.Clock(), "look"
	table, err := w.readTable(ctx)
	if err != nil {
		return 0, err
	}
	if w.model == nil || table != w.table || start.Sub(w.refreshed) >= w.cfg.Refresh {
		what = "refresh"
		written, err = w.refresh(ctx, table, start)
	} else {
		written, err = w.follow(ctx)
	}
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	w.metrics.refreshes.WithLabelValues(what, outcome).Inc()
	w.metrics.seconds.WithLabelValues(what).Observe(w.deps.Clock().Sub(start).Seconds())
	return written, err
}

// refresh learns the popularity and judges every fix.
func (w *Worker) refresh(ctx context.Context, table venueTable, now time.Time) (int, error) {
	venues, err := w.readVenues(ctx)
	if err != nil {
		return 0, err
	}
	sample, err := w.readSample(ctx)
	if err != nil {
		return 0, err
	}
	before, err := w.readRevision(ctx)
	if err != nil {
		return 0, err
	}
	w.model = nil // A refresh that fails half-way is done again, whole.
	w.revision = max(before+1, uint64(now.UnixMilli()))
	m := NewModel(w.cfg, venues)
	m.Learn(sample)
	w.metrics.venues.Set(float64(len(venues)))
	written, seen := 0, 0
	var after *place
	for {
		page, err := w.readPage(ctx, after)
		if err != nil || len(page) == 0 {
			if err == nil {
				w.model, w.table, w.refreshed = m, table, now
				w.deps.Logger.Info("venues refreshed", "workspace", w.cfg.Workspace, "venues", len(venues), "fixes", seen, "written", written)
			}
			return written, err
		}
		after = &page[len(page)-1].place
		n, err := w.judge(ctx, m, page)
		written, seen = written+n, seen+len(page)
		if err != nil {
			return written, err
		}
		w.remember(page)
	}
}

// judge answers for a page of fixes in the order of the table and writes what
// differs from what stands.
func (w *Worker) judge(ctx context.Context, m *Model, page []stored) (int, error) {
	standing, err := w.readStanding(ctx, &page[0].place, &page[len(page)-1].place)
	if err != nil {
		return 0, err
	}
	var fixes []stored
	var answers []assignment
	for i := range page {
		a := answer(m, page[i].Fix)
		before, ok := standing[string(page[i].hash.Bytes())]
		if !ok || before != a {
			fixes, answers = append(fixes, page[i]), append(answers, a)
		}
	}
	w.metrics.judged.Add(float64(len(page)))
	if err := w.write(ctx, fixes, answers); err != nil {
		return 0, err
	}
	w.count(answers)
	return len(fixes), nil
}

// answer rounds the probability, so that a refresh writes again only what has
// changed by something.
func answer(m *Model, f Fix) assignment {
	venue, p := m.Assign(f)
	return assignment{venue, float32(int(p*100+.5)) / 100}
}

func (w *Worker) count(answers []assignment) {
	nowhere := 0
	for _, a := range answers {
		if a.venue == "" {
			nowhere++
		}
	}
	w.metrics.written.WithLabelValues("nowhere").Add(float64(nowhere))
	w.metrics.written.WithLabelValues("assigned").Add(float64(len(answers) - nowhere))
}

// follow judges the fixes received since the last look, and those of the overlap
// that were not there then.
func (w *Worker) follow(ctx context.Context) (written int, err error) {
	since, after := w.latest.Add(-w.cfg.Overlap), new(big.Int)
	for {
		page, err := w.readNew(ctx, since, after)
		if err != nil || len(page) == 0 {
			return written, err
		}
		last := &page[len(page)-1]
		since, after = last.received, &last.hash
		var fixes []stored
		var answers []assignment
		for i := range page {
			if _, known := w.recent[string(page[i].hash.Bytes())]; !known {
				fixes, answers = append(fixes, page[i]), append(answers, answer(w.model, page[i].Fix))
			}
		}
		w.metrics.judged.Add(float64(len(fixes)))
		if err := w.write(ctx, fixes, answers); err != nil {
			return written, err
		}
		w.count(answers)
		w.remember(fixes)
		written += len(fixes)
	}
}

// remember keeps the fixes of the overlap and forgets older ones.
func (w *Worker) remember(fixes []stored) {
	for i := range fixes {
		if fixes[i].received.After(w.latest) {
			w.latest = fixes[i].received
		}
	}
	edge := w.latest.Add(-w.cfg.Overlap)
	for i := range fixes {
		if !fixes[i].received.Before(edge) {
			w.recent[string(fixes[i].hash.Bytes())] = fixes[i].received
		}
	}
	for hash, at := range w.recent {
		if at.Before(edge) {
			delete(w.recent, hash)
		}
	}
}

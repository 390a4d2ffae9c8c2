package privacy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
)

// Worker rewrites the tables after erasures. Several may run: they do the same work
// twice, and harm nothing. Its methods are safe for concurrent use.
type Worker struct {
	cfg     Config
	deps    Deps
	metrics *metrics

	busy    sync.Mutex // held by the look that runs
	first   time.Time  // when the oldest erasure that waits was met
	watched time.Time  // when late rows were looked for
	expired time.Time  // when what is too old was deleted
}

type metrics struct {
	waiting         prometheus.Gauge
	done, rewrites  prometheus.Counter
	seconds, failed prometheus.Counter
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		waiting:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "kindred_privacy_erasures_waiting", Help: "Erasures that are applied and not certified yet."}),
		done:     prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_privacy_erasures_total", Help: "Erasures certified."}),
		rewrites: prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_privacy_rewrites_total", Help: "Tables rewritten for erasures."}),
		seconds:  prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_privacy_rewrite_seconds_total", Help: "Time spent on rewriting for erasures."}),
		failed:   prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_privacy_failures_total", Help: "Looks for erasures that failed and are tried again."}),
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.waiting, m.done, m.rewrites, m.seconds, m.failed} {
		errs = append(errs, r.Register(c))
	}
	return m, errors.Join(errs...)
}

// NewWorker returns a worker that does nothing yet.
func NewWorker(cfg Config, deps Deps) (*Worker, error) {
	if err := errors.Join(cfg.Validate(), deps.validate()); err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register privacy metrics: %w", err)
	}
	return &Worker{cfg: cfg, deps: deps, metrics: m}, nil
}

// Run looks for erasures until ctx ends. A look that fails is logged and counted, and
// the next one tries again. It returns nil when ctx has ended.
func (w *Worker) Run(ctx context.Context) error {
	ticker := time.NewTicker(w.cfg.Poll)
	defer ticker.Stop()
	for {
		if _, err := w.Look(ctx); err != nil && ctx.Err() == nil {
			w.metrics.failed.Inc()
			w.deps.Logger.Error("rewrite after erasures", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Look rewrites the tables for the erasures that wait, once the first of them has
// waited long enough for others, and returns how many were certified.
func (w *Worker) Look(ctx context.Context) (done int, err error) {
	w.busy.Lock()
	defer w.busy.Unlock()
	waiting, err := w.waiting(ctx)
	if err != nil {
		return 0, err
	}
	now := w.deps.Clock()
	w.metrics.waiting.Set(float64(len(waiting)))
	switch {
	case len(waiting) == 0:
		w.first = time.Time{}
		return 0, errors.Join(w.watch(ctx, now), w.expire(ctx, now))
	case w.first.IsZero():
		w.first = now
	}
	if now.Sub(w.first) < w.cfg.BatchWait && len(waiting) < w.cfg.MaxBatch {
		return 0, nil
	}
	waiting = waiting[:min(len(waiting), w.cfg.MaxBatch)]
	for _, some := range byWorkspace(waiting) {
		if err := w.complete(ctx, some, true); err != nil {
			return done, err
		}
		done += len(some)
	}
	w.first = time.Time{}
	return done, nil
}

// byWorkspace parts erasures, which are in order of workspace.
func byWorkspace(all []Erasure) (parts [][]Erasure) {
	for i, e := range all {
		if i == 0 || all[i-1].Workspace != e.Workspace {
			parts = append(parts, nil)
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], e)
	}
	return parts
}

// complete rewrites the tables for erasures of one workspace.
func (w *Worker) complete(ctx context.Context, erasures []Erasure, certify bool) error {
	begun := w.deps.Clock()
	b, err := w.newBatch(ctx, erasures[0].Workspace, erasures)
	if err != nil {
		return err
	}
	if err := w.tell(ctx, b); err != nil {
		return err
	}
	if err := w.rewrite(ctx, b); err != nil {
		return err
	}
	w.changed(b.workspace)
	took := w.deps.Clock().Sub(begun)
	w.metrics.seconds.Add(took.Seconds())
	if !certify {
		return nil
	}
	if err := w.certify(ctx, b); err != nil {
		return err
	}
	w.metrics.done.Add(float64(len(erasures)))
	w.deps.Logger.Info("erasures completed", "workspace", b.workspace, "erasures", len(erasures), "seconds", took.Seconds())
	return nil
}

// tell has those told of the erasures who were told of the people.
func (w *Worker) tell(ctx context.Context, b *batch) error {
	b.recipients = make([]map[string]uint64, len(b.erasures))
	if w.deps.Recipients == nil {
		return nil
	}
	for i, e := range b.erasures {
		gone := Gone{Erasure: e.ID, At: e.ErasedAt}
		for n, p := range b.profiles {
			if b.profileOf[n] == uint32(i+1) {
				gone.Profiles = append(gone.Profiles, identity.ProfileID(p))
			}
		}
		var err error
		if b.recipients[i], err = w.deps.Recipients.Erased(ctx, b.workspace, gone, w.deps.Clock()); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) changed(workspace string) {
	if w.deps.Changed != nil {
		w.deps.Changed(workspace)
	}
}

const erasuresSQL = `SELECT e.workspace, e.erasure_id, any(e.erased_at), any(e.id), any(c.received_at), max(c.epoch), argMax(c.sequence, c.epoch)
FROM identity_erasures AS e
INNER JOIN identity_commands AS c ON c.workspace = e.workspace AND c.command_id = e.erasure_id
INNER JOIN identity_counted AS v ON v.workspace = c.workspace AND v.epoch = c.epoch
WHERE e.what = 'profile' AND c.code = '' AND c.sequence <= v.last_sequence AND `

const uncertified = `(e.workspace, e.erasure_id) NOT IN (SELECT workspace, erasure_id FROM erasure_certificates)`

// uncertifiedSQL counts rows of erasures without a certificate, those of a ledger that no
// longer counts among them. It reads one table, where what joins it with two takes the
// server ten times as long to plan.
const uncertifiedSQL = `SELECT count() FROM identity_erasures AS e WHERE e.what = 'profile' AND ` + uncertified

// waiting returns the erasures that were applied and have no certificate. It is asked
// every few seconds, and almost always there are none.
func (w *Worker) waiting(ctx context.Context) ([]Erasure, error) {
	var rows uint64
	if err := w.deps.Conn.QueryRow(ctx, uncertifiedSQL).Scan(&rows); err != nil {
		return nil, fmt.Errorf("count erasures without certificate: %w", err)
	}
	if rows == 0 {
		return nil, nil
	}
	return w.erasures(ctx, uncertified)
}

func (w *Worker) erasures(ctx context.Context, which string, args ...any) (list []Erasure, err error) {
	err = query(ctx, w.deps.Conn, "read erasures", erasuresSQL+which+` GROUP BY e.workspace, e.erasure_id ORDER BY e.workspace, any(e.erased_at), e.erasure_id`,
		func(rows driver.Rows) error {
			var e Erasure
			var profile uint64
			err := rows.Scan(&e.Workspace, &e.ID, &e.ErasedAt, &profile, &e.Received, &e.Epoch, &e.Sequence)
			e.ErasedAt, e.Received, e.Profile = e.ErasedAt.UTC(), e.Received.UTC(), identity.ProfileID(profile)
			list = append(list, e)
			return err
		}, args...)
	return list, err
}

// watch looks once more for rows of those who were erased of late: a process that was
// paused for long may have stored some after the tables were rewritten.
func (w *Worker) watch(ctx context.Context, now time.Time) error {
	if w.watched.IsZero() {
		w.watched = now
	}
	if now.Sub(w.watched) < w.cfg.WatchEvery {
		return nil
	}
	w.watched = now
	recent, err := w.erasures(ctx, `e.erased_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`, clickhouse.Named("since", now.Add(-w.cfg.Watch).UnixMilli()))
	if err != nil {
		return err
	}
	for _, some := range byWorkspace(recent) {
		b, err := w.newBatch(ctx, some[0].Workspace, some)
		if err != nil {
			return err
		}
		late := uint64(0)
		for _, r := range append(otherRows(), identifierRows) {
			_, n, err := w.count(ctx, b, r)
			if err != nil {
				return err
			}
			late += n
		}
		if late == 0 {
			continue
		}
		w.deps.Logger.Warn("rows of erased persons came late", "workspace", b.workspace, "rows", late)
		if err := w.complete(ctx, some, false); err != nil {
			return err
		}
	}
	return nil
}

package views

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// Note names keys of identifiers of which events were stored.
type Note struct {
	Workspace string
	Keys      []identity.Key // none: some were lost
	Place     int64          // in the order in which notes were written
}

// Source has notes of stored events. It tells when some were lost: a sweep finds their
// profiles.
type Source interface {
	// Fetch returns the next notes; none when none came for a moment. A note without a
	// workspace is one that all workspaces have lost.
	Fetch(ctx context.Context) ([]Note, error)
	// End is the place of the next note that is written.
	End(ctx context.Context) (int64, error)
	// Hold proves that the notes are still this process's, and returns for how long nobody
	// else gets them, whatever becomes of this process.
	Hold(ctx context.Context) (time.Duration, error)
	// Commit says that all notes fetched so far are worked on.
	Commit(ctx context.Context) error
}

// ProjectorDeps are what a Projector needs from outside.
type ProjectorDeps struct {
	Conn driver.Conn
	// Form is the configuration of what rows are made of, that of Store.
	Form  clickhouse.Config
	Store *clickhouse.Store
	// Settle waits until it is worth while to project what was stored before: until
	// the identity role has seen it, and ingest is not far behind. It returns after a
	// while in any case.
	Settle     func(ctx context.Context) error
	Now        func() time.Time
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Projector makes the rows. One at a time writes: the one whose the notes are.
type Projector struct {
	cfg     Config
	deps    ProjectorDeps
	table   table
	rows    *rows // as a reader sees them
	metrics *projectorMetrics
}

// NewProjector returns a Projector. It asks nothing yet.
func NewProjector(cfg Config, deps ProjectorDeps) (*Projector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m, err := newProjectorMetrics(deps.Registerer)
	if err != nil {
		return nil, err
	}
	r, err := newRows(cfg, ReaderDeps{Conn: deps.Conn, Form: deps.Form, Store: deps.Store, Now: deps.Now, Registerer: prometheus.NewRegistry()})
	if err != nil {
		return nil, err
	}
	return &Projector{cfg: cfg, deps: deps, table: r.table, rows: r, metrics: m}, nil
}

// work is what one ownership of the notes knows.
type work struct {
	*Projector
	source  Source
	dirty   map[string][]identity.Key // by workspace
	count   int                       // of dirty
	notes   int                       // that they came by, and others that said nothing new
	since   time.Time                 // when the first of these came
	marks   map[string]*mark
	sweeps  map[string]uint64 // the last key that a sweep has looked at
	renewed time.Time         // when the workspaces were read
	looked  time.Time         // when the changes of identity were read
	heard   heard
	lost    map[string]bool // workspaces that have lost notes, "" for all
	strain  strain
}

func (p *Projector) newWork(source Source) *work {
	return &work{Projector: p, source: source, dirty: map[string][]identity.Key{}, marks: map[string]*mark{}, sweeps: map[string]uint64{}, lost: map[string]bool{}}
}

// Own projects until ctx ends: it belongs to whoever reads the notes.
func (p *Projector) Own(ctx context.Context, source Source) error {
	w := p.newWork(source)
	for {
		if err := w.round(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("project views: %w", err)
		}
	}
}

// round takes what came, and does a part of what there is to do.
func (w *work) round(ctx context.Context) error {
	notes, err := w.source.Fetch(ctx)
	if err != nil {
		return err
	}
	w.take(notes)
	if err := w.know(ctx); err != nil {
		return err
	}
	w.metrics.waiting.Set(float64(w.count))
	w.metrics.sweeping.Set(float64(w.due()))
	if w.notes > 0 {
		// Not before others of the same profiles had time to come.
		if w.count < w.cfg.MaxDirty && w.deps.Now().Sub(w.since) < w.cfg.Delay {
			return nil
		}
		if err := w.settle(ctx); err != nil {
			return err
		}
	}
	if now := w.deps.Now(); w.notes > 0 || now.Sub(w.looked) >= w.cfg.Delay || now.Before(w.looked) {
		w.looked = now
		for workspace, m := range w.marks {
			if err := w.advance(ctx, workspace, m); err != nil {
				return err
			}
		}
	}
	if w.notes > 0 {
		if err := w.done(ctx); err != nil {
			return err
		}
	}
	return w.sweepAll(ctx)
}

// sweepAll sweeps for a while: to fetch notes may take long where none come.
func (w *work) sweepAll(ctx context.Context) error {
	start := w.deps.Now()
	for {
		for workspace, m := range w.marks {
			if err := w.sweep(ctx, workspace, m); err != nil {
				return err
			}
		}
		if len(w.sweeps) == 0 || w.deps.Now().Sub(start) >= w.cfg.Delay {
			return nil
		}
	}
}

// take adds notes to what there is to do.
func (w *work) take(notes []Note) {
	for _, n := range notes {
		if w.notes == 0 {
			w.since = w.deps.Now()
		}
		if len(n.Keys) == 0 {
			w.lost[n.Workspace] = true
		}
		keys := w.heard.fresh(n)
		w.dirty[n.Workspace] = append(w.dirty[n.Workspace], keys...)
		w.count += len(keys)
		w.notes++
	}
}

// settle waits until it is worth while to read, and notes that it is about to begin.
func (w *work) settle(ctx context.Context) error {
	if err := w.deps.Settle(ctx); err != nil {
		return err
	}
	end, err := w.source.End(ctx)
	if err != nil {
		return err
	}
	for workspace, keys := range w.dirty {
		w.heard.begin(workspace, keys, end, w.cfg.MaxDirty)
	}
	return nil
}

// done commits the notes. That some were lost is on record before.
func (w *work) done(ctx context.Context) error {
	for workspace, m := range w.marks {
		if !w.lost[workspace] && !w.lost[""] {
			continue
		}
		now := w.deps.Now()
		m.whole, m.swept = false, now
		delete(w.sweeps, workspace) // From the beginning.
		if err := w.setMark(ctx, workspace, *m, now); err != nil {
			return err
		}
	}
	clear(w.lost)
	clear(w.dirty) // What is left is of workspaces without a version: nobody's.
	w.count, w.notes = 0, 0
	w.metrics.waiting.Set(0)
	return w.source.Commit(ctx)
}

// knowEvery is how often new workspaces are looked for.
const knowEvery = 10 * time.Second

// know reads the marks of workspaces that are new.
func (w *work) know(ctx context.Context) error {
	now := w.deps.Now()
	if !w.renewed.IsZero() && now.Sub(w.renewed) < knowEvery {
		return nil
	}
	names, err := w.table.workspaces(ctx)
	if err != nil {
		return err
	}
	w.renewed = now
	for _, name := range names {
		if w.marks[name] != nil {
			continue
		}
		m, ok, err := w.table.mark(ctx, name)
		if err == nil && !ok {
			m, err = w.begin(ctx, name)
		}
		if err != nil {
			return err
		}
		if !m.whole {
			m.swept = now
		}
		w.marks[name] = &m
	}
	return nil
}

// begin sets the first mark of a workspace. Where no row of this form was made there is
// none that could be out of date, whatever version the mark has. Where the mark of
// another form has taken the place of this one's, all changes are looked at again.
func (w *work) begin(ctx context.Context, workspace string) (mark, error) {
	now := w.deps.Now()
	v, err := w.deps.Store.Version(ctx, workspace)
	if err != nil {
		return mark{}, err
	}
	m := mark{at: v.Latest(), swept: now}
	there, err := w.table.there(ctx, workspace)
	if err != nil {
		return mark{}, err
	}
	if there {
		m.at = clickhouse.Place{}
	}
	return m, w.setMark(ctx, workspace, m, now)
}

// setMark stores a mark at a time, while the notes are this process's.
func (w *work) setMark(ctx context.Context, workspace string, m mark, now time.Time) error {
	l, err := w.table.lease(ctx, w.source.Hold)
	if err != nil {
		return err
	}
	return w.table.setMark(ctx, workspace, m, now, l)
}

// advance projects the profiles of which events were stored, and those that identity
// changed since the mark, and puts the mark behind these: a part at a time where there
// are very many.
func (w *work) advance(ctx context.Context, workspace string, m *mark) error {
	for {
		// Not an older version than one at which the evidence of the events is published.
		w.deps.Store.Refresh(workspace)
		v, err := w.deps.Store.Version(ctx, workspace)
		if err != nil {
			return err
		}
		named, last, n := map[uint64]bool{}, v.Latest(), 0
		if last.After(m.at) {
			err = w.deps.Store.Changes(ctx, workspace, v, m.at, w.cfg.MaxChanges, func(c clickhouse.Change) {
				if n++; n == w.cfg.MaxChanges {
					last = c.At
				}
				for _, name := range c.Names {
					named[name] = true
				}
			})
		}
		ids, errs := w.renamed(ctx, workspace, named)
		stored, err3 := w.resolve(ctx, workspace, w.dirty[workspace])
		if err := errors.Join(err, errs, err3); err != nil {
			return err
		}
		if err := w.project(ctx, workspace, append(ids, stored...)); err != nil {
			return err
		}
		delete(w.dirty, workspace)
		if last.After(m.at) {
			m.at = last
			err = w.setMark(ctx, workspace, *m, w.deps.Now())
		}
		if err != nil || n < w.cfg.MaxChanges {
			return err
		}
	}
}

// resolve returns the profiles of keys.
func (w *work) resolve(ctx context.Context, workspace string, keys []identity.Key) (ids []identity.ProfileID, err error) {
	slices.Sort(keys)
	for part := range slices.Chunk(slices.Compact(keys), w.cfg.Batch) {
		found, err := w.deps.Store.ResolveMany(ctx, workspace, part)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	return ids, nil
}

// renamed returns the profiles that changes name: those of the identifiers that they
// name, those in the households, and those that have rows under a name.
func (w *work) renamed(ctx context.Context, workspace string, named map[uint64]bool) (ids []identity.ProfileID, err error) {
	delete(named, 0)
	for names := range slices.Chunk(slices.Sorted(maps.Keys(named)), w.cfg.Batch) {
		rows, err := w.table.standing(ctx, workspace, names)
		if err != nil {
			return nil, err
		}
		housed, err := w.deps.Store.Housed(ctx, workspace, names)
		if err != nil {
			return nil, err
		}
		ids = slices.Concat(ids, rows, housed)
	}
	keys := make([]identity.Key, 0, len(named))
	for name := range named {
		if name < 1<<63 { // No anchor of a set.
			keys = append(keys, identity.Key(name))
		}
	}
	found, err := w.resolve(ctx, workspace, keys)
	return append(ids, found...), err
}

// due returns in how many workspaces a sweep goes on, or is to begin.
func (w *work) due() (n int) {
	for workspace, m := range w.marks {
		if _, begun := w.sweeps[workspace]; begun || !w.deps.Now().Before(m.swept) {
			n++
		}
	}
	return n
}

// sweep looks at some of the profiles of a workspace, and projects those that have no
// row that agrees.
func (w *work) sweep(ctx context.Context, workspace string, m *mark) error {
	now := w.deps.Now()
	after, begun := w.sweeps[workspace]
	if !begun && now.Before(m.swept) {
		return nil
	}
	keys, err := w.table.next(ctx, workspace, after, w.cfg.Batch)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		delete(w.sweeps, workspace)
		m.whole, m.swept = true, now.Add(w.cfg.SweepEvery)
		w.metrics.sweeping.Set(float64(w.due()))
		return w.setMark(ctx, workspace, *m, now)
	}
	w.sweeps[workspace] = uint64(keys[len(keys)-1])
	asked := make([]identity.Key, len(keys))
	for i, k := range keys {
		asked[i] = identity.Key(k)
	}
	found, err := w.deps.Store.ResolveMany(ctx, workspace, asked)
	if err != nil {
		return err
	}
	var founders []identity.ProfileID
	for i, id := range found {
		if id == keys[i] {
			founders = append(founders, id)
		}
	}
	agreeing, err := w.rows.agreeing(ctx, workspace, founders)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(founders, func(id identity.ProfileID) bool { return agreeing[id] })
	return w.project(ctx, workspace, missing)
}

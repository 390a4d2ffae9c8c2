package matching

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Worker scores the records of one workspace that are new or have changed, by the
// model that the rules of identity name. Two workers on one workspace publish the
// same twice, and harm nothing.
type Worker struct {
	*matcher
	metrics *metrics

	busy   sync.Mutex // held by the look that uses what follows
	scores *scores    // nil before everything was read
	rules  Rules
	traits []string
	loaded time.Time
	took   time.Duration // by the last reading of everything
	failed error         // how it ended
	edge   edge
	// rewritten counts the tables that were rewritten for erasures.
	rewritten uint64
	// pending are anchors of which the ledger did not know the members yet, with
	// when they were met first.
	pending map[uint64]time.Time
}

// edge is how far the statements were read: all rows received before since, and of
// those after it the ones in seen, with when they were received.
type edge struct {
	since, newest int64
	below         uint64 // rows before since
	seen          map[uint64]int64
}

// NewWorker returns a worker that does nothing yet.
func NewWorker(cfg Config, deps Deps) (*Worker, error) {
	m, err := newMatcher(cfg, deps)
	if err != nil {
		return nil, err
	}
	w := &Worker{matcher: m, pending: map[uint64]time.Time{}}
	if w.metrics, err = newMetrics(deps.Registerer); err != nil {
		return nil, fmt.Errorf("register metrics of matching: %w", err)
	}
	return w, nil
}

// Run looks for what is new until ctx ends. A look that fails is logged and
// counted, and the next one tries again. It returns nil when ctx has ended.
func (w *Worker) Run(ctx context.Context) error {
	last, wait := "", w.cfg.Period
	for {
		before := w.state()
		_, err := w.Look(ctx)
		if err != nil && ctx.Err() == nil && err.Error() != last {
			w.deps.Logger.Error("score records", "workspace", w.cfg.Workspace, "error", err)
		}
		if last = ""; err != nil {
			last = err.Error()
		}
		if after := w.state(); err == nil && after.follows && after == before {
			wait = min(2*wait, max(w.cfg.Period, w.cfg.Calm))
		} else {
			wait = w.cfg.Period
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// state is what a look changes that finds something.
type state struct {
	follows       bool // a model is in force and everything was read
	rules         Rules
	since, newest int64
	below         uint64
	seen, pending int
	rewritten     uint64
}

func (w *Worker) state() state {
	w.busy.Lock()
	defer w.busy.Unlock()
	return state{w.scores != nil, w.rules, w.edge.since, w.edge.newest, w.edge.below, len(w.edge.seen), len(w.pending), w.rewritten}
}

// Look scores what came since the last look; everything when the model has
// changed or a reload is due. It returns how many scores it published. Looks run
// one at a time.
func (w *Worker) Look(ctx context.Context) (int, error) {
	w.busy.Lock()
	defer w.busy.Unlock()
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	rules, err := w.deps.Rules(ctx, w.cfg.Workspace)
	if err != nil {
		return 0, err
	}
	if rules.Model == "" {
		w.scores, w.rules, w.failed = nil, rules, nil
		return 0, nil
	}
	// Records of persons who were erased are gone from the tables; what is in memory of
	// them goes with all the rest.
	rewritten, err := w.reader.rewritten(ctx)
	if err != nil {
		return 0, err
	}
	if rewritten != w.rewritten {
		w.scores, w.rewritten, w.failed = nil, rewritten, nil
	}
	// Nor does one whose processing is restricted stay in memory.
	if changed, err := w.bar(ctx); err != nil {
		return 0, err
	} else if changed {
		w.scores, w.failed = nil, nil
	}
	if w.failed != nil && !w.rested() {
		return 0, w.failed
	}
	begun, what := w.deps.Clock(), "follow"
	var n published
	if w.due(rules, begun) {
		what = "load"
		n, err = w.load(ctx, rules)
	} else {
		w.rules = rules
		n, err = w.follow(ctx)
	}
	w.metrics.looked(what, n, err, w.deps.Clock().Sub(begun))
	if w.scores != nil {
		w.metrics.records.Set(float64(len(w.scores.records)))
	}
	return n.Scored + n.Withdrew, err
}

// due reports whether everything is to be read.
func (w *Worker) due(rules Rules, now time.Time) bool {
	return w.scores == nil || rules.Model != w.rules.Model || rules.Review < w.rules.Review ||
		w.scores.spent() || now.Sub(w.loaded) >= w.cfg.Reload
}

// load reads all records and publishes what the ledger does not know of them.
func (w *Worker) load(ctx context.Context, rules Rules) (n published, err error) {
	w.scores = nil // One that fails half-way is done again, whole.
	clear(w.pending)
	w.loaded = w.deps.Clock()
	defer func() { w.took, w.failed = w.deps.Clock().Sub(w.loaded), err }()
	at := w.now()
	model, err := w.models.Load(ctx, w.cfg.Workspace, rules.Model)
	if errors.Is(err, ErrNoModel) {
		return n, fmt.Errorf("the rules name model %q: %w; kindred link run makes one", rules.Model, err)
	}
	if err != nil {
		return n, err
	}
	if w.traits, err = w.reader.traits(ctx); err != nil {
		return n, err
	}
	if err := w.startEdge(ctx); err != nil {
		return n, err
	}
	b, err := w.reader.all(ctx, w.traits)
	if err != nil {
		return n, err
	}
	w.barred.silence(b)
	s, found, err := w.score(ctx, model, b)
	if err != nil {
		return n, err
	}
	c, err := w.missing(ctx, s, b, found)
	if err != nil {
		return n, err
	}
	if n, err = w.publish(ctx, s, found, c, at, rules.Review); err != nil {
		return n, err
	}
	w.scores, w.rules = s, rules
	w.deps.Logger.Info("records loaded", "workspace", w.cfg.Workspace, "model", rules.Model, "records", len(s.records), "pairs", len(found), "published", n.Scored, "withdrawn", n.Withdrew)
	return n, nil
}

// startEdge lets following begin with what was received last, and all of that
// counts as new: it may be stored while everything is read.
func (w *Worker) startEdge(ctx context.Context) error {
	newest, _, err := w.reader.below(ctx, time.UnixMilli(0))
	if err != nil {
		return err
	}
	since := time.UnixMilli(newest).Add(-w.cfg.Overlap)
	_, below, err := w.reader.below(ctx, since)
	w.edge = edge{since: since.UnixMilli(), newest: newest, below: below, seen: map[uint64]int64{}}
	return err
}

// follow scores the records that the statements received since the last look are
// of.
func (w *Worker) follow(ctx context.Context) (n published, err error) {
	at := w.now()
	all, err := w.reader.count(ctx)
	if err != nil {
		return n, err
	}
	statements, err := w.reader.since(ctx, w.edge.since)
	if err != nil {
		return n, err
	}
	rows := uint64(0)
	for _, s := range statements {
		rows += s.rows
	}
	if all > w.edge.below+rows && w.rested() { // Some came later than the overlap.
		w.metrics.late.Inc()
		return w.load(ctx, w.rules)
	}
	w.note(statements)
	if len(w.pending) > 0 {
		if n, err = w.rescore(ctx, slices.Sorted(maps.Keys(w.pending)), at); err != nil {
			w.scores = nil // What was taken out of the index must be told: all is compared again.
			return n, err
		}
	}
	for _, s := range statements {
		w.edge.seen[s.hash^s.anchor] = s.received
		w.edge.newest = max(w.edge.newest, s.received)
	}
	w.moveEdge(statements)
	return n, nil
}

// rested reports whether everything was not read just now.
func (w *Worker) rested() bool {
	return w.deps.Clock().Sub(w.loaded) >= max(w.cfg.Rest, 5*w.took)
}

// note makes the anchors of new statements wait to be scored, and learns the names
// of traits that are new.
func (w *Worker) note(statements []statement) {
	now := w.deps.Clock()
	for _, s := range statements {
		if _, seen := w.edge.seen[s.hash^s.anchor]; seen || s.anchor == 0 {
			continue
		}
		for _, trait := range s.traits {
			if !w.reader.fields.asks(trait) {
				continue
			}
			if _, waits := w.pending[s.anchor]; !waits {
				w.pending[s.anchor] = now
			}
			if at, known := slices.BinarySearch(w.traits, trait); !known {
				w.traits = slices.Insert(w.traits, at, trait)
			}
		}
	}
}

// forgets is how long an anchor may wait for the ledger. After that a reload finds
// it.
const forgets = 10 * time.Minute

// rescore scores the records of anchors.
func (w *Worker) rescore(ctx context.Context, anchors []uint64, at int64) (n published, err error) {
	holders, unknown, err := w.reader.whose(ctx, anchors)
	if err != nil {
		return n, err
	}
	c := changes{}
	if len(holders) > 0 {
		b, err := w.reader.some(ctx, w.traits, holders)
		if err != nil {
			return n, err
		}
		w.barred.silence(b)
		if err := w.putAll(b, c); err != nil {
			return n, err
		}
	}
	if n, err = w.publish(ctx, w.scores, c, c, at, w.rules.Review); err != nil {
		return n, err
	}
	still := map[uint64]time.Time{}
	for _, a := range unknown {
		if since := w.pending[a]; w.deps.Clock().Sub(since) < forgets {
			still[a] = since
		}
	}
	w.pending = still
	return n, nil
}

// putAll stores what the records of a batch say now.
func (w *Worker) putAll(b *batch, c changes) error {
	keys := slices.Collect(maps.Keys(b.holders))
	slices.Sort(keys)
	for _, key := range keys {
		if _, err := w.scores.put(b.holders[key].record, c); err != nil {
			return fmt.Errorf("score record: %w", err)
		}
	}
	if n := len(w.scores.records); n > w.cfg.MaxRecords {
		return fmt.Errorf("%w: %d", ErrTooMany, w.cfg.MaxRecords)
	}
	return nil
}

// moveEdge follows the newest statement, now and then. The rows before the new edge
// are those that were counted: what is stored there later shows as late.
func (w *Worker) moveEdge(statements []statement) {
	next := w.edge.newest - w.cfg.Overlap.Milliseconds()
	if next-w.edge.since < w.cfg.Overlap.Milliseconds() {
		return
	}
	for _, s := range statements {
		if s.received < next {
			w.edge.below += s.rows
			delete(w.edge.seen, s.hash^s.anchor)
		}
	}
	w.edge.since = next
}

// Records returns how many records the worker holds, for tests and metrics.
func (w *Worker) Records() int {
	w.busy.Lock()
	defer w.busy.Unlock()
	if w.scores == nil {
		return 0
	}
	return len(w.scores.records)
}

package live

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

// Config says how often segments are evaluated and what an evaluation may cost.
type Config struct {
	// Rules are the survivorship rules of traits.
	Rules profiles.Rules
	// Sweep is the time between evaluations over all profiles while nothing asks for
	// one. Due times are known for twice as long. Default 6 h.
	Sweep time.Duration
	// Beat is the time between looks at what gives no news: new scores, and segments
	// that failed. Default 1 min.
	Beat time.Duration
	// Pause is the least time between the beginnings of two evaluations. Behind a long one
	// there are a quarter of its length, and no more than this; nothing where somebody is
	// due already. Default 250 ms.
	Pause time.Duration
	// Rest is how many times as long as an evaluation over all profiles took the worker
	// waits with the next one; those of some go on meanwhile. Default 2.
	Rest float64
	// Some is the greatest number of changed identifiers and of due profiles that are
	// evaluated by themselves. More changed ones need an evaluation over all; more due
	// ones follow in the order of their time. Default 50 000.
	Some int
	// MaxExecution bounds one query for some profiles, MaxSweep one over all, with the
	// time in which the changes that it finds are stored, and MaxMemory both. Defaults
	// 60 s, 10 min and 2 GiB.
	MaxExecution, MaxSweep time.Duration
	MaxMemory              int64
	// MaxEvents is how many events of some profiles are counted in this process, which
	// takes some 50 bytes for each; the server counts where there are more. Default
	// 500 000.
	MaxEvents int
	// Block is the greatest number of changes that are stored at once. Default 100 000.
	Block int
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{
		Rules: profiles.DefaultRules(), Sweep: 6 * time.Hour, Beat: time.Minute, Pause: 250 * time.Millisecond, Rest: 2,
		Some: 50_000, MaxEvents: 500_000, MaxExecution: time.Minute, MaxSweep: 10 * time.Minute, MaxMemory: 2 << 30, Block: 100_000,
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	errs := []error{c.Rules.Validate()}
	if c.Sweep <= 0 || c.Beat <= 0 || c.Pause <= 0 || !(c.Rest >= 0) || c.Some < 1 || c.MaxEvents < 0 || min(c.MaxExecution, c.MaxSweep) < time.Second || c.MaxMemory < 1<<20 || c.Block < 1 {
		errs = append(errs, errors.New("live segments: sweep, beat, pause, some and block must be positive, rest and max events not negative, max execution and max sweep a second and max memory a mebibyte, or more"))
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
// concurrent use, but Run and Step are for one caller at a time.
type Worker struct {
	cfg     Config
	deps    Deps
	store   *Store
	metrics metrics
	wake    chan struct{} // holds a token when there is something new

	mu    sync.Mutex // Protects noted.
	noted noted

	// Of the caller of Step. nil means that nothing is known.
	spaces map[string]*space
	known  map[string]*acquaintance
	beatAt time.Time
	// restUntil is when all may be evaluated again.
	restUntil time.Time
	// lead is how long an evaluation for some profiles takes, as far as is known.
	lead time.Duration
}

// New returns a worker that does nothing yet.
func New(cfg Config, deps Deps) (*Worker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Conn == nil || deps.Clock == nil || deps.Publisher == nil || deps.Logger == nil || deps.Registerer == nil {
		return nil, errors.New("live segments: connection, clock, publisher, logger and registerer are required")
	}
	w := &Worker{cfg: cfg, deps: deps, store: NewStore(deps.Conn), metrics: newMetrics(), wake: make(chan struct{}, 1)}
	return w, w.metrics.register(deps.Registerer)
}

// cause is why identifiers are noted: they moved between profiles, an event of a name
// was stored of them, or, without a name, anything was.
type cause struct {
	event string
	moved bool
}

// noted is what the worker was told since it last looked.
type noted struct {
	keys      map[string]map[cause]map[uint64]struct{} // identifiers and profiles by workspace
	count     int                                      // of them
	all       bool                                     // everything may have changed
	flooded   bool                                     // and some were passed over, new ones too
	redefined bool
}

// Changed says that identifiers changed between profiles, or that anything else is to be
// looked at of them; ids of profiles do as well. It does not wait.
func (w *Worker) Changed(workspace string, keys ...identity.Key) {
	w.noteKeys(workspace, cause{moved: true}, keys)
}

// Happened says that events of a name were stored of identifiers and nothing else, so
// that only segments need be evaluated that ask for such; without a name, that anything
// was. It does not wait.
func (w *Worker) Happened(workspace, event string, keys ...identity.Key) {
	w.noteKeys(workspace, cause{event: event}, keys)
}

// mostHeard is how many times as many identifiers as are evaluated by themselves are kept
// of all events, before all are evaluated.
const mostHeard = 4

// noteKeys notes identifiers with why.
func (w *Worker) noteKeys(workspace string, by cause, keys []identity.Key) {
	w.note(func(n *noted) {
		of := n.of(workspace, by)
		for _, k := range keys {
			if len(of) > w.cfg.Some { // Then all are evaluated, whoever else has changed.
				break
			}
			if n.count > mostHeard*w.cfg.Some { // Of however many events they are.
				n.flooded = true
				break
			}
			if _, there := of[uint64(k)]; !there {
				n.count++
			}
			of[uint64(k)] = struct{}{}
		}
	})
}

// of are the keys of a workspace that are noted by a cause.
func (n *noted) of(workspace string, by cause) map[uint64]struct{} {
	if n.keys == nil {
		n.keys = map[string]map[cause]map[uint64]struct{}{}
	}
	if n.keys[workspace] == nil {
		n.keys[workspace] = map[cause]map[uint64]struct{}{}
	}
	of := n.keys[workspace][by]
	if of == nil {
		of = map[uint64]struct{}{}
		n.keys[workspace][by] = of
	}
	return of
}

// again notes what could not be dealt with.
func (w *Worker) again(before noted) {
	w.note(func(n *noted) {
		for workspace, by := range before.keys {
			for why, keys := range by {
				maps.Copy(n.of(workspace, why), keys)
			}
		}
	})
}

// Redefined says that definitions have changed. It does not wait.
func (w *Worker) Redefined() { w.note(func(n *noted) { n.redefined = true }) }

// ChangedUnknown says that nobody can tell what has changed. It does not wait.
func (w *Worker) ChangedUnknown() { w.note(func(n *noted) { n.all = true }) }

func (w *Worker) note(change func(*noted)) {
	w.mu.Lock()
	change(&w.noted)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *Worker) take() noted {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.noted
	w.noted = noted{}
	return n
}

// Run evaluates whenever something was noted or is due, until ctx ends. What fails is
// logged and tried again. It returns nil when ctx has ended. Whoever ran it before has
// to start anew: it begins with an evaluation over all profiles.
func (w *Worker) Run(ctx context.Context) error {
	w.spaces = nil // Of the time since, nothing is known.
	for {
		begun := w.deps.Clock()
		next, err := w.Step(ctx)
		took := w.deps.Clock().Sub(begun)
		rest := max(w.cfg.Pause-took, min(w.cfg.Pause, took/4))
		if took > w.cfg.Pause && next.Before(w.deps.Clock()) {
			rest = 0
		}
		if err != nil && ctx.Err() == nil {
			w.deps.Logger.Error("evaluation of segments", "error", err)
			rest = max(rest, time.Second)
			next = w.deps.Clock().Add(rest)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rest):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(next.Sub(w.deps.Clock())):
		case <-w.wake:
		}
	}
}

// Step does what is to be done now: it evaluates for the profiles that were noted or
// whose time has come, and for all where that is needed. It returns when the next
// thing is due of itself. What could not be done is still to be done after an error.
func (w *Worker) Step(ctx context.Context) (next time.Time, err error) {
	noted := w.take()
	now := w.deps.Clock().UTC().Truncate(time.Millisecond)
	if err := w.know(ctx, &noted, now); err != nil {
		w.spaces = nil
		w.again(noted)
		return now, err
	}
	resting := now.Before(w.restUntil)
	beat := !resting && !now.Before(w.beatAt) // What a beat finds is for an evaluation over all.
	if beat {
		w.beatAt = now.Add(w.cfg.Beat)
	}
	next = later(w.beatAt, w.restUntil)
	failed := 0
	for _, name := range slices.Sorted(maps.Keys(w.spaces)) {
		s := w.spaces[name]
		if err := w.visit(ctx, s, now, beat, resting); err != nil {
			// Whatever is in doubt is read again, by an evaluation over all.
			w.spaces = nil
			if errors.Is(err, errOvertaken) {
				return now, nil
			}
			return now, err
		}
		for _, t := range s.targets {
			if t.state.Error != "" {
				failed++
			}
		}
		next = earlier(next, s.next(w.restUntil, w.lead, w.of(name).lookAt))
	}
	w.metrics.failed.Set(float64(failed))
	return next, nil
}

package activation

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/privacy"
)

// Config bounds a Worker.
type Config struct {
	// AllowPrivate lets destinations lead into private networks, and without TLS.
	AllowPrivate bool
	// Poll is how often a destination looks for changes and for letters of which it
	// had no news, and for definitions. Default 5.9 s: no other worker's, for all at once
	// would hold up who reads profiles.
	Poll time.Duration
	// Window is the greatest number of changes of a destination that are read and not
	// dealt with, and so of those that are told again after a crash. Default 1 000.
	Window int
	// Parallel is how many messages of a destination are on their way at a time.
	// Default 16.
	Parallel int
	// Timeout bounds one attempt. Default 10 s.
	Timeout time.Duration
	// Commit is the longest time until what was told is stored. Default 1 s.
	Commit time.Duration
	// RetryMin is the pause after the first failure; it doubles up to RetryMax. Of
	// either, half is left to chance. Defaults 1 s and 30 min.
	RetryMin, RetryMax time.Duration
	// DrainTimeout bounds what is stored at the end. Default 5 s.
	DrainTimeout time.Duration
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{
		Poll: 5900 * time.Millisecond, Window: 1000, Parallel: 16, Timeout: 10 * time.Second, Commit: time.Second,
		RetryMin: time.Second, RetryMax: 30 * time.Minute, DrainTimeout: 5 * time.Second,
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	if c.Poll <= 0 || c.Window < 1 || c.Parallel < 1 || c.Timeout <= 0 || c.Commit <= 0 || c.RetryMin <= 0 || c.RetryMax < c.RetryMin || c.DrainTimeout <= 0 {
		return errors.New("activation: poll, window, parallel, timeout, commit, retry and drain must be positive, and retry max no less than retry min")
	}
	return nil
}

// Contact is a message that was sent, for the record.
type Contact struct {
	// ID is a function of the delivery: one that is repeated has the same.
	ID          string
	Time        time.Time
	Channel     string
	Destination ID
	Detail      string // segment and direction
	Subject     string // of e-mail
	// Identifier is one alone, so that the record says nothing of who is who.
	Identifier identity.Identifier

	profile identity.ProfileID
}

// Recorder keeps a record of what was sent.
type Recorder interface {
	// Record returns when all have been taken. It may be called again with contacts
	// that it has taken before.
	Record(ctx context.Context, workspace string, sent []Contact) error
}

// Deps are what a Worker needs of its surroundings; all but Mailer are required.
type Deps struct {
	// Conn is a connection to Kindred's database with the right to write.
	Conn  driver.Conn
	Store profiles.Batcher
	// Clock tells the present.
	Clock    func() time.Time
	Sealer   *Sealer
	Recorder Recorder
	// Mailer may be nil: then there are no destinations of kind email.
	Mailer     *Mailer
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Worker tells destinations. Its methods are safe for concurrent use, but Run and Step
// are for one caller at a time.
type Worker struct {
	cfg     Config
	deps    Deps
	store   *Store
	people  *people
	client  *http.Client
	metrics *metrics
	defined chan struct{} // holds a token when definitions have changed

	mu      sync.Mutex // Protects the fields below.
	runners map[name]*runner
	read    uint64 // rows of definitions that runners are of
}

// name names a destination among those of all workspaces.
type name struct {
	workspace string
	id        ID
}

// New returns a worker that does nothing yet.
func New(cfg Config, deps Deps) (*Worker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Conn == nil || deps.Store == nil || deps.Clock == nil || deps.Sealer == nil || deps.Recorder == nil || deps.Logger == nil || deps.Registerer == nil {
		return nil, errors.New("activation: connection, store, clock, sealer, recorder, logger and registerer are required")
	}
	w := &Worker{
		cfg: cfg, deps: deps, store: NewStore(deps.Conn), people: &people{deps.Conn, deps.Store, privacy.NewStore(deps.Conn)},
		client: newClient(cfg.AllowPrivate, cfg.Timeout), metrics: newMetrics(), defined: make(chan struct{}, 1), runners: map[name]*runner{},
	}
	return w, w.metrics.register(deps.Registerer)
}

// Redefined says that definitions have changed, or that letters are to be sent again.
// It does not wait.
func (w *Worker) Redefined() {
	signal(w.defined)
	w.each("", func(r *runner) { r.asked.Store(true) })
}

// Changed says that segments of a workspace have changed. It does not wait.
func (w *Worker) Changed(workspace string) { w.each(workspace, func(*runner) {}) }

// each wakes the destinations of a workspace, or of all where it is empty.
func (w *Worker) each(workspace string, note func(*runner)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n, r := range w.runners {
		if workspace == "" || n.workspace == workspace {
			note(r)
			signal(r.wake)
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// define reads the definitions, if there are others than before, and brings the runners up
// to them. It returns those that are new and those that ended.
func (w *Worker) define(ctx context.Context) (begun, ended []*runner, err error) {
	rows, err := w.store.revisions(ctx) // Before they are read: what comes meanwhile is read again.
	if err != nil {
		return nil, nil, err
	}
	w.mu.Lock()
	known := rows == w.read
	w.mu.Unlock()
	if known {
		return nil, nil, nil
	}
	all, err := w.store.read(ctx, "", "")
	if err != nil {
		return nil, nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read = rows
	there := map[name]bool{}
	for i := range all {
		n := name{all[i].Workspace, all[i].ID}
		there[n] = true
		before := w.runners[n]
		if before != nil && before.Revision == all[i].Revision {
			continue
		}
		if before != nil {
			ended = append(ended, before)
		}
		w.runners[n] = newRunner(w, all[i])
		begun = append(begun, w.runners[n])
	}
	for n, r := range w.runners {
		if !there[n] {
			ended = append(ended, r)
			delete(w.runners, n)
			w.metrics.forget(n)
		}
	}
	return begun, ended, nil
}

// Run tells destinations until ctx ends. What fails is logged and tried again. It
// returns nil when ctx has ended. Whoever ran it before has to start anew.
func (w *Worker) Run(ctx context.Context) error {
	w.mu.Lock()
	w.runners, w.read = map[name]*runner{}, 0 // Of the time since, nothing is known.
	w.mu.Unlock()
	var g errgroup.Group
	defer func() { _ = g.Wait() }()
	for {
		begun, ended, err := w.define(ctx)
		if err != nil && ctx.Err() == nil {
			w.deps.Logger.Error("read destinations", "error", err)
		}
		for _, r := range ended {
			r.stop()
		}
		for _, r := range begun {
			own, end := context.WithCancel(ctx)
			r.end = end
			g.Go(func() error {
				defer close(r.ended)
				defer end()
				r.run(own)
				return nil
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.defined:
		case <-time.After(w.cfg.Poll):
		}
	}
}

// Step tells all destinations what they can be told now, one after the other, and
// returns when the next thing is due of itself.
func (w *Worker) Step(ctx context.Context) (next time.Time, err error) {
	if _, _, err := w.define(ctx); err != nil {
		return next, err
	}
	next = w.deps.Clock().Add(w.cfg.Poll)
	var errs []error
	for _, r := range w.runners {
		at, err := r.step(ctx)
		if errs = append(errs, err); err == nil && at.Before(next) {
			next = at
		}
	}
	return next, errors.Join(errs...)
}

// backoff is the pause after some failures: between a half and the whole of what
// doubles with each.
func (w *Worker) backoff(failures int) time.Duration {
	whole := w.cfg.RetryMax
	if shift := failures - 1; shift < 30 && w.cfg.RetryMin<<shift < whole && w.cfg.RetryMin<<shift > 0 {
		whole = w.cfg.RetryMin << shift
	}
	return whole/2 + rand.N(whole/2+1)
}

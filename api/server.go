package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

// Deps are what the server needs. All but Vocabulary, Explain, Estimate, History, Accounts, Searcher, Consistency,
// Events, Webhooks, Tracking, Segments, Destinations, Plans, Letters, Privacy, Identity, Rules, Commands, Values,
// Keyring, Keys, Audit and Checks are required.
type Deps struct {
	Profiles profiles.Store
	Preview  segments.Previewer
	// Vocabulary warns of names in segments that nobody uses; without it nothing does.
	Vocabulary segments.Vocabulary
	// Explain tells more of previews and compares segments; without it nothing does.
	Explain segments.Explainer
	// Estimate refuses live segments that would read too much; without it none is.
	Estimate segments.Estimator
	// History, Accounts and Searcher answer for timelines and other lists, for
	// accounts and for searches; without them their routes are not there.
	History  profiles.History
	Accounts profiles.Accounts
	Searcher profiles.Searcher
	// Consistency lets callers read their own writes; without it they cannot.
	Consistency Consistency
	// Keyer returns the keyer of a workspace.
	Keyer func(workspace string) identity.Keyer
	// Normalize returns the canonical form of an identifier, or an error that
	// does not repeat its value.
	Normalize func(ns identity.Namespace, raw string) (identity.Identifier, error)
	// Events, Webhooks and Tracking take events in; without them their routes
	// are not there.
	Events   EventIntake
	Webhooks WebhookIntake
	Tracking Tracker
	// Segments keeps live segments; without it their routes are not there.
	Segments Segments
	// Destinations are told of their changes; without it the routes are not there.
	Destinations Destinations
	// Plans and Letters keep tracking plans and dead letters; without them their
	// routes are not there.
	Plans   Plans
	Letters Letters
	// Identity answers from the identity graph, Rules from the rules, and Commands
	// takes commands to it; without them their routes answer that the graph
	// cannot be asked here. Values makes keys readable in what they answer.
	Identity Identity
	Rules    Rules
	Commands Commands
	Models   Models
	Values   Values
	// Forecasts keeps models of propensity; without it their routes are not there.
	Forecasts Forecasts
	// Groups tells of personas and stages; without it the routes are not there.
	Groups Groups
	// Cohorts tells what customers did since they came; without it the route is not there.
	Cohorts Cohorts
	// Keyring knows the keys that Keys manages, beside those of Config.Keys;
	// without Keys their routes are not there.
	Keyring Keyring
	Keys    Keys
	// Audit keeps the record of who read what of whom and changed what; without it
	// there is none.
	Audit Audit
	// Privacy keeps erasures, access and consent; without it their routes are not there.
	Privacy Privacy
	// Restrictions are optional: without them there are none.
	Restrictions Restrictions
	// Checks tell whether the process can serve, in the order of /readyz.
	Checks     []Check
	Log        *slog.Logger
	Now        func() time.Time
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer // serves /metrics
}

func (d Deps) validate() error {
	if d.Profiles == nil || d.Preview == nil || d.Keyer == nil || d.Normalize == nil ||
		d.Log == nil || d.Now == nil || d.Registerer == nil || d.Gatherer == nil {
		return errors.New("api: a required dependency is missing")
	}
	return nil
}

// Server is the HTTP server. It is safe for concurrent use.
type Server struct {
	cfg      Config
	deps     Deps
	log      *slog.Logger
	keys     keyring
	limits   limiter
	metrics  *metrics
	engine   *gin.Engine
	ready    readiness
	bodies   bodyPool
	draining atomic.Bool
	reads    atomic.Uint64
}

// New checks the configuration and builds the routes. It opens no socket.
func New(cfg Config, deps Deps) (*Server, error) {
	if err := errors.Join(cfg.Validate(), deps.validate()); err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Registerer)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, deps: deps, log: deps.Log, keys: cfg.Keys, metrics: m}
	s.limits = limiter{rate: cfg.RateLimit, burst: cfg.RateBurst}
	s.engine = s.newEngine()
	return s, nil
}

// Reads returns how many requests of method GET were answered so far.
func (s *Server) Reads() uint64 { return s.reads.Load() }

// Handler returns the routes with their middleware.
func (s *Server) Handler() http.Handler { return s.engine }

// Run listens, calls ready with the address once connections are accepted
// (ready may be nil), and serves until ctx ends. It then refuses readiness,
// lets requests in flight end within DrainTimeout, and returns nil. It returns
// an error when it cannot listen or serve.
func (s *Server) Run(ctx context.Context, ready func(net.Addr)) error {
	secure, err := s.tlsConfig()
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.cfg.Address)
	if err != nil {
		return fmt.Errorf("listen for the API: %w", err)
	}
	server := &http.Server{
		Handler:           s.engine,
		ReadHeaderTimeout: s.cfg.ReadTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		// Writing begins within RequestTimeout; a slow reader gets as long again.
		WriteTimeout:   s.cfg.ReadTimeout + 2*s.cfg.RequestTimeout,
		IdleTimeout:    s.cfg.IdleTimeout,
		MaxHeaderBytes: s.cfg.MaxHeader,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		TLSConfig:      secure,
	}
	server.ConnContext = withConnection
	serve := func() error { return server.Serve(joinedListener{listener}) }
	if secure != nil {
		serve = func() error { return server.ServeTLS(listener, "", "") }
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the API: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return s.drain(ctx, server)
	})
	if ready != nil {
		ready(listener.Addr())
	}
	return group.Wait()
}

func (s *Server) drain(ctx context.Context, server *http.Server) error {
	s.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.DrainTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		s.log.Warn("requests in flight were cut off", "after", s.cfg.DrainTimeout)
		return server.Close()
	}
	return nil
}

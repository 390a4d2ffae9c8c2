package intake

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// SharesConfig says when sources are held to their shares.
type SharesConfig struct {
	// Budget is the number of events a second above which a source is diverted
	// whatever the others do; 0 is no limit. Default 0.
	Budget float64
	// LagLimit is the number of records not yet stored above which every source
	// is held to its fair share. Once it is known what ingest stores in half a
	// second, that is the limit where it is less. Default 50 000.
	LagLimit int64
	// Interval is the time between two looks at the lag. Default 500 ms.
	Interval time.Duration
}

// DefaultSharesConfig returns the defaults.
func DefaultSharesConfig() SharesConfig {
	return SharesConfig{LagLimit: 50_000, Interval: 500 * time.Millisecond}
}

// Validate reports every fault of c.
func (c SharesConfig) Validate() error {
	var errs []error
	if c.Budget < 0 || c.LagLimit < 1 {
		errs = append(errs, errors.New("shares: the budget must not be negative and the lag limit be positive"))
	}
	if c.Interval <= 0 {
		errs = append(errs, errors.New("shares: interval must be positive"))
	}
	return errors.Join(errs...)
}

// Lag returns how many records of the event topics are not stored yet, and the
// number that will ever have been written to them, which only grows.
type Lag func(ctx context.Context) (behind, written int64, err error)

// Shares is the Router that keeps a flooding source from delaying the others.
// While ingest keeps up, everybody sends as much as they like. When it falls
// behind, what it stores a second is shared out: sources that want less than an
// equal share get all they want, the rest is divided among the others (max-min
// fairness; Bertsekas and Gallager, Data Networks, 6.5.2), and what a source
// sends beyond goes to the overflow topic. A source alone is never diverted: it
// delays nobody else. Safe for concurrent use.
type Shares struct {
	cfg      SharesConfig
	lag      Lag
	clock    func() time.Time
	log      *slog.Logger
	diverted *prometheus.CounterVec
	mu       sync.Mutex // Protects the fields below.
	sources  map[sourceKey]*share
	pressure bool
	capacity float64 // events that ingest stores a second, of the last looks
	behind   int64
	written  int64
	looked   time.Time
}

type sourceKey struct{ workspace, source string }

// share is what one source sends and may send.
type share struct {
	sent   float64 // since the last look
	rate   float64 // events a second, of the last looks
	limit  float64 // events a second; 0 is none
	tokens float64
	filled time.Time
}

// NewShares returns shares that hold nobody until Run finds a lag.
func NewShares(cfg SharesConfig, lag Lag, clock func() time.Time, log *slog.Logger, reg prometheus.Registerer) (*Shares, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Shares{cfg: cfg, lag: lag, clock: clock, log: log, sources: map[sourceKey]*share{}}
	s.diverted = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kindred_intake_diverted_total", Help: "Messages sent to the overflow topic because their source was over its share.",
	}, []string{"source"})
	return s, reg.Register(s.diverted)
}

// Divert implements Router.
func (s *Shares) Divert(workspace, source string, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := sourceKey{workspace, source}
	sh, ok := s.sources[key]
	if !ok {
		sh = &share{filled: s.clock(), limit: s.cfg.Budget}
		sh.tokens = sh.limit
		s.sources[key] = sh
	}
	sh.sent += float64(n)
	if sh.limit <= 0 {
		return false
	}
	at := s.clock()
	// A bucket holds one second of the limit. A submission larger than the
	// bucket passes when it is full, and the debt holds back the next one.
	sh.tokens = min(sh.limit, sh.tokens+at.Sub(sh.filled).Seconds()*sh.limit)
	sh.filled = at
	if sh.tokens < min(float64(n), sh.limit) {
		s.diverted.WithLabelValues(source).Add(float64(n))
		return true
	}
	sh.tokens -= float64(n)
	return false
}

// Pressure reports whether ingest is behind, and how many events a second each
// partition of the overflow may give back now: an equal share of what ingest is
// known to store, and no limit where it has never been behind.
func (s *Shares) Pressure() (behind bool, share float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	active := 1
	for _, sh := range s.sources {
		if sh.rate > 1 {
			active++
		}
	}
	if s.capacity == 0 {
		return s.behind > s.lagLimit()/2, math.Inf(1)
	}
	return s.behind > s.lagLimit()/2, max(100, s.capacity/float64(active))
}

// Run looks at the lag until ctx ends.
func (s *Shares) Run(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		behind, written, err := s.lag(ctx)
		if err != nil {
			s.log.Debug("read the lag", "error", err) // Kafka's absence shows elsewhere.
			continue
		}
		s.look(behind, written)
	}
}

// smooth is the weight of the newest look.
const smooth = .3

// look takes in how far ingest is behind and decides the limits.
func (s *Shares) look(behind, written int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.clock()
	seconds := at.Sub(s.looked).Seconds()
	first := s.looked.IsZero()
	stored := float64(written-s.written) - float64(behind-s.behind)
	s.behind, s.written, s.looked = behind, written, at
	if first || seconds <= 0 {
		return
	}
	for key, sh := range s.sources {
		sh.rate += smooth * (sh.sent/seconds - sh.rate)
		if sh.sent = 0; sh.rate < .01 {
			delete(s.sources, key)
		}
	}
	// What ingest can do shows only while there is work left.
	if behind > s.cfg.LagLimit/10 {
		if s.capacity == 0 {
			s.capacity = stored / seconds
		}
		s.capacity = max(1, s.capacity+smooth*(stored/seconds-s.capacity))
	}
	switch was := s.pressure; {
	case behind > s.lagLimit():
		s.pressure = true
	case behind < s.lagLimit()/4:
		s.pressure = false
	default:
		s.pressure = was
	}
	s.limit(at)
}

// lagLimit is the lag at which sources are held to their shares. Less than a few
// thousand records is the ordinary breathing of batches.
func (s *Shares) lagLimit() int64 {
	if s.capacity == 0 {
		return s.cfg.LagLimit
	}
	return min(s.cfg.LagLimit, max(5000, int64(s.capacity/2)))
}

// limit shares the capacity out among the sources.
func (s *Shares) limit(at time.Time) {
	list := make([]*share, 0, len(s.sources))
	for _, sh := range s.sources {
		list = append(list, sh)
	}
	slices.SortFunc(list, func(a, b *share) int {
		switch {
		case a.rate < b.rate:
			return -1
		case a.rate > b.rate:
			return 1
		}
		return 0
	})
	left := s.capacity
	for i, sh := range list {
		fair := left / float64(len(list)-i)
		limit := s.cfg.Budget
		if s.pressure && len(list) > 1 && sh.rate > fair {
			if limit == 0 || fair < limit {
				limit = fair
			}
		}
		if sh.limit <= 0 && limit > 0 {
			sh.tokens, sh.filled = limit, at
		}
		sh.limit = limit
		left -= min(sh.rate, fair)
	}
}

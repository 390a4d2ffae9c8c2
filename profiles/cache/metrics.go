package cache

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests  *prometheus.CounterVec
	outcomes  [2]outcomes // of resolving and loading
	named     prometheus.Counter
	forgotten prometheus.Counter
	discarded prometheus.Counter
	evicted   prometheus.Counter
	lost      prometheus.Counter
	blind     prometheus.Counter
}

// outcomes are counters that are looked up once and not by every read.
type outcomes struct{ hit, negative, miss prometheus.Counter }

// newMetrics registers the metrics of c.
func newMetrics(r prometheus.Registerer, c *Cache) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_profiles_cache_" + name, Help: help})
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_profiles_cache_requests_total",
			Help: "Reads, by what was asked (resolve, load) and outcome: hit, negative (known not to exist) or miss. A read that joined a running one is in neither.",
		}, []string{"what", "outcome"}),
		named:     counter("invalidations_total", "Keys named by invalidations."),
		forgotten: counter("forgotten_total", "Answers forgotten because a key of theirs was named."),
		discarded: counter("discarded_total", "Answers not kept because a key of theirs was named while they were read."),
		evicted:   counter("evictions_total", "Answers that left for lack of room."),
		lost:      counter("lost_total", "Times that something changed in a workspace that nobody named."),
		blind:     counter("blind_total", "Looks at what has changed that failed; meanwhile answers live for a minute."),
	}
	for i, what := range []string{resolving: "resolve", loading: "load"} {
		m.outcomes[i] = outcomes{m.requests.WithLabelValues(what, "hit"), m.requests.WithLabelValues(what, "negative"), m.requests.WithLabelValues(what, "miss")}
	}
	held := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kindred_profiles_cache_profiles",
		Help: "Profiles held.",
	}, func() float64 { return float64(c.held()) })
	bytes := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kindred_profiles_cache_bytes",
		Help: "Estimated memory of the answers held.",
	}, func() float64 {
		if s := c.store.Load(); s != nil {
			return float64(s.MaxCost() - s.RemainingCost())
		}
		return 0
	})
	return m, errors.Join(r.Register(m.requests), r.Register(m.named), r.Register(m.forgotten),
		r.Register(m.discarded), r.Register(m.evicted), r.Register(m.lost), r.Register(m.blind), r.Register(bytes), r.Register(held))
}

func (m *metrics) hit(what uint8, err error) {
	if err != nil {
		m.outcomes[what].negative.Inc()
		return
	}
	m.outcomes[what].hit.Inc()
}

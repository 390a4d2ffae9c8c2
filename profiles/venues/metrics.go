package venues

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	judged    prometheus.Counter
	written   *prometheus.CounterVec
	refreshes *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	venues    prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		judged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_venues_fixes_judged_total", Help: "Position fixes looked at, again at each refresh.",
		}),
		written: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_venues_fixes_written_total", Help: "Assignments written: with a venue (assigned) or without (nowhere).",
		}, []string{"outcome"}),
		refreshes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_venues_runs_total", Help: "Looks for new fixes and refreshes, by what and outcome (done, failed).",
		}, []string{"what", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kindred_venues_run_seconds", Help: "Duration of a look or a refresh.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 8),
		}, []string{"what"}),
		venues: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kindred_venues_table_count", Help: "Venues of the table in use.",
		}),
	}
	return m, errors.Join(r.Register(m.judged), r.Register(m.written), r.Register(m.refreshes), r.Register(m.seconds), r.Register(m.venues))
}

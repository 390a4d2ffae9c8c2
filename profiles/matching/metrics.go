package matching

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	looks   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	scores  *prometheus.CounterVec
	late    prometheus.Counter
	records prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		looks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_matching_looks_total",
			Help: "Looks for records to score, by what (follow what is new, or load everything) and outcome (done or failed).",
		}, []string{"what", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kindred_matching_look_seconds", Help: "Duration of a look.",
			Buckets: prometheus.ExponentialBuckets(0.005, 3, 10),
		}, []string{"what"}),
		scores: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_matching_scores_total",
			Help: "Pairs of records published: scored or withdrawn; and records of user ids that were tied to their users.",
		}, []string{"kind"}),
		late: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_matching_late_total",
			Help: "Readings of everything because traits were stored later than the overlap.",
		}),
		records: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kindred_matching_records_count", Help: "Records in memory.",
		}),
	}
	if r == nil {
		return m, nil
	}
	return m, errors.Join(r.Register(m.looks), r.Register(m.seconds), r.Register(m.scores), r.Register(m.late), r.Register(m.records))
}

func (m *metrics) looked(what string, n published, err error, took time.Duration) {
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	m.looks.WithLabelValues(what, outcome).Inc()
	m.seconds.WithLabelValues(what).Observe(took.Seconds())
	m.scores.WithLabelValues("scored").Add(float64(n.Scored))
	m.scores.WithLabelValues("withdrawn").Add(float64(n.Withdrew))
	m.scores.WithLabelValues("tied").Add(float64(n.Tied))
}

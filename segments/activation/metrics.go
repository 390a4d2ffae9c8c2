package activation

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	changes  *prometheus.CounterVec
	failures *prometheus.CounterVec
	seconds  prometheus.Histogram
	waiting  *prometheus.GaugeVec
}

func newMetrics() *metrics {
	return &metrics{
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_activation_changes_total", Help: "Changes of segments that destinations were dealt with, by what became of them: delivered, withheld, passed or dead.",
		}, []string{"kind", "outcome"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_activation_failures_total", Help: "Attempts of deliveries that failed, by reason.",
		}, []string{"reason"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kindred_activation_attempt_seconds", Help: "Time of one attempt of a delivery.", Buckets: prometheus.ExponentialBuckets(.005, 3, 8),
		}),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "kindred_activation_waiting", Help: "Changes that are read for a destination and not dealt with.",
		}, []string{"workspace", "destination"}),
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	var errs []error
	for _, c := range []prometheus.Collector{m.changes, m.failures, m.seconds, m.waiting} {
		errs = append(errs, r.Register(c))
	}
	return errors.Join(errs...)
}

func (m *metrics) forget(n name) { m.waiting.DeleteLabelValues(n.workspace, string(n.id)) }

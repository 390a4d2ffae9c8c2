package grouping

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	refreshes *prometheus.CounterVec
	seconds   prometheus.Histogram
	profiles  *prometheus.GaugeVec
	personas  prometheus.Gauge
	changes   prometheus.Counter
	asOf      prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		refreshes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_grouping_refreshes_total",
			Help: "Refreshes by outcome: fitted, assigned, unchanged or failed.",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "kindred_grouping_refresh_seconds",
			Help:    "Duration of a refresh.",
			Buckets: prometheus.ExponentialBuckets(0.1, 2, 12),
		}),
		profiles: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "kindred_grouping_profiles_count",
			Help: "Profiles in the last refresh: all with a stage (staged), with a persona (grouped), with a purchase (graded).",
		}, []string{"which"}),
		personas: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kindred_grouping_personas_count",
			Help: "Personas of the model that stands; 0 where none are stable.",
		}),
		changes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_grouping_changes_total",
			Help: "Profiles whose stage, persona or grades have changed.",
		}),
		asOf: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kindred_grouping_as_of_timestamp_seconds",
			Help: "End of the data that the last refresh knew.",
		}),
	}
	return m, errors.Join(r.Register(m.refreshes), r.Register(m.seconds), r.Register(m.profiles), r.Register(m.personas),
		r.Register(m.changes), r.Register(m.asOf))
}

// done counts a refresh.
func (m *metrics) done(s Summary, err error) {
	outcome := "assigned"
	switch {
	case err != nil:
		outcome = "failed"
	case s.Fitted:
		outcome = "fitted"
	case s.Changed == 0:
		outcome = "unchanged"
	}
	m.refreshes.WithLabelValues(outcome).Inc()
	m.seconds.Observe(s.Seconds)
	m.changes.Add(float64(s.Changed))
	if err != nil {
		return
	}
	m.profiles.WithLabelValues("staged").Set(float64(s.Profiles))
	m.profiles.WithLabelValues("grouped").Set(float64(s.Grouped))
	m.profiles.WithLabelValues("graded").Set(float64(s.Customers))
	m.personas.Set(float64(s.Personas))
	m.asOf.Set(float64(s.AsOf.Unix()))
}

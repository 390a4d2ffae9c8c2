package forecast

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// The label model is bounded by MaxModels of each workspace.
type metrics struct {
	trained  *prometheus.CounterVec
	scored   *prometheus.CounterVec
	failed   prometheus.Counter
	psi      *prometheus.GaugeVec
	realised *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		trained: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_forecast_trainings_total",
			Help: "Trainings of models by outcome: trained, refused (not enough data), stopped (by the leak gates) or failed.",
		}, []string{"outcome"}),
		scored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_forecast_scored_profiles_total",
			Help: "Profiles scored by models, in whole runs (all) or as they changed (changed).",
		}, []string{"over"}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_forecast_failures_total",
			Help: "Looks at the models that failed, and are repeated.",
		}),
		psi: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "kindred_forecast_psi",
			Help: "Population stability index of the last whole run against the training: of the probabilities (score) and of the feature that moved most (feature).",
		}, []string{"workspace", "model", "of"}),
		realised: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "kindred_forecast_realised_ratio",
			Help: "Of the last run of which all answers are in: the mean probability (expected) and the share that came (observed).",
		}, []string{"workspace", "model", "which"}),
	}
	return m, errors.Join(r.Register(m.trained), r.Register(m.scored), r.Register(m.failed), r.Register(m.psi), r.Register(m.realised))
}

func (m *metrics) checked(of *Model, c Check) {
	m.psi.WithLabelValues(of.Workspace, of.Name, "score").Set(c.PSI)
	if len(c.Drift) > 0 {
		m.psi.WithLabelValues(of.Workspace, of.Name, "feature").Set(c.Drift[0].PSI)
	}
	if c.Realised != nil {
		m.realised.WithLabelValues(of.Workspace, of.Name, "expected").Set(c.Realised.Expected)
		m.realised.WithLabelValues(of.Workspace, of.Name, "observed").Set(c.Realised.Observed)
	}
}

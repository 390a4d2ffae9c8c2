package views

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type readerMetrics struct {
	loads   *prometheus.CounterVec
	trusted prometheus.Counter
}

func newReaderMetrics(r prometheus.Registerer) (*readerMetrics, error) {
	m := &readerMetrics{loads: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kindred_profiles_views_loads_total",
		Help: "Profiles asked of their rows: row (it agreed), or why not: none, identity, time, facts, unusable (no mark, or too many changes since).",
	}, []string{"outcome"}), trusted: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kindred_profiles_views_trusted_total",
		Help: "Rows of profiles that no note of stored events names, so that they were not compared with the events.",
	})}
	if err := errors.Join(r.Register(m.loads), r.Register(m.trusted)); err != nil {
		return nil, fmt.Errorf("register metrics of views: %w", err)
	}
	return m, nil
}

type projectorMetrics struct {
	projected, refused prometheus.Counter
	seconds            prometheus.Counter
	waiting, sweeping  prometheus.Gauge
}

func newProjectorMetrics(r prometheus.Registerer) (*projectorMetrics, error) {
	m := &projectorMetrics{
		projected: prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_profiles_views_projected_total", Help: "Views of profiles that were made."}),
		refused:   prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_profiles_views_refused_total", Help: "Profiles that are gone or are to be read from their events."}),
		seconds:   prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_profiles_views_work_seconds_total", Help: "Time that the projector worked, without its pauses."}),
		waiting:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "kindred_profiles_views_waiting_keys", Help: "Keys of stored events whose profiles wait to be projected."}),
		sweeping:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "kindred_profiles_views_sweeping", Help: "Workspaces in which a sweep looks at all profiles, or is to begin."}),
	}
	for _, c := range []prometheus.Collector{m.projected, m.refused, m.seconds, m.waiting, m.sweeping} {
		if err := r.Register(c); err != nil {
			return nil, errors.Join(errors.New("register metrics of views"), err)
		}
	}
	return m, nil
}

package live

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	changes  *prometheus.CounterVec
	failed   prometheus.Gauge
	profiles *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	passed   prometheus.Counter
	rows     prometheus.Counter
	due      prometheus.Gauge
	lag      prometheus.Gauge
}

// Words for what an evaluation was over.
const (
	overAll  = "all"
	overSome = "some"
)

func newMetrics() metrics {
	return metrics{
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_segment_changes_total", Help: "Profiles that entered or left a segment.",
		}, []string{"direction"}),
		failed: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kindred_segments_failed", Help: "Segments whose last evaluation failed; they keep their members.",
		}),
		profiles: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_segments_evaluated_profiles_total", Help: "Profiles that segments were evaluated for because of news or because their time had come.",
		}, []string{"because"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kindred_segments_evaluation_seconds", Help: "Time to evaluate segments once, over all profiles or over some.", Buckets: prometheus.ExponentialBuckets(.01, 3, 9),
		}, []string{"over"}),
		passed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_segments_passed_identifiers_total", Help: "Identifiers for which nothing was evaluated, because no segment asks for the events that were stored of them.",
		}),
		rows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_segments_rows_read_total", Help: "Rows that the evaluations of segments for some profiles have read.",
		}),
		due: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kindred_segments_due_profiles", Help: "Profiles with a known time at which segments may change of themselves.",
		}),
		lag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kindred_segments_due_lag_seconds", Help: "How long ago the time of the profile came that is to be evaluated next; 0 when none waits.",
		}),
	}
}

func (m metrics) register(r prometheus.Registerer) error {
	var errs []error
	for _, c := range []prometheus.Collector{m.changes, m.failed, m.profiles, m.seconds, m.passed, m.rows, m.due, m.lag} {
		errs = append(errs, r.Register(c))
	}
	return errors.Join(errs...)
}

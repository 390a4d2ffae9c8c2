package api

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the server's own. Labels are bounded: patterns, not paths.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	panics   prometheus.Counter
	limited  prometheus.Counter
	unheard  prometheus.Counter
	foreign  prometheus.Counter
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_api_requests_total",
			Help: "Requests answered, by route pattern, method and status code.",
		}, []string{"route", "method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "kindred_api_request_seconds",
			Help:    "Time from the first byte of the request head to the end of the handler.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kindred_api_requests_in_flight",
			Help: "Requests being answered.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_api_panics_total",
			Help: "Handlers that ended in a panic.",
		}),
		limited: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_api_rate_limited_total",
			Help: "Requests refused because their key was over its rate.",
		}),
		foreign: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_api_foreign_origin_total",
			Help: "Requests refused because they came from a page whose origin their key does not name.",
		}),
		unheard: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_api_audit_lost_total",
			Help: "Outcomes that could not be put on record; the log has their request ids.",
		}),
	}
	return m, errors.Join(r.Register(m.requests), r.Register(m.seconds), r.Register(m.inFlight), r.Register(m.panics),
		r.Register(m.limited), r.Register(m.unheard), r.Register(m.foreign))
}

package valuation

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	refreshes *prometheus.CounterVec
	seconds   prometheus.Histogram
	customers *prometheus.GaugeVec
	asOf      prometheus.Gauge
	rejected  prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		refreshes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_valuation_refreshes_total",
			Help: "Refreshes by outcome: written, unchanged, not_enough_data or failed.",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "kindred_valuation_refresh_seconds",
			Help:    "Duration of a refresh.",
			Buckets: prometheus.ExponentialBuckets(0.1, 2, 12),
		}),
		customers: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "kindred_valuation_customers_count",
			Help: "Profiles in the last refresh: with a purchase (bought), with a lifetime value (valued), without scores (unscored).",
		}, []string{"which"}),
		asOf: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kindred_valuation_as_of_timestamp_seconds",
			Help: "End of the data that the last refresh knew.",
		}),
		rejected: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kindred_valuation_rejected_count",
			Help: "Histories left out of the last fit.",
		}),
	}
	return m, errors.Join(r.Register(m.refreshes), r.Register(m.seconds), r.Register(m.customers),
		r.Register(m.asOf), r.Register(m.rejected))
}

// done counts a refresh.
func (m *metrics) done(s Summary, err error) {
	outcome := "written"
	switch {
	case err != nil:
		outcome = "failed"
	case s.Unchanged:
		outcome = "unchanged"
	case s.NotEnoughData != "":
		outcome = "not_enough_data"
	}
	m.refreshes.WithLabelValues(outcome).Inc()
	m.seconds.Observe(s.Seconds)
	if err != nil {
		return
	}
	rejected := 0
	for _, n := range s.Rejected {
		rejected += n
	}
	m.rejected.Set(float64(rejected))
	m.customers.WithLabelValues("bought").Set(float64(s.Customers))
	m.customers.WithLabelValues("valued").Set(float64(s.CustomersWithValue))
	m.customers.WithLabelValues("unscored").Set(float64(s.Unscored))
	m.asOf.Set(float64(s.AsOf.Unix()))
}

package intake

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	events       *prometheus.CounterVec
	refused      *prometheus.CounterVec
	retries      prometheus.Counter
	waiting      prometheus.Gauge
	batchRecords prometheus.Histogram
	batchSeconds prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		// Sources are those of the API keys, so their number is bounded.
		events:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kindred_intake_events_total", Help: "Messages that the broker acknowledged, by kind, source and verdict."}, []string{"kind", "source", "verdict"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kindred_intake_refused_submissions_total", Help: "Submissions told to come again: full, slow or unreachable."}, []string{"reason"}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_intake_retries_total", Help: "Batches written to Kafka again after an error."}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "kindred_intake_waiting_bytes", Help: "Bytes of messages that wait for the broker."}),
		batchRecords: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kindred_intake_batch_records", Help: "Records in a batch to one partition.", Buckets: prometheus.ExponentialBuckets(1, 4, 8),
		}),
		batchSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kindred_intake_batch_seconds", Help: "Time until the broker acknowledged a batch.", Buckets: prometheus.ExponentialBuckets(.0005, 2.5, 11),
		}),
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.events, m.refused, m.retries, m.waiting, m.batchRecords, m.batchSeconds} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

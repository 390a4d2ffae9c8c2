package ingest

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	events, duplicates, deadLetters *prometheus.CounterVec
	forwarded, exactChecks          prometheus.Counter
	evidence, retries, erased       prometheus.Counter
	violations, replays             *prometheus.CounterVec
	batchRecords                    prometheus.Histogram
	batchSeconds                    *prometheus.HistogramVec
	freshness                       prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		events:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kindred_ingest_events_total", Help: "Events stored, by kind and source."}, []string{"kind", "source"}),
		duplicates:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kindred_ingest_duplicates_total", Help: "Copies of stored messages, dropped."}, []string{"kind"}),
		deadLetters: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kindred_ingest_dead_letters_total", Help: "Records kept as dead letters, by kind, source and reason."}, []string{"kind", "source", "reason"}),
		forwarded:   prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_ingest_forwarded_total", Help: "Records moved to the partition of their message id."}),
		exactChecks: prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_ingest_exact_checks_total", Help: "Message hashes looked up in the store because the filter had met them."}),
		evidence:    prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_ingest_evidence_total", Help: "Evidence messages published."}),
		erased:      prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_ingest_erased_total", Help: "Events passed over because an erasure takes them."}),
		violations:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kindred_ingest_plan_violations_total", Help: "Rules of tracking plans that new events broke."}, []string{"kind", "rule", "mode"}),
		replays:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kindred_ingest_replays_total", Help: "Replayed dead letters by outcome."}, []string{"kind", "outcome"}),
		retries:     prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_ingest_retries_total", Help: "Inserts and publications tried again after an error."}),
		batchRecords: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kindred_ingest_batch_records", Help: "Records in a batch.", Buckets: prometheus.ExponentialBuckets(1, 4, 9),
		}),
		batchSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kindred_ingest_batch_seconds", Help: "Time of a batch by step.", Buckets: prometheus.ExponentialBuckets(.001, 2.5, 10),
		}, []string{"step"}),
		freshness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kindred_ingest_freshness_seconds", Help: "From the receipt of a batch's oldest record to its rows being stored.", Buckets: prometheus.ExponentialBuckets(.01, 2.5, 12),
		}),
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.events, m.duplicates, m.deadLetters, m.forwarded, m.exactChecks, m.evidence, m.retries, m.erased, m.violations, m.replays, m.batchRecords, m.batchSeconds, m.freshness,
	} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

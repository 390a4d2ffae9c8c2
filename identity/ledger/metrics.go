package ledger

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the figures of all owners in one process.
type metrics struct {
	evidence, redundant, flushes, moves, sets, notices, flips prometheus.Counter
	links, spent                                              prometheus.Counter
	rows, rejected, commands                                  *prometheus.CounterVec
	lag                                                       *prometheus.GaugeVec
	flipsQueued, owned                                        prometheus.Gauge
	flushSeconds, publicationSeconds                          prometheus.Histogram
	loadSeconds, loadedRows                                   prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "kindred_ledger_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "kindred_ledger_" + name, Help: help})
	}
	histogram := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kindred_ledger_" + name, Help: help,
			Buckets: []float64{.01, .025, .05, .1, .2, .4, .8, 1.5, 3, 6, 12, 30, 60},
		})
	}
	m := &metrics{
		evidence:  counter("evidence_total", "Evidence records evaluated."),
		redundant: counter("redundant_sightings_total", "Sightings that said nothing new and made no row."),
		flushes:   counter("flushes_total", "Batches flushed and committed."),
		moves:     counter("moves_total", "Identifiers whose profile changed."),
		sets:      counter("sets_total", "Sets whose deciding identifier changed."),
		notices:   counter("notices_total", "Changes whose notice was published."),
		flips:     counter("flips_total", "Identifiers that became or ceased to be blocked, generic or gone."),
		links:     counter("links_total", "Scored pairs of records stored."),
		spent:     counter("erased_evidence_total", "Evidence records passed over because an erasure takes them."),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_ledger_rows_total", Help: "Rows written, by table.",
		}, []string{"table"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_ledger_rejected_total", Help: "Evidence records rejected, by reason.",
		}, []string{"reason"}),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_ledger_commands_total", Help: "Commands with an outcome, by result: applied, or why not.",
		}, []string{"result"}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "kindred_ledger_lag_records", Help: "Evidence records not evaluated yet, as of the last fetch.",
		}, []string{"partition"}),
		flipsQueued:  gauge("flips_queued", "Flipped identifiers whose sets are being decided again."),
		owned:        gauge("partitions_owned", "Partitions that this process owns."),
		flushSeconds: histogram("flush_seconds", "Duration of a flush, from decoding to the commit."),
		publicationSeconds: histogram("publication_delay_seconds",
			"From the broker's append of an evidence record to the publication of what it changed."),
		loadSeconds: gauge("load_seconds", "Duration of the last load of a workspace from ClickHouse."),
		loadedRows:  gauge("loaded_rows", "Evidence rows read in the last load of a workspace."),
	}
	if reg == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.evidence, m.redundant, m.flushes, m.moves, m.sets, m.notices, m.flips, m.links, m.spent, m.rows, m.rejected, m.commands, m.lag,
		m.flipsQueued, m.owned, m.flushSeconds, m.publicationSeconds, m.loadSeconds, m.loadedRows,
	} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

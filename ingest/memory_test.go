package ingest_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// testCount is the size of long tests: KINDRED_TEST_COUNT, 20 000 in make verify.
func testCount() int {
	if n, err := strconv.Atoi(os.Getenv("KINDRED_TEST_COUNT")); err == nil && n > 0 {
		return n
	}
	return 100
}

// TestDeduplicationOverALongHistory stores messages, makes the history long,
// restarts with a filter so small that every look-up hits it falsely, and sends
// the first and the last messages again among new ones. 50 million stored
// messages and a million false hits with the count of make verify.
func TestDeduplicationOverALongHistory(t *testing.T) {
	count := testCount()
	stored, fresh, again := count*2500, count*50, min(10_000, count*10)
	conn := warehousetest.NewTestDatabase(t)
	r := &run{t: t, conn: conn, log: &log{}, batch: 20_000}
	alive := func(string) error { return nil }
	message := func(i int) kafka.Message {
		return kafka.Message{
			Topic: "kindred.behaviour", Offset: int64(len(r.log.records)), Time: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
			Value: fmt.Appendf(nil, `{"id":"m%d","name":"Viewed","source":"web","time":"2026-01-30T10:00:00Z"}`, i),
		}
	}
	send := func(from, to int) {
		for i := from; i < to; i++ {
			r.log.records = append(r.log.records, message(i))
		}
	}
	send(0, again)
	r.own(alive)
	// What lies between the first and the last is memory of the same form.
	err := conn.Exec(t.Context(), `INSERT INTO seen_messages (workspace, message_hash, body_hash, topic, partition, offset)
		SELECT 'main', reinterpretAsUInt128(sipHash128(number)), number, 'kindred.behaviour', 0, number FROM numbers(?)`, uint64(stored-2*again))
	if err != nil {
		t.Fatal(err)
	}
	send(again, 2*again)
	r.own(alive)

	registry := prometheus.NewRegistry()
	cfg := ingest.DefaultConfig()
	cfg.BatchRecords, cfg.Pace, cfg.FilterBytes = 20_000, 0, 64
	p, err := ingest.New(cfg, ingest.Deps{
		Store: clickhouse.New(conn), Publisher: published{alive, &r.evidence}, Decoder: ingest.NewDecoder(identity.Secret{9}, normalize),
		Clock: time.Now, Logger: slog.New(slog.DiscardHandler), Registry: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	send(0, again)                 // the first
	send(again, 2*again)           // and the last, again
	send(2*again, 2*again+fresh)   // new
	send(2*again, 2*again+again/2) // and some of these twice
	r.log.generation++
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	begin := time.Now()
	own := &owner{log: r.log, generation: r.log.generation, batch: 20_000, hook: alive}
	if err := p.Own(ctx, end(own, kill)); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d stored, %d look-ups that hit the filter: %s in all", stored, 2*again+fresh+again/2, time.Since(begin).Round(time.Millisecond))
	if got, want := counter(t, registry, "kindred_ingest_exact_checks_total"), float64(2*again+fresh+again/2); got != want {
		t.Errorf("%.0f exact checks, want %.0f: the filter is not as small as it should be", got, want)
	}
	if got, want := counter(t, registry, "kindred_ingest_duplicates_total"), float64(2*again+again/2); got != want {
		t.Errorf("%.0f copies were recognised, want %.0f", got, want)
	}
	c := r.counts()
	if want := uint64(2*again + fresh); c.Events != want || c.Distinct != want || c.Letters != 0 {
		t.Errorf("%d events, %d distinct, %d dead letters; want %d, as many, none", c.Events, c.Distinct, c.Letters, want)
	}
}

func counter(t *testing.T, registry *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

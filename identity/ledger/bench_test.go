package ledger

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// people returns evidence of n people, three records each: a login on a new
// cookie, an e-mail given at the login, and a visit that is known already.
func people(workspace string, n int) []identity.Evidence {
	all := make([]identity.Evidence, 0, 3*n)
	at := testNow.Add(-24 * time.Hour)
	for i := range n {
		user, cookie := id(identity.UserID, fmt.Sprint("u", i)), id(identity.AnonymousID, fmt.Sprint("c", i))
		mail := id(identity.Email, fmt.Sprintf("p%d@shop.example", i))
		login := evidenceOf(workspace, "app", at, at, user, cookie)
		all = append(all, login, evidenceOf(workspace, "app", at, at, user, mail), login)
	}
	return all
}

// unheard takes notices and keeps none.
type unheard struct{}

func (unheard) WriteMessages(context.Context, ...kafka.Message) error { return nil }

// processor returns the time that this process and the engine have spent on
// processors since they started.
func processor(b *testing.B, db driver.Conn) (own, engine time.Duration) {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	var us uint64
	if err := db.QueryRow(b.Context(), `SELECT value FROM system.events WHERE event = 'OSCPUVirtualTimeMicroseconds'`).Scan(&us); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), time.Duration(us) * time.Microsecond
}

// BenchmarkFlush is the way of new evidence through all steps, in batches as
// large as they may be; an operation is a record. Merges that the inserts leave
// to the engine may go on after the end.
func BenchmarkFlush(b *testing.B) {
	w := newWorld(b, warehousetest.NewTestDatabase(b), firstSeed)
	w.cfg = DefaultConfig()
	w.rules = identity.DefaultRules()
	for _, e := range people(w.workspaces[0], b.N/3+1) {
		w.topic.add(identity.AppendEvidence(nil, &e))
	}
	o := newOwner(w.ledger(nil), w.topic.join())
	o.deps.Notifier = unheard{}
	if err := o.start(b.Context()); err != nil {
		b.Fatal(err)
	}
	own, engine := processor(b, w.db)
	b.ResetTimer()
	for int(o.offset) < len(w.topic.log) {
		batch := w.topic.log[o.offset:min(int(o.offset)+w.cfg.BatchRecords, len(w.topic.log))]
		if err := o.process(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	records := float64(len(w.topic.log))
	own2, engine2 := processor(b, w.db)
	b.ReportMetric(records/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(own2-own)/records, "own-ns/op")
	b.ReportMetric(float64(engine2-engine)/records, "engine-ns/op")
}

// BenchmarkLoad is the start of an owner over 300 000 identifiers in 200 000
// pairs, all of it published before.
func BenchmarkLoad(b *testing.B) {
	const n = 100_000
	w := newWorld(b, warehousetest.NewTestDatabase(b), firstSeed)
	w.cfg = DefaultConfig()
	w.rules = identity.DefaultRules()
	for _, e := range people(w.workspaces[0], n) {
		w.topic.add(identity.AppendEvidence(nil, &e))
	}
	if err := w.ownInBatches(5000); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		o := newOwner(w.ledger(nil), w.topic.join())
		if err := o.start(b.Context()); err != nil {
			b.Fatal(err)
		}
		if o.sequence != 0 {
			b.Fatalf("%d changes although nothing differs", o.sequence)
		}
	}
	b.ReportMetric(float64(3*n)*float64(b.N)/b.Elapsed().Seconds(), "identifiers/s")
}

func (w *world) ownInBatches(size int) error {
	o := newOwner(w.ledger(nil), w.topic.join())
	if err := o.start(w.t.Context()); err != nil {
		return err
	}
	for int(o.offset) < len(w.topic.log) {
		if err := o.process(w.t.Context(), w.topic.log[o.offset:min(int(o.offset)+size, len(w.topic.log))]); err != nil {
			return err
		}
	}
	return nil
}

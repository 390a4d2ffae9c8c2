package ledger

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

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

// BenchmarkFlush is the way of new evidence through all steps, in batches of
// 5 000 records; an operation is a record.
func BenchmarkFlush(b *testing.B) {
	w := newWorld(b, warehousetest.NewTestDatabase(b), firstSeed)
	w.cfg = DefaultConfig()
	w.rules = identity.DefaultRules()
	for _, e := range people(w.workspaces[0], b.N/3+1) {
		value, err := json.Marshal(e)
		if err != nil {
			b.Fatal(err)
		}
		w.topic.add(value)
	}
	o := newOwner(w.ledger(nil), w.topic.join())
	if err := o.start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for int(o.offset) < len(w.topic.log) {
		batch := w.topic.log[o.offset:min(int(o.offset)+w.cfg.BatchRecords, len(w.topic.log))]
		if err := o.process(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(w.topic.log))/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkLoad is the start of an owner over 300 000 identifiers in 200 000
// pairs, all of it published before.
func BenchmarkLoad(b *testing.B) {
	const n = 100_000
	w := newWorld(b, warehousetest.NewTestDatabase(b), firstSeed)
	w.cfg = DefaultConfig()
	w.rules = identity.DefaultRules()
	for _, e := range people(w.workspaces[0], n) {
		value, err := json.Marshal(e)
		if err != nil {
			b.Fatal(err)
		}
		w.topic.add(value)
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

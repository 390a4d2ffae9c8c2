package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// BenchmarkUnmerge is the way of a command from its consumption to rows that can
// be read at the published version: of profiles of 1 000 identifiers, half of
// which leave. Run it with -benchtime 300x: it reports the median, the 95th
// percentile and the greatest of the runs.
func BenchmarkUnmerge(b *testing.B) {
	const size = 1000
	w := newWorld(b, warehousetest.NewTestDatabase(b), firstSeed)
	w.cfg, w.rules, w.whole = DefaultConfig(), identity.DefaultRules(), true
	at := testNow.Add(-24 * time.Hour)
	for p := range b.N {
		user := id(identity.UserID, fmt.Sprint("u", p))
		for i := range size - 1 {
			w.send(evidenceOf(w.workspaces[0], "app", at, at, user, id(identity.AnonymousID, fmt.Sprintf("c%d-%d", p, i))))
		}
	}
	if err := w.ownInBatches(50_000); err != nil {
		b.Fatal(err)
	}
	l := w.ledger(nil)
	var consumed, readable time.Time
	l.step = func(name string) error {
		if name == "outcome" { // The version is published.
			readable = time.Now()
		}
		return nil
	}
	o := newOwner(l, w.topic.join())
	if err := o.start(b.Context()); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for p := range b.N {
		var leaving []identity.Identifier
		for i := range size / 2 {
			leaving = append(leaving, id(identity.AnonymousID, fmt.Sprintf("c%d-%d", p, i)))
		}
		w.ask(identity.Command{Kind: identity.Unmerge, Identifiers: leaving})
		consumed = time.Now()
		if err := o.process(b.Context(), w.topic.log[o.offset:]); err != nil {
			b.Fatal(err)
		}
		took = append(took, readable.Sub(consumed))
	}
	if out := w.outcome("cmd-1"); out.Pairs != size/2 || out.Moved < size/2 {
		b.Fatalf("outcome = %+v", out)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
}

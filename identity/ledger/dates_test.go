package ledger

import (
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// A source whose dates are anything from 1900 on neither stops the owner nor
// makes its inserts fail: 504 quarters come in one batch.
func TestRandomDatesStopNobody(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	begin := time.Date(1900, 1, 15, 0, 0, 0, 0, time.UTC)
	for quarter := range 504 {
		at := begin.AddDate(0, 3*quarter, 0)
		w.send(evidenceOf(w.workspaces[0], "broken clock", at, testNow,
			identity.Identifier{Namespace: testNamespaces[0], Value: "a"}, identity.Identifier{Namespace: testNamespaces[1], Value: "b"}))
	}
	w.whole = true
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
}

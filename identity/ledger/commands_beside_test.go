package ledger

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

var errRefused = errors.New("the table takes nothing")

// refusing is a database in which one table takes nothing, and says so when all
// others have what belongs to the same version.
type refusing struct {
	driver.Conn
	table string
	after map[string]chan struct{} // tables that are waited for, closed when they have it
}

func (d *refusing) PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	table := strings.Fields(query)[2]
	if table == d.table {
		for _, stored := range d.after {
			select {
			case <-stored:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return nil, errRefused
	}
	b, err := d.Conn.PrepareBatch(ctx, query, opts...)
	if stored, ok := d.after[table]; ok {
		return witnessBatch{b, func() { close(stored) }}, err
	}
	return b, err
}

// TestDecisionsBesideReading: of the decisions of a command and the rows of the
// reading that follow from them, which are stored at the same time, either may be
// all that an owner leaves: its successor does the whole command, once.
func TestDecisionsBesideReading(t *testing.T) {
	db := warehousetest.Shared(t)
	for _, c := range []struct{ refused, stored string }{
		{"identity_decisions", "identity_changes"},
		{"identity_changes", "identity_decisions"},
	} {
		w := newWorld(t, db, firstSeed)
		w.whole, w.cfg.InsertAttempts = true, 1
		couple(w)
		if err := w.own(nil); err != nil {
			t.Fatal(err)
		}
		id := w.ask(identity.Command{Kind: identity.Unmerge, Identifiers: []identity.Identifier{bobMail}})
		l := w.ledger(nil)
		o := newOwner(l, w.topic.join())
		if err := o.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.store.db = &refusing{Conn: db, table: c.refused, after: map[string]chan struct{}{c.stored: make(chan struct{})}}
		if err := o.process(t.Context(), w.topic.log[o.offset:]); !errors.Is(err, errRefused) {
			t.Fatalf("an owner that cannot store %s: %v", c.refused, err)
		}
		if n := len(w.decisions(w.workspaces[0])); (n > 0) != (c.stored == "identity_decisions") {
			t.Fatalf("%d decisions are stored where %s took nothing", n, c.refused)
		}
		if w.profile(bobMail) != w.profile(ana) {
			t.Errorf("without %s the reading shows the command", c.refused)
		}
		if err := w.own(nil); err != nil {
			t.Fatal(err)
		}
		w.mustCheck("without " + c.refused)
		w.checkOutcomes("without " + c.refused)
		if out := w.outcome(id); out.Code != "" || out.Decisions == 0 || w.profile(bobMail) == w.profile(ana) {
			t.Errorf("without %s: %+v, and still one profile", c.refused, out)
		}
	}
}

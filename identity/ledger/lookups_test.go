package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// witness is a database that notes what it is asked, and in which order inserts
// end.
type witness struct {
	driver.Conn
	mu                  sync.Mutex
	identifiers, owners int      // look-ups
	stored              []string // tables
}

type witnessBatch struct {
	driver.Batch
	sent func()
}

func (w *witness) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	w.mu.Lock()
	if strings.Contains(query, "IN ids") && strings.Contains(query, "FROM identifiers") {
		w.identifiers++
	}
	if strings.Contains(query, "IN ids") && strings.Contains(query, "FROM anchor_owner") {
		w.owners++
	}
	w.mu.Unlock()
	return w.Conn.Query(ctx, query, args...)
}

func (w *witness) PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	b, err := w.Conn.PrepareBatch(ctx, query, opts...)
	return witnessBatch{b, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stored = append(w.stored, strings.Fields(query)[2])
	}}, err
}

func (b witnessBatch) Send() error {
	err := b.Batch.Send()
	b.sent()
	return err
}

// watched returns an owner that has started, and what its database sees.
func watched(t *testing.T, w *world) (*owner, *witness) {
	t.Helper()
	seen := &witness{Conn: w.db}
	l := w.ledger(nil)
	l.store.db = seen
	o := newOwner(l, w.topic.join())
	if err := o.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o, seen
}

// TestLookups: what is new asks the tables nothing; what is known asks them once
// after a restart, and a key that another identifier has is still found out.
func TestLookups(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	w.cfg.CacheEntries = 1000
	expect := func(what string, o *owner, seen *witness, identifiers, owners int) {
		t.Helper()
		seen.identifiers, seen.owners = 0, 0
		if err := o.process(t.Context(), w.topic.log[o.offset:]); err != nil {
			t.Fatal(err)
		}
		if seen.identifiers != identifiers || seen.owners != owners {
			t.Errorf("%s: %d look-ups of identifiers and %d of sets, want %d and %d", what, seen.identifiers, seen.owners, identifiers, owners)
		}
	}
	o, seen := watched(t, w)
	w.send(people(w.workspaces[0], 20)...)
	expect("new people", o, seen, 0, 0)
	w.send(people(w.workspaces[0], 20)...)
	expect("people of the batch before", o, seen, 0, 0)

	o, seen = watched(t, w)
	all := people(w.workspaces[0], 25)
	w.send(all...)
	expect("known and new people after a restart", o, seen, 1, 1)
	at := testNow.Add(-time.Hour)
	w.send(evidenceOf(w.workspaces[0], "app", at, at, id(identity.UserID, "u1"), id(identity.AnonymousID, "a new cookie")))
	expect("a known user on a new cookie", o, seen, 0, 0)
	if err := w.check(); err != nil {
		t.Error(err)
	}

	o, seen = watched(t, w)
	collide := evidenceOf(w.workspaces[0], "app", at, at, id(identity.UserID, "new"), id(identity.Email, "eve@shop.example"))
	collide.Members[1].Key = all[0].Members[0].Key
	w.topic.add(identity.AppendEvidence(nil, &collide))
	expect("the key of another identifier", o, seen, 1, 0)
	if len(w.bin.rejections) != 1 || w.bin.rejections[0].Reason != ReasonCollision {
		t.Errorf("a collision with a stored identifier: rejections %v", len(w.bin.rejections))
	}
}

// TestSetsAreStoredLast: a set that is in anchors has its members in
// identifiers and anchor_members, wherever an owner stops. A later owner decides
// it by the former and finds it by the latter.
func TestSetsAreStoredLast(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	w.send(people(w.workspaces[0], 5)...)
	o, seen := watched(t, w)
	if err := o.process(t.Context(), w.topic.log); err != nil {
		t.Fatal(err)
	}
	at := slices.Index(seen.stored, "anchors")
	for _, table := range []string{"identifiers", "identity_evidence", "anchor_members"} {
		if i := slices.Index(seen.stored, table); i < 0 || i > at {
			t.Errorf("%s is not stored before anchors: %v", table, fmt.Sprint(seen.stored))
		}
	}
}

// TestNamePrints: what the server makes of a stored name is what an owner makes of it,
// in rows of before the column was there as well.
func TestNamePrints(t *testing.T) {
	ctx := t.Context()
	conn := warehousetest.NewTestDatabase(t)
	names := []struct{ namespace, value string }{
		{"email", "ana@shop.example"}, {"email", ""}, {"", "x"}, {"e", "mail\x00"}, {"user_id", "Zoë Straße 東京 👩‍👧"}, {"user_id", strings.Repeat("long", 5000)},
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO identifiers (workspace, identifier_id, namespace, value)")
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range names {
		if err := batch.Append("main", uint64(i+1), n.namespace, n.value); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	compare := func(made string) {
		for i, n := range names {
			var got uint32
			if err := conn.QueryRow(ctx, "SELECT name_print FROM identifiers WHERE identifier_id = ?", uint64(i+1)).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if want := namePrint(identity.Namespace(n.namespace), n.value); got != want || got == 0 {
				t.Errorf("%s, %q:%.20q is %d, want %d", made, n.namespace, n.value, got, want)
			}
		}
	}
	compare("when it is stored")
	for _, change := range []string{"CLEAR COLUMN name_print", "MATERIALIZE COLUMN name_print"} {
		if err := conn.Exec(ctx, "ALTER TABLE identifiers "+change+" SETTINGS mutations_sync = 1"); err != nil {
			t.Fatal(err)
		}
		compare("after " + change)
	}
}

package ledger

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestOwn runs an owner as the process does: evidence comes in while it runs, it
// is told to stop, another one goes on, and is replaced.
func TestOwn(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	w.cfg.BatchWait = time.Millisecond
	l := w.ledger(nil)
	if l.Ready() {
		t.Error("ready without a partition")
	}
	run := func(p Partition) (stop func() error) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Own(ctx, p) }()
		return func() error { cancel(); return <-done }
	}
	feed := func() {
		for range 25 {
			w.sendRandom()
		}
		if err := w.topic.waitCommitted(t.Context(), int64(len(w.topic.log))); err != nil {
			t.Fatal(err)
		}
	}
	stop := run(w.topic.join())
	feed()
	if !l.Ready() {
		t.Error("not ready with a partition that commits")
	}
	truth := w.truth(w.workspaces[0])
	want := truth.Stats()
	want.Rules = w.rules.Version
	if got, err := l.Stats(t.Context(), w.workspaces[0]); err != nil || got != want {
		t.Errorf("stats = %+v, %v, want %+v", got, err, want)
	}
	if err := stop(); err != nil {
		t.Errorf("told to stop: %v", err)
	}
	if _, err := l.Stats(t.Context(), w.workspaces[0]); err == nil || l.Ready() {
		t.Error("a partition that was given up is still owned")
	}
	stop = run(w.topic.join())
	feed()
	w.topic.join()
	w.sendRandom()
	replaced := make(chan error, 1)
	go func() { replaced <- stop() }()
	if err := <-replaced; err != nil && !errors.Is(err, errFence) {
		t.Errorf("replaced: %v", err)
	}
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
}

// TestLostOwnership ends Own with the error of the fence.
func TestLostOwnership(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	p := w.topic.join()
	w.topic.join()
	if err := w.ledger(nil).Own(t.Context(), p); !errors.Is(err, errFence) {
		t.Fatalf("owner of an old generation ended with %v", err)
	}
	if got := w.published(w.workspaces[0]); len(got.profile) != 0 {
		t.Error("owner of an old generation published")
	}
}

// TestEpochsDiffer holds an owner between taking its epoch and writing it down:
// its successor takes another one, which only the fenced commit can tell it.
func TestEpochsDiffer(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	w.sendRandom()
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	var second *owner
	l := w.ledger(func(name string) error {
		if name != "epoch" {
			return nil
		}
		second = newOwner(w.ledger(nil), w.topic.join())
		if err := second.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return errCrash
	})
	first := newOwner(l, w.topic.join())
	if err := first.start(t.Context()); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	if first.epoch >= second.epoch {
		t.Errorf("epoch %d, and its successor's is %d", first.epoch, second.epoch)
	}
}

// TestRejections: what is no evidence, belongs elsewhere or collides is rejected
// with its reason and without a value, and the rest goes on.
func TestRejections(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	at := testNow.Add(-time.Hour)
	ana := id(identity.Email, "ana@shop.example")
	good := evidenceOf(w.workspaces[0], "crm", at, at, ana, id(identity.UserID, "u1"))
	w.send(good)
	w.topic.add([]byte(`{"workspace":"ana@shop.example`))
	w.topic.add([]byte(`{}`))
	foreign := w.sent
	w.sent = map[string][]identity.Evidence{}
	w.send(evidenceOf("elsewhere", "crm", at, at, ana))
	collide := evidenceOf(w.workspaces[0], "crm", at, at, id(identity.UserID, "u2"), id(identity.Email, "eve@shop.example"))
	for i := range collide.Members {
		if collide.Members[i].Namespace == identity.Email {
			collide.Members[i].Key = good.Members[1].Key
		}
	}
	w.send(collide) // in the batch of good
	w.sent = foreign
	w.whole = true
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	w.sent = map[string][]identity.Evidence{}
	w.send(collide) // known from the ledger only
	w.sent = foreign
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1 evidence_unreadable", "2 evidence_unreadable", "3 evidence_foreign_workspace",
		"4 identifier_collision", "5 identifier_collision",
	}
	var got []string
	for _, r := range w.bin.rejections {
		got = append(got, fmt.Sprint(r.Message.Offset, " ", r.Reason))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rejections = %q, want %q", got, want)
	}
	if err := w.check(); err != nil {
		t.Error(err)
	}
}

// doubtful is a database that stores an insert and says that it failed, once
// for each table.
type doubtful struct {
	driver.Conn
	failed map[string]bool
}

type doubtfulBatch struct {
	driver.Batch
	fail bool
}

func (d *doubtful) PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	b, err := d.Conn.PrepareBatch(ctx, query, opts...)
	first := !d.failed[query]
	d.failed[query] = true
	return doubtfulBatch{b, first}, err
}

func (b doubtfulBatch) Send() error {
	if err := b.Batch.Send(); err != nil || !b.fail {
		return err
	}
	return errors.New("connection reset")
}

// TestRetriedInsert: an insert that arrived and seemed to fail is tried again,
// and its changes are in the history once.
func TestRetriedInsert(t *testing.T) {
	db := warehousetest.Shared(t)
	w := newWorld(t, db, firstSeed)
	for range 10 {
		w.sendRandom()
	}
	l := w.ledger(nil)
	l.store.db = &serial{doubtful: doubtful{Conn: db, failed: map[string]bool{}}, turn: make(chan struct{}, 1)}
	o := newOwner(l, w.topic.join())
	if err := o.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := o.process(t.Context(), w.topic.log); err != nil {
		t.Fatal(err)
	}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
}

// serial guards the map of doubtful.
type serial struct {
	doubtful
	turn chan struct{}
}

func (s *serial) PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	return s.doubtful.PrepareBatch(ctx, query, opts...)
}

// TestMetadata: what an owner leaves in its commits.
func TestMetadata(t *testing.T) {
	m := mark{Epoch: 7, Noticed: version{7, 12}}
	if got, err := parseMark(m.String()); err != nil || got != m {
		t.Errorf("parseMark(%s) = %v, %v", m, got, err)
	}
	if got, err := parseMark(""); err != nil || got != (mark{}) {
		t.Errorf("parseMark of nothing = %v, %v", got, err)
	}
	if _, err := parseMark("plan 1-2"); err == nil {
		t.Error("metadata of somebody else was read")
	}
}

// TestLostMetadata: an operator who resets offsets loses the mark; epochs go on
// from the tables, and every notice is published again.
func TestLostMetadata(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	for range 20 {
		w.sendRandom()
	}
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	w.topic.offset, w.topic.metadata = 0, ""
	w.notebook.notices = nil
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
}
